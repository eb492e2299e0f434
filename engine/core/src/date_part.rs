//! A part of a date or timestamp, as SQL's `extract` and `date_part` tell it.
//!
//! Owns the calendar arithmetic (proleptic Gregorian, as SQL's). Never fails: a value that is
//! neither a date nor a timestamp has no parts. Never knows a time zone; timestamps are local.

use crate::value::Value;

const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;
const MICROSECONDS_PER_DAY: i64 = 24 * MICROSECONDS_PER_HOUR;

/// A part that is a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DatePart {
    /// The year, such as 2026.
    Year,
    /// The quarter, 1 to 4.
    Quarter,
    /// The month, 1 to 12.
    Month,
    /// The day of the month, 1 to 31.
    Day,
    /// The day of the week, 0 (Sunday) to 6 (Saturday): SQL's `dow`.
    DayOfWeek,
    /// The day of the year, 1 to 366: SQL's `doy`.
    DayOfYear,
    /// The hour, 0 to 23; of a date 0.
    Hour,
}

impl DatePart {
    /// Every part.
    pub const ALL: [Self; 7] = [
        Self::Year,
        Self::Quarter,
        Self::Month,
        Self::Day,
        Self::DayOfWeek,
        Self::DayOfYear,
        Self::Hour,
    ];

    /// The name by which SQL's `date_part` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Day => "day",
            Self::DayOfWeek => "dow",
            Self::DayOfYear => "doy",
            Self::Hour => "hour",
        }
    }

    /// Reads a part's name, in any case; `None` if it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name().eq_ignore_ascii_case(name))
    }

    /// The part of a value; `None` if it is neither a date nor a timestamp.
    #[must_use]
    pub const fn of(self, value: &Value) -> Option<i64> {
        match value {
            Value::Date(days) => Some(self.of_day(*days as i64, 0)),
            Value::Timestamp(micros) => Some(self.of_day(
                micros.div_euclid(MICROSECONDS_PER_DAY),
                micros.rem_euclid(MICROSECONDS_PER_DAY) / MICROSECONDS_PER_HOUR,
            )),
            _ => None,
        }
    }

    const fn of_day(self, days: i64, hour: i64) -> i64 {
        let date = CivilDate::of_days(days);
        match self {
            Self::Year => date.year,
            Self::Quarter => (date.month - 1) / 3 + 1,
            Self::Month => date.month,
            Self::Day => date.day,
            // 1970-01-01 was a Thursday.
            Self::DayOfWeek => (days + 4).rem_euclid(7),
            Self::DayOfYear => days - CivilDate { year: date.year, month: 1, day: 1 }.days() + 1,
            Self::Hour => hour,
        }
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilDate {
    /// The year; 0 is the one before year 1.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, 1 to 31.
    pub day: i64,
}

impl CivilDate {
    /// The date that lies so many days after 1970-01-01. Years are counted from March, so that
    /// the leap day comes last.
    #[must_use]
    pub const fn of_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400;
        Self {
            year: if month <= 2 { year + 1 } else { year },
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
        }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day_of_year = (153 * from_march + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

#[cfg(test)]
#[path = "date_part_tests.rs"]
mod tests;
