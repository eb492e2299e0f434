//! Checks each record against its table: every field is read as its column's type, or the row
//! is refused as a whole.
//!
//! Receives: fields from `decode`. Hands on: checked rows to `shape`, refused ones to `reject`.
//! Never repairs a value and never rounds one.

pub(crate) mod column;
mod number;
pub(crate) mod time;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use martlet_core::TableSchema;

use crate::config::plan::{ColumnRule, Parse};
use crate::decode::fields::Field;
use crate::keys::KeyDigest;
use crate::origin::{Origin, schema_with_origin};
use crate::reason::Reason;
use column::{ColumnBuffer, Typed, text_or_null};

/// Where a column's value stands in the records of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// In this field, from 0.
    Field(usize),
    /// The same text in every row.
    Text(String),
    /// The same day in every row.
    Date(i32),
    /// Null in every row.
    Null,
}

/// One value as the file has it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    Field(Field<'a>),
    Typed(Typed),
}

/// Why a row does not become one of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The position of the column.
    pub(crate) column: usize,
    pub(crate) reason: Reason,
}

/// The rows of one chunk that stand.
#[derive(Debug)]
pub(crate) struct CheckedRows {
    /// The stored columns and the origin.
    pub(crate) batch: RecordBatch,
    /// One per row where the table has a primary key, else none.
    pub(crate) keys: Vec<KeyDigest>,
}

/// Collects the rows of one chunk.
#[derive(Debug)]
pub(crate) struct RowChecker<'a> {
    schema: &'a TableSchema,
    rules: &'a [ColumnRule],
    bound: &'a [Bound],
    columns: Vec<ColumnBuffer>,
    origins: Vec<u64>,
}

impl<'a> RowChecker<'a> {
    pub(crate) fn new(
        schema: &'a TableSchema,
        rules: &'a [ColumnRule],
        bound: &'a [Bound],
        rows_expected: usize,
    ) -> Self {
        let columns = schema
            .columns()
            .iter()
            .map(|column| ColumnBuffer::new(column.column_type, rows_expected))
            .collect();
        Self { schema, rules, bound, columns, origins: Vec::with_capacity(rows_expected) }
    }

    /// Adds one row; `field` gives the file's field at a position.
    pub(crate) fn add_row<'r>(
        &mut self,
        origin: Origin,
        mut field: impl FnMut(usize) -> Cell<'r>,
    ) -> Result<(), Refused> {
        for column in 0..self.columns.len() {
            let added = match &self.bound[column] {
                Bound::Field(at) => self.add(column, field(*at)),
                Bound::Text(text) => self.columns[column].push_text(text, &Parse::Text),
                Bound::Date(days) => self.columns[column].push_typed(Typed::Date(*days)),
                Bound::Null => self.add(column, Cell::Null),
            };
            if let Err(reason) = added {
                self.drop_last_row();
                return Err(Refused { column, reason });
            }
        }
        self.origins.push(origin.bits());
        Ok(())
    }

    fn add(&mut self, column: usize, cell: Cell<'_>) -> Result<(), Reason> {
        let rule = &self.rules[column];
        let text = match cell {
            Cell::Typed(typed) => return self.columns[column].push_typed(typed),
            Cell::Field(field) => text_or_null(field, rule),
            Cell::Null => None,
        };
        match text {
            Some("") if !matches!(rule.parse, Parse::Text) => {
                Err(Reason::Empty { type_name: rule.parse.word() })
            }
            Some(text) => self.columns[column].push_text(text, &rule.parse),
            None if self.schema.columns()[column].nullable => {
                self.columns[column].push_null();
                Ok(())
            }
            None => Err(Reason::Null),
        }
    }

    fn drop_last_row(&mut self) {
        let rows = self.origins.len();
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// The rows that stand, with the digests of their primary keys.
    pub(crate) fn finish(self) -> Result<CheckedRows, ArrowError> {
        let stored: SchemaRef = schema_with_origin(self.schema);
        let mut columns =
            self.columns.into_iter().map(ColumnBuffer::finish).collect::<Result<Vec<_>, _>>()?;
        let keys = key_digests(self.schema, &columns)?;
        columns.push(Arc::new(UInt64Array::from(self.origins)));
        Ok(CheckedRows { batch: RecordBatch::try_new(stored, columns)?, keys })
    }
}

/// One digest a row, of the primary key's values; equal exactly where the keys are.
pub(crate) fn key_digests(
    schema: &TableSchema,
    columns: &[ArrayRef],
) -> Result<Vec<KeyDigest>, ArrowError> {
    if schema.primary_key().is_empty() {
        return Ok(Vec::new());
    }
    let key: Vec<ArrayRef> =
        schema.primary_key().iter().map(|at| Arc::clone(&columns[*at])).collect();
    let sort_fields = key.iter().map(|values| SortField::new(values.data_type().clone()));
    let rows = RowConverter::new(sort_fields.collect())?.convert_columns(&key)?;
    Ok(rows.iter().map(|row| KeyDigest::of(row.data())).collect())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
