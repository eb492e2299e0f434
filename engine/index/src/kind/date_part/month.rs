//! Months as numbers, and where they begin among the keys of a column.

use std::ops::Range;

use martlet_core::{CivilDate, Comparison, DatePart, Value};

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// A month: years times twelve, and the months before it in its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(pub(super) i32);

impl Month {
    pub(super) fn of_day(day: i64) -> Self {
        let date = CivilDate::of_days(day);
        // Days of 32 bits and timestamps of 64 lie within six million years.
        Self((date.year * 12 + date.month - 1) as i32)
    }

    pub(super) const fn year(self) -> i64 {
        (self.0 as i64).div_euclid(12)
    }

    /// From 1.
    pub(super) const fn of_year(self) -> i64 {
        (self.0 as i64).rem_euclid(12) + 1
    }

    pub(super) fn part(self, part: DatePart) -> Option<i64> {
        match part {
            DatePart::Year => Some(self.year()),
            DatePart::Quarter => Some((self.of_year() - 1) / 3 + 1),
            DatePart::Month => Some(self.of_year()),
            DatePart::Day | DatePart::DayOfWeek | DatePart::DayOfYear | DatePart::Hour => None,
        }
    }

    /// Its keys: days, or microseconds.
    pub(super) fn keys(self, unit: Unit) -> Range<i128> {
        let first = |month: Self| {
            let date = CivilDate { year: month.year(), month: month.of_year(), day: 1 };
            i128::from(date.days()) * i128::from(unit.per_day())
        };
        first(self)..first(Self(self.0 + 1))
    }
}

/// What a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Days,
    Microseconds,
}

impl Unit {
    pub(super) const fn per_day(self) -> i64 {
        match self {
            Self::Days => 1,
            Self::Microseconds => MICROSECONDS_PER_DAY,
        }
    }
}

/// The key of a date or timestamp.
pub(super) const fn key_of(value: &Value) -> Option<(Unit, i64)> {
    match value {
        Value::Date(days) => Some((Unit::Days, *days as i64)),
        Value::Timestamp(micros) => Some((Unit::Microseconds, *micros)),
        _ => None,
    }
}

/// Whether a range by this comparison cuts no month in two.
pub(super) fn ends_where_months_do(comparison: Comparison, value: &Value) -> bool {
    let Some((unit, key)) = key_of(value) else { return false };
    let first_behind = match comparison {
        Comparison::Less | Comparison::GreaterOrEqual => i128::from(key),
        Comparison::LessOrEqual | Comparison::Greater => i128::from(key) + 1,
        Comparison::Equal | Comparison::NotEqual => return false,
    };
    let keys = Month::of_day(key.div_euclid(unit.per_day())).keys(unit);
    keys.start == first_behind || keys.end == first_behind
}
