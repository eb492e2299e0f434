//! The layout of a bitmap section, little endian:
//!
//! ```text
//! magic    "BMP1"
//! rows     u32
//! values   value table (type, count n, values)
//! counts   u32 x (n + 1)   rows of each value, then of null
//! offsets  u32 x (n + 2)   where each bitmap begins in the area, and where it ends
//! area     n + 1 roaring bitmaps in the portable format, run-optimized; the last is null's
//! ```
//!
//! Every row is in exactly one bitmap, so the counts add up to the rows.

use martlet_core::{ColumnType, Value};

use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::table;

const MAGIC: [u8; 4] = *b"BMP1";

/// A section's parts, before the bitmaps are looked into.
pub(super) struct Parts<'a> {
    pub(super) rows: u32,
    pub(super) values: Vec<Value>,
    /// One per value, then null's.
    pub(super) counts: Vec<u32>,
    /// One per value, null's, and the end.
    pub(super) offsets: Vec<u32>,
    pub(super) area: &'a [u8],
}

pub(super) fn write(
    column_type: ColumnType,
    rows: u32,
    values: &[Value],
    counts: &[u32],
    offsets: &[u32],
    area: &[u8],
) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&rows.to_le_bytes());
    table::write(column_type, values, &mut bytes);
    for number in counts.iter().chain(offsets) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(area);
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Result<Parts<'_>, IndexError> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let values = table::read(&mut cursor)?;
    let counts = cursor.u32s(values.len() + 1)?;
    let offsets = cursor.u32s(values.len() + 2)?;
    let area = cursor.rest();
    let ends_fit = offsets.is_sorted()
        && offsets.first() == Some(&0)
        && offsets.last().is_some_and(|end| *end as usize == area.len());
    if !ends_fit {
        return Err(IndexError::damaged("its bitmaps do not fill their place"));
    }
    if counts.iter().map(|count| u64::from(*count)).sum::<u64>() != u64::from(rows) {
        return Err(IndexError::damaged("its counts do not add up"));
    }
    Ok(Parts { rows, values, counts, offsets, area })
}
