//! The layout of a bit-sliced section, little endian:
//!
//! ```text
//! magic    "BSL1"
//! rows     u32
//! form     u8                1 integer, 2 float, 3 decimal, 4 date, 5 timestamp
//! lowest   i64               the lowest key, 0 if there is none
//! slices   u8                binary digits of the highest key above it, n, at most 64
//! bitmaps  rows in each u32, places u32, area: n of the digits, the lowest first, and that of
//!          the rows that are not null
//! ```
//!
//! A key is as in a vector. A null is in no bitmap.

use bytes::Bytes;
use roaring::RoaringBitmap;

use crate::error::IndexError;
use crate::kind::bitmaps::{Bitmaps, BitmapsBuilder};
use crate::kind::cursor::Cursor;
use crate::kind::vector::VectorForm;

const MAGIC: [u8; 4] = *b"BSL1";

pub(super) struct Parts {
    pub(super) rows: u32,
    pub(super) form: VectorForm,
    pub(super) lowest: i64,
    /// The digits, the lowest first.
    pub(super) slices: Vec<RoaringBitmap>,
    pub(super) present: RoaringBitmap,
}

pub(super) fn write(parts: Parts) -> Option<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&parts.rows.to_le_bytes());
    bytes.push(parts.form.number_tag()?);
    bytes.extend_from_slice(&parts.lowest.to_le_bytes());
    bytes.push(u8::try_from(parts.slices.len()).ok()?);
    let mut bitmaps = BitmapsBuilder::default();
    parts.slices.into_iter().for_each(|slice| bitmaps.push(slice));
    bitmaps.push(parts.present);
    bitmaps.write(&mut bytes);
    Some(bytes)
}

pub(super) fn read(section: &Bytes) -> Result<Parts, IndexError> {
    let mut cursor = Cursor::new(section);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let form = VectorForm::of_number_tag(cursor.u8()?)
        .ok_or(IndexError::damaged("its values are of an unknown type"))?;
    let lowest = i64::from_le_bytes(cursor.array()?);
    let count = usize::from(cursor.u8()?);
    if count > 64 {
        return Err(IndexError::damaged("its numbers have too many digits"));
    }
    let bitmaps = Bitmaps::read(rows, count + 1, cursor, section)?;
    let slices = (0..count).map(|digit| bitmaps.decode(digit)).collect::<Result<Vec<_>, _>>()?;
    let present = bitmaps.decode(count)?;
    if slices.iter().any(|slice| !slice.is_subset(&present)) {
        return Err(IndexError::damaged("a null has a value"));
    }
    Ok(Parts { rows, form, lowest, slices, present })
}
