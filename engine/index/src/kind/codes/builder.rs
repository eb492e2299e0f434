//! Codes per row to packed blocks, each over the lowest code it holds.

use martlet_core::ColumnType;

use super::format::{self, BLOCK_ROWS, Written};
use crate::encode::Encoded;

/// The section of a column.
pub(crate) fn build(column_type: ColumnType, column: &Encoded) -> Vec<u8> {
    let blocks = column.codes.len().div_ceil(BLOCK_ROWS);
    let mut widths = Vec::with_capacity(blocks);
    let mut bases = Vec::with_capacity(blocks);
    let mut packed = Vec::new();
    for codes in column.codes.chunks(BLOCK_ROWS) {
        let (base, width, offsets) = above_base(codes);
        widths.push(width);
        bases.push(base);
        if width > 0 {
            format::pack(&offsets, width, &mut packed);
        }
    }
    let nulls = column.codes.iter().filter(|code| **code == column.null_code()).count();
    let parts = Written {
        rows: u32::try_from(column.codes.len()).unwrap_or(u32::MAX),
        values: &column.values,
        nulls: u32::try_from(nulls).unwrap_or(u32::MAX),
        widths: &widths,
        bases: &bases,
        packed: &packed,
    };
    format::write(column_type, &parts)
}

/// The lowest code, the bits of the highest above it, and each code above it.
fn above_base(codes: &[u32]) -> (u32, u8, [u32; BLOCK_ROWS]) {
    let base = codes.iter().copied().min().unwrap_or(0);
    let mut offsets = [0; BLOCK_ROWS];
    let mut all_bits = 0;
    for (offset, code) in offsets.iter_mut().zip(codes) {
        *offset = code - base;
        all_bits |= *offset;
    }
    // At most 32.
    let width = (u32::BITS - all_bits.leading_zeros()) as u8;
    (base, width, offsets)
}
