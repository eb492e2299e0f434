//! Primary keys, and the schema of foreign keys, of which a mart declares none.
//!
//! Owns Flight SQL's schemas of both. Must never tell a key with a hidden or masked column:
//! the catalog holds only keys that are visible whole.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::CommandGetPrimaryKeys;
use martlet_query::{VisibleCatalog, VisibleTable};

use super::is_our_catalog;

pub(crate) fn primary_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("catalog_name", DataType::Utf8, true),
        Field::new("db_schema_name", DataType::Utf8, true),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("column_name", DataType::Utf8, false),
        Field::new("key_name", DataType::Utf8, true),
        Field::new("key_sequence", DataType::Int32, false),
    ]))
}

pub(crate) fn foreign_schema() -> SchemaRef {
    let side = |prefix: &str| {
        [
            ("catalog_name", true),
            ("db_schema_name", true),
            ("table_name", false),
            ("column_name", false),
        ]
        .map(|(name, nullable)| Field::new(format!("{prefix}_{name}"), DataType::Utf8, nullable))
    };
    let mut fields = Vec::from(side("pk"));
    fields.extend(side("fk"));
    fields.extend([
        Field::new("key_sequence", DataType::Int32, false),
        Field::new("fk_key_name", DataType::Utf8, true),
        Field::new("pk_key_name", DataType::Utf8, true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]);
    Arc::new(Schema::new(fields))
}

/// One row per key column, in the key's order. Keys have no names in a mart.
pub(crate) fn primary(
    query: &CommandGetPrimaryKeys,
    catalog: &VisibleCatalog,
) -> Result<RecordBatch, ArrowError> {
    let mut tables: Vec<&VisibleTable> = matching(query, catalog).collect();
    tables.sort_by_key(|table| (&table.schema, &table.name));
    let rows: Vec<(&VisibleTable, &str, i32)> = tables
        .into_iter()
        .flat_map(|table| {
            let key = table.primary_key.iter().flatten();
            key.zip(1..).map(move |(column, sequence)| (table, column.as_str(), sequence))
        })
        .collect();
    let texts = |of: fn(&(&VisibleTable, &str, i32)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let columns = vec![
        texts(|_| VisibleCatalog::NAME.to_string()),
        texts(|(table, ..)| table.schema.clone()),
        texts(|(table, ..)| table.name.clone()),
        texts(|(_, column, _)| (*column).to_string()),
        Arc::new(StringArray::new_null(rows.len())),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(.., sequence)| *sequence))),
    ];
    RecordBatch::try_new(primary_schema(), columns)
}

/// The visible tables that a question means. Table and schema are names here, not patterns.
pub(crate) fn matching<'a>(
    query: &CommandGetPrimaryKeys,
    catalog: &'a VisibleCatalog,
) -> impl Iterator<Item = &'a VisibleTable> {
    let any = is_our_catalog(query.catalog.as_deref());
    let (schema, name) = (query.db_schema.clone(), query.table.clone());
    catalog.tables.iter().filter(move |table| {
        any && schema.as_ref().is_none_or(|schema| *schema == table.schema) && name == table.name
    })
}
