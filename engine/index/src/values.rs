//! Values out of Arrow columns, and the keys by which whole columns are sorted and hashed.
//!
//! The one place that reads a column's cells. Knows the stored types of a mart and no others;
//! a view, a dictionary or a time zone is refused, never guessed at.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use martlet_core::{ColumnType, Value};

/// The value at a row of a stored column: `None` where it is null, where the row does not
/// exist, or where the array is not of a stored type. `-0.0` is read as `0.0`.
#[must_use]
pub fn value_at(array: &dyn Array, row: usize) -> Option<Value> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            Value::Float(sql_float(array.as_primitive::<Float64Type>().value(row)))
        }
        DataType::Decimal128(..) => {
            Value::Decimal(array.as_primitive::<Decimal128Type>().value(row))
        }
        DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Value::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Utf8 => Value::text(array.as_string::<i32>().value(row)),
        _ => return None,
    })
}

/// The float that stands for all that SQL holds equal to this one: `0.0` for `-0.0`.
pub(crate) fn sql_float(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// The constant as the indexes hold it.
pub(crate) fn sql_value(value: &Value) -> Value {
    match value {
        Value::Float(float) => Value::Float(sql_float(*float)),
        other => other.clone(),
    }
}

/// A float's bits as an integer of the same order (IEEE 754 `totalOrder`). Its own inverse.
const fn ordered_bits(bits: i64) -> i64 {
    bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

/// The key of a value in a narrow column; `None` if no 64-bit key can be equal to it.
pub(crate) fn narrow_key(value: &Value) -> Option<i64> {
    match value {
        Value::Boolean(value) => Some(i64::from(*value)),
        Value::Int(value) | Value::Timestamp(value) => Some(*value),
        Value::Float(value) => Some(ordered_bits(sql_float(*value).to_bits().cast_signed())),
        Value::Decimal(value) => i64::try_from(*value).ok(),
        Value::Date(value) => Some(i64::from(*value)),
        Value::Text(_) => None,
    }
}

/// The number that stands for a value in sums and comparisons: itself for integers, the unscaled
/// number for decimals of at most 64 bits, days or microseconds for dates and timestamps, bits
/// in the order of the values for floats. `None` for a text and for a wider decimal.
#[must_use]
pub fn key_of_value(value: &Value) -> Option<i64> {
    narrow_key(value)
}

/// The value of a column of this type for which [`key_of_value`] gives the key; `None` for a
/// text column and for a key that the type does not have.
#[must_use]
pub fn value_of_key(key: i64, column_type: ColumnType) -> Option<Value> {
    Some(match column_type {
        ColumnType::Boolean => Value::Boolean(key != 0),
        ColumnType::Int32 | ColumnType::Int64 => Value::Int(key),
        ColumnType::Float64 => Value::Float(float_of_key(key)),
        ColumnType::Decimal { .. } => Value::Decimal(key.into()),
        ColumnType::Date => Value::Date(i32::try_from(key).ok()?),
        ColumnType::Timestamp => Value::Timestamp(key),
        ColumnType::Text => return None,
    })
}

/// The float of a key.
pub(crate) fn float_of_key(key: i64) -> f64 {
    f64::from_bits(ordered_bits(key).cast_unsigned())
}

/// One column as keys whose order is the order of the values.
pub(crate) struct ColumnKeys<'a> {
    nulls: Option<&'a NullBuffer>,
    rows: usize,
    pub(crate) keys: Keys<'a>,
}

/// The keys of all rows; what stands under a null is arbitrary.
pub(crate) enum Keys<'a> {
    /// Anything that fits 64 bits, with the way back to a value.
    Narrow { keys: Vec<i64>, value: fn(i64) -> Value },
    /// Decimals of which one at least does not fit 64 bits.
    Wide(&'a [i128]),
    /// Texts.
    Text(&'a StringArray),
}

impl<'a> ColumnKeys<'a> {
    /// Reads a stored column; `None` if it is of another type.
    pub(crate) fn of(array: &'a ArrayRef) -> Option<Self> {
        let keys = match array.data_type() {
            DataType::Boolean => Keys::Narrow {
                keys: boolean_keys(array.as_boolean()),
                value: |key| Value::Boolean(key != 0),
            },
            DataType::Int32 => Keys::Narrow {
                keys: widen(array.as_primitive::<Int32Type>().values()),
                value: Value::Int,
            },
            DataType::Int64 => Keys::Narrow {
                keys: array.as_primitive::<Int64Type>().values().to_vec(),
                value: Value::Int,
            },
            DataType::Float64 => Keys::Narrow {
                keys: float_keys(array.as_primitive::<Float64Type>().values()),
                value: |key| Value::Float(float_of(key)),
            },
            DataType::Decimal128(..) => {
                decimal_keys(array.as_primitive::<Decimal128Type>().values())
            }
            DataType::Date32 => Keys::Narrow {
                keys: widen(array.as_primitive::<Date32Type>().values()),
                value: |key| Value::Date(date_of(key)),
            },
            DataType::Timestamp(TimeUnit::Microsecond, None) => Keys::Narrow {
                keys: array.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
                value: Value::Timestamp,
            },
            DataType::Utf8 => Keys::Text(array.as_string::<i32>()),
            _ => return None,
        };
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Self { nulls, rows: array.len(), keys })
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// How many of these rows are null.
    pub(crate) fn nulls_within(&self, rows: Range<usize>) -> usize {
        self.nulls.map_or(0, |nulls| nulls.slice(rows.start, rows.len()).null_count())
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// A bit per row that is not null, 64 to a word, the lowest bit first; those behind the last
    /// row are 0.
    pub(crate) fn presence(&self) -> Vec<u64> {
        let words = self.rows.div_ceil(64);
        if let Some(nulls) = self.nulls {
            let chunks = nulls.inner().bit_chunks();
            return chunks.iter_padded().take(words).collect();
        }
        let mut present = vec![u64::MAX; words];
        if let (Some(last), rows @ 1..) = (present.last_mut(), self.rows % 64) {
            *last = (1 << rows) - 1;
        }
        present
    }
}

/// Back from a key that came from a float.
pub(crate) const fn float_of(key: i64) -> f64 {
    f64::from_bits(ordered_bits(key).cast_unsigned())
}

/// Back from a key that came from a date: always within range.
pub(crate) fn date_of(key: i64) -> i32 {
    i32::try_from(key).unwrap_or(if key < 0 { i32::MIN } else { i32::MAX })
}

fn boolean_keys(array: &BooleanArray) -> Vec<i64> {
    array.values().iter().map(i64::from).collect()
}

fn widen(values: &[i32]) -> Vec<i64> {
    values.iter().map(|value| i64::from(*value)).collect()
}

fn float_keys(values: &[f64]) -> Vec<i64> {
    values.iter().map(|value| ordered_bits(sql_float(*value).to_bits().cast_signed())).collect()
}

fn decimal_keys(values: &[i128]) -> Keys<'_> {
    match values.iter().map(|value| i64::try_from(*value)).collect::<Result<Vec<_>, _>>() {
        Ok(keys) => Keys::Narrow { keys, value: |key| Value::Decimal(key.into()) },
        Err(_) => Keys::Wide(values),
    }
}

/// The text that `Value` shares.
pub(crate) fn text_value(text: &str) -> Value {
    Value::Text(Arc::from(text))
}
