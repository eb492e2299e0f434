//! One column of a chunk while its rows are checked: typed values, nulls, and a way back.
//!
//! Owns the column buffers. A row is refused as a whole, so every buffer can be cut back to the
//! rows that stand; Arrow's own builders cannot.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array,
    Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use martlet_core::ColumnType;

use super::number;
use crate::config::plan::{ColumnRule, Empty, Parse, Trim};
use crate::decode::fields::Field;
use crate::reason::Reason;

/// Bytes that a text is expected to take, for sizing buffers only.
const TEXT_BYTES_EXPECTED: usize = 20;

/// The values of one column.
#[derive(Debug)]
pub(crate) struct ColumnBuffer {
    values: Values,
    /// The rows that are null, ascending; a chunk's bytes bound its rows far below 2^32.
    nulls: Vec<u32>,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>, u8, i8),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Text { bytes: Vec<u8>, ends: Vec<i32> },
}

impl ColumnBuffer {
    pub(crate) fn new(column_type: ColumnType, rows: usize) -> Self {
        let values = match column_type {
            ColumnType::Boolean => Values::Boolean(Vec::with_capacity(rows)),
            ColumnType::Int32 => Values::Int32(Vec::with_capacity(rows)),
            ColumnType::Int64 => Values::Int64(Vec::with_capacity(rows)),
            ColumnType::Float64 => Values::Float64(Vec::with_capacity(rows)),
            ColumnType::Decimal { precision, scale } => {
                Values::Decimal(Vec::with_capacity(rows), precision, scale)
            }
            ColumnType::Date => Values::Date(Vec::with_capacity(rows)),
            ColumnType::Timestamp => Values::Timestamp(Vec::with_capacity(rows)),
            ColumnType::Text => {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                Values::Text { bytes: Vec::with_capacity(rows * TEXT_BYTES_EXPECTED), ends }
            }
        };
        Self { values, nulls: Vec::new() }
    }

