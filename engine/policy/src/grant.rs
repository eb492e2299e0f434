//! The grant: the proof of a decision, and what it shows.
//!
//! Code that reads rows takes a grant, and nothing outside this crate can make one:
//!
//! ```compile_fail,E0624
//! let forged = martlet_policy::Grant::new();
//! ```
//! ```compile_fail,E0599
//! let forged = martlet_policy::Grant::default();
//! ```
//! ```compile_fail,E0616
//! fn widen(grant: &mut martlet_policy::Grant) { grant.rows = martlet_policy::RowRule::All; }
//! ```
//!
//! Receives: the decision's parts. Hands on: columns, row rule and wire schema to the scan, the
//! fingerprint to caches and tickets.

mod fingerprint;

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Field, Schema, SchemaRef};
use martlet_core::{ColumnName, ColumnType, TableName, TableSchema};

use crate::access::Access;
use crate::bundle::PolicyVersion;
use crate::minimum_group::MinimumGroup;
use crate::rule::RowRule;

/// A column that a grant shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedColumn {
    /// Its position in the table's schema, from 0.
    pub position: usize,
    /// Its name.
    pub name: ColumnName,
    /// How it is shown.
    pub access: Access,
    /// Whether it may be asked by its raw values.
    pub lookup: LookupRight,
}

/// Whether a column may be asked by its raw values, one at a time and on record, by someone who
/// has the value in hand: a card, an ID. What is shown of it stays as masked as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupRight {
    /// It may.
    Given,
    /// It may not.
    Absent,
}

/// Whether execution details may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExplainRight {
    Given,
    Absent,
}

/// Whether a grant shows all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Everything,
    Part,
}

/// Stands for which rows of a sealed segment a grant shows: see [`Grant::rows_digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowsDigest([u8; 32]);

/// What one principal may see of one table.
#[derive(Debug, Clone)]
pub struct Grant {
    table: TableName,
    columns: Vec<GrantedColumn>,
    rows: RowRule,
    minimum_group: Option<MinimumGroup>,
    rule_ids: Vec<String>,
    explain: ExplainRight,
    coverage: Coverage,
    output_schema: SchemaRef,
    version: PolicyVersion,
    /// The stored types of the columns, in their order.
    types: Vec<ColumnType>,
    /// Made when somebody asks: a node's thousands of codes take longer to digest than to grant.
    fingerprint: OnceLock<[u8; 32]>,
}

impl Grant {
    /// Only the decision calls this; `columns` are in the order of their positions and fit the
    /// table.
    pub(crate) fn new(
        table: &TableSchema,
        columns: Vec<GrantedColumn>,
        rows: RowRule,
        minimum_group: Option<MinimumGroup>,
        rule_ids: Vec<String>,
        explain: ExplainRight,
        version: &PolicyVersion,
    ) -> Self {
        let all_clear = columns.len() == table.columns().len()
            && columns.iter().all(|column| column.access == Access::Clear);
        let coverage = if all_clear && rows == RowRule::All && minimum_group.is_none() {
            Coverage::Everything
        } else {
            Coverage::Part
        };
        Self {
            table: table.name().clone(),
            output_schema: output_schema(table, &columns),
            version: version.clone(),
            types: columns.iter().map(|c| table.columns()[c.position].column_type).collect(),
            fingerprint: OnceLock::new(),
            columns,
            rows,
            minimum_group,
            rule_ids,
            explain,
            coverage,
        }
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &TableName {
        &self.table
    }

    /// The columns that exist for the principal, in the order of their positions; at least one.
    #[must_use]
    pub fn columns(&self) -> &[GrantedColumn] {
        &self.columns
    }

    /// The rows that exist for the principal, as a condition on raw values.
    #[must_use]
    pub const fn rows(&self) -> &RowRule {
        &self.rows
    }

    /// How many persons there have to be in a group of which anything is told; `None` if single
    /// rows may be.
    #[must_use]
    pub const fn minimum_group(&self) -> Option<&MinimumGroup> {
        self.minimum_group.as_ref()
    }

    /// BLAKE3 over everything that decides what is seen: two grants with one fingerprint show
    /// the same of a snapshot, so results may be shared between their holders.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        *self.fingerprint.get_or_init(|| fingerprint::of(self))
    }

    /// Whether another grant shows the same of its table, whichever policy decided it: the same
    /// columns in the same way, the same rows, the same rights.
    #[must_use]
    pub fn shows_the_same_as(&self, other: &Self) -> bool {
        self.sight() == other.sight()
    }

    /// BLAKE3 over what is shown alone: unlike the fingerprint, the same under whichever policy.
    #[must_use]
    pub fn sight(&self) -> [u8; 32] {
        fingerprint::of_sight(self)
    }

    /// BLAKE3 over the row rule and the places and types of its columns in this table: of one sealed
    /// segment, two grants with one digest show the same rows.
    #[must_use]
    pub fn rows_digest(&self, table: &TableSchema) -> RowsDigest {
        RowsDigest(fingerprint::of_rows(&self.rows, table))
    }

    /// The names of the row rules that counted, sorted; for the record and for officers.
    #[must_use]
    pub fn rule_ids(&self) -> &[String] {
        &self.rule_ids
    }

    /// Whether the principal may see how statements on this table are executed.
    #[must_use]
    pub fn may_explain(&self) -> bool {
        self.explain == ExplainRight::Given
    }

    /// Whether every column is shown clear, every row is visible and none is hidden in groups, so that figures about the
    /// whole table tell nothing that a query would not.
    #[must_use]
    pub fn covers_everything(&self) -> bool {
        self.coverage == Coverage::Everything
    }

    /// The Arrow schema of what is shown: only the granted columns, masked ones with the
    /// mask's type and nullable.
    #[must_use]
    pub fn output_schema(&self) -> SchemaRef {
        Arc::clone(&self.output_schema)
    }
}

fn output_schema(table: &TableSchema, columns: &[GrantedColumn]) -> SchemaRef {
    let field = |granted: &GrantedColumn| {
        let column = &table.columns()[granted.position];
        let (column_type, nullable) = match &granted.access {
            Access::Clear | Access::Unshown => (column.column_type, column.nullable),
            Access::Masked(mask) => (mask.output_type(column.column_type), true),
        };
        Field::new(column.name.as_str(), column_type.arrow(), nullable)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
