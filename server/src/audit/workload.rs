//! The statements that were executed, as the journal recorded them.
//!
//! Receives: a journal's folder. Hands on: whole statements that were allowed and sent to their
//! end, to the operator's advisor. Reads only, and holds no journal open, so a server may write
//! it meanwhile. As everywhere, of a large journal only the newest part is read.

use std::collections::HashMap;
use std::path::Path;

use super::AuditError;
use super::reader;
use super::record::{Decision, Entry, Line, Outcome, RecordId};

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// When it began, in microseconds since 1970-01-01 00:00 UTC.
    pub at: i64,
    /// Who asked.
    pub principal: String,
    /// The SQL text.
    pub statement: String,
    /// The values bound to it, as a list of SQL constants.
    pub parameters: Option<String>,
    /// From the decision to the end.
    pub milliseconds: u64,
}

/// The executions that began at `since` (microseconds since 1970) or later, oldest first.
///
/// # Errors
/// [`AuditError::Unusable`] if the folder cannot be read.
pub fn executed(folder: &Path, since: i64) -> Result<Vec<Executed>, AuditError> {
    let mut begun: HashMap<RecordId, Entry> = HashMap::new();
    let mut long: HashMap<RecordId, Entry> = HashMap::new();
    let mut executed = Vec::new();
    reader::replay(folder, &mut |line| match line {
        Line::Begin { entry } if entry.at >= since && entry.decision == Decision::Allowed => {
            note_long(&mut long, &entry);
            begun.insert(entry.record_id.clone(), whole(entry, &long));
        }
        Line::Whole { entry, .. } => note_long(&mut long, &entry),
        Line::End { record_id, ending, .. } => {
            let Some(entry) = begun.remove(&record_id) else { return };
            // Of a statement that was cut nobody knows what it was.
            let is_whole = entry.cut.is_none() && entry.parameters_in.is_none();
            if ending.outcome == Outcome::Completed && is_whole {
                executed.push(Executed {
                    at: entry.at,
                    principal: entry.principal,
                    statement: entry.statement,
                    parameters: entry.parameters,
                    milliseconds: ending.milliseconds,
                });
            }
        }
        Line::Begin { .. } => {}
    })?;
    executed.sort_by_key(|one| one.at);
    Ok(executed)
}

/// Keeps what later records may refer to.
fn note_long(long: &mut HashMap<RecordId, Entry>, entry: &Entry) {
    if entry.is_long() {
        long.insert(entry.record_id.clone(), entry.clone());
    }
}

/// A record with what it refers to.
fn whole(mut entry: Entry, long: &HashMap<RecordId, Entry>) -> Entry {
    let statement_in = entry.cut.as_ref().and_then(|cut| cut.statement_in.as_ref());
    if let Some(first) = statement_in.and_then(|id| long.get(id)) {
        (entry.statement, entry.cut) = (first.statement.clone(), None);
    }
    if let Some(first) = entry.parameters_in.as_ref().and_then(|id| long.get(id)) {
        (entry.parameters, entry.parameters_in) = (first.parameters.clone(), None);
    }
    entry
}
