//! Truncations against known days.

use super::*;

fn day(year: i64, month: i64, day: i64) -> i64 {
    CivilDate { year, month, day }.days()
}

#[test]
fn a_day_falls_into_the_periods_that_begin_before_it() {
    let sunday = day(2026, 11, 22);
    let first = |unit: &str| Unit::parse(unit).unwrap().first_day(sunday);
    assert_eq!(first("year"), day(2026, 1, 1));
    assert_eq!(first("QUARTER"), day(2026, 10, 1));
    assert_eq!(first("month"), day(2026, 11, 1));
    assert_eq!(first("week"), day(2026, 11, 16));
    assert_eq!(first("day"), sunday);
    assert_eq!(Unit::parse("decade"), None);
}

#[test]
fn a_timestamp_before_1970_is_truncated_downwards() {
    let micros = -1;
    let trunc = |unit| Bucket::Trunc(unit).of_key(micros, ColumnType::Timestamp);
    assert_eq!(trunc(Unit::Hour), -3_600_000_000);
    assert_eq!(trunc(Unit::Day), -MICROSECONDS_PER_DAY);
    assert_eq!(trunc(Unit::Year), day(1969, 1, 1) * MICROSECONDS_PER_DAY);
}

#[test]
fn the_group_of_a_value_is_that_of_its_key() {
    for key in [-40_000_i32, -1, 0, 59, 20_779] {
        let bucket = Bucket::Trunc(Unit::Month);
        let of_key = bucket.of_key(key.into(), ColumnType::Date);
        assert_eq!(bucket.of_value(&Value::Date(key)), Value::Date(of_key as i32));
        let part = Bucket::Part(DatePart::Month);
        let of_key = part.of_key(key.into(), ColumnType::Date);
        assert_eq!(part.of_value(&Value::Date(key)), Value::Int(of_key));
    }
}
