//! The statements that were executed, as the journal recorded them.
//!
//! Receives: a journal's folder. Hands on: whole statements that were allowed and sent to their
//! end, to the operator's advisor. Reads only, and holds no journal open, so a server may write
//! it meanwhile. As everywhere, of a large journal only the newest part is read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

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
    /// The SQL text, and the values bound to it.
    pub text: Text,
    /// From the decision to the end.
    pub milliseconds: u64,
}

/// What was asked. Of what is long there is one, however often it was asked: a record of a few bytes
/// may stand for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The SQL text.
    pub statement: Arc<str>,
    /// The values bound to it, as a list of SQL constants.
    pub parameters: Option<Arc<str>>,
}

/// The executions that began at `since` (microseconds since 1970) or later, oldest first.
///
/// # Errors
/// [`AuditError::Unusable`] if the folder cannot be read.
pub fn executed(folder: &Path, since: i64) -> Result<Vec<Executed>, AuditError> {
    let mut long = Long::default();
    let mut begun: HashMap<RecordId, Executed> = HashMap::new();
    let mut executed = Vec::new();
    reader::replay(folder, &mut |line| match line {
        Line::Begin { entry } => {
            let Some(text) = long.text_of(&entry) else { return };
            if entry.at >= since && entry.decision == Decision::Allowed {
                let (at, principal) = (entry.at, entry.principal);
                let one = Executed { at, principal, text, milliseconds: 0 };
                begun.insert(entry.record_id, one);
            }
        }
        Line::Whole { entry, .. } => drop(long.text_of(&entry)),
        Line::End { record_id, ending, .. } => {
            let Some(one) = begun.remove(&record_id) else { return };
            if ending.outcome == Outcome::Completed {
                executed.push(Executed { milliseconds: ending.milliseconds, ..one });
            }
        }
    })?;
    executed.sort_by_key(|one| one.at);
    Ok(executed)
}

/// What later records may refer to.
#[derive(Default)]
struct Long(HashMap<RecordId, Text>);

impl Long {
    /// What a record is about; `None` of what was cut, of which nobody knows what it was.
    fn text_of(&mut self, entry: &Entry) -> Option<Text> {
        let referred = |id: &RecordId| self.0.get(id);
        let statement = match &entry.cut {
            None => Arc::from(entry.statement.as_str()),
            Some(cut) => Arc::clone(&referred(cut.statement_in.as_ref()?)?.statement),
        };
        let parameters = match &entry.parameters_in {
            None => entry.parameters.as_deref().map(Arc::from),
            Some(id) => referred(id)?.parameters.clone(),
        };
        let text = Text { statement, parameters };
        if entry.is_long() {
            self.0.insert(entry.record_id.clone(), text.clone());
        }
        Some(text)
    }
}
