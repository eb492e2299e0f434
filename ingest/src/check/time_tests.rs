//! Dates of the everyday formats, and patterns that tell no date.

use proptest::prelude::*;

use super::*;

fn formats(patterns: &[&str]) -> TimeFormats {
    formats_from(patterns, TWO_DIGIT_YEAR_FROM_DEFAULT).unwrap()
}

fn formats_from(patterns: &[&str], year_from: i32) -> Result<TimeFormats, String> {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    TimeFormats::compile(&patterns, year_from)
}

fn day(year: i32, month: u32, day: u32) -> i32 {
    days(NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

#[test]
fn everyday_dates() {
    assert_eq!(formats(&["%Y-%m-%d"]).date("1970-01-02"), Ok(1));
    assert_eq!(formats(&["%Y%m%d"]).date("20241231"), Ok(day(2024, 12, 31)));
    assert_eq!(formats(&["%F"]).date("2024-02-29"), Ok(day(2024, 2, 29)));
    assert_eq!(formats(&["%Y-%m-%d"]).date("2023-02-29"), Err(Reason::NoSuchDay));
    let strict = formats(&["%Y-%m-%d"]);
    for bad in ["", "2024-1-01", "2024-01-1", "2024-01-01 ", "24-01-01", "2024/01/01", "+024-01-01"]
    {
        assert_eq!(
            strict.date(bad),
            Err(Reason::NotOfFormat { formats: "`%Y-%m-%d`".into() }),
            "{bad:?}"
        );
    }
}

#[test]
fn two_digit_years_fall_into_their_window() {
    let default = formats(&["%y%m%d"]);
    assert_eq!(default.date("930101"), Ok(day(1993, 1, 1)));
    assert_eq!(default.date("700101"), Ok(day(1970, 1, 1)));
    assert_eq!(default.date("691231"), Ok(day(2069, 12, 31)));
    let older = formats_from(&["%y%m%d"], 1950).unwrap();
    assert_eq!(older.date("500101"), Ok(day(1950, 1, 1)));
    assert_eq!(older.date("491231"), Ok(day(2049, 12, 31)));
}

#[test]
fn a_date_keeps_no_time_and_drops_none() {
    let delivered = formats(&["%y%m%d %H:%M:%S"]);
    assert_eq!(delivered.date("931107 00:00:00"), Ok(day(1993, 11, 7)));
    assert_eq!(delivered.date("931107 00:00:01"), Err(Reason::TimeOfDay));
    assert_eq!(delivered.date("931107 24:00:00"), Err(Reason::NoSuchDay));
}

#[test]
fn timestamps_to_the_microsecond() {
    let formats = formats(&["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]);
    assert_eq!(formats.timestamp("1970-01-01 00:00:01"), Ok(1_000_000));
    assert_eq!(formats.timestamp("1970-01-01T00:00:00.5"), Ok(500_000));
    assert_eq!(formats.timestamp("1969-12-31 23:59:59.999999"), Ok(-1));
    assert_eq!(formats.timestamp("1970-01-01 00:00:00.0000010"), Ok(1));
    assert_eq!(formats.timestamp("1970-01-01 00:00:00.0000001"), Err(Reason::TooPrecise));
    assert_eq!(formats.timestamp("1970-01-01 25:00:00"), Err(Reason::NoSuchDay));
    assert!(formats.timestamp("1970-01-01 00:00:00.").is_err());
}

#[test]
fn patterns_of_free_width_are_read_too() {
    assert_eq!(formats(&["%-d.%-m.%Y"]).date("7.11.1993"), Ok(day(1993, 11, 7)));
    assert_eq!(formats(&["%d %b %Y"]).date("07 Nov 1993"), Ok(day(1993, 11, 7)));
    assert_eq!(
        formats(&["%Y-%m-%d %I:%M:%S %p"]).timestamp("1970-01-01 01:00:00 AM"),
        Ok(3_600_000_000)
    );
}

#[test]
fn patterns_that_tell_no_date_are_refused() {
    for (pattern, year_from) in [
        ("%Y-%m", 1970),
        ("%m%d", 1970),
        ("%H:%M", 1970),
        ("%Q", 1970),
        ("%Y-%m-%d %z", 1970),
        ("%s", 1970),
        ("%Y-%m-%d %y", 1970),
        ("%b %Y", 1970),
        ("%-d.%-m.%y", 1950),
    ] {
        assert!(formats_from(&[pattern], year_from).is_err(), "{pattern}");
    }
    assert!(formats_from(&[], 1970).is_err());
}

proptest! {
    /// The fast way and `chrono` agree on every date that `chrono` writes.
    #[test]
    fn dates_read_back(number in -700_000_i32..2_000_000, pattern in prop::sample::select(vec!["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y"])) {
        let date = NaiveDate::from_num_days_from_ce_opt(number + DAYS_FROM_CE_TO_EPOCH).unwrap();
        prop_assume!((0..=9_999).contains(&date.year()));
        prop_assert_eq!(formats(&[pattern]).date(&date.format(pattern).to_string()), Ok(number));
    }

    /// The fast way and `chrono` agree on which days and times there are.
    #[test]
    fn digits_mean_what_chrono_says(
        (year, month, day) in (0_i32..10_000, 0_u32..14, 0_u32..33),
        (hour, minute, second) in (0_u32..25, 0_u32..61, 0_u32..61),
    ) {
        let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        let expected = NaiveDate::from_ymd_opt(year, month, day)
            .and_then(|date| date.and_hms_opt(hour, minute, second))
            .map(|at| at.and_utc().timestamp_micros())
            .ok_or(Reason::NoSuchDay);
        prop_assert_eq!(formats(&["%Y-%m-%d %H:%M:%S"]).timestamp(&text), expected);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,24}") {
        let formats = formats(&["%y%m%d", "%Y-%m-%d %H:%M:%S%.f", "%d %b %Y"]);
        let _ = formats.date(&text);
        let _ = formats.timestamp(&text);
    }
}
