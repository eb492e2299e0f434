//! Parquet files: their schema, and their rows to checked ones.
//!
//! Receives: record batches from the `parquet` reader. Hands on: values to `check`, bad rows to
//! `reject`. A value is taken over exactly or its row is refused; text goes through the same
//! reading as a delimited field.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch, RecordBatchReader,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use martlet_core::{BatchDate, ColumnType, TableSchema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::check::column::Typed;
use crate::check::{Bound, Cell, RowChecker};
use crate::config::plan::SourcePlan;
use crate::error::IngestError;
use crate::origin::Origin;
use crate::reject::{Reject, raw_text};

use super::bind::{FileFacts, FileFields, bind};
use super::fields::Field;
use super::{DecodedChunk, OpenFile};

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8_192;

/// How the columns of one file are read.
#[derive(Debug)]
pub(crate) struct ParquetForm {
    /// Positions among the columns that are read.
    bound: Vec<Bound>,
    /// The type that each read column is brought to before its values are taken.
    plain_types: Vec<DataType>,
}

/// A Parquet file whose schema was read.
pub(crate) struct ParquetReader {
    batches: ParquetRecordBatchReader,
    rows: u64,
    rows_read: u64,
    bytes: u64,
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ParquetReader").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl ParquetReader {
    /// The next rows and the number of the first, from 0.
    pub(crate) fn next_rows(&mut self) -> Result<Option<(RecordBatch, u64)>, ArrowError> {
        let Some(batch) = self.batches.next().transpose()? else { return Ok(None) };
        let first = self.rows_read;
        self.rows_read += batch.num_rows() as u64;
        Ok(Some((batch, first)))
    }

    /// About how many of the file's bytes were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        let (bytes, rows) = (u128::from(self.bytes), u128::from(self.rows.max(1)));
        u64::try_from(bytes * u128::from(self.rows_read) / rows).unwrap_or(self.bytes)
    }
}

