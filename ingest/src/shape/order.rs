//! The order in which a table's rows are stored: by the cluster key, then as they arrived.
//!
//! Owns the sort keys. They are bytes that compare as the values do, with nulls first, and
//! compare so between any two chunks. Origins break every tie, so the order is total and the
//! same files always give the same segments.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use martlet_core::TableSchema;

/// The order of one table.
#[derive(Debug)]
pub(super) struct Order {
    /// Positions of the cluster key's columns.
    columns: Vec<usize>,
    /// `None` where the table has no cluster key.
    converter: Option<RowConverter>,
}

impl Order {
    pub(super) fn of(schema: &TableSchema) -> Result<Self, ArrowError> {
        let columns = schema.cluster_key().to_vec();
        let field = |at: &usize| SortField::new(schema.columns()[*at].column_type.arrow());
        let fields: Vec<SortField> = columns.iter().map(field).collect();
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(fields)?) };
        Ok(Self { columns, converter })
    }

    /// The positions of the columns that make the key.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The keys of rows whose key columns, in stored types, are these.
    pub(super) fn keys(&self, columns: &[ArrayRef]) -> Result<Keys, ArrowError> {
        let rows = self.converter.as_ref().map(|converter| converter.convert_columns(columns));
        Ok(Keys { rows: rows.transpose()? })
    }

    /// The rows of a chunk in order. They have to stand as they arrived, so that a stable sort
    /// leaves those of equal key in the order of their origins.
    pub(super) fn sorted(&self, chunk: &RecordBatch) -> Result<UInt32Array, ArrowError> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|at| chunk.column(*at).clone()).collect();
        let keys = self.keys(&columns)?;
        let rows = number(chunk.num_rows());
        let shared = keys.shared_prefix(rows);
        let mut places: Vec<(u64, u32)> =
            (0..rows).map(|row| (eight_bytes(&keys.of(row as usize)[shared..]), row)).collect();
        places.sort_by(|left, right| {
            left.0
                .cmp(&right.0)
                .then_with(|| keys.of(left.1 as usize).cmp(keys.of(right.1 as usize)))
        });
        Ok(places.into_iter().map(|(_, row)| row).collect())
    }
}

/// The keys of some rows.
#[derive(Debug)]
pub(super) struct Keys {
    rows: Option<Rows>,
}

impl Keys {
    /// The key of a row; without a cluster key all are equal.
    pub(super) fn of(&self, row: usize) -> &[u8] {
        self.rows.as_ref().map_or(&[], |rows| rows.row(row).data())
    }

    /// How many bytes at the beginning are the same in all keys.
    fn shared_prefix(&self, rows: u32) -> usize {
        let first = if rows == 0 { return 0 } else { self.of(0) };
        let mut shared = first.len();
        for row in 1..rows {
            let key = self.of(row as usize);
            let same = first[..shared].iter().zip(key).take_while(|(one, other)| one == other);
            shared = if key.starts_with(&first[..shared]) { shared } else { same.count() };
        }
        shared
    }
}

/// A chunk's rows are bounded by its bytes, far below 2^32.
fn number(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// The first eight bytes of a key, in the order of the keys.
fn eight_bytes(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = key.len().min(8);
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}
