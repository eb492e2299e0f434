//! Rows to the bytes of a segment.
//!
//! Receives: sorted batches in stored types, from the commit's staging.
//! Hands on: plain Parquet that any tool can read, with pages small enough to be fetched alone.
//! Never touches storage; refuses rows that do not fit the schema or are not sorted.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DynComparator, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use martlet_core::limits::{BATCH_ROWS_MAX, SEGMENT_ROWS_MAX};
use martlet_core::{ColumnType, TableSchema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::dictionary;
use crate::error::StoreError;

/// The order of a cluster key: ascending, nulls first, as the sort kernels do by default.
const CLUSTER_ORDER: SortOptions = SortOptions { descending: false, nulls_first: true };

/// A data page ends at the first portion that reaches this many rows, so that the pages which
/// a small selection touches are few and small.
const PAGE_ROWS: usize = BATCH_ROWS_MAX;

/// Rows handed to the Parquet writer at once. It looks whether a page is full at the end of each
/// portion, and within one where it likes, so portions divide a page's rows.
const PORTION_ROWS: usize = PAGE_ROWS;

/// A segment takes about a fifth of its rows' bytes in memory, rarely more than a quarter. Room
/// that is asked for and not used costs nothing; a buffer that grows is copied and touched anew.
const ROWS_BYTES_PER_BYTE: usize = 4;

/// A dictionary that grows beyond this is given up, or not even begun. Reading one page reads the
/// dictionary too, so a large one would make every point look-up dear.
const DICTIONARY_BYTES_MAX: usize = 128 * 1024;

/// A segment's bytes and how many rows they hold.
#[derive(Debug)]
pub(crate) struct EncodedSegment {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u32,
}

/// Encodes the batches, in order, as one segment.
pub(crate) fn encode(
    schema: &TableSchema,
    batches: &[RecordBatch],
) -> Result<EncodedSegment, StoreError> {
    let rows = checked_rows(schema, batches)?;
    let batches = batches
        .iter()
        .map(|batch| in_stored_types(schema, batch))
        .collect::<Result<Vec<_>, _>>()?;
    check_sorted(schema, &batches)?;
    let bytes = write(schema, &batches).map_err(|_| {
        StoreError::misuse(format!("rows of table `{}` could not be encoded", schema.name()))
    })?;
    Ok(EncodedSegment { bytes, rows })
}

fn checked_rows(schema: &TableSchema, batches: &[RecordBatch]) -> Result<u32, StoreError> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    u32::try_from(rows).ok().filter(|rows| (1..=SEGMENT_ROWS_MAX).contains(rows)).ok_or_else(|| {
        refused(schema, format!("a segment has 1 to {SEGMENT_ROWS_MAX} rows, not {rows}"))
    })
}

/// The batch under the table's own schema, which also proves that no column is null where it
/// may not be.
fn in_stored_types(schema: &TableSchema, batch: &RecordBatch) -> Result<RecordBatch, StoreError> {
    let stored = schema.arrow();
    let given = batch.schema();
    let names = |schema: &arrow::datatypes::Schema| -> Vec<_> {
        schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect()
    };
    if names(&given) != names(&stored) {
        return Err(refused(schema, "the rows' columns are not the table's".to_owned()));
    }
    for (column, values) in schema.columns().iter().zip(batch.columns()) {
        if !column.nullable && values.null_count() > 0 {
            return Err(refused(schema, format!("column `{}` may not be null", column.name)));
        }
    }
    RecordBatch::try_new(stored, batch.columns().to_vec())
        .map_err(|_| refused(schema, "the rows do not fit the table".to_owned()))
}

fn refused(schema: &TableSchema, what: String) -> StoreError {
    StoreError::Refused { table: schema.name().clone(), what }
}

