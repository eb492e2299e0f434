//! Keys per row to packed blocks, each over the lowest key it holds.

use std::borrow::Cow;

use arrow::array::{Array, StringArray};
use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::form::{VectorForm, number};
use super::format::{self, BLOCK_ROWS, PART_ROWS, Parts};
use crate::values::{ColumnKeys, Keys};

/// The section of a column; `None` if its values are not fixed-width numbers.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    let (form, keys) = keys_of(column_type, column)?;
    let blocks = keys.len().div_ceil(BLOCK_ROWS);
    let mut widths = Vec::with_capacity(blocks);
    let mut bases = Vec::with_capacity(blocks);
    let mut maxima = Vec::with_capacity(blocks);
    let mut packed = Vec::new();
    for (block, keys) in keys.chunks(BLOCK_ROWS).enumerate() {
        let start = block * BLOCK_ROWS;
        let present = |at: &usize| !column.is_null(start + at);
        let bounds = (0..keys.len()).filter(present).map(|at| keys[at]);
        let (base, maximum) = extremes(bounds);
        let width = format::width_of(base, maximum);
        widths.push(width);
        bases.push(base);
        maxima.push(maximum);
        let offset = |at: usize| match at < keys.len() && present(&at) {
            true => keys[at].wrapping_sub(base).cast_unsigned(),
            false => 0,
        };
        if width > 0 {
            for part in (0..keys.len()).step_by(PART_ROWS) {
                format::pack(&std::array::from_fn(|at| offset(part + at)), width, &mut packed);
            }
        }
    }
    let rows = u32::try_from(keys.len()).ok()?;
    let nulls = nulls_of(column, rows);
    Some(format::write(&Parts { rows, form, nulls, widths, bases, maxima, packed: &packed }))
}

/// The lowest and highest key; 0 and 0 of none.
fn extremes(mut keys: impl Iterator<Item = i64>) -> (i64, i64) {
    let Some(first) = keys.next() else { return (0, 0) };
    keys.fold((first, first), |(low, high), key| (low.min(key), high.max(key)))
}

pub(in crate::kind) fn nulls_of(column: &ColumnKeys<'_>, rows: u32) -> RoaringBitmap {
    let mut nulls: RoaringBitmap = (0..rows).filter(|row| column.is_null(*row as usize)).collect();
    nulls.optimize();
    nulls
}

/// What the keys stand for, and one per row; arbitrary under a null.
pub(in crate::kind) fn keys_of<'a>(
    column_type: ColumnType,
    column: &'a ColumnKeys<'_>,
) -> Option<(VectorForm, Cow<'a, [i64]>)> {
    let form = match column_type {
        ColumnType::Boolean => return None,
        ColumnType::Int32 | ColumnType::Int64 => VectorForm::Int,
        ColumnType::Float64 => VectorForm::Float,
        ColumnType::Decimal { .. } => VectorForm::Decimal,
        ColumnType::Date => VectorForm::Date,
        ColumnType::Timestamp => VectorForm::Timestamp,
        ColumnType::Text => match &column.keys {
            Keys::Text(texts) => {
                let (form, keys) = digit_texts(column, texts)?;
                return Some((form, Cow::Owned(keys)));
            }
            Keys::Narrow { .. } | Keys::Wide(_) => return None,
        },
    };
    let keys = match &column.keys {
        Keys::Narrow { keys, .. } => Cow::Borrowed(keys.as_slice()),
        // Too wide under a null only: that is nobody's value.
        Keys::Wide(values) => values
            .iter()
            .enumerate()
            .map(|(row, value)| match column.is_null(row) {
                true => Some(0),
                false => i64::try_from(*value).ok(),
            })
            .collect::<Option<Cow<'_, [i64]>>>()?,
        Keys::Text(_) => return None,
    };
    Some((form, keys))
}

/// The numbers of texts that all have one length, one prefix, and then digits.
fn digit_texts(column: &ColumnKeys<'_>, texts: &StringArray) -> Option<(VectorForm, Vec<i64>)> {
    let first = (0..texts.len()).find(|row| !column.is_null(*row)).map(|row| texts.value(row))?;
    let form = VectorForm::of_digit_text(first)?;
    let VectorForm::DigitText { prefix, digits } = &form else { return None };
    let key = |row: usize| match column.is_null(row) {
        true => Some(0),
        false => number(texts.value(row).strip_prefix(&**prefix)?, *digits),
    };
    let keys = (0..texts.len()).map(key).collect::<Option<Vec<_>>>()?;
    Some((form, keys))
}
