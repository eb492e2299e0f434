//! The journal's records as the rows of `system.audit_record`.
//!
//! Owns the conversion; the schema belongs to `martlet-query`. Must never add a column of its
//! own: who may see which column is decided from that schema.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use martlet_query::system::audit_record_schema;

use super::ring::Row;

/// One row per record, in the order given.
pub(crate) fn batch_of(rows: &[Arc<Row>]) -> Result<RecordBatch, ArrowError> {
    let schema: SchemaRef = audit_record_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| column(field.name(), rows))
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema, columns)
}

fn column(name: &str, rows: &[Arc<Row>]) -> Result<ArrayRef, ArrowError> {
    Ok(match name {
        "at" => Arc::new(TimestampMicrosecondArray::from_iter_values(
            rows.iter().map(|row| row.entry.at),
        )),
        "record_id" => text(rows, |row| row.entry.record_id.as_str().into()),
        "principal" => text(rows, |row| row.entry.principal.clone()),
        "peer" => text(rows, |row| row.entry.peer.clone()),
        "statement" => text(rows, |row| row.entry.statement.clone()),
        "parameters" => perhaps(rows, |row| row.entry.parameters.as_deref()),
        "fingerprint" => perhaps(rows, |row| row.entry.fingerprint.as_deref()),
        "purpose" => perhaps(rows, |row| row.entry.purpose.as_deref()),
        "method" => perhaps(rows, |row| row.entry.method.as_deref()),
        "tables" => text(rows, |row| row.entry.tables.join(", ")),
        "columns" => text(rows, |row| row.entry.columns.join(", ")),
        "column_access" => text(rows, |row| {
            let shown = row.entry.column_access.iter();
            shown.map(|(column, how)| format!("{column} {how}")).collect::<Vec<_>>().join(", ")
        }),
        "lookups" => number(rows, |row| row.entry.lookups),
        "policy_version" => text(rows, |row| row.entry.policy_version.clone()),
        "decision" => text(rows, |row| row.entry.decision.as_str().into()),
        "outcome" => text(rows, |row| row.ending.outcome.as_str().into()),
        "rows" => number(rows, |row| row.ending.rows),
        "bytes" => number(rows, |row| row.ending.bytes),
        "milliseconds" => number(rows, |row| row.ending.milliseconds),
        other => {
            return Err(ArrowError::SchemaError(format!("the journal keeps no column `{other}`")));
        }
    })
}

fn text(rows: &[Arc<Row>], of: impl Fn(&Row) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(|row| of(row))))
}

fn perhaps<'a>(rows: &'a [Arc<Row>], of: impl Fn(&'a Row) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| of(row)).collect::<StringArray>())
}

fn number(rows: &[Arc<Row>], of: impl Fn(&Row) -> u64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(
        rows.iter().map(|row| i64::try_from(of(row)).unwrap_or(i64::MAX)),
    ))
}
