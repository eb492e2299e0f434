//! What the kinds share when they hand rows on as Arrow columns.

use arrow::buffer::{BooleanBuffer, NullBuffer};
use martlet_core::Selection;
use roaring::RoaringBitmap;

/// The validity of the selected rows, in row order; `None` where none of them is null.
pub(super) fn null_buffer(nulls: &RoaringBitmap, rows: &Selection) -> Option<NullBuffer> {
    let has_nulls = match rows.bitmap() {
        Some(bitmap) => !bitmap.is_disjoint(nulls),
        None => !rows.is_none() && !nulls.is_empty(),
    };
    if !has_nulls {
        return None;
    }
    let mut selected = rows.iter();
    let count = usize::try_from(rows.count()).unwrap_or(0);
    let valid = if rows.count().saturating_mul(NULLS_WALKED_FOR_ONE) < nulls.len() {
        let is_valid = |row| !nulls.contains(row);
        BooleanBuffer::collect_bool(count, |_| selected.next().is_some_and(is_valid))
    } else {
        let mut ahead = nulls.iter().peekable();
        BooleanBuffer::collect_bool(count, |_| {
            let Some(row) = selected.next() else { return false };
            while ahead.next_if(|null| *null < row).is_some() {}
            ahead.peek() != Some(&row)
        })
    };
    Some(NullBuffer::new(valid))
}

/// Up to so many nulls are walked over for a row in less time than one is searched for.
const NULLS_WALKED_FOR_ONE: u64 = 16;
