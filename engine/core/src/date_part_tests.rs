//! The calendar against known days and against itself.

use super::*;

#[test]
fn known_days_have_known_parts() {
    // 2026-11-22 is a Sunday.
    let day = CivilDate { year: 2026, month: 11, day: 22 }.days();
    assert_eq!(day, 20_779);
    let date = Value::Date(i32::try_from(day).unwrap());
    let part = |part: DatePart| part.of(&date).unwrap();
    assert_eq!(part(DatePart::Year), 2026);
    assert_eq!(part(DatePart::Quarter), 4);
    assert_eq!(part(DatePart::Month), 11);
    assert_eq!(part(DatePart::Day), 22);
    assert_eq!(part(DatePart::DayOfWeek), 0);
    assert_eq!(part(DatePart::DayOfYear), 326);
    assert_eq!(part(DatePart::Hour), 0);
}

#[test]
fn a_timestamp_before_the_epoch_belongs_to_its_own_day() {
    let last_second_of_1969 = Value::Timestamp(-1_000_000);
    assert_eq!(DatePart::Year.of(&last_second_of_1969), Some(1969));
    assert_eq!(DatePart::Hour.of(&last_second_of_1969), Some(23));
    assert_eq!(DatePart::Year.of(&Value::Int(5)), None);
}

#[test]
fn every_day_comes_back_from_its_date() {
    let days = -800_000..800_000_i64;
    assert!(days.clone().all(|day| CivilDate::of_days(day).days() == day));
    let mut months = days.map(|day| CivilDate::of_days(day).month);
    assert!(months.all(|month| (1..=12).contains(&month)));
}

#[test]
fn names_are_read_as_they_are_written() {
    for part in DatePart::ALL {
        assert_eq!(DatePart::parse(part.name()), Some(part));
    }
    assert_eq!(DatePart::parse("DOW"), Some(DatePart::DayOfWeek));
    assert_eq!(DatePart::parse("epoch"), None);
}