/// Opens a file and joins its columns with the table's.
pub(crate) fn open(
    path: &Path,
    schema: &TableSchema,
    source: &SourcePlan,
    date: BatchDate,
) -> Result<(ParquetReader, ParquetForm), IngestError> {
    let file = File::open(path).map_err(|error| IngestError::read(path, error))?;
    let bytes = file.metadata().map_err(|error| IngestError::read(path, error))?.len();
    let not_parquet =
        |error| IngestError::form(path, format!("cannot be read as Parquet: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(not_parquet)?;
    let names = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let facts = FileFacts { path, system: source.system.as_deref(), date };
    let bound = bind(schema, &source.rules, &FileFields::Named(names), facts)?;
    let (bound, read) = projected(bound);
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(builder.parquet_schema(), read);
    let batches =
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(not_parquet)?;
    let plain_types = plain_types(path, schema, &bound, &batches)?;
    let reader = ParquetReader { batches, rows, rows_read: 0, bytes };
    Ok((reader, ParquetForm { bound, plain_types }))
}

/// The places among the columns that are needed, and which those are.
fn projected(bound: Vec<Bound>) -> (Vec<Bound>, Vec<usize>) {
    let field = |bound: &Bound| match bound {
        Bound::Field(at) => Some(*at),
        _ => None,
    };
    let mut read: Vec<usize> = bound.iter().filter_map(field).collect();
    read.sort_unstable();
    read.dedup();
    let place = |bound: Bound| match bound {
        Bound::Field(at) => Bound::Field(read.partition_point(|column| *column < at)),
        other => other,
    };
    (bound.into_iter().map(place).collect(), read)
}

fn plain_types(
    path: &Path,
    schema: &TableSchema,
    bound: &[Bound],
    batches: &ParquetRecordBatchReader,
) -> Result<Vec<DataType>, IngestError> {
    let fields = batches.schema();
    let mut plain = vec![DataType::Null; fields.fields().len()];
    for (column, bound) in schema.columns().iter().zip(bound) {
        let Bound::Field(at) = bound else { continue };
        let stored = fields.field(*at).data_type();
        plain[*at] = plain_type(stored, column.column_type).ok_or_else(|| {
            IngestError::form(
                path,
                format!(
                    "its column `{}` is {stored}, which is not read as {} (column `{}`)",
                    fields.field(*at).name(),
                    column.column_type.name(),
                    column.name
                ),
            )
        })?;
    }
    Ok(plain)
}

/// The type from which values of a stored type are taken for a column, if they can be.
fn plain_type(stored: &DataType, wanted: ColumnType) -> Option<DataType> {
    let is_utc = |zone: &Option<Arc<str>>| {
        zone.as_ref().is_none_or(|zone| matches!(&**zone, "UTC" | "+00:00"))
    };
    let value = match stored {
        DataType::Dictionary(_, value) => value,
        other => other,
    };
    Some(match (value, wanted) {
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, _) => DataType::Utf8,
        (DataType::Boolean, ColumnType::Boolean) => DataType::Boolean,
        (DataType::UInt64, ColumnType::Int32 | ColumnType::Int64) => return None,
        (DataType::UInt64, ColumnType::Decimal { .. }) => DataType::Decimal128(20, 0),
        (integer, ColumnType::Int32 | ColumnType::Int64 | ColumnType::Decimal { .. })
            if integer.is_integer() =>
        {
            DataType::Int64
        }
        (DataType::Float32 | DataType::Float64, ColumnType::Float64) => DataType::Float64,
        (
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale),
            ColumnType::Decimal { .. },
        ) => DataType::Decimal128(38, *scale),
        (DataType::Date32, ColumnType::Date) => DataType::Date32,
        (DataType::Timestamp(TimeUnit::Nanosecond, zone), ColumnType::Timestamp)
            if is_utc(zone) =>
        {
            DataType::Timestamp(TimeUnit::Nanosecond, None)
        }
        (DataType::Timestamp(_, zone), ColumnType::Timestamp) if is_utc(zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        _ => return None,
    })
}

/// Checks the rows of one batch.
pub(crate) fn decode_rows(
    schema: &TableSchema,
    file: &OpenFile<'_>,
    form: &ParquetForm,
    batch: &RecordBatch,
    first_row: u64,
) -> Result<DecodedChunk, IngestError> {
    let plain = form
        .plain_types
        .iter()
        .zip(batch.columns())
        .map(|(plain, column)| to_plain(column, plain))
        .collect::<Result<Vec<_>, _>>()?;
    let columns = plain.iter().map(Column::over).collect::<Vec<_>>();
    let mut checker = RowChecker::new(schema, &file.source.rules, &form.bound, batch.num_rows());
    let mut rejects = Vec::new();
    for (row, number) in (0..batch.num_rows()).zip(first_row..) {
        let origin = Origin::new(file.ordinal, number);
        if let Err(refused) = checker.add_row(origin, |at| columns[at].cell(row)) {
            rejects.push(Reject {
                file: file.shown.to_string(),
                line: number + 1,
                byte_offset: None,
                column: Some(schema.columns()[refused.column].name.to_string()),
                reason: refused.reason,
                raw: raw_row(batch, row)?,
            });
        }
    }
    let rows_read = batch.num_rows() as u64;
    Ok(DecodedChunk { rows_read, rows: checker.finish()?, rejects })
}

fn to_plain(column: &ArrayRef, plain: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == plain || *plain == DataType::Null {
        return Ok(Arc::clone(column));
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, plain, &exact)
}

/// A column of one of the plain types.
enum Column<'a> {
    Text(&'a arrow::array::StringArray),
    Boolean(&'a arrow::array::BooleanArray),
    Int(&'a PrimitiveArray<Int64Type>),
    Float(&'a PrimitiveArray<Float64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>),
    Date(&'a PrimitiveArray<Date32Type>),
    Micros(&'a PrimitiveArray<TimestampMicrosecondType>),
    Nanos(&'a PrimitiveArray<TimestampNanosecondType>),
    /// Not read by any column.
    Unused,
}

impl<'a> Column<'a> {
    fn over(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Int64 => Self::Int(array.as_primitive()),
            DataType::Float64 => Self::Float(array.as_primitive()),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive()),
            DataType::Date32 => Self::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Micros(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Nanos(array.as_primitive()),
            _ => Self::Unused,
        }
    }

    fn cell(&self, row: usize) -> Cell<'a> {
        match self {
            Self::Text(values) if values.is_valid(row) => {
                Cell::Field(Field { text: values.value(row), quoted: true })
            }
            Self::Boolean(values) if values.is_valid(row) => {
                Cell::Typed(Typed::Boolean(values.value(row)))
            }
            Self::Int(values) => typed(values, row, Typed::Int),
            Self::Float(values) => typed(values, row, Typed::Float),
            Self::Decimal(values) => {
                typed(values, row, |value| Typed::Decimal(value, values.scale()))
            }
            Self::Date(values) => typed(values, row, Typed::Date),
            Self::Micros(values) => typed(values, row, Typed::Timestamp),
            Self::Nanos(values) => typed(values, row, Typed::TimestampNanos),
            Self::Text(_) | Self::Boolean(_) | Self::Unused => Cell::Null,
        }
    }
}

fn typed<'a, T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    row: usize,
    make: impl Fn(T::Native) -> Typed,
) -> Cell<'a> {
    if values.is_valid(row) { Cell::Typed(make(values.value(row))) } else { Cell::Null }
}

/// The columns of a row that were read, as `name=value`.
fn raw_row(batch: &RecordBatch, row: usize) -> Result<String, ArrowError> {
    let options = FormatOptions::default();
    let mut text = String::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let value = ArrayFormatter::try_new(column, &options)?.value(row).try_to_string()?;
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(field.name());
        text.push('=');
        text.push_str(&value);
    }
    Ok(raw_text(encoding_rs::UTF_8, text.as_bytes()))
}

/// Finds rows again by their numbers, which have to ascend, for the reject file.
pub(crate) fn rows_at(path: &Path, numbers: &[u64]) -> Result<Vec<(u64, String)>, IngestError> {
    let file = File::open(path).map_err(|error| IngestError::read(path, error))?;
    let not_parquet =
        |error| IngestError::form(path, format!("cannot be read as Parquet: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(not_parquet)?;
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(not_parquet)?;
    let mut wanted = numbers.iter().copied().peekable();
    let mut found = Vec::with_capacity(numbers.len());
    let mut first = 0_u64;
    for batch in reader {
        let batch = batch?;
        let end = first + batch.num_rows() as u64;
        while let Some(number) = wanted.next_if(|number| *number < end) {
            let row = usize::try_from(number - first).unwrap_or(usize::MAX);
            found.push((number + 1, raw_row(&batch, row)?));
        }
        first = end;
    }
    Ok(found)
}
