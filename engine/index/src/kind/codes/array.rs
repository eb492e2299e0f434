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
        if !self.fits(column_type) {
            return None;
        }
        let mut codes = Vec::new();
        self.gather(rows, &mut codes);
        let nulls = self.validity(&codes);
        Some(match column_type {
            ColumnType::Boolean => {
                let values = self.decoded(|value| matches!(value, Value::Boolean(true)));
                let flags =
                    BooleanBuffer::collect_bool(codes.len(), |row| values[codes[row] as usize]);
                Arc::new(BooleanArray::new(flags, nulls))
            }
            // Values of a column of 32 bits fit them.
            ColumnType::Int32 => Arc::new(Int32Array::new(
                self.numbers(&codes, |value| integer(value) as i32),
                nulls,
            )),
            ColumnType::Date => Arc::new(Date32Array::new(
                self.numbers(&codes, |value| integer(value) as i32),
                nulls,
            )),
            ColumnType::Int64 => Arc::new(Int64Array::new(self.numbers(&codes, integer), nulls)),
            ColumnType::Timestamp => {
                Arc::new(TimestampMicrosecondArray::new(self.numbers(&codes, integer), nulls))
            }
            ColumnType::Float64 => {
                let float =
                    |value: &Value| if let Value::Float(float) = value { *float } else { 0.0 };
                Arc::new(Float64Array::new(self.numbers(&codes, float), nulls))
            }
            ColumnType::Decimal { .. } => {
                let decimal =
                    |value: &Value| if let Value::Decimal(number) = value { *number } else { 0 };
                let array = Decimal128Array::new(self.numbers(&codes, decimal), nulls);
                Arc::new(array.with_data_type(column_type.arrow()))
            }
            ColumnType::Text => Arc::new(self.texts(&codes, nulls)?),
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

    /// The dictionary decoded, and a zero behind it for null.
    fn decoded<T: Default>(&self, decode: impl Fn(&Value) -> T) -> Vec<T> {
        let values = self.dictionary().iter().map(decode);
        values.chain(std::iter::once(T::default())).collect()
    }

    fn numbers<T: ArrowNativeType>(
        &self,
        codes: &[u32],
        decode: impl Fn(&Value) -> T,
    ) -> ScalarBuffer<T> {
        let values = self.decoded(decode);
        codes.iter().map(|code| values[*code as usize]).collect::<Vec<T>>().into()
    }

    /// `None` if the texts take more bytes than a column can.
    fn texts(&self, codes: &[u32], nulls: Option<NullBuffer>) -> Option<StringArray> {
        let values = self.dictionary();
        let text = |code: &u32| match values.get(*code as usize) {
            Some(Value::Text(text)) => &**text,
            _ => "",
        };
        let length = codes.iter().map(|code| text(code).len()).sum::<usize>();
        i32::try_from(length).ok()?;
        let mut bytes = Vec::with_capacity(length);
        codes.iter().for_each(|code| bytes.extend_from_slice(text(code).as_bytes()));
        let offsets = OffsetBuffer::from_lengths(codes.iter().map(|code| text(code).len()));
        StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls).ok()
    }
}

const fn integer(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Timestamp(number) => *number,
        Value::Date(days) => *days as i64,
        _ => 0,
    }
}
