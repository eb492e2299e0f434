//! Questions about the catalog and the server, answered in Flight SQL's exact schemas.
//!
//! Owns those schemas: drivers compare names, types and nullability. Must never answer from
//! anything but the principal's own catalog and the server's constants.

mod keys;
mod pattern;
mod sql_info;
mod tables;
mod types;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use martlet_query::{VisibleCatalog, VisibleTable};
use tonic::Status;

use super::command::MetadataQuery;
use super::status::bug;
use pattern::Pattern;

/// The schema of a question's answer; [`answer`] gives exactly this one.
pub(crate) fn schema(query: &MetadataQuery) -> Result<SchemaRef, Status> {
    Ok(match query {
        MetadataQuery::Catalogs => tables::catalogs_schema(),
        MetadataQuery::DbSchemas(_) => tables::schemas_schema(),
        MetadataQuery::Tables(query) => tables::tables_schema(query.include_schema),
        MetadataQuery::TableTypes => tables::table_types_schema(),
        MetadataQuery::SqlInfo(_) => sql_info::schema(),
        MetadataQuery::XdbcTypeInfo(_) => types::schema(),
        MetadataQuery::PrimaryKeys(_) => keys::primary_schema(),
        MetadataQuery::ExportedKeys(_)
        | MetadataQuery::ImportedKeys(_)
        | MetadataQuery::CrossReference(_) => keys::foreign_schema(),
    })
}

/// The answer to a question, as one principal's catalog gives it.
pub(crate) fn answer(
    query: &MetadataQuery,
    catalog: &VisibleCatalog,
) -> Result<RecordBatch, Status> {
    let answered: Result<RecordBatch, ArrowError> = match query {
        MetadataQuery::Catalogs => tables::catalogs(),
        MetadataQuery::DbSchemas(query) => tables::schemas(query, catalog),
        MetadataQuery::Tables(query) => tables::tables(query, catalog),
        MetadataQuery::TableTypes => tables::table_types(),
        MetadataQuery::SqlInfo(query) => sql_info::infos(&query.info),
        MetadataQuery::XdbcTypeInfo(query) => types::infos(query.data_type),
        MetadataQuery::PrimaryKeys(query) => keys::primary(query, catalog),
        // Foreign keys are not declared in a mart: the answer is empty for every table,
        // visible or not.
        MetadataQuery::ExportedKeys(_)
        | MetadataQuery::ImportedKeys(_)
        | MetadataQuery::CrossReference(_) => Ok(RecordBatch::new_empty(keys::foreign_schema())),
    };
    answered.map_err(|_| bug("a metadata answer has its own schema"))
}

/// The tables whose names or columns an answer tells, for the record.
pub(crate) fn tables_told(query: &MetadataQuery, catalog: &VisibleCatalog) -> Vec<String> {
    let full = |table: &VisibleTable| format!("{}.{}", table.schema, table.name);
    match query {
        MetadataQuery::Tables(query) => tables::matching(query, catalog).map(full).collect(),
        MetadataQuery::PrimaryKeys(query) => keys::matching(query, catalog).map(full).collect(),
        _ => Vec::new(),
    }
}

/// Whether the catalog is meant: absent means any, an empty name means "without a catalog",
/// and some drivers send a pattern where a name is due.
fn is_our_catalog(asked: Option<&str>) -> bool {
    asked.is_none_or(|asked| Pattern::new(asked).matches(VisibleCatalog::NAME))
}

#[cfg(test)]
mod tests;
