//! Catalogs, schemas, tables and table types.
//!
//! Owns Flight SQL's schemas of these answers and the columns' metadata, which stand here and
//! nowhere else: in a query's result drivers would take remarks for column names.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables};
use arrow_flight::{IpcMessage, SchemaAsIpc};
use arrow_ipc::writer::IpcWriteOptions;
use martlet_query::{VisibleCatalog, VisibleTable};

use super::is_our_catalog;
use super::pattern::Pattern;
use super::types::type_of;

/// The one type of table.
const TABLE: &str = "TABLE";
/// Other names that clients ask for it by.
const TABLE_ALSO: &str = "BASE TABLE";

fn text(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Utf8, nullable)
}

fn schema_of(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

pub(crate) fn catalogs_schema() -> SchemaRef {
    schema_of(vec![text("catalog_name", false)])
}

pub(crate) fn catalogs() -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(catalogs_schema(), vec![texts([VisibleCatalog::NAME])])
}

pub(crate) fn schemas_schema() -> SchemaRef {
    schema_of(vec![text("catalog_name", true), text("db_schema_name", false)])
}

pub(crate) fn schemas(
    query: &CommandGetDbSchemas,
    catalog: &VisibleCatalog,
) -> Result<RecordBatch, ArrowError> {
    let wanted = query.db_schema_filter_pattern.as_deref().map(Pattern::new);
    let names: Vec<&str> = catalog
        .schemas()
        .into_iter()
        .filter(|_| is_our_catalog(query.catalog.as_deref()))
        .filter(|name| wanted.as_ref().is_none_or(|pattern| pattern.matches(name)))
        .collect();
    let catalogs = texts(names.iter().map(|_| VisibleCatalog::NAME));
    RecordBatch::try_new(schemas_schema(), vec![catalogs, texts(names)])
}

pub(crate) fn table_types_schema() -> SchemaRef {
    schema_of(vec![text("table_type", false)])
}

pub(crate) fn table_types() -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(table_types_schema(), vec![texts([TABLE])])
}

pub(crate) fn tables_schema(include_schema: bool) -> SchemaRef {
    let mut fields = vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("table_type", false),
    ];
    if include_schema {
        fields.push(Field::new("table_schema", DataType::Binary, false));
    }
    schema_of(fields)
}

pub(crate) fn tables(
    query: &CommandGetTables,
    catalog: &VisibleCatalog,
) -> Result<RecordBatch, ArrowError> {
    let mut found: Vec<&VisibleTable> = matching(query, catalog).collect();
    found.sort_by_key(|table| (&table.schema, &table.name));
    let table_type = spelling(&query.table_types).unwrap_or(TABLE);
    let mut columns = vec![
        texts(found.iter().map(|_| VisibleCatalog::NAME)),
        texts(found.iter().map(|table| table.schema.as_str())),
        texts(found.iter().map(|table| table.name.as_str())),
        texts(found.iter().map(|_| table_type)),
    ];
    if query.include_schema {
        let schemas =
            found.iter().map(|table| encoded_schema(table)).collect::<Result<Vec<_>, _>>()?;
        columns.push(Arc::new(BinaryArray::from_iter_values(schemas)));
    }
    RecordBatch::try_new(tables_schema(query.include_schema), columns)
}

/// The visible tables that a question means.
pub(crate) fn matching<'a>(
    query: &CommandGetTables,
    catalog: &'a VisibleCatalog,
) -> impl Iterator<Item = &'a VisibleTable> {
    let schema = query.db_schema_filter_pattern.as_deref().map(Pattern::new);
    let name = query.table_name_filter_pattern.as_deref().map(Pattern::new);
    let any = is_our_catalog(query.catalog.as_deref()) && spelling(&query.table_types).is_some();
    catalog.tables.iter().filter(move |table| {
        any && schema.as_ref().is_none_or(|pattern| pattern.matches(&table.schema))
            && name.as_ref().is_none_or(|pattern| pattern.matches(&table.name))
    })
}

/// The client's own word for a table, so that it finds what it asked for; `None` if it asked
/// for other types only.
fn spelling(asked: &[String]) -> Option<&str> {
    if asked.is_empty() {
        return Some(TABLE);
    }
    let is_table =
        |word: &&String| word.eq_ignore_ascii_case(TABLE) || word.eq_ignore_ascii_case(TABLE_ALSO);
    asked.iter().find(is_table).map(String::as_str)
}

fn encoded_schema(table: &VisibleTable) -> Result<bytes::Bytes, ArrowError> {
    let fields: Vec<Field> = table
        .columns
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_metadata(column_metadata(table, field)))
        .collect();
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(&Schema::new(fields), &options).try_into()?;
    Ok(bytes)
}

fn column_metadata(table: &VisibleTable, field: &Field) -> HashMap<String, String> {
    let column_type = type_of(field.data_type());
    let fixed = [
        ("CATALOG_NAME", VisibleCatalog::NAME),
        ("SCHEMA_NAME", &table.schema),
        ("TABLE_NAME", &table.name),
        ("TYPE_NAME", column_type.name),
        ("IS_AUTO_INCREMENT", "0"),
        ("IS_CASE_SENSITIVE", if column_type.case_sensitive { "1" } else { "0" }),
        ("IS_READ_ONLY", "1"),
        ("IS_SEARCHABLE", "1"),
    ]
    .map(|(key, value)| (key, value.to_string()));
    let sizes = [
        ("PRECISION", column_type.precision.map(|digits| digits.to_string())),
        ("SCALE", column_type.scale.map(|digits| digits.to_string())),
    ];
    let sizes = sizes.into_iter().filter_map(|(key, value)| Some((key, value?)));
    fixed
        .into_iter()
        .chain(sizes)
        .map(|(key, value)| (format!("ARROW:FLIGHT:SQL:{key}"), value))
        .collect()
}