/// The file declares its sort order to every reader, so it has to be true.
fn check_sorted(schema: &TableSchema, batches: &[RecordBatch]) -> Result<(), StoreError> {
    let key = schema.cluster_key();
    let mut last: Option<&RecordBatch> = None;
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let within = KeyComparison::new(key, batch, batch)?;
        let across = last.map(|last| KeyComparison::new(key, last, batch)).transpose()?;
        let follows = across.is_none_or(|across| {
            across.compare(last.map_or(0, |last| last.num_rows() - 1), 0).is_le()
        });
        let ascends = (1..batch.num_rows()).all(|row| within.compare(row - 1, row).is_le());
        if !follows || !ascends {
            return Err(refused(schema, "the rows are not sorted by the cluster key".to_owned()));
        }
        last = Some(batch);
    }
    Ok(())
}

struct KeyComparison {
    columns: Vec<DynComparator>,
}

impl KeyComparison {
    fn new(key: &[usize], left: &RecordBatch, right: &RecordBatch) -> Result<Self, StoreError> {
        let column = |position: &usize| {
            let (left, right): (&ArrayRef, &ArrayRef) =
                (left.column(*position), right.column(*position));
            make_comparator(left.as_ref(), right.as_ref(), CLUSTER_ORDER)
        };
        let columns = key
            .iter()
            .map(column)
            .collect::<Result<_, _>>()
            .map_err(|_| StoreError::misuse("a cluster key's column cannot be compared"))?;
        Ok(Self { columns })
    }

    fn compare(&self, left: usize, right: usize) -> Ordering {
        self.columns
            .iter()
            .map(|column| column(left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn write(
    schema: &TableSchema,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let properties = writer_properties(schema, batches)?;
    // Of what the batches show of their buffers: several may be slices of the same ones.
    let columns = batches.iter().flat_map(RecordBatch::columns);
    let bytes = columns.filter_map(|column| column.to_data().get_slice_memory_size().ok());
    let room = Vec::with_capacity(bytes.sum::<usize>() / ROWS_BYTES_PER_BYTE);
    let mut writer = ArrowWriter::try_new(room, schema.arrow(), Some(properties))?;
    let mut written = 0;
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            let to_next_portion = PORTION_ROWS - written % PORTION_ROWS;
            let portion = to_next_portion.min(batch.num_rows() - from);
            writer.write(&batch.slice(from, portion))?;
            from += portion;
            written += portion;
        }
    }
    writer.into_inner()
}

fn writer_properties(
    schema: &TableSchema,
    batches: &[RecordBatch],
) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let sorting = |position: &usize| SortingColumn {
        column_idx: *position as i32,
        descending: CLUSTER_ORDER.descending,
        nulls_first: CLUSTER_ORDER.nulls_first,
    };
    let sorting: Vec<_> = schema.cluster_key().iter().map(sorting).collect();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("martlet ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(SEGMENT_ROWS_MAX as usize))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns((!sorting.is_empty()).then_some(sorting));
    for (position, column) in schema.columns().iter().enumerate() {
        let path = ColumnPath::from(column.name.as_str());
        if !dictionary::pays(batches, position, DICTIONARY_BYTES_MAX) {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
        }
        if let Some(encoding) = fallback_encoding(column.column_type) {
            properties = properties.set_column_encoding(path, encoding);
        }
    }
    Ok(properties.build())
}

/// What follows a dictionary that was given up: whole numbers with many distinct values are
/// mostly keys and times, which lie close together.
const fn fallback_encoding(column_type: ColumnType) -> Option<Encoding> {
    match column_type {
        ColumnType::Int32 | ColumnType::Int64 | ColumnType::Date | ColumnType::Timestamp => {
            Some(Encoding::DELTA_BINARY_PACKED)
        }
        ColumnType::Boolean
        | ColumnType::Float64
        | ColumnType::Decimal { .. }
        | ColumnType::Text => None,
    }
}

/// Encodes away from the threads that serve readers.
pub(crate) async fn encode_blocking(
    schema: Arc<TableSchema>,
    batches: Vec<RecordBatch>,
) -> Result<EncodedSegment, StoreError> {
    tokio::task::spawn_blocking(move || encode(&schema, &batches))
        .await
        .map_err(|_| StoreError::misuse("encoding a segment was broken off"))?
}
