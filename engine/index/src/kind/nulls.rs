//! The null bitmap of a section, for kinds that have no code or value for null.
//!
//! A roaring bitmap in the portable format; no byte at all where no row is null.

use roaring::RoaringBitmap;

use crate::error::IndexError;

/// The stored form of the rows that are null.
pub(super) fn write(nulls: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !nulls.is_empty() {
        // Writing into memory cannot fail; were it to, the section would be refused at open.
        let _ = nulls.serialize_into(&mut bytes);
    }
    bytes
}

/// Reads exactly these bytes as a bitmap of row numbers below `rows`.
pub(super) fn read(bytes: &[u8], rows: u32) -> Result<RoaringBitmap, IndexError> {
    if bytes.is_empty() {
        return Ok(RoaringBitmap::new());
    }
    let refused = || IndexError::damaged("its null bitmap is not well formed");
    let mut rest = bytes;
    let nulls = RoaringBitmap::deserialize_from(&mut rest).map_err(|_| refused())?;
    if !rest.is_empty() || nulls.max().is_none_or(|last| last >= rows) {
        return Err(refused());
    }
    Ok(nulls)
}
