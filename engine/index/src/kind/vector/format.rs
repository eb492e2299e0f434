//! The layout of a vector section, little endian:
//!
//! ```text
//! magic    "VEC1"
//! rows     u32
//! form     u8                1 integer, 2 float, 3 decimal, 4 date, 5 timestamp, 6 digit text
//! digit text only: digits u8, prefix bytes u16, prefix
//! nulls    u32 bytes, then a roaring bitmap in the portable format
//! widths   u8 x blocks       bits of one offset in each block of 1,024 rows, at most 64
//! bases    i64 x blocks      the lowest key of each block
//! maxima   i64 x blocks      the highest key of each block
//! packed   per block its part blocks of 128 rows, each of 16 x width bytes: the offsets
//!          key - base, packed by four lanes (`BitPacker4x`); of offsets wider than 32 bits
//!          the low 32 bits, then the rest
//! ```
//!
//! Under a null the offset is 0. The last part block is filled up with 0, and part blocks
//! behind the last row are not there. A block of one key has width 0 and takes no byte. A
//! block of nulls only has base, width and maximum 0.

use std::ops::Range;
use std::sync::Arc;

use bitpacking::{BitPacker, BitPacker4x};
use roaring::RoaringBitmap;

use super::form::{DIGITS_MAX, VectorForm};
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
pub(super) use crate::kind::packed::unpack_one;

/// Rows of one block.
pub const BLOCK_ROWS: usize = 1_024;

/// Rows that are packed together.
pub(super) const PART_ROWS: usize = BitPacker4x::BLOCK_LEN;

const _: () = assert!(PART_ROWS == 128 && BLOCK_ROWS.is_multiple_of(PART_ROWS));

const MAGIC: [u8; 4] = *b"VEC1";
const DIGIT_TEXT: u8 = 6;

/// A section's parts, before the numbers are looked into.
pub(super) struct Parts<'a> {
    pub(super) rows: u32,
    pub(super) form: VectorForm,
    pub(super) nulls: RoaringBitmap,
    pub(super) widths: Vec<u8>,
    pub(super) bases: Vec<i64>,
    pub(super) maxima: Vec<i64>,
    pub(super) packed: &'a [u8],
}

/// Bytes of 128 packed offsets.
pub(super) const fn part_bytes(width: u8) -> usize {
    PART_ROWS / 8 * width as usize
}

/// The rows of a block.
pub(super) fn block_rows(rows: u32, block: usize) -> Range<usize> {
    let start = block * BLOCK_ROWS;
    start..(start + BLOCK_ROWS).min(rows as usize)
}

/// Bytes of a packed block.
pub(super) fn block_bytes(rows: u32, block: usize, width: u8) -> usize {
    block_rows(rows, block).len().div_ceil(PART_ROWS) * part_bytes(width)
}

/// Bits that the highest offset of a block needs.
pub(in crate::kind) const fn width_of(base: i64, maximum: i64) -> u8 {
    // At most 64.
    (u64::BITS - maximum.wrapping_sub(base).cast_unsigned().leading_zeros()) as u8
}

pub(super) fn write(parts: &Parts<'_>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&parts.rows.to_le_bytes());
    write_form(&parts.form, &mut bytes);
    // A bitmap of 2^20 rows takes a few hundred KiB at most.
    let null_bytes = u32::try_from(parts.nulls.serialized_size()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&null_bytes.to_le_bytes());
    // Writing into memory cannot fail; were it to, the section would be refused at open.
    let _ = parts.nulls.serialize_into(&mut bytes);
    bytes.extend_from_slice(&parts.widths);
    for key in parts.bases.iter().chain(&parts.maxima) {
        bytes.extend_from_slice(&key.to_le_bytes());
    }
    bytes.extend_from_slice(parts.packed);
    bytes
}

fn write_form(form: &VectorForm, bytes: &mut Vec<u8>) {
    bytes.push(form.number_tag().unwrap_or(DIGIT_TEXT));
    if let VectorForm::DigitText { prefix, digits } = form {
        bytes.push(*digits);
        // The builder takes no longer prefix.
        let length = u16::try_from(prefix.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(prefix.as_bytes());
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Parts<'_>, IndexError> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let form = read_form(&mut cursor)?;
    let nulls = read_nulls(&mut cursor, rows)?;
    let blocks = (rows as usize).div_ceil(BLOCK_ROWS);
    let widths = cursor.take(blocks)?.to_vec();
    let bases = cursor.i64s(blocks)?;
    let maxima = cursor.i64s(blocks)?;
    let bounds_fit = bases
        .iter()
        .zip(&maxima)
        .zip(&widths)
        .all(|((base, maximum), width)| base <= maximum && width_of(*base, *maximum) == *width);
    if !bounds_fit {
        return Err(IndexError::damaged("the bounds of a block contradict each other"));
    }
    let packed = cursor.rest();
    let places = widths.iter().enumerate().map(|(block, width)| block_bytes(rows, block, *width));
    if places.sum::<usize>() != packed.len() {
        return Err(IndexError::damaged("its blocks do not fill their place"));
    }
    Ok(Parts { rows, form, nulls, widths, bases, maxima, packed })
}

fn read_form(cursor: &mut Cursor<'_>) -> Result<VectorForm, IndexError> {
    let tag = cursor.u8()?;
    if tag != DIGIT_TEXT {
        return VectorForm::of_number_tag(tag)
            .ok_or(IndexError::damaged("its values are of an unknown type"));
    }
    let digits = cursor.u8()?;
    let length = u16::from_le_bytes(cursor.array()?);
    let prefix = std::str::from_utf8(cursor.take(usize::from(length))?)
        .map_err(|_| IndexError::damaged("its prefix is not a text"))?;
    if !(1..=DIGITS_MAX).contains(&digits) {
        return Err(IndexError::damaged("its numbers have too many digits"));
    }
    Ok(VectorForm::DigitText { prefix: Arc::from(prefix), digits })
}

fn read_nulls(cursor: &mut Cursor<'_>, rows: u32) -> Result<RoaringBitmap, IndexError> {
    let refused = || IndexError::damaged("a bitmap is not well formed");
    let length = cursor.u32()? as usize;
    let nulls = RoaringBitmap::deserialize_from(cursor.take(length)?).map_err(|_| refused())?;
    let is_within = nulls.max().is_none_or(|last| last < rows);
    if is_within && nulls.serialized_size() == length { Ok(nulls) } else { Err(refused()) }
}

/// Packs 128 offsets of at most `width` bits, `width` from 1 to 64.
pub(super) fn pack(offsets: &[u64; PART_ROWS], width: u8, into: &mut Vec<u8>) {
    // The low half of an offset, cut off on purpose.
    append(&offsets.map(|offset| offset as u32), width.min(32), into);
    if width > 32 {
        append(&offsets.map(|offset| (offset >> 32) as u32), width - 32, into);
    }
}

fn append(numbers: &[u32; PART_ROWS], width: u8, into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + part_bytes(width), 0);
    BitPacker4x::new().compress(numbers, &mut into[start..], width);
}

/// Unpacks 128 numbers of 1 to 32 bits from exactly [`part_bytes`] bytes.
pub(super) fn unpack(packed: &[u8], width: u8, into: &mut [u32]) {
    BitPacker4x::new().decompress(packed, into, width);
}