    pub(crate) fn push_null(&mut self) {
        self.nulls.push(u32::try_from(self.rows()).unwrap_or(u32::MAX));
        match &mut self.values {
            Values::Boolean(values) => values.push(false),
            Values::Int32(values) | Values::Date(values) => values.push(0),
            Values::Int64(values) | Values::Timestamp(values) => values.push(0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal(values, ..) => values.push(0),
            Values::Text { bytes, ends } => ends.push(end_of(bytes).unwrap_or(i32::MAX)),
        }
    }

    /// Reads a text that is not null and adds its value.
    pub(crate) fn push_text(&mut self, text: &str, parse: &Parse) -> Result<(), Reason> {
        match (&mut self.values, parse) {
            (Values::Text { bytes, ends }, _) => push_bytes(bytes, ends, text)?,
            (Values::Boolean(values), _) => values.push(boolean(text)?),
            (Values::Int32(values), Parse::Int32(style)) => {
                let value = number::whole(text, *style, "int32")?;
                values.push(to_int32(value)?);
            }
            (Values::Int64(values), Parse::Int64(style)) => {
                values.push(number::whole(text, *style, "int64")?);
            }
            (Values::Float64(values), Parse::Float64(style)) => {
                values.push(number::float(text, *style)?);
            }
            (Values::Decimal(values, ..), Parse::Decimal { precision, scale, style }) => {
                values.push(number::decimal(text, *style, *precision, *scale)?);
            }
            (Values::Date(values), Parse::Date(formats)) => values.push(formats.date(text)?),
            (Values::Timestamp(values), Parse::Timestamp(formats)) => {
                values.push(formats.timestamp(text)?);
            }
            _ => return Err(Reason::NotNumber),
        }
        Ok(())
    }

    /// Adds a value that is already typed, exactly or not at all.
    pub(crate) fn push_typed(&mut self, typed: Typed) -> Result<(), Reason> {
        match (&mut self.values, typed) {
            (Values::Boolean(values), Typed::Boolean(value)) => values.push(value),
            (Values::Int32(values), Typed::Int(value)) => values.push(to_int32(value)?),
            (Values::Int64(values), Typed::Int(value)) => values.push(value),
            (Values::Float64(values), Typed::Float(value)) if value.is_finite() => {
                values.push(value);
            }
            (Values::Float64(_), Typed::Float(_)) => return Err(Reason::NotFinite),
            (Values::Decimal(values, precision, scale), Typed::Int(value)) => {
                values.push(number::rescale(
                    i128::from(value),
                    0,
                    *precision,
                    scale.unsigned_abs(),
                )?);
            }
            (Values::Decimal(values, precision, scale), Typed::Decimal(value, from)) => {
                values.push(number::rescale(value, from, *precision, scale.unsigned_abs())?);
            }
            (Values::Date(values), Typed::Date(value)) => values.push(value),
            (Values::Timestamp(values), Typed::Timestamp(value)) => values.push(value),
            (Values::Timestamp(_), Typed::TimestampNanos(value)) if value % 1_000 != 0 => {
                return Err(Reason::TooPrecise);
            }
            (Values::Timestamp(values), Typed::TimestampNanos(value)) => values.push(value / 1_000),
            _ => return Err(Reason::NotNumber),
        }
        Ok(())
    }

    /// Drops every row from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.nulls.truncate(self.nulls.partition_point(|row| (*row as usize) < rows));
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Int32(values) | Values::Date(values) => values.truncate(rows),
            Values::Int64(values) | Values::Timestamp(values) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Decimal(values, ..) => values.truncate(rows),
            Values::Text { bytes, ends } => {
                ends.truncate(rows + 1);
                let kept = ends.last().and_then(|end| usize::try_from(*end).ok());
                bytes.truncate(kept.unwrap_or(0));
            }
        }
    }

    fn rows(&self) -> usize {
        match &self.values {
            Values::Boolean(values) => values.len(),
            Values::Int32(values) | Values::Date(values) => values.len(),
            Values::Int64(values) | Values::Timestamp(values) => values.len(),
            Values::Float64(values) => values.len(),
            Values::Decimal(values, ..) => values.len(),
            // One end stands in front of the first text.
            Values::Text { ends, .. } => ends.len() - 1,
        }
    }

    fn null_buffer(&self) -> Option<NullBuffer> {
        if self.nulls.is_empty() {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(self.rows());
        valid.append_n(self.rows(), true);
        self.nulls.iter().for_each(|row| valid.set_bit(*row as usize, false));
        Some(NullBuffer::new(valid.finish()))
    }

    /// The column as an Arrow array.
    ///
    /// # Errors
    /// If Arrow finds the text broken, which the buffer's own writes rule out.
    pub(crate) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.null_buffer();
        Ok(match self.values {
            Values::Boolean(values) => {
                Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
            }
            Values::Int32(values) => Arc::new(Int32Array::try_new(values.into(), nulls)?),
            Values::Int64(values) => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            Values::Float64(values) => Arc::new(Float64Array::try_new(values.into(), nulls)?),
            Values::Decimal(values, precision, scale) => Arc::new(
                Decimal128Array::try_new(values.into(), nulls)?
                    .with_precision_and_scale(precision, scale)?,
            ),
            Values::Date(values) => Arc::new(Date32Array::try_new(values.into(), nulls)?),
            Values::Timestamp(values) => {
                Arc::new(TimestampMicrosecondArray::try_new(values.into(), nulls)?)
            }
            Values::Text { bytes, ends } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                Arc::new(StringArray::try_new(offsets, bytes.into(), nulls)?)
            }
        })
    }
}

/// A value that the file itself types.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Typed {
    Boolean(bool),
    Int(i64),
    Float(f64),
    Decimal(i128, i8),
    Date(i32),
    Timestamp(i64),
    TimestampNanos(i64),
}

fn end_of(bytes: &[u8]) -> Option<i32> {
    i32::try_from(bytes.len()).ok()
}

fn push_bytes(bytes: &mut Vec<u8>, ends: &mut Vec<i32>, text: &str) -> Result<(), Reason> {
    let end = i32::try_from(bytes.len() + text.len()).map_err(|_| Reason::TextTooLong)?;
    bytes.extend_from_slice(text.as_bytes());
    ends.push(end);
    Ok(())
}

fn to_int32(value: i64) -> Result<i32, Reason> {
    i32::try_from(value).map_err(|_| Reason::OutOfRange { type_name: "int32" })
}

fn boolean(text: &str) -> Result<bool, Reason> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(&["true", "t", "yes", "y", "1"]) {
        Ok(true)
    } else if is_one_of(&["false", "f", "no", "n", "0"]) {
        Ok(false)
    } else {
        Err(Reason::NotBoolean)
    }
}

/// A field's text as its column sees it: trimmed if it says so, `None` where it is null.
pub(crate) fn text_or_null<'a>(field: Field<'a>, rule: &ColumnRule) -> Option<&'a str> {
    let text = match rule.trim {
        Trim::Keep => field.text,
        Trim::Spaces => field.text.trim(),
    };
    if text.is_empty() {
        return match rule.nulls.empty {
            Empty::Null => None,
            Empty::NullUnlessQuoted if !field.quoted => None,
            Empty::NullUnlessQuoted | Empty::Value => Some(text),
        };
    }
    let is_null_word =
        !rule.nulls.words.is_empty() && rule.nulls.words.iter().any(|word| word == text);
    if is_null_word { None } else { Some(text) }
}
