//! The last step before the wire: every array is rebuilt from what is visible of it.
//!
//! Arrow arrays carry more than their rows: a slice shares its parent's buffers, a filtered
//! view keeps the whole payload, values stay under nulls. What is rebuilt here has the bytes
//! of its visible values, zeros under nulls, and nothing else.

use std::sync::Arc;

use datafusion::arrow::array::UInt32Array;
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, ListArray, NullArray,
    PrimitiveArray, StringArray, StructArray, downcast_primitive_array,
};
use datafusion::arrow::buffer::{BooleanBuffer, MutableBuffer, NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;

use crate::error::QueryError;

const SCRUBBED: QueryError = QueryError::Bug { promise: "a plain array can be rebuilt" };

/// A copy with nothing but what is visible. Takes the plain types of the wire only.
///
/// # Errors
/// [`QueryError::Bug`] for any other type: what cannot be rebuilt does not leave.
pub(crate) fn scrub(array: &ArrayRef) -> Result<ArrayRef, QueryError> {
    let plain: &dyn Array = array.as_ref();
    downcast_primitive_array!(
        plain => Ok(Arc::new(scrub_primitive(plain)) as ArrayRef),
        DataType::Null => Ok(Arc::new(NullArray::new(array.len())) as ArrayRef),
        DataType::Boolean => Ok(Arc::new(plain.as_boolean().iter().collect::<BooleanArray>()) as ArrayRef),
        DataType::Utf8 => Ok(Arc::new(plain.as_string::<i32>().iter().collect::<StringArray>()) as ArrayRef),
        DataType::Binary => Ok(Arc::new(plain.as_binary::<i32>().iter().collect::<BinaryArray>()) as ArrayRef),
        DataType::List(_) => scrub_list(plain.as_list::<i32>()),
        DataType::Struct(_) => scrub_struct(plain.as_struct()),
        _ => Err(SCRUBBED)
    )
}

fn scrub_primitive<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> PrimitiveArray<T> {
    let nulls = fresh_nulls(array);
    let mut values = MutableBuffer::with_capacity(std::mem::size_of_val(array.values().as_ref()));
    match &nulls {
        None => values.extend_from_slice(array.values()),
        Some(nulls) => {
            for (value, valid) in array.values().iter().zip(nulls.iter()) {
                values.push(if valid { *value } else { T::default_value() });
            }
        }
    }
    PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(array.data_type().clone())
}

/// The validity bits on their own, from bit zero, without the parent's bits around them.
fn fresh_nulls(array: &dyn Array) -> Option<NullBuffer> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
    Some(NullBuffer::new(BooleanBuffer::collect_bool(nulls.len(), |at| nulls.is_valid(at))))
}

fn scrub_list(list: &ListArray) -> Result<ArrayRef, QueryError> {
    let nulls = fresh_nulls(list);
    let mut items: Vec<u32> = Vec::new();
    let mut lengths = Vec::with_capacity(list.len());
    for (at, window) in list.value_offsets().windows(2).enumerate() {
        let (start, end) = match window {
            [start, end] if list.is_valid(at) => (*start, *end),
            _ => (0, 0),
        };
        let (start, end) = (
            u32::try_from(start).map_err(|_| SCRUBBED)?,
            u32::try_from(end).map_err(|_| SCRUBBED)?,
        );
        items.extend(start..end);
        lengths.push((end - start) as usize);
    }
    let values = take(list.values(), &UInt32Array::from(items), None).map_err(|_| SCRUBBED)?;
    let DataType::List(field) = list.data_type() else { return Err(SCRUBBED) };
    let offsets = OffsetBuffer::from_lengths(lengths);
    ListArray::try_new(Arc::clone(field), offsets, scrub(&values)?, nulls)
        .map(|list| Arc::new(list) as ArrayRef)
        .map_err(|_| SCRUBBED)
}

fn scrub_struct(rows: &StructArray) -> Result<ArrayRef, QueryError> {
    let nulls = fresh_nulls(rows);
    let visible = UInt32Array::from_iter(
        (0..rows.len()).map(|at| rows.is_valid(at).then(|| u32::try_from(at).ok()).flatten()),
    );
    let columns = rows
        .columns()
        .iter()
        .map(|column| scrub(&take(column, &visible, None).map_err(|_| SCRUBBED)?))
        .collect::<Result<Vec<_>, _>>()?;
    if columns.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(rows.len(), nulls)));
    }
    StructArray::try_new(rows.fields().clone(), columns, nulls)
        .map(|rows| Arc::new(rows) as ArrayRef)
        .map_err(|_| SCRUBBED)
}

#[cfg(test)]
#[path = "scrub_tests.rs"]
mod tests;
