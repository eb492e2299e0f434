//! The sorted distinct values of a section, read where they lie in it.
//!
//! Nothing is decoded to keep: a dictionary of a million values takes no more memory than one of
//! two. What was proven when it was made: values ascend strictly, and texts are texts. Never
//! tells which rows hold a value.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash};

use bytes::Bytes;
use martlet_core::{ColumnType, Value};

use crate::values::narrow_key;

/// The distinct values of a column, ascending, null not among them.
#[derive(Debug, Clone)]
pub struct Dictionary {
    length: usize,
    values: Values,
}

/// The values as a section holds them, little endian, end to end.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Boolean(Bytes),
    Int(Bytes),
    Float(Bytes),
    Decimal(Bytes),
    Date(Bytes),
    Timestamp(Bytes),
    Text(Texts),
}

/// Texts end to end.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    /// Where each begins, and where the last ends: one u32 more than there are texts.
    pub(super) ends: Bytes,
    pub(super) bytes: Bytes,
}

impl Texts {
    fn end(&self, position: usize) -> Option<usize> {
        self.ends.as_chunks::<4>().0.get(position).map(|end| u32::from_le_bytes(*end) as usize)
    }

    fn get(&self, position: usize) -> Option<&[u8]> {
        self.bytes.get(self.end(position)?..self.end(position + 1)?)
    }

    fn are_sound(&self, length: usize) -> bool {
        let Ok(all) = std::str::from_utf8(&self.bytes) else { return false };
        let are_characters = (0..=length)
            .all(|position| self.end(position).is_some_and(|end| all.is_char_boundary(end)));
        let texts = || (0..length).map(|position| self.get(position));
        are_characters
            && texts().all(|text| text.is_some())
            && texts().is_sorted_by(|left, right| left < right)
    }
}

fn number<const N: usize>(bytes: &[u8], position: usize) -> Option<[u8; N]> {
    bytes.as_chunks::<N>().0.get(position).copied()
}

/// Whether fixed-width values ascend strictly.
fn ascend<const N: usize, T>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> T,
    order: impl Fn(&T, &T) -> Ordering,
) -> bool {
    let values = bytes.as_chunks::<N>().0.iter().map(|chunk| decode(*chunk));
    values.is_sorted_by(|left, right| order(left, right) == Ordering::Less)
}

impl Values {
    fn are_sound(&self, length: usize) -> bool {
        match self {
            Self::Boolean(bytes) => ascend(bytes, |[byte]| byte != 0, Ord::cmp),
            Self::Int(bytes) | Self::Timestamp(bytes) => {
                ascend(bytes, i64::from_le_bytes, Ord::cmp)
            }
            Self::Float(bytes) => ascend(bytes, f64::from_le_bytes, f64::total_cmp),
            Self::Decimal(bytes) => ascend(bytes, i128::from_le_bytes, Ord::cmp),
            Self::Date(bytes) => ascend(bytes, i32::from_le_bytes, Ord::cmp),
            Self::Text(texts) => texts.are_sound(length),
        }
    }
}

impl Dictionary {
    /// `None` if the values do not ascend strictly, or a text is none.
    pub(super) fn proven(length: usize, values: Values) -> Option<Self> {
        values.are_sound(length).then_some(Self { length, values })
    }

    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The value at a position; `None` beyond the last.
    #[must_use]
    pub fn value(&self, position: usize) -> Option<Value> {
        Some(match &self.values {
            Values::Boolean(bytes) => Value::Boolean(*bytes.get(position)? != 0),
            Values::Int(bytes) => Value::Int(i64::from_le_bytes(number(bytes, position)?)),
            Values::Float(bytes) => Value::Float(f64::from_le_bytes(number(bytes, position)?)),
            Values::Decimal(bytes) => Value::Decimal(i128::from_le_bytes(number(bytes, position)?)),
            Values::Date(bytes) => Value::Date(i32::from_le_bytes(number(bytes, position)?)),
            Values::Timestamp(bytes) => {
                Value::Timestamp(i64::from_le_bytes(number(bytes, position)?))
            }
            Values::Text(_) => Value::text(self.text(position)?),
        })
    }

