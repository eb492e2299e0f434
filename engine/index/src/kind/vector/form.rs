//! What the 64-bit keys of a vector stand for, and the way between values and keys.
//!
//! The order of keys is the order of the values, so that a comparison with any constant is a
//! range of keys, even where no key is equal to the constant.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use martlet_core::{CivilDate, ColumnType, Comparison, DatePart, Value};

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

const INT: u8 = 1;
const FLOAT: u8 = 2;
const DECIMAL: u8 = 3;
const DATE: u8 = 4;
const TIMESTAMP: u8 = 5;

/// Below every key, and above.
const START: i128 = i64::MIN as i128;
const END: i128 = i64::MAX as i128 + 1;

const MICROSECONDS_PER_DAY: i128 = 86_400_000_000;

/// Years beyond these have no day that is a date or a timestamp.
const YEARS: i64 = 10_000_000;

/// Digits of the longest number that a key holds whatever the digits are.
pub(super) const DIGITS_MAX: u8 = 18;

impl VectorForm {
    /// Whether the keys can be those of a column of the type.
    pub(in crate::kind) const fn fits(&self, column_type: ColumnType) -> bool {
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

    /// The form in which such a value has a key; `None` if there is none.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(_) => Some(Self::Int),
            Value::Float(_) => Some(Self::Float),
            Value::Decimal(_) => Some(Self::Decimal),
            Value::Date(_) => Some(Self::Date),
            Value::Timestamp(_) => Some(Self::Timestamp),
            Value::Text(text) => Self::of_digit_text(text),
            Value::Boolean(_) => None,
        }
    }

    /// Texts that end in as many digits as this one, and begin as it does before them.
    pub(crate) fn of_digit_text(text: &str) -> Option<Self> {
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        let digits = u8::try_from(digits).unwrap_or(u8::MAX).min(DIGITS_MAX);
        let prefix = &text[..text.len() - usize::from(digits)];
        let has_form = digits > 0 && u16::try_from(prefix.len()).is_ok();
        has_form.then(|| Self::DigitText { prefix: Arc::from(prefix), digits })
    }

    /// The key that stands for the value; `None` if none does.
    pub(crate) fn key_of(&self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Int, Value::Int(_))
            | (Self::Float, Value::Float(_))
            | (Self::Decimal, Value::Decimal(_))
            | (Self::Date, Value::Date(_))
            | (Self::Timestamp, Value::Timestamp(_)) => narrow_key(value),
            (Self::DigitText { .. }, Value::Text(text)) => self.key_of_text(text),
            _ => None,
        }
    }

    /// The key that stands for the text; `None` if none does.
    pub(crate) fn key_of_text(&self, text: &str) -> Option<i64> {
        let Self::DigitText { prefix, digits } = self else { return None };
        number(text.strip_prefix(&**prefix)?, *digits)
    }

    /// The value that a key stands for.
    pub(crate) fn value_of(&self, key: i64) -> Value {
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
    pub(crate) fn keys_that(
        &self,
        comparison: Comparison,
        constant: &Value,
    ) -> Option<Range<i128>> {
        let place = self.place_of(constant)?;
        Some(match comparison {
            Comparison::Equal | Comparison::NotEqual => place,
            Comparison::Less => START..place.start,
            Comparison::LessOrEqual => START..place.end,
            Comparison::Greater => place.end..END,
            Comparison::GreaterOrEqual => place.start..END,
        })
    }

    /// The keys, as ascending ranges, of which a part of the date compares so with a constant;
    /// `None` where that is no few ranges. Only years are.
    pub(crate) fn keys_of_part(
        &self,
        part: DatePart,
        comparison: Comparison,
        constant: i64,
    ) -> Option<Vec<Range<i128>>> {
        let unit = match self {
            Self::Date => 1,
            Self::Timestamp => MICROSECONDS_PER_DAY,
            _ => return None,
        };
        if part != DatePart::Year {
            return None;
        }
        let first_of = |year| i128::from(CivilDate { year, month: 1, day: 1 }.days()) * unit;
        let year = constant.clamp(-YEARS, YEARS);
        let (start, end) = (first_of(year), first_of(year + 1));
        let one = |keys: Range<i128>| std::iter::once(keys).collect();
        Some(match comparison {
            Comparison::Equal => one(start..end),
            Comparison::NotEqual => vec![START..start, end..END],
            Comparison::Less => one(START..start),
            Comparison::LessOrEqual => one(START..end),
            Comparison::Greater => one(end..END),
            Comparison::GreaterOrEqual => one(start..END),
        })
    }

    /// The number by which a section tells what its keys are; `None` for a digit text, which
    /// takes more than a number.
    pub(in crate::kind) const fn number_tag(&self) -> Option<u8> {
        match self {
            Self::Int => Some(INT),
            Self::Float => Some(FLOAT),
            Self::Decimal => Some(DECIMAL),
            Self::Date => Some(DATE),
            Self::Timestamp => Some(TIMESTAMP),
            Self::DigitText { .. } => None,
        }
    }

    /// Back from [`Self::number_tag`].
    pub(in crate::kind) const fn of_number_tag(tag: u8) -> Option<Self> {
        match tag {
            INT => Some(Self::Int),
            FLOAT => Some(Self::Float),
            DECIMAL => Some(Self::Decimal),
            DATE => Some(Self::Date),
            TIMESTAMP => Some(Self::Timestamp),
            _ => None,
        }
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
