//! Which columns are worth a dictionary.
//!
//! Receives: the rows of a segment, from the writer. Hands on: yes or no.
//! A dictionary that is given up half-way is worse than none: it is still read and decoded with
//! every page of the column. So a sample of the rows tells beforehand whether it would be.

use std::collections::HashSet;

use arrow::array::{Array, ArrayData, RecordBatch};
use arrow::datatypes::DataType;
use foldhash::fast::RandomState;

/// Rows that are looked at.
const SAMPLE_ROWS: usize = 64 * 1024;

/// Digits of a decimal that Parquet stores in eight bytes.
const SHORT_DECIMAL_DIGITS: u8 = 18;

/// Whether the distinct values of the column, as far as the sample holds them, take no more than
/// this.
pub(super) fn pays(batches: &[RecordBatch], column: usize, bytes_max: usize) -> bool {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let step = rows.div_ceil(SAMPLE_ROWS).max(1);
    let columns: Vec<ArrayData> =
        batches.iter().map(|batch| batch.column(column).to_data()).collect();
    let mut distinct: HashSet<&[u8], RandomState> = HashSet::default();
    let mut bytes = 0;
    let mut next = 0;
    for values in &columns {
        for row in (next..values.len()).step_by(step) {
            if let Some(value) = value(values, row).filter(|value| distinct.insert(value)) {
                bytes += bytes_in_dictionary(values.data_type(), value);
                if bytes > bytes_max {
                    return false;
                }
            }
            next = row + step;
        }
        next -= values.len().min(next);
    }
    true
}

/// A value's bytes; `None` if it is null, or of a type that has no dictionary.
fn value(values: &ArrayData, row: usize) -> Option<&[u8]> {
    if values.is_null(row) {
        return None;
    }
    if *values.data_type() == DataType::Utf8 {
        let ends = values.buffer::<i32>(0);
        return values.buffers()[1].get(ends[row] as usize..ends[row + 1] as usize);
    }
    let width = values.data_type().primitive_width()?;
    let from = (values.offset() + row) * width;
    values.buffers()[0].get(from..from + width)
}

fn bytes_in_dictionary(column_type: &DataType, value: &[u8]) -> usize {
    match column_type {
        DataType::Utf8 => size_of::<u32>() + value.len(),
        DataType::Decimal128(digits, _) if *digits <= SHORT_DECIMAL_DIGITS => size_of::<i64>(),
        _ => value.len(),
    }
}

#[cfg(test)]
#[path = "dictionary_tests.rs"]
mod tests;
