//! Keys per row to bitmaps, one per binary digit.

use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::format::{self, Parts};
use crate::kind::vector::{keys_of, nulls_of, width_of};
use crate::values::ColumnKeys;

/// The section of a column; `None` if its values are not numbers of 64 bits.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    if column_type == ColumnType::Text {
        return None;
    }
    let (form, keys) = keys_of(column_type, column)?;
    let rows = u32::try_from(keys.len()).ok()?;
    let present = (0..keys.len()).filter(|row| !column.is_null(*row));
    let lowest = present.clone().map(|row| keys[row]).min().unwrap_or(0);
    let highest = present.map(|row| keys[row]).max().unwrap_or(lowest);
    let slices = usize::from(width_of(lowest, highest));
    let mut flags = vec![vec![0_u8; keys.len().div_ceil(8)]; slices];
    for (row, key) in keys.iter().enumerate().filter(|(row, _)| !column.is_null(*row)) {
        let mut digits = key.wrapping_sub(lowest).cast_unsigned();
        while digits != 0 {
            // Below the number of slices, by the width of the highest key.
            flags[digits.trailing_zeros() as usize][row / 8] |= 1 << (row % 8);
            digits &= digits - 1;
        }
    }
    let slices = flags.iter().map(|flags| RoaringBitmap::from_lsb0_bytes(0, flags)).collect();
    let mut present = RoaringBitmap::new();
    present.insert_range(0..rows);
    present -= nulls_of(column, rows);
    format::write(Parts { rows, form, lowest, slices, present })
}
