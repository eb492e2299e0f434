use super::*;

#[test]
fn a_day_is_the_banks_day() {
    let day = |offset: &str, seconds: i64| {
        UtcOffset::parse(offset).unwrap().day_of(seconds).unwrap().to_string()
    };
    let last_second_of_1969 = -1;
    assert_eq!(day("+00:00", last_second_of_1969), "1969-12-31");
    assert_eq!(day("+08:00", last_second_of_1969), "1970-01-01");
    assert_eq!(day("-03:30", 3 * 3_600 + 1_799), "1969-12-31");
    assert_eq!(day("-03:30", 3 * 3_600 + 1_800), "1970-01-01");
    assert_eq!(UtcOffset::default().day_of(i64::MAX), None);
}

#[test]
fn an_offset_is_a_sign_two_digits_a_colon_and_two_digits() {
    for refused in
        ["", "8", "+8:00", "+08", "08:00", "+15:00", "+08:60", "+0８:00", "++1:00", "+-1:00"]
    {
        assert_eq!(UtcOffset::parse(refused), None, "{refused}");
    }
}
