//! Selected rows of a codes index as the Arrow column they were built from.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;
use martlet_core::{ColumnType, Selection, Value};

use super::reader::CodesIndex;
use crate::kind::Reader;

impl CodesIndex {
    /// The selected rows as a column of this type, in row order, nulls included; `None` if the
    /// codes are not of such a column. Under a null stands zero or nothing, never a value.
    #[must_use]
    pub fn array(&self, rows: &Selection, column_type: ColumnType) -> Option<ArrayRef> {
        let mut codes = Vec::new();
        self.gather(rows, &mut codes);
        self.array_of(&codes, column_type)
    }

    /// What each code stands for as a column of this type, in the order of the codes, with a null
    /// at the end if there is one among the rows; `None` if the codes are not of such a column.
    #[must_use]
    pub fn values_array(&self, column_type: ColumnType) -> Option<ArrayRef> {
        let end = self.null_code() + u32::from(self.null_count() > 0);
        self.array_of(&(0..end).collect::<Vec<_>>(), column_type)
    }

    /// Codes of this index as a column of this type.
    fn array_of(&self, codes: &[u32], column_type: ColumnType) -> Option<ArrayRef> {
        if !self.fits(column_type) {
            return None;
        }
        let nulls = self.validity(codes);
        let values = self.dictionary();
        Some(match column_type {
            ColumnType::Boolean => {
                let is_true =
                    |row: usize| values.value(codes[row] as usize) == Some(Value::Boolean(true));
                Arc::new(BooleanArray::new(
                    BooleanBuffer::collect_bool(codes.len(), is_true),
                    nulls,
                ))
            }
            // Values of a column of 32 bits fit them.
            ColumnType::Int32 => {
                Arc::new(Int32Array::new(numbers(codes, |at| values.integer(at) as i32), nulls))
            }
            ColumnType::Date => {
                Arc::new(Date32Array::new(numbers(codes, |at| values.integer(at) as i32), nulls))
            }
            ColumnType::Int64 => {
                Arc::new(Int64Array::new(numbers(codes, |at| values.integer(at)), nulls))
            }
            ColumnType::Timestamp => {
                let moments = numbers(codes, |at| values.integer(at));
                Arc::new(TimestampMicrosecondArray::new(moments, nulls))
            }
            ColumnType::Float64 => {
                let float =
                    |at| if let Some(Value::Float(float)) = values.value(at) { float } else { 0.0 };
                Arc::new(Float64Array::new(numbers(codes, float), nulls))
            }
            ColumnType::Decimal { .. } => {
                let decimal = |at| {
                    if let Some(Value::Decimal(number)) = values.value(at) { number } else { 0 }
                };
                let array = Decimal128Array::new(numbers(codes, decimal), nulls);
                Arc::new(array.with_data_type(column_type.arrow()))
            }
            ColumnType::Text => Arc::new(self.texts(codes, nulls)?),
        })
    }

    fn validity(&self, codes: &[u32]) -> Option<NullBuffer> {
        if self.null_count() == 0 {
            return None;
        }
        let null = self.null_code();
        let valid = BooleanBuffer::collect_bool(codes.len(), |row| codes[row] != null);
        Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
    }

    /// `None` if the texts take more bytes than a column can.
    fn texts(&self, codes: &[u32], nulls: Option<NullBuffer>) -> Option<StringArray> {
        let values = self.dictionary();
        let text = |code: &u32| values.text_bytes(*code as usize);
        let length = codes.iter().map(|code| text(code).len()).sum::<usize>();
        i32::try_from(length).ok()?;
        let mut bytes = Vec::with_capacity(length);
        codes.iter().for_each(|code| bytes.extend_from_slice(text(code)));
        let offsets = OffsetBuffer::from_lengths(codes.iter().map(|code| text(code).len()));
        StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls).ok()
    }
}

/// The number of each code's value; null has no position in the dictionary, and is zero.
fn numbers<T: ArrowNativeType>(codes: &[u32], number: impl Fn(usize) -> T) -> ScalarBuffer<T> {
    codes.iter().map(|code| number(*code as usize)).collect::<Vec<T>>().into()
}
