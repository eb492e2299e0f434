//! Martlet's own tables: the audit record, the rules in force and the indexes, as tables in
//! schema `system`.
//!
//! They are granted by the policy like any other table and read through the same provider;
//! owns their schemas and makes their rows. Never grants anything itself.

mod table_index;

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};
use martlet_policy::directory::Listed;
use martlet_policy::{CheckedBundle, Class, Grant, Role, Rule};

use crate::error::QueryError;
use crate::mart::Mart;

/// How many audit records a query sees at most, newest first; and how many alarms.
pub const AUDIT_RECORDS_MAX: usize = 100_000;

/// Gives the server's records to the engine.
pub trait SystemRecords: Send + Sync + Debug {
    /// The newest audit records, at most `limit`, in [`audit_record_schema`].
    ///
    /// # Errors
    /// A text that says why they cannot be read; it is logged, not shown.
    fn audit_records(&self, limit: usize) -> Result<RecordBatch, String>;

    /// The newest alarms of the record, at most `limit`, in [`alarm_schema`]. Where nobody keeps
    /// watch there are none.
    ///
    /// # Errors
    /// As for [`SystemRecords::audit_records`].
    fn alarms(&self, _limit: usize) -> Result<RecordBatch, String> {
        Ok(RecordBatch::new_empty(alarm_schema()))
    }
}

/// What the tables are made from when they are read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    mart: Arc<Mart>,
    /// The reader's own grants of stored tables.
    grants: Arc<[Grant]>,
}

impl Source {
    pub(crate) fn new(mart: &Arc<Mart>, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { mart: Arc::clone(mart), grants: grants.into_iter().collect() }
    }
}

const AUDIT_RECORD: &[(&str, ColumnType)] = &[
    ("record_id", ColumnType::Text),
    ("at", ColumnType::Timestamp),
    ("principal", ColumnType::Text),
    ("peer", ColumnType::Text),
    ("purpose", ColumnType::Text),
    ("method", ColumnType::Text),
    ("statement", ColumnType::Text),
    ("fingerprint", ColumnType::Text),
    ("parameters", ColumnType::Text),
    ("tables", ColumnType::Text),
    ("columns", ColumnType::Text),
    ("column_access", ColumnType::Text),
    ("lookups", ColumnType::Int64),
    ("emergency", ColumnType::Text),
    ("emergency_reason", ColumnType::Text),
    ("policy_version", ColumnType::Text),
    ("decision", ColumnType::Text),
    ("rows", ColumnType::Int64),
    ("bytes", ColumnType::Int64),
    ("milliseconds", ColumnType::Int64),
    ("outcome", ColumnType::Text),
];

const ALARM: &[(&str, ColumnType)] = &[
    ("record_id", ColumnType::Text),
    ("at", ColumnType::Timestamp),
    ("principal", ColumnType::Text),
    ("kind", ColumnType::Text),
    ("rule", ColumnType::Text),
    ("severity", ColumnType::Text),
    ("figures", ColumnType::Text),
    ("met_by", ColumnType::Text),
    ("actions", ColumnType::Text),
    ("emergency", ColumnType::Text),
    ("text", ColumnType::Text),
];

const ROLE: &[(&str, ColumnType)] = &[
    ("role", ColumnType::Text),
    ("inherits", ColumnType::Text),
    ("tables", ColumnType::Text),
    ("class", ColumnType::Text),
    ("access", ColumnType::Text),
];

const ROW_RULE: &[(&str, ColumnType)] = &[
    ("rule", ColumnType::Text),
    ("effect", ColumnType::Text),
    ("roles", ColumnType::Text),
    ("tables", ColumnType::Text),
    ("condition", ColumnType::Text),
];

const COLUMN_CLASS: &[(&str, ColumnType)] = &[
    ("class", ColumnType::Text),
    ("pfi", ColumnType::Text),
    ("level", ColumnType::Text),
    ("mask", ColumnType::Text),
];

const PRINCIPAL: &[(&str, ColumnType)] =
    &[("principal", ColumnType::Text), ("roles", ColumnType::Text), ("node", ColumnType::Text)];

