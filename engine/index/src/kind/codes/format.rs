//! The layout of a codes section, little endian:
//!
//! ```text
//! magic    "COD1"
//! rows     u32
//! values   value table (type, count n, values)
//! nulls    u32               how many rows are null
//! widths   u8 x blocks       bits of one code in each block of 128 rows
//! bases    u32 x blocks      the lowest code of each block
//! packed   per block 16 x width bytes: code - base, packed by four lanes (`BitPacker4x`)
//! ```
//!
//! A code below n stands for that value, n for null. The last block is filled up with its
//! base. A block of one value has width 0 and takes no byte.

use bitpacking::{BitPacker, BitPacker4x};
use bytes::Bytes;
use martlet_core::{ColumnType, Value};

use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::dictionary::Dictionary;
pub(super) use crate::kind::packed::unpack_one;
use crate::kind::table;

/// Rows of one block.
pub const BLOCK_ROWS: usize = 128;

const _: () = assert!(BLOCK_ROWS == BitPacker4x::BLOCK_LEN);

const MAGIC: [u8; 4] = *b"COD1";

/// What is written.
pub(super) struct Written<'a> {
    pub(super) rows: u32,
    pub(super) values: &'a [Value],
    pub(super) nulls: u32,
    pub(super) widths: &'a [u8],
    pub(super) bases: &'a [u32],
    pub(super) packed: &'a [u8],
}

/// A section's parts where they lie, before the codes are looked into.
pub(super) struct Parts {
    pub(super) rows: u32,
    pub(super) values: Dictionary,
    pub(super) nulls: u32,
    pub(super) widths: Bytes,
    /// A u32 for each block.
    pub(super) bases: Bytes,
    pub(super) packed: Bytes,
}

/// Bytes of a packed block.
pub(super) const fn block_bytes(width: u8) -> usize {
    BLOCK_ROWS / 8 * width as usize
}

pub(super) fn write(column_type: ColumnType, parts: &Written<'_>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&parts.rows.to_le_bytes());
    table::write(column_type, parts.values, &mut bytes);
    bytes.extend_from_slice(&parts.nulls.to_le_bytes());
    bytes.extend_from_slice(parts.widths);
    parts.bases.iter().for_each(|base| bytes.extend_from_slice(&base.to_le_bytes()));
    bytes.extend_from_slice(parts.packed);
    bytes
}

pub(super) fn read(section: &Bytes) -> Result<Parts, IndexError> {
    let mut cursor = Cursor::new(section);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let values = table::read(&mut cursor, section)?;
    let nulls = cursor.u32()?;
    let blocks = (rows as usize).div_ceil(BLOCK_ROWS);
    let widths = section.slice_ref(cursor.take(blocks)?);
    let bases = section.slice_ref(cursor.take(4 * blocks)?);
    let packed = section.slice_ref(cursor.rest());
    let is_full = widths.iter().map(|width| block_bytes(*width)).sum::<usize>() == packed.len();
    if !is_full || widths.iter().any(|width| *width > 32) {
        return Err(IndexError::damaged("its blocks do not fill their place"));
    }
    Ok(Parts { rows, values, nulls, widths, bases, packed })
}

/// Packs numbers that need at most `width` bits, `width` from 1 to 32.
pub(super) fn pack(numbers: &[u32; BLOCK_ROWS], width: u8, into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + block_bytes(width), 0);
    BitPacker4x::new().compress(numbers, &mut into[start..], width);
}

/// Unpacks a block of exactly [`block_bytes`] bytes.
pub(super) fn unpack(packed: &[u8], width: u8, into: &mut [u32; BLOCK_ROWS]) {
    if width == 0 {
        into.fill(0);
    } else {
        BitPacker4x::new().decompress(packed, into, width);
    }
}
