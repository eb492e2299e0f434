//! What the 64-bit keys of a vector stand for, and the way between values and keys.
//!
//! The order of keys is the order of the values, so that a comparison with any constant is a
//! range of keys, even where no key is equal to the constant.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use martlet_core::{ColumnType, Comparison, Value};

use crate::values::{date_of, float_of, narrow_key};

/// What a vector's keys stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VectorForm {
    /// Integers, as they are.
    Int,
    /// Floats, as bits in IEEE 754 `totalOrder`.
    Float,
    /// Decimals, as the unscaled number.
    Decimal,
    /// Dates, in days since 1970-01-01.
    Date,
    /// Timestamps, in microseconds since 1970-01-01 00:00.
    Timestamp,
    /// Texts: the prefix and then exactly so many decimal digits, the key being their number.
    DigitText {
        /// What every text begins with.
        prefix: Arc<str>,
        /// How many digits follow, 1 to 18.
        digits: u8,
    },
}

/// Digits of the longest number that a key holds whatever the digits are.
pub(super) const DIGITS_MAX: u8 = 18;

impl VectorForm {
    /// Whether the keys can be those of a column of the type.
    pub(super) const fn fits(&self, column_type: ColumnType) -> bool {
        matches!(
            (self, column_type),
            (Self::Int, ColumnType::Int32 | ColumnType::Int64)
                | (Self::Float, ColumnType::Float64)
                | (Self::Decimal, ColumnType::Decimal { .. })
                | (Self::Date, ColumnType::Date)
                | (Self::Timestamp, ColumnType::Timestamp)
                | (Self::DigitText { .. }, ColumnType::Text)
        )
    }

    /// The key that stands for the value; `None` if none does.
    pub(super) fn key_of(&self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Int, Value::Int(_))
            | (Self::Float, Value::Float(_))
            | (Self::Decimal, Value::Decimal(_))
            | (Self::Date, Value::Date(_))
            | (Self::Timestamp, Value::Timestamp(_)) => narrow_key(value),
            (Self::DigitText { prefix, digits }, Value::Text(text)) => {
                number(text.strip_prefix(&**prefix)?, *digits)
            }
            _ => None,
        }
    }

    /// The value that a key stands for.
    pub(super) fn value_of(&self, key: i64) -> Value {
        match self {
            Self::Int => Value::Int(key),
            Self::Float => Value::Float(float_of(key)),
            Self::Decimal => Value::Decimal(key.into()),
            Self::Date => Value::Date(date_of(key)),
            Self::Timestamp => Value::Timestamp(key),
            Self::DigitText { prefix, digits } => {
                let width = usize::from(*digits);
                Value::Text(Arc::from(format!("{prefix}{key:0width$}")))
            }
        }
    }

    /// The keys, as a range, that compare so with a constant; for `<>` those that are equal.
    /// `None` if the constant is of another type.
    pub(super) fn keys_that(
        &self,
        comparison: Comparison,
        constant: &Value,
    ) -> Option<Range<i128>> {
        const END: i128 = i64::MAX as i128 + 1;
        const START: i128 = i64::MIN as i128;
        let place = self.place_of(constant)?;
        Some(match comparison {
            Comparison::Equal | Comparison::NotEqual => place,
            Comparison::Less => START..place.start,
            Comparison::LessOrEqual => START..place.end,
            Comparison::Greater => place.end..END,
            Comparison::GreaterOrEqual => place.start..END,
        })
    }

    /// Where the constant stands among the keys: the first that is not below it, and the first
    /// that is above.
    fn place_of(&self, constant: &Value) -> Option<Range<i128>> {
        match (self, constant) {
            (Self::DigitText { prefix, digits }, Value::Text(text)) => {
                Some(place_of_text(text, prefix, *digits))
            }
            (Self::Decimal, Value::Decimal(value)) => Some(*value..value.saturating_add(1)),
            _ => {
                let key = i128::from(self.key_of(constant)?);
                Some(key..key + 1)
            }
        }
    }
}

/// Exactly so many digits as a number.
pub(super) fn number(text: &str, digits: u8) -> Option<i64> {
    let is_number =
        text.len() == usize::from(digits) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// How many of the texts (the prefix, then each number of so many digits, in order) are below
/// the text, and how many are not above it.
fn place_of_text(text: &str, prefix: &str, digits: u8) -> Range<i128> {
    let all = 10_i128.pow(u32::from(digits));
    let Some(rest) = text.as_bytes().strip_prefix(prefix.as_bytes()) else {
        return match text.cmp(prefix) {
            Ordering::Less => 0..0,
            // Not a text that begins with the prefix, so it differs from it within.
            Ordering::Equal | Ordering::Greater => all..all,
        };
    };
    let mut known = 0_i128;
    let mut unknown = all;
    for position in 0..usize::from(digits) {
        match rest.get(position) {
            Some(digit @ b'0'..=b'9') => {
                known = known * 10 + i128::from(digit - b'0');
                unknown /= 10;
            }
            Some(byte) if *byte > b'9' => {
                let above = (known + 1) * unknown;
                return above..above;
            }
            // Shorter, or a byte before all digits: below all that begin alike.
            _ => return known * unknown..known * unknown,
        }
    }
    let is_longer = rest.len() > usize::from(digits);
    if is_longer { known + 1..known + 1 } else { known..known + 1 }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
