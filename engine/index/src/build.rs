//! A sealed segment's rows to its index object: zone maps always, index kinds as chosen.
//!
//! Receives: the rows of one whole segment in stored order from the ingest.
//! Hands on: bytes and descriptor, to be attached to the segment by the store.
//! Works on one column at a time, so memory stays at one column's codes. Never reads a file.

use std::time::Instant;

use arrow::array::{Array, ArrayRef, RecordBatch};
use bytes::Bytes;
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_core::{ColumnSchema, TableSchema};

use crate::choose::IndexChoice;
use crate::descriptor::{ColumnZones, Descriptor};
use crate::encode::{Encoded, encode};
use crate::error::IndexError;
use crate::file::FileBuilder;
use crate::kind::{
    IndexKind, binned, bit_sliced, bitmap, codes, date_part, lookup, ngram, texts, vector,
};
use crate::statistics::{ColumnStatistics, Role, has_surely_more};
use crate::values::ColumnKeys;
use crate::zone;

/// The index object of one segment and what is told of it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The object's bytes.
    pub bytes: Bytes,
    /// Its descriptor.
    pub descriptor: Descriptor,
}

/// Builds the index object of a segment.
///
/// `rows` is the whole segment in stored order; its columns are found by name and must have
/// the stored types of `schema`. `choices` holds one entry per column of the schema.
///
/// # Errors
/// [`IndexError::Column`], [`IndexError::TooManyRows`] or [`IndexError::Choices`] when the
/// arguments do not fit each other.
pub fn build(
    schema: &TableSchema,
    rows: &RecordBatch,
    choices: &[IndexChoice],
) -> Result<Built, IndexError> {
    let columns = schema.columns();
    if choices.len() != columns.len() {
        return Err(IndexError::Choices { choices: choices.len(), columns: columns.len() });
    }
    let row_count = u32::try_from(rows.num_rows())
        .ok()
        .filter(|count| *count <= SEGMENT_ROWS_MAX)
        .ok_or(IndexError::TooManyRows { rows: rows.num_rows() })?;
    let mut file = FileBuilder::with_room(built_room(rows));
    let mut zones = Vec::with_capacity(columns.len());
    for (position, (column, choice)) in columns.iter().zip(choices).enumerate() {
        let array = stored_column(rows, column)?;
        let role = match schema.primary_key() {
            [key] if *key == position => Role::Identity,
            _ => Role::Property,
        };
        zones.push(build_column(&mut file, (position, role), column, array, choice)?);
    }
    let (bytes, sections) = file.finish();
    Ok(Built { bytes, descriptor: Descriptor::new(row_count, zones, sections) })
}

/// More bytes than the indexes of such rows take, as a rule.
pub(crate) fn built_room(rows: &RecordBatch) -> usize {
    let columns = rows.columns().iter();
    let bytes = columns.filter_map(|column| column.to_data().get_slice_memory_size().ok());
    bytes.sum::<usize>() / 4
}

fn stored_column<'a>(
    rows: &'a RecordBatch,
    column: &ColumnSchema,
) -> Result<&'a ArrayRef, IndexError> {
    rows.column_by_name(column.name.as_str())
        .filter(|array| *array.data_type() == column.column_type.arrow())
        .ok_or_else(|| IndexError::Column { column: column.name.clone() })
}

fn build_column(
    file: &mut FileBuilder,
    (position, role): (usize, Role),
    column: &ColumnSchema,
    array: &ArrayRef,
    choice: &IndexChoice,
) -> Result<ColumnZones, IndexError> {
    let keys =
        ColumnKeys::of(array).ok_or_else(|| IndexError::Column { column: column.name.clone() })?;
    let encoded = choice
        .distinct_max()
        .filter(|distinct_max| !has_surely_more(&keys, *distinct_max))
        .and_then(|distinct_max| encode(&keys, distinct_max));
    let mut zones = zone::measure(&keys, encoded.as_ref());
    zones.column.distinct = encoded.as_ref().map(Encoded::null_code);
    let distinct = encoded.as_ref().map(|encoded| encoded.values.len());
    let statistics = ColumnStatistics::measure(column.column_type, role, &keys, &zones, distinct);
    for kind in choice.kinds(&statistics) {
        let started = Instant::now();
        let section = match (kind, &encoded) {
            (IndexKind::Bitmap, Some(encoded)) => Some(bitmap::build(column.column_type, encoded)),
            (IndexKind::Codes, Some(encoded)) => Some(codes::build(column.column_type, encoded)),
            (IndexKind::Bitmap | IndexKind::Codes, None) => None,
            (IndexKind::Vector, _) => vector::build(column.column_type, &keys),
            (IndexKind::BitSliced, _) => bit_sliced::build(column.column_type, &keys),
            (IndexKind::Binned, _) => binned::build(column.column_type, &keys),
            (IndexKind::DatePart, _) => date_part::build(column.column_type, &keys),
            (IndexKind::Lookup, _) => Some(lookup::build(column.column_type, &keys)),
            (IndexKind::Ngram, _) => ngram::build(column.column_type, &keys),
            (IndexKind::Texts, _) => texts::build(column.column_type, &keys),
        };
        if let Some(section) = section {
            // Counted only where the column was encoded for it.
            let distinct = zones.column.distinct.unwrap_or(0);
            file.push(position, kind, distinct, &section, started);
        }
    }
    Ok(zones)
}
