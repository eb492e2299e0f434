//! Minimum group sizes: of a table that a role grants, only statistics of so many persons may be
//! told.
//!
//! Owns what a role can say of it, what several roles say together, and its words for officers.
//! Must never let a role loosen what another one demands.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use martlet_core::{ColumnName, TableSchema};

use crate::checked::Role;

/// The smallest number that hides anybody, and the largest that is taken for meant.
pub(crate) const SIZES: std::ops::RangeInclusive<i64> = 2..=1_000;

/// What one role says, for every table that it grants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupRule {
    /// The least number of persons in a group.
    pub size: NonZeroU32,
    /// The column that tells persons apart; rows are counted without one.
    pub by: Option<ColumnName>,
}

/// What holds for one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimumGroup {
    /// The least number of persons in a group of which anything is told.
    pub size: NonZeroU32,
    /// The column that tells persons apart; without one, rows are counted.
    pub persons: Option<ColumnName>,
}

/// Why the groups of a table cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Uncountable {
    #[error("its roles count persons by different columns")]
    Differently,
    /// Rows in the place of persons would be one person's, often.
    #[error("it has no column `{0}`, by which persons are counted")]
    NoColumn(ColumnName),
}

impl MinimumGroup {
    /// What the roles that grant the table say together: the largest number counts, and persons
    /// where any of them counts persons, who are never more than rows.
    pub(crate) fn of(table: &TableSchema, granting: &[&Role]) -> Result<Option<Self>, Uncountable> {
        let rules = || granting.iter().flat_map(|role| &role.groups);
        let Some(size) = rules().map(|rule| rule.size).max() else { return Ok(None) };
        let columns: BTreeSet<&ColumnName> = rules().filter_map(|rule| rule.by.as_ref()).collect();
        let is_missing = |column: &&&ColumnName| table.column(column.as_str()).is_none();
        if let Some(column) = columns.iter().find(is_missing) {
            return Err(Uncountable::NoColumn((*column).clone()));
        }
        if columns.len() > 1 {
            return Err(Uncountable::Differently);
        }
        Ok(Some(Self { size, persons: columns.into_iter().next().cloned() }))
    }
}

/// `at least 10 by customer_id`, or `at least 10 rows`.
impl fmt::Display for MinimumGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.persons {
            Some(column) => write!(formatter, "at least {} by {column}", self.size),
            None => write!(formatter, "at least {} rows", self.size),
        }
    }
}

#[cfg(test)]
#[path = "minimum_group_tests.rs"]
mod tests;
