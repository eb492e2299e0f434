//! The table of sorted distinct values that every kind begins with.
//!
//! Layout, little endian: one byte of type, the count as u32, then the values. Fixed-width
//! types stand end to end (boolean 1 byte, date 4, integer, float and timestamp 8, decimal
//! 16); texts are `count + 1` offsets as u32, then their bytes. A table that is not strictly
//! ascending is refused, so that look-ups may search by halves.

use bytes::Bytes;
use martlet_core::{ColumnType, Value};

use super::cursor::Cursor;
use super::dictionary::{Dictionary, Texts, Values};
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

/// Reads a table and checks that it is strictly ascending. What is handed on lies where it is
/// read from.
pub(super) fn read(cursor: &mut Cursor<'_>, section: &Bytes) -> Result<Dictionary, IndexError> {
    let tag = cursor.u8()?;
    let count = cursor.u32()? as usize;
    let mut fixed = |width: usize| -> Result<Bytes, IndexError> {
        let length = count.checked_mul(width).ok_or(IndexError::damaged("a count is absurd"))?;
        Ok(section.slice_ref(cursor.take(length)?))
    };
    let values = match tag {
        BOOLEAN => Values::Boolean(fixed(1)?),
        INT => Values::Int(fixed(8)?),
        FLOAT => Values::Float(fixed(8)?),
        DECIMAL => Values::Decimal(fixed(16)?),
        DATE => Values::Date(fixed(4)?),
        TIMESTAMP => Values::Timestamp(fixed(8)?),
        TEXT => Values::Text(texts(cursor, count, section)?),
        _ => return Err(IndexError::damaged("its values are of an unknown type")),
    };
    Dictionary::proven(count, values)
        .ok_or(IndexError::damaged("its values are not well formed, or not sorted"))
}

fn texts(cursor: &mut Cursor<'_>, count: usize, section: &Bytes) -> Result<Texts, IndexError> {
    let absurd = IndexError::damaged("a count is absurd");
    let length = count.checked_add(1).and_then(|ends| ends.checked_mul(4)).ok_or(absurd)?;
    let ends = cursor.take(length)?;
    let last = ends.last_chunk().map_or(0, |end| u32::from_le_bytes(*end) as usize);
    let bytes = cursor.take(last)?;
    Ok(Texts { ends: section.slice_ref(ends), bytes: section.slice_ref(bytes) })
}
