//! Rules in SQL: PostgreSQL's words for roles, grants and row policies, as changes of a bundle.
//!
//! Owns what each statement means in a bundle's words; the result is the bundle's own text, which
//! is checked, compared, approved and applied like any other. Must never put anything into force,
//! and must never take a statement for less than it says: what a bundle cannot say is refused.
//!
//! Receives: a bundle's text and SQL. Hands on: the changed text, or why it is refused and where.

mod condition;
mod document;
mod statement;

use std::fmt;

use crate::bundle::BundleText;
use crate::rule::{Effect, Literal};
use document::Documents;

/// What one statement changes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// `CREATE ROLE`
    CreateRole { role: String, inherits: Vec<String> },
    /// `DROP ROLE`
    DropRole { role: String },
    /// `GRANT SELECT ON`
    GrantTables { tables: Vec<String>, roles: Vec<String> },
    /// `REVOKE SELECT ON`
    RevokeTables { tables: Vec<String>, roles: Vec<String> },
    /// `GRANT a_role TO another`
    GrantRoles { granted: Vec<String>, roles: Vec<String> },
    /// `REVOKE a_role FROM another`
    RevokeRoles { granted: Vec<String>, roles: Vec<String> },
    /// `CREATE POLICY`
    CreateRule(NewRule),
    /// `DROP POLICY`
    DropRule { rule: String, table: String },
}

/// A row rule as SQL tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NewRule {
    name: String,
    effect: Effect,
    roles: Vec<String>,
    table: String,
    rows: Rows,
}

/// Which rows a `USING` means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    All,
    Within { column: String, attribute: String },
    Equals { column: String, attribute: String },
    OneOf { column: String, values: Vec<Literal> },
    Range { column: String, at_least: Option<Literal>, below: Option<Literal> },
}

/// Why SQL is not a change of a bundle. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRefused {
    /// The line at which the statement begins, from 1; 0 where the bundle itself is the reason.
    pub line: u64,
    /// What it is, and what to write instead.
    pub reason: String,
}

impl fmt::Display for SqlRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => formatter.write_str(&self.reason),
            line => write!(formatter, "line {line}: {}", self.reason),
        }
    }
}

impl std::error::Error for SqlRefused {}

/// The bundle as the statements change it; comments and order of its files stay as they are.
///
/// `CREATE ROLE`, `DROP ROLE`, `GRANT SELECT ON tables TO roles`, `REVOKE`, `GRANT role TO role`,
/// `CREATE POLICY … USING (…)` and `DROP POLICY`, in PostgreSQL's spelling (its chapters 5.8 and
/// 5.9). What people hold stands in the feed of principals, how columns are shown in
/// `classes.toml` and the roles' words about classes: neither is said in SQL.
///
/// # Errors
/// [`SqlRefused`] if any statement is none of these, or does not fit the bundle; then nothing
/// is changed.
pub fn change_by_sql(text: &BundleText, sql: &str) -> Result<BundleText, SqlRefused> {
    let mut documents = Documents::read(text)?;
    for (line, change) in statement::read(sql)? {
        documents.make(change).map_err(|reason| SqlRefused { line, reason })?;
    }
    Ok(documents.written(text))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
