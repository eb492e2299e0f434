//! Where a row came from, in eight bytes that travel with it until it is written.
//!
//! Owns the numbering. Origins order rows as the files and the lines in them are ordered, so
//! they break every tie of a sort: the same files always give the same segments.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use martlet_core::TableSchema;

const AT_BITS: u32 = 40;

/// Files of one table's delivery at most.
pub(crate) const FILES_MAX: usize = 1 << (64 - AT_BITS);
/// Bytes (or Parquet rows) of one file at most: one tebibyte.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << AT_BITS;

/// The name of the column that carries origins; no mart's column can be called so.
const ORIGIN_COLUMN: &str = "#origin";

/// A file of a table's delivery and a place in it: a byte offset, or a row of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin(u64);

impl Origin {
    /// Arrival has checked that both numbers are within their bounds.
    pub(crate) const fn new(file: u32, at: u64) -> Self {
        Self(((file as u64) << AT_BITS) | (at & (FILE_BYTES_MAX - 1)))
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The file's place in the delivery.
    pub(crate) const fn file(self) -> usize {
        (self.0 >> AT_BITS) as usize
    }

    /// The byte offset, or the row of a Parquet file.
    pub(crate) const fn at(self) -> u64 {
        self.0 & (FILE_BYTES_MAX - 1)
    }
}

/// The stored columns and, behind them, the origin.
pub(crate) fn schema_with_origin(schema: &TableSchema) -> SchemaRef {
    let stored = schema.arrow();
    let mut fields: Vec<Arc<Field>> = stored.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ORIGIN_COLUMN, DataType::UInt64, false)));
    Arc::new(Schema::new(fields))
}
