//! The bank's clock: days, hours and holidays of a moment on record.
//!
//! Takes every moment from a record and never asks the system for the time, so that a journal
//! that is read again gives the same alarms.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Microseconds of a day.
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

/// The bank's offset from UTC and its holidays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// How far the bank's clocks are ahead of UTC, in microseconds.
    pub(crate) ahead: i64,
    pub(crate) holidays: BTreeSet<NaiveDate>,
}

impl Clock {
    /// The day of a moment, counted from 1970-01-01.
    pub(crate) fn day(&self, at: i64) -> i32 {
        i32::try_from(at.saturating_add(self.ahead).div_euclid(DAY)).unwrap_or(i32::MAX)
    }

    /// The minute of its day.
    pub(crate) fn minute(&self, at: i64) -> u32 {
        let minute = at.saturating_add(self.ahead).rem_euclid(DAY) / MINUTE;
        u32::try_from(minute).unwrap_or(0)
    }

    /// Whether the bank works on that day.
    pub(crate) fn is_holiday(&self, day: i32) -> bool {
        date(day).is_some_and(|date| self.holidays.contains(&date))
    }

    /// Whether that day is a Saturday or Sunday.
    pub(crate) fn is_weekend(day: i32) -> bool {
        date(day).is_some_and(|date| matches!(date.weekday(), Weekday::Sat | Weekday::Sun))
    }
}

fn date(day: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_signed(chrono::Duration::days(day.into()))
}

/// The day of a date, counted from 1970-01-01.
pub(crate) fn day_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Reads `90s`, `30m`, `24h` or `7d` as microseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let factor = match unit {
        's' => SECOND,
        'm' => MINUTE,
        'h' => 60 * MINUTE,
        'd' => DAY,
        _ => return None,
    };
    let count: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    (1..=366 * 24 * 3_600).contains(&count).then(|| count.checked_mul(factor)).flatten()
}

/// Reads `22:00` as minutes of the day.
pub(crate) fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Reads `+08:00` as microseconds.
pub(crate) fn offset(text: &str) -> Option<i64> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let minutes = i64::from(minute_of_day(clock)?);
    (minutes <= 14 * 60).then_some(sign * minutes * MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banks_day_begins_at_its_own_midnight() {
        let clock = Clock { ahead: offset("+08:00").unwrap(), holidays: BTreeSet::new() };
        let at =
            |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        let evening = at("2026-11-22T15:59:59Z");
        assert_eq!(clock.minute(evening), 23 * 60 + 59);
        assert_eq!(clock.day(evening) + 1, clock.day(evening + 2 * SECOND));
        assert_eq!(clock.day(evening), day_of(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()));
        assert!(Clock::is_weekend(clock.day(evening)), "a Sunday");
    }

    #[test]
    fn times_have_one_spelling() {
        assert_eq!(duration("90s"), Some(90 * SECOND));
        assert_eq!(duration("30d"), Some(30 * DAY));
        for wrong in ["", "5", "0m", "-1h", "h", "1w", "99999999999999999999d", "1é"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(minute_of_day("22:30"), Some(1_350));
        for wrong in ["24:00", "2:00", "22:60", "22", "+1:00"] {
            assert_eq!(minute_of_day(wrong), None, "{wrong}");
        }
        assert_eq!(offset("-03:30"), Some(-210 * MINUTE));
        assert_eq!(offset("+15:00"), None);
    }
}
