//! When each principal last read each table: what a review of access holds against the grants.
//!
//! Reads only, every day's file once; a server may write meanwhile. Keeps one time for each
//! principal and table, and nothing of what was asked.

use std::collections::HashMap;
use std::path::Path;

use super::AuditError;
use super::day_files::names;
use super::reader::replay_file;
use super::record::{Decision, Line};

/// The last time, in microseconds since 1970, that a principal's statement on a table was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastUses {
    at: HashMap<String, HashMap<String, i64>>,
}

impl LastUses {
    /// Of one principal and table; `None` if the journal has no such statement.
    #[must_use]
    pub fn of(&self, principal: &str, table: &str) -> Option<i64> {
        self.at.get(principal)?.get(table).copied()
    }

    fn note(&mut self, line: Line) {
        let (Line::Begin { entry } | Line::Whole { entry, .. }) = line else { return };
        // What an emergency showed is no use of what somebody holds.
        if entry.decision != Decision::Allowed || entry.emergency.is_some() {
            return;
        }
        let of_principal = self.at.entry(entry.principal).or_default();
        for table in entry.tables {
            let last = of_principal.entry(table).or_insert(entry.at);
            *last = entry.at.max(*last);
        }
    }
}

/// Reads a whole journal.
///
/// # Errors
/// [`AuditError::Unusable`] if the folder or a file in it cannot be read.
pub fn last_uses(folder: &Path) -> Result<LastUses, AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let mut uses = LastUses::default();
    for name in names(folder).map_err(unusable)? {
        replay_file(&folder.join(name), 0, &mut |line| uses.note(line)).map_err(unusable)?;
    }
    Ok(uses)
}

#[cfg(test)]
#[path = "uses_tests.rs"]
mod tests;
