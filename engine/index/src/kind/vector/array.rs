//! Selected rows of a vector as the Arrow column they were built from.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;
use martlet_core::{ColumnType, Selection};

use super::form::VectorForm;
use super::reader::VectorIndex;
use crate::kind::arrow::null_buffer;
use crate::values::float_of;

impl VectorIndex {
    /// The selected rows as a column of this type, in row order, nulls included; `None` if the
    /// vector is not of such a column. Under a null stands zero or nothing, never a value.
    #[must_use]
    pub fn array(&self, rows: &Selection, column_type: ColumnType) -> Option<ArrayRef> {
        if !self.form().fits(column_type) {
            return None;
        }
        let mut keys = Vec::new();
        self.gather(rows, &mut keys);
        let nulls = null_buffer(self.null_bitmap(), rows);
        Some(match (self.form(), column_type) {
            // Keys of a column of 32 bits fit them.
            (_, ColumnType::Int32) => {
                Arc::new(Int32Array::new(numbers(&keys, nulls.as_ref(), |key| key as i32), nulls))
            }
            (_, ColumnType::Date) => {
                Arc::new(Date32Array::new(numbers(&keys, nulls.as_ref(), |key| key as i32), nulls))
            }
            (_, ColumnType::Int64) => {
                Arc::new(Int64Array::new(numbers(&keys, nulls.as_ref(), |key| key), nulls))
            }
            (_, ColumnType::Timestamp) => Arc::new(TimestampMicrosecondArray::new(
                numbers(&keys, nulls.as_ref(), |key| key),
                nulls,
            )),
            (_, ColumnType::Float64) => {
                Arc::new(Float64Array::new(numbers(&keys, nulls.as_ref(), float_of), nulls))
            }
            (_, ColumnType::Decimal { .. }) => Arc::new(
                Decimal128Array::new(numbers(&keys, nulls.as_ref(), i128::from), nulls)
                    .with_data_type(column_type.arrow()),
            ),
            (VectorForm::DigitText { prefix, digits }, ColumnType::Text) => {
                Arc::new(texts(&keys, nulls, prefix, usize::from(*digits))?)
            }
            _ => return None,
        })
    }
}

fn numbers<T: ArrowNativeType>(
    keys: &[i64],
    nulls: Option<&NullBuffer>,
    number: impl Fn(i64) -> T,
) -> ScalarBuffer<T> {
    let mut numbers: Vec<T> = keys.iter().map(|key| number(*key)).collect();
    let Some(nulls) = nulls else { return numbers.into() };
    for (row, number) in numbers.iter_mut().enumerate() {
        if nulls.is_null(row) {
            *number = T::default();
        }
    }
    numbers.into()
}

/// Texts of one prefix and so many digits; `None` if they take more bytes than a column can.
fn texts(
    keys: &[i64],
    nulls: Option<NullBuffer>,
    prefix: &str,
    digits: usize,
) -> Option<StringArray> {
    let width = prefix.len() + digits;
    let mut bytes = Vec::with_capacity(keys.len().checked_mul(width)?);
    let mut lengths = Vec::with_capacity(keys.len());
    let mut number = [b'0'; super::form::DIGITS_MAX as usize];
    for (row, key) in keys.iter().enumerate() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        bytes.extend_from_slice(prefix.as_bytes());
        let number = &mut number[..digits];
        write_digits(key.unsigned_abs(), number);
        bytes.extend_from_slice(number);
        lengths.push(width);
    }
    i32::try_from(bytes.len()).ok()?;
    StringArray::try_new(OffsetBuffer::from_lengths(lengths), Buffer::from_vec(bytes), nulls).ok()
}

/// The last digits of a number, with leading zeros.
fn write_digits(mut number: u64, into: &mut [u8]) {
    for digit in into.iter_mut().rev() {
        // A digit.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