    /// Every value, ascending. Each text is copied: where there are many, ask for something else.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        // Every position below the length has a value: that was proven.
        (0..self.length).map(|position| self.value(position).unwrap_or(Value::Boolean(false)))
    }

    /// The text at a position; `None` beyond the last, and of values that are no texts.
    #[must_use]
    pub fn text(&self, position: usize) -> Option<&str> {
        match &self.values {
            Values::Text(texts) => std::str::from_utf8(texts.get(position)?).ok(),
            _ => None,
        }
    }

    /// The bytes of the text at a position; none where [`Self::text`] gives none.
    pub(crate) fn text_bytes(&self, position: usize) -> &[u8] {
        match &self.values {
            Values::Text(texts) => texts.get(position).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether the values are texts.
    #[must_use]
    pub const fn is_of_texts(&self) -> bool {
        matches!(self.values, Values::Text(_))
    }

    /// Whether the values can stand in a column of this type.
    pub(super) fn fits(&self, column_type: ColumnType) -> bool {
        self.is_empty()
            || match &self.values {
                Values::Boolean(_) => column_type == ColumnType::Boolean,
                Values::Int(_) => matches!(column_type, ColumnType::Int32 | ColumnType::Int64),
                Values::Float(_) => column_type == ColumnType::Float64,
                Values::Decimal(_) => matches!(column_type, ColumnType::Decimal { .. }),
                Values::Date(_) => column_type == ColumnType::Date,
                Values::Timestamp(_) => column_type == ColumnType::Timestamp,
                Values::Text(_) => column_type == ColumnType::Text,
            }
    }

    /// The number of the value at a position, 0 where there is none: of integers, dates and
    /// timestamps.
    pub(super) fn integer(&self, position: usize) -> i64 {
        let number = match &self.values {
            Values::Int(bytes) | Values::Timestamp(bytes) => {
                number(bytes, position).map(i64::from_le_bytes)
            }
            Values::Date(bytes) => number(bytes, position).map(|n| i32::from_le_bytes(n).into()),
            _ => None,
        };
        number.unwrap_or(0)
    }

    /// The key of each value, as [`crate::key_of_value`] gives it; `None` if one has none.
    #[must_use]
    pub fn narrow_keys(&self) -> Option<Vec<i64>> {
        if self.is_of_texts() && !self.is_empty() {
            return None;
        }
        let mut keys = Vec::with_capacity(self.length);
        for position in 0..self.length {
            keys.push(narrow_key(&self.value(position)?)?);
        }
        Some(keys)
    }

    /// Whether each value has a key, as [`crate::key_of_value`] gives it.
    #[must_use]
    pub fn has_narrow_keys(&self) -> bool {
        let has_key =
            |position| self.value(position).is_some_and(|value| narrow_key(&value).is_some());
        match self.length {
            0 => true,
            _ if self.is_of_texts() => false,
            // The numbers ascend, so that those in between fit where the outermost do.
            length => has_key(0) && has_key(length - 1),
        }
    }

    /// A hash of each value, in order: equal values of dictionaries of one column have equal
    /// hashes.
    pub(crate) fn hashes(&self, hasher: &impl BuildHasher) -> Vec<u64> {
        fn of<T: Hash>(values: impl Iterator<Item = T>, hasher: &impl BuildHasher) -> Vec<u64> {
            values.map(|value| hasher.hash_one(value)).collect()
        }
        match &self.values {
            Values::Boolean(bytes) => of(bytes.iter(), hasher),
            Values::Int(bytes) | Values::Float(bytes) | Values::Timestamp(bytes) => {
                of(bytes.as_chunks::<8>().0.iter().map(|value| u64::from_le_bytes(*value)), hasher)
            }
            Values::Decimal(bytes) => of(bytes.as_chunks::<16>().0.iter(), hasher),
            Values::Date(bytes) => of(bytes.as_chunks::<4>().0.iter(), hasher),
            Values::Text(_) => of((0..self.length).map(|at| self.text_bytes(at)), hasher),
        }
    }

    /// How the value at a position compares with another one.
    ///
    /// Beyond the last it is above everything.
    pub(crate) fn compare(&self, position: usize, with: &Value) -> Ordering {
        match (&self.values, with) {
            (Values::Text(texts), Value::Text(text)) => {
                texts.get(position).map_or(Ordering::Greater, |own| own.cmp(text.as_bytes()))
            }
            _ => self.value(position).map_or(Ordering::Greater, |own| own.cmp(with)),
        }
    }

    /// The first position for which the condition does not hold, given that it holds for all
    /// before and for none behind.
    pub(crate) fn partition_point(&self, holds: impl Fn(usize) -> bool) -> usize {
        let (mut from, mut to) = (0, self.length);
        while from < to {
            let middle = from.midpoint(to);
            if holds(middle) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Where the value stands, or would stand.
    pub(crate) fn position(&self, value: &Value) -> Result<usize, usize> {
        let place = self.partition_point(|at| self.compare(at, value) == Ordering::Less);
        let is_here = place < self.length && self.compare(place, value) == Ordering::Equal;
        if is_here { Ok(place) } else { Err(place) }
    }
}

#[cfg(test)]
#[path = "dictionary_tests.rs"]
mod tests;
