//! `system.table_index`: the indexes of the tables that the asker may know.
//!
//! Figures were computed over all rows, before any grant, and so was the choice of kinds: which
//! indexes a column has tells how many values it has. So only those of a column are told that the
//! asker's own grant shows as it is stored, of a table of which it hides no row, also not in groups.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use martlet_core::{ColumnType, TableSchema};
use martlet_index::{Descriptor, IndexFigures, inventory};
use martlet_policy::{Access, Grant, RowRule};
use martlet_store::TableVersion;

use super::Source;
use crate::error::QueryError;

pub(super) const COLUMNS: &[(&str, ColumnType)] = &[
    ("table_name", ColumnType::Text),
    ("column_name", ColumnType::Text),
    ("kind", ColumnType::Text),
    ("segments", ColumnType::Int64),
    ("segments_indexed", ColumnType::Int64),
    ("bytes", ColumnType::Int64),
    ("distinct_at_least", ColumnType::Int64),
    ("build_micros", ColumnType::Int64),
];

/// One index as a row.
struct Row {
    table: String,
    column: String,
    kind: &'static str,
    /// The figures in the order of their columns.
    figures: [u64; 5],
}

/// The indexes of every table that the grants show.
pub(super) fn rows(table: &TableSchema, source: &Source) -> Result<RecordBatch, QueryError> {
    let rows: Vec<Row> = source
        .grants
        .iter()
        .filter(|grant| grant.minimum_group().is_none())
        .filter_map(|grant| Some((grant, source.mart.snapshot().table(grant.table().as_str())?)))
        .flat_map(|(grant, version)| rows_of(grant, version))
        .collect();
    let texts = |of: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let numbers = |at: usize| -> ArrayRef {
        let number = |row: &Row| i64::try_from(row.figures[at]).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_iter_values(rows.iter().map(number)))
    };
    let mut columns =
        vec![texts(|row| &row.table), texts(|row| &row.column), texts(|row| row.kind)];
    columns.extend((0..5).map(numbers));
    RecordBatch::try_new(table.arrow(), columns)
        .map_err(|_| QueryError::Bug { promise: "a system table has its own schema" })
}

fn rows_of(grant: &Grant, version: &TableVersion) -> Vec<Row> {
    if *grant.rows() != RowRule::All {
        return Vec::new();
    }
    let descriptors: Vec<Descriptor> = version
        .segments()
        .iter()
        .flat_map(|segment| segment.attachments())
        .filter_map(|attachment| Descriptor::decode(attachment.descriptor()).ok())
        .collect();
    let segments = version.segments().len() as u64;
    let row = |figures: IndexFigures| {
        let granted = grant.columns().iter().find(|granted| granted.position == figures.column)?;
        (granted.access == Access::Clear).then(|| Row {
            table: grant.table().to_string(),
            column: granted.name.to_string(),
            kind: figures.kind.name(),
            figures: [
                segments,
                figures.segments,
                figures.bytes,
                u64::from(figures.distinct_at_least),
                figures.build_micros,
            ],
        })
    };
    inventory(&descriptors).into_iter().filter_map(row).collect()
}
