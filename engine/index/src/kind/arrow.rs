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
    let mut ahead = nulls.iter().peekable();
    let mut selected = rows.iter();
    let count = usize::try_from(rows.count()).unwrap_or(0);
    let valid = BooleanBuffer::collect_bool(count, |_| {
        let Some(row) = selected.next() else { return false };
        while ahead.next_if(|null| *null < row).is_some() {}
        ahead.peek() != Some(&row)
    });
    Some(NullBuffer::new(valid))
}
