//! The journal's records as the rows of `system.audit_record` and `system.alarm`.
//!
//! Owns the conversion; the schema belongs to `martlet-query`. Must never add a column of its
//! own: who may see which column is decided from that schema.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use martlet_query::system::{alarm_schema, audit_record_schema};

use super::record::Entry;
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
        "emergency" => perhaps(rows, |row| row.entry.emergency.as_deref()),
        "emergency_reason" => perhaps(rows, |row| row.entry.emergency_reason.as_deref()),
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

/// One row per alarm or notice, in the order given.
pub(crate) fn alarms_of(rows: &[Arc<Row>]) -> Result<RecordBatch, ArrowError> {
    let schema: SchemaRef = alarm_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| alarm_column(field.name(), rows))
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema, columns)
}

fn alarm_column(name: &str, rows: &[Arc<Row>]) -> Result<ArrayRef, ArrowError> {
    let told = |of: for<'a> fn(&Told<'a>) -> &'a str| -> ArrayRef {
        let of_row =
            |row: &'_ Arc<Row>| Told::read(&row.entry.statement).map(|told| of(&told).to_owned());
        Arc::new(rows.iter().map(of_row).collect::<StringArray>())
    };
    Ok(match name {
        "kind" => text(rows, |row| kind(&row.entry).to_owned()),
        "rule" => told(|told| told.rule),
        "severity" => told(|told| told.severity),
        "figures" => told(|told| told.figures),
        "met_by" => told(|told| told.met_by),
        "actions" => told(|told| told.actions),
        "text" => text(rows, |row| row.entry.statement.clone()),
        of_record => column(of_record, rows)?,
    })
}

/// What sort of line it is.
fn kind(entry: &Entry) -> &'static str {
    if entry.emergency.is_some() {
        "emergency"
    } else if Told::read(&entry.statement).is_some() {
        "alarm"
    } else {
        "lift"
    }
}

/// What an alarm's text says; [`crate::alarm::Alarm::text`] writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told<'a> {
    rule: &'a str,
    severity: &'a str,
    figures: &'a str,
    met_by: &'a str,
    actions: &'a str,
}

impl<'a> Told<'a> {
    /// Reads it; `None` for the text of something else.
    fn read(text: &'a str) -> Option<Self> {
        let (rule, rest) = text.strip_prefix("alarm ")?.split_once(" (")?;
        let (severity, rest) = rest.split_once("): ")?;
        let (figures, rest) = rest.split_once("; record ")?;
        let (met_by, actions) = rest.split_once("; ")?;
        Some(Self { rule, severity, figures, met_by, actions })
    }
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

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
