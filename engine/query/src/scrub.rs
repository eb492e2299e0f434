//! The last step before the wire: every array is rebuilt from what is visible of it.
//!
//! Arrow arrays carry more than their rows: a slice shares its parent's buffers, a filtered
//! view keeps the whole payload, values stay under nulls. What is rebuilt here has the bytes
//! of its visible values, zeros under nulls, and nothing else.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, GenericByteArray, ListArray,
    NullArray, PrimitiveArray, StructArray, UInt32Array, downcast_primitive_array,
};
use datafusion::arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{ByteArrayType, DataType};

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
        DataType::Boolean => Ok(Arc::new(scrub_flags(plain.as_boolean())) as ArrayRef),
        DataType::Utf8 => scrub_bytes(plain.as_string::<i32>()),
        DataType::Binary => scrub_bytes(plain.as_binary::<i32>()),
        DataType::List(_) => scrub_list(plain.as_list::<i32>()),
        DataType::Struct(_) => scrub_struct(plain.as_struct()),
        _ => Err(SCRUBBED)
    )
}

fn scrub_primitive<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> PrimitiveArray<T> {
    let nulls = fresh_nulls(array);
    let values: Vec<T::Native> = match &nulls {
        None => array.values().to_vec(),
        Some(nulls) => {
            let shown = |(value, valid): (&T::Native, bool)| {
                if valid { *value } else { T::default_value() }
            };
            array.values().iter().zip(nulls.iter()).map(shown).collect()
        }
    };
    PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(array.data_type().clone())
}

fn scrub_flags(array: &BooleanArray) -> BooleanArray {
    let shown = |at| array.is_valid(at) && array.value(at);
    BooleanArray::new(BooleanBuffer::collect_bool(array.len(), shown), fresh_nulls(array))
}

/// Values that lie one behind the other, with nothing between them, are copied in one go.
fn scrub_bytes<T: ByteArrayType<Offset = i32>>(
    array: &GenericByteArray<T>,
) -> Result<ArrayRef, QueryError> {
    let nulls = fresh_nulls(array);
    let offsets = array.value_offsets();
    let is_hidden = |(at, ends): (usize, &[i32])| array.is_null(at) && ends.first() != ends.last();
    if nulls.is_some() && offsets.windows(2).enumerate().any(is_hidden) {
        return Ok(Arc::new(array.iter().collect::<GenericByteArray<T>>()));
    }
    let start = offsets.first().copied().unwrap_or(0);
    let end = offsets.last().copied().unwrap_or(0);
    let visible = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .and_then(|(start, end)| array.value_data().get(start..end))
        .ok_or(SCRUBBED)?;
    let offsets: Vec<i32> = offsets.iter().map(|offset| offset - start).collect();
    let offsets = OffsetBuffer::new(offsets.into());
    GenericByteArray::<T>::try_new(offsets, Buffer::from_slice_ref(visible), nulls)
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|_| SCRUBBED)
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