/// A table's name, its columns, and the class of all of them.
type SystemTable = (&'static str, &'static [(&'static str, ColumnType)], &'static str);

/// Every system table: its name, its columns and the class of all its columns.
const TABLES: &[SystemTable] = &[
    ("system.audit_record", AUDIT_RECORD, "audit"),
    ("system.alarm", ALARM, "audit"),
    ("system.role", ROLE, "rules"),
    ("system.row_rule", ROW_RULE, "rules"),
    ("system.column_class", COLUMN_CLASS, "rules"),
    ("system.principal", PRINCIPAL, "rules"),
    ("system.table_index", table_index::COLUMNS, "storage"),
];

/// The schemas of all system tables, for checking a policy against.
#[must_use]
pub fn schemas() -> Vec<TableSchema> {
    TABLES.iter().filter_map(|(name, columns, class)| schema(name, columns, class)).collect()
}

/// The Arrow schema of `system.audit_record`.
#[must_use]
pub fn audit_record_schema() -> SchemaRef {
    arrow_schema("system.audit_record", AUDIT_RECORD)
}

/// The Arrow schema of `system.alarm`.
#[must_use]
pub fn alarm_schema() -> SchemaRef {
    arrow_schema("system.alarm", ALARM)
}

fn arrow_schema(name: &str, columns: &[(&str, ColumnType)]) -> SchemaRef {
    schema(name, columns, "audit").map_or_else(
        || Arc::new(datafusion::arrow::datatypes::Schema::empty()),
        |schema| schema.arrow(),
    )
}

/// `None` cannot happen: the names are constants, and a test makes every one.
fn schema(name: &str, columns: &[(&str, ColumnType)], class: &str) -> Option<TableSchema> {
    let class = ColumnName::new(class).ok()?;
    let columns = columns
        .iter()
        .map(|(name, column_type)| {
            Some(ColumnSchema {
                name: ColumnName::new(name).ok()?,
                column_type: *column_type,
                nullable: true,
                class: Some(class.clone()),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    TableSchema::new(TableName::new(name).ok()?, columns, &[], &[]).ok()
}

/// The rows of a system table, as the mart and the server stand now.
pub(crate) fn rows(
    table: &TableSchema,
    source: &Source,
    records: &dyn SystemRecords,
) -> Result<RecordBatch, QueryError> {
    let mart = &source.mart;
    let unreadable = |reason: String| {
        tracing::error!(reason, "audit records cannot be read");
        QueryError::RecordsUnreadable
    };
    let texts = match table.name().table_part() {
        "audit_record" => {
            return records.audit_records(AUDIT_RECORDS_MAX).map_err(unreadable);
        }
        "alarm" => return records.alarms(AUDIT_RECORDS_MAX).map_err(unreadable),
        "table_index" => return table_index::rows(table, source),
        "role" => mart.bundle().map(roles),
        "row_rule" => mart.bundle().map(row_rules),
        "column_class" => mart.bundle().map(column_classes),
        "principal" => Some(principals(mart)),
        _ => None,
    };
    text_batch(table, &texts.unwrap_or_default())
}

fn text_batch(table: &TableSchema, rows: &[Vec<String>]) -> Result<RecordBatch, QueryError> {
    let columns: Vec<ArrayRef> = (0..table.columns().len())
        .map(|at| {
            Arc::new(
                rows.iter().map(|row| row.get(at).map(String::as_str)).collect::<StringArray>(),
            ) as ArrayRef
        })
        .collect();
    RecordBatch::try_new(table.arrow(), columns)
        .map_err(|_| QueryError::Bug { promise: "a system table has its own schema" })
}

/// One row per role and class that it speaks of.
fn roles(bundle: &CheckedBundle) -> Vec<Vec<String>> {
    let row = |role: &Role, class: &str, access: String| {
        let family = role.family.iter().filter(|of| **of != role.name);
        vec![role.name.to_string(), joined(family), joined(&role.tables), class.to_string(), access]
    };
    bundle
        .roles()
        .flat_map(|role| {
            role.sights
                .iter()
                .map(move |(class, sight)| row(role, class.as_str(), sight.to_string()))
        })
        .collect()
}

fn row_rules(bundle: &CheckedBundle) -> Vec<Vec<String>> {
    let row = |rule: &Rule| {
        vec![
            rule.name.to_string(),
            rule.effect.word().to_string(),
            joined(&rule.roles),
            joined(&rule.tables),
            rule.condition.to_string(),
        ]
    };
    bundle.rules().iter().map(row).collect()
}

fn column_classes(bundle: &CheckedBundle) -> Vec<Vec<String>> {
    let row = |class: &Class| {
        vec![
            class.name.to_string(),
            class.pfi.map(|pfi| pfi.word().to_string()).unwrap_or_default(),
            class.level.map(|level| level.to_string()).unwrap_or_default(),
            class.mask.as_ref().map(|mask| mask.word().to_string()).unwrap_or_default(),
        ]
    };
    bundle.classes().map(row).collect()
}

fn principals(mart: &Mart) -> Vec<Vec<String>> {
    let row = |listed: Listed<'_>| {
        vec![
            listed.name.to_string(),
            listed.roles.join(";"),
            listed.node.unwrap_or_default().to_string(),
        ]
    };
    mart.directory().listing().map(row).collect()
}

fn joined<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_table_can_be_made() {
        assert_eq!(schemas().len(), TABLES.len());
        assert_eq!(audit_record_schema().fields().len(), AUDIT_RECORD.len());
        assert_eq!(alarm_schema().fields().len(), ALARM.len());
    }
}
