//! O1, below the rows: an array that leaves holds the bytes of its visible values, zeros where
//! there are none, and nothing else. So it does not matter what an operator left in its buffers.

use arrow::array::{Array, ArrayData, RecordBatch};
use arrow::datatypes::DataType;

use crate::doors::{Answer, Outcome};

/// What an answer's arrays hold beyond their values, if they do.
#[must_use]
pub fn found(answer: &Answer) -> Option<String> {
    let Outcome::Rows { batches, .. } = &answer.told else { return None };
    batches.iter().find_map(of_batch)
}

fn of_batch(batch: &RecordBatch) -> Option<String> {
    let columns = batch.columns().iter().enumerate();
    columns
        .filter(|(_, column)| !is_bare(&column.to_data()))
        .map(|(at, _)| at)
        .next()
        .map(|at| format!("column {} holds bytes beside its values", at + 1))
}

/// Whether there is nothing but visible values in an array of a plain type.
fn is_bare(data: &ArrayData) -> bool {
    let own = match data.data_type() {
        DataType::Utf8 | DataType::Binary => has_only_its_values(data),
        DataType::List(_) => has_only_its_items(data),
        DataType::Null | DataType::Struct(_) | DataType::Boolean => true,
        other => other.primitive_width().is_none_or(|width| has_zeros_under_nulls(data, width)),
    };
    own && data.child_data().iter().all(is_bare)
}

fn has_zeros_under_nulls(data: &ArrayData, width: usize) -> bool {
    let values = &data.buffers()[0].as_slice()[data.offset() * width..];
    let is_zero =
        |row: &usize| values[row * width..(row + 1) * width].iter().all(|byte| *byte == 0);
    nulls(data).all(|row| is_zero(&row))
}

fn has_only_its_values(data: &ArrayData) -> bool {
    let offsets = offsets(data);
    let bytes = data.buffers()[1].len();
    are_full(data, offsets, bytes)
}

fn has_only_its_items(data: &ArrayData) -> bool {
    let items = data.child_data()[0].len();
    are_full(data, offsets(data), items)
}

/// From the first to the last, with no length under a null.
fn are_full(data: &ArrayData, offsets: &[i32], length: usize) -> bool {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return length == 0 };
    let is_whole = *first == 0 && usize::try_from(*last).is_ok_and(|last| last == length);
    is_whole && nulls(data).all(|row| offsets[row] == offsets[row + 1])
}

fn offsets(data: &ArrayData) -> &[i32] {
    let all = data.buffers()[0].typed_data::<i32>();
    if all.is_empty() { all } else { &all[data.offset()..=data.offset() + data.len()] }
}

fn nulls(data: &ArrayData) -> impl Iterator<Item = usize> + '_ {
    (0..data.len()).filter(|row| data.is_null(*row))
}
