//! The types that leave: one plain schema per statement, known before the first row.
//!
//! FlightInfo, GetSchema, prepare and DoGet all show this schema. Views, dictionaries and
//! unsigned integers become what every driver reads; every field is nullable, because what a
//! planner thinks of nullability changes between two plans of one statement; metadata go.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::error::QueryError;
use crate::scrub::scrub;

/// The schema in which rows of this schema leave.
///
/// # Errors
/// [`QueryError::Unsendable`] for a column whose type has no plain form.
pub(crate) fn wire_schema(schema: &Schema) -> Result<SchemaRef, QueryError> {
    let fields = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let plain =
                plain(field.data_type()).ok_or(QueryError::Unsendable { position: at + 1 })?;
            Ok(Field::new(field.name(), plain, true))
        })
        .collect::<Result<Vec<_>, QueryError>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The plain form of a type, or `None` if there is none.
fn plain(data_type: &DataType) -> Option<DataType> {
    use DataType as T;
    Some(match data_type {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => T::Utf8,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => T::Binary,
        T::Dictionary(_, values) => plain(values)?,
        T::UInt8 | T::UInt16 => T::Int32,
        T::UInt32 | T::UInt64 => T::Int64,
        T::Float16 => T::Float32,
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => {
            T::Decimal128(*precision, *scale)
        }
        T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => {
            T::List(Arc::new(Field::new("item", plain(item.data_type())?, true)))
        }
        T::Struct(fields) => T::Struct(
            fields
                .iter()
                .map(|field| Some(Field::new(field.name(), plain(field.data_type())?, true)))
                .collect::<Option<Vec<_>>>()?
                .into(),
        ),
        T::Null
        | T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::Float32
        | T::Float64
        | T::Decimal128(..)
        | T::Decimal256(..)
        | T::Date32
        | T::Date64
        | T::Time32(_)
        | T::Time64(_)
        | T::Timestamp(..)
        | T::Duration(_)
        | T::Interval(_) => data_type.clone(),
        T::ListView(_) | T::LargeListView(_) | T::Map(..) | T::Union(..) | T::RunEndEncoded(..) => {
            return None;
        }
    })
}

/// A batch in its wire schema.
///
/// # Errors
/// [`QueryError::Running`] if a number does not fit its plain type,
/// [`QueryError::Bug`] if the batch is not of the planned shape.
pub(crate) fn plain_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, QueryError> {
    if batch.num_columns() != schema.fields().len() {
        return Err(QueryError::Bug { promise: "a result has the planned columns" });
    }
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| plain_array(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    whole(schema, columns, batch.num_rows())
}

/// A batch of plain types, rebuilt so that it holds visible bytes only.
///
/// # Errors
/// As [`scrub`].
pub(crate) fn scrub_batch(batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let columns = batch.columns().iter().map(scrub).collect::<Result<Vec<_>, _>>()?;
    whole(&batch.schema(), columns, batch.num_rows())
}

fn whole(
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, QueryError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|_| QueryError::Bug { promise: "a result has the planned types" })
}

/// Casts to the plain type; a value that does not fit is an error, never a null.
pub(crate) fn plain_array(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, QueryError> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, to, &strict)
        .map_err(|_| QueryError::Running { reason: "a number became too large for its type" })
}
