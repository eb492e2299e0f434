//! The table of sorted distinct values that every kind begins with.
//!
//! Layout, little endian: one byte of type, the count as u32, then the values. Fixed-width
//! types stand end to end (boolean 1 byte, date 4, integer, float and timestamp 8, decimal
//! 16); texts are `count + 1` offsets as u32, then their bytes. A table that is not strictly
//! ascending is refused, so that look-ups may search by halves.

use std::sync::Arc;

use martlet_core::{ColumnType, Value};

use super::cursor::Cursor;
use crate::error::IndexError;

const BOOLEAN: u8 = 0;
const INT: u8 = 1;
const FLOAT: u8 = 2;
const DECIMAL: u8 = 3;
const DATE: u8 = 4;
const TIMESTAMP: u8 = 5;
const TEXT: u8 = 6;

pub(super) const fn tag(column_type: ColumnType) -> u8 {
    match column_type {
        ColumnType::Boolean => BOOLEAN,
        ColumnType::Int32 | ColumnType::Int64 => INT,
        ColumnType::Float64 => FLOAT,
        ColumnType::Decimal { .. } => DECIMAL,
        ColumnType::Date => DATE,
        ColumnType::Timestamp => TIMESTAMP,
        ColumnType::Text => TEXT,
    }
}

/// Appends the table of these values, which are of this type, sorted and distinct.
pub(super) fn write(column_type: ColumnType, values: &[Value], into: &mut Vec<u8>) {
    into.push(tag(column_type));
    push_length(values.len(), into);
    if column_type == ColumnType::Text {
        return write_texts(values, into);
    }
    for value in values {
        match value {
            Value::Boolean(value) => into.push(u8::from(*value)),
            Value::Int(value) | Value::Timestamp(value) => {
                into.extend_from_slice(&value.to_le_bytes());
            }
            Value::Float(value) => into.extend_from_slice(&value.to_bits().to_le_bytes()),
            Value::Decimal(value) => into.extend_from_slice(&value.to_le_bytes()),
            Value::Date(value) => into.extend_from_slice(&value.to_le_bytes()),
            // A column has one type, and texts are written above.
            Value::Text(_) => {}
        }
    }
}

/// Counts and offsets inside one section stay far below 2^32: a segment's texts do, by Arrow.
pub(super) fn push_length(length: usize, into: &mut Vec<u8>) {
    into.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn write_texts(values: &[Value], into: &mut Vec<u8>) {
    let texts = || {
        values.iter().filter_map(|value| match value {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
    };
    let mut end = 0;
    push_length(end, into);
    for text in texts() {
        end += text.len();
        push_length(end, into);
    }
    texts().for_each(|text| into.extend_from_slice(text.as_bytes()));
}

/// Reads a table and checks that it is strictly ascending.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Vec<Value>, IndexError> {
    let tag = cursor.u8()?;
    let count = cursor.u32()? as usize;
    let values: Vec<Value> = match tag {
        BOOLEAN => fixed(cursor, count, |[byte]: [u8; 1]| Value::Boolean(byte != 0))?,
        INT => fixed(cursor, count, |bytes| Value::Int(i64::from_le_bytes(bytes)))?,
        FLOAT => {
            fixed(cursor, count, |bytes| Value::Float(f64::from_bits(u64::from_le_bytes(bytes))))?
        }
        DECIMAL => fixed(cursor, count, |bytes| Value::Decimal(i128::from_le_bytes(bytes)))?,
        DATE => fixed(cursor, count, |bytes| Value::Date(i32::from_le_bytes(bytes)))?,
        TIMESTAMP => fixed(cursor, count, |bytes| Value::Timestamp(i64::from_le_bytes(bytes)))?,
        TEXT => texts(cursor, count)?,
        _ => return Err(IndexError::damaged("its values are of an unknown type")),
    };
    if !values.is_sorted_by(|left, right| left < right) {
        return Err(IndexError::damaged("its values are not sorted"));
    }
    Ok(values)
}

fn fixed<const N: usize>(
    cursor: &mut Cursor<'_>,
    count: usize,
    value: impl Fn([u8; N]) -> Value,
) -> Result<Vec<Value>, IndexError> {
    let length = count.checked_mul(N).ok_or(IndexError::damaged("a count is absurd"))?;
    Ok(cursor.take(length)?.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect())
}

fn texts(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<Value>, IndexError> {
    let offsets = cursor.u32s(count.saturating_add(1))?;
    let bytes = cursor.take(offsets.last().copied().unwrap_or(0) as usize)?;
    offsets
        .windows(2)
        .map(|ends| {
            let text = bytes.get(ends[0] as usize..ends[1] as usize);
            text.and_then(|text| std::str::from_utf8(text).ok())
                .map(|text| Value::Text(Arc::from(text)))
                .ok_or(IndexError::damaged("a text of its values is not well formed"))
        })
        .collect()
}

/// Bytes that the values hold in memory, roughly.
pub(super) fn memory_bytes(values: &[Value]) -> usize {
    // A shared text has two counters before its bytes.
    let shared = |value: &Value| match value {
        Value::Text(text) => text.len() + 16,
        _ => 0,
    };
    size_of_val(values) + values.iter().map(shared).sum::<usize>()
}
