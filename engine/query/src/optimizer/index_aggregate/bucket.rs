//! Coarser values of a date or timestamp by which rows are grouped: parts and truncations.
//!
//! Pure arithmetic that cannot fail, so that it may run on every value of a dictionary, also on
//! those of rows that nobody here may see.

use martlet_core::{CivilDate, ColumnType, DatePart, Value};

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// What of a value makes its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    /// The value itself.
    Value,
    /// A part of a date or timestamp: a whole number.
    Part(DatePart),
    /// The beginning of the period that a date or timestamp lies in.
    Trunc(Unit),
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
}

impl Unit {
    /// Whether its beginnings are whole days.
    pub(super) const fn is_of_days(self) -> bool {
        !matches!(self, Self::Hour)
    }

    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            _ => return None,
        })
    }

    /// The first day of the period that a day lies in.
    const fn first_day(self, day: i64) -> i64 {
        let date = CivilDate::of_days(day);
        match self {
            Self::Year => CivilDate { month: 1, day: 1, ..date }.days(),
            Self::Quarter => {
                CivilDate { month: (date.month - 1) / 3 * 3 + 1, day: 1, ..date }.days()
            }
            Self::Month => day - date.day + 1,
            // Weeks begin on Monday; 1970-01-01 was a Thursday.
            Self::Week => day - (day + 3).rem_euclid(7),
            Self::Day | Self::Hour => day,
        }
    }
}

impl Bucket {
    /// Reads a function of SQL and its first argument.
    pub(super) fn parse(function: &str, part: &str) -> Option<Self> {
        match function {
            "date_part" => DatePart::parse(part).map(Self::Part),
            "date_trunc" => Unit::parse(part).map(Self::Trunc),
            _ => None,
        }
    }

    pub(super) const fn applies_to(self, column_type: ColumnType) -> bool {
        match self {
            Self::Value => true,
            Self::Part(_) | Self::Trunc(_) => {
                matches!(column_type, ColumnType::Date | ColumnType::Timestamp)
            }
        }
    }

    /// The number of a group, given the key of a value (days or microseconds since 1970).
    /// For a truncation it is the key of the period's beginning.
    pub(super) const fn of_key(self, key: i64, column_type: ColumnType) -> i64 {
        let is_timestamp = matches!(column_type, ColumnType::Timestamp);
        let day = if is_timestamp { key.div_euclid(MICROSECONDS_PER_DAY) } else { key };
        match self {
            Self::Value => key,
            Self::Part(part) => {
                let value =
                    if is_timestamp { Value::Timestamp(key) } else { Value::Date(key as i32) };
                match part.of(&value) {
                    Some(number) => number,
                    None => key,
                }
            }
            Self::Trunc(Unit::Hour) if is_timestamp => {
                key - key.rem_euclid(MICROSECONDS_PER_DAY / 24)
            }
            Self::Trunc(unit) if is_timestamp => unit.first_day(day) * MICROSECONDS_PER_DAY,
            Self::Trunc(unit) => unit.first_day(day),
        }
    }

    /// The group of a value.
    pub(super) fn of_value(self, value: &Value) -> Value {
        let (key, column_type) = match value {
            Value::Date(day) => (i64::from(*day), ColumnType::Date),
            Value::Timestamp(micros) => (*micros, ColumnType::Timestamp),
            _ => return value.clone(),
        };
        match self {
            Self::Value => value.clone(),
            Self::Part(_) => Value::Int(self.of_key(key, column_type)),
            Self::Trunc(_) => {
                martlet_index::value_of_key(self.of_key(key, column_type), column_type)
                    .unwrap_or_else(|| value.clone())
            }
        }
    }

    /// The type of the groups' values.
    pub(super) const fn column_type(self, of: ColumnType) -> ColumnType {
        match self {
            Self::Part(_) => ColumnType::Int64,
            Self::Value | Self::Trunc(_) => of,
        }
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
