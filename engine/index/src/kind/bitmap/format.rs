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

use bytes::Bytes;
use martlet_core::{ColumnType, Value};

use crate::error::IndexError;
use crate::kind::bitmaps::{Bitmaps, BitmapsBuilder};
use crate::kind::cursor::Cursor;
use crate::kind::dictionary::Dictionary;
use crate::kind::table;

const MAGIC: [u8; 4] = *b"BMP1";

/// A section's parts, before the bitmaps are looked into.
pub(super) struct Parts {
    pub(super) rows: u32,
    pub(super) values: Dictionary,
    /// One per value, then null's.
    pub(super) bitmaps: Bitmaps,
}

pub(super) fn write(
    column_type: ColumnType,
    rows: u32,
    values: &[Value],
    bitmaps: &BitmapsBuilder,
) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&rows.to_le_bytes());
    table::write(column_type, values, &mut bytes);
    bitmaps.write(&mut bytes);
    bytes
}

pub(super) fn read(section: &Bytes) -> Result<Parts, IndexError> {
    let mut cursor = Cursor::new(section);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let values = table::read(&mut cursor, section)?;
    let bitmaps = Bitmaps::read(rows, values.len() + 1, cursor, section)?;
    let every = 0..values.len() + 1;
    if bitmaps.rows_of(std::slice::from_ref(&every)) != u64::from(rows) {
        return Err(IndexError::damaged("its counts do not add up"));
    }
    Ok(Parts { rows, values, bitmaps })
}
