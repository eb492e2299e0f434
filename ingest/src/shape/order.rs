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
        let mut places: Vec<Place> =
            (0..number(chunk.num_rows())).map(|row| Place { bytes: 0, row }).collect();
        keys.sort(&mut places, 0);
        Ok(places.into_iter().map(|place| place.row).collect())
    }
}

/// A row while it is sorted: by some bytes of its key, then by its place in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    bytes: u64,
    row: u32,
}

/// So few rows are rather sorted by comparing whole keys.
const FEW_ROWS: usize = 12;

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

    /// Sorts rows whose keys are alike before `from`: by the eight bytes that follow what all
    /// of them share, and those that are alike in these too by the next ones. No key is the
    /// beginning of another, so where bytes are alike up to a key's end the keys are equal.
    fn sort(&self, places: &mut [Place], from: usize) {
        if places.len() <= FEW_ROWS {
            let rest = |place: &Place| self.of(place.row as usize).get(from..);
            places.sort_unstable_by(|left, right| {
                rest(left).cmp(&rest(right)).then(left.row.cmp(&right.row))
            });
            return;
        }
        let from = from + self.shared(places, from);
        let mut is_longer = false;
        for place in &mut *places {
            let rest = self.of(place.row as usize).get(from..).unwrap_or_default();
            place.bytes = eight_bytes(rest);
            is_longer |= rest.len() > 8;
        }
        places.sort_unstable();
        if is_longer {
            let alike = places.chunk_by_mut(|left, right| left.bytes == right.bytes);
            alike.filter(|alike| alike.len() > 1).for_each(|alike| self.sort(alike, from + 8));
        }
    }

    /// How many bytes from a place on are the same in the keys of these rows.
    fn shared(&self, places: &[Place], from: usize) -> usize {
        let rest = |place: &Place| self.of(place.row as usize).get(from..).unwrap_or_default();
        let Some((first, others)) = places.split_first() else { return 0 };
        let mut shared = rest(first);
        for key in others.iter().map(rest) {
            if key.starts_with(shared) {
                continue;
            }
            let same = shared.iter().zip(key).take_while(|(one, other)| one == other);
            shared = &shared[..same.count()];
        }
        shared.len()
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

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
