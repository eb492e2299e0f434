//! The newest records in memory, beginnings and ends joined.
//!
//! Owns the bound on how many there are and how much they hold. Must never be the record
//! itself: what is pushed out here is still in the file.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::record::{Ending, Entry, Line, Outcome, RecordId};

/// Records kept in memory at most.
const RECORDS_MAX: usize = 100_000;
/// Bytes of their texts at most.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One record as `system.audit_record` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) entry: Entry,
    pub(crate) ending: Ending,
}

/// The newest records, oldest first.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Shared with whoever reads them, so that a reader never holds up a writer for long.
    rows: VecDeque<Arc<Row>>,
    /// The number of the first row; numbers only grow, so that `running` stays true.
    first: u64,
    running: HashMap<RecordId, u64>,
    text_bytes: usize,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Self { rows: VecDeque::new(), first: 0, running: HashMap::new(), text_bytes: 0 }
    }

    /// Takes in one line of the journal.
    pub(crate) fn apply(&mut self, line: Line) {
        match line {
            Line::Begin { entry } => {
                let number = self.first + self.rows.len() as u64;
                self.running.insert(entry.record_id.clone(), number);
                self.push(Row { entry, ending: Ending::without_rows(Outcome::Running) });
            }
            Line::End { record_id, ending, .. } => {
                if let Some(row) =
                    self.running.remove(&record_id).and_then(|number| self.row(number))
                {
                    row.ending = ending;
                }
            }
            Line::Whole { entry, ending } => self.push(Row { entry, ending }),
        }
    }

    /// What still ran when the file ended will never end.
    pub(crate) fn abandon_running(&mut self) {
        for number in std::mem::take(&mut self.running).into_values() {
            if let Some(row) = self.row(number) {
                row.ending.outcome = Outcome::Unknown;
            }
        }
    }

    /// The newest records, newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Arc<Row>> {
        self.rows.iter().rev().take(limit).cloned().collect()
    }

    fn row(&mut self, number: u64) -> Option<&mut Row> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.rows.get_mut(index).map(Arc::make_mut)
    }

    fn push(&mut self, row: Row) {
        self.text_bytes += text_bytes(&row.entry);
        self.rows.push_back(Arc::new(row));
        while self.rows.len() > RECORDS_MAX || self.text_bytes > TEXT_BYTES_MAX {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.text_bytes -= text_bytes(&oldest.entry);
            self.running.remove(&oldest.entry.record_id);
            self.first += 1;
        }
    }
}

fn text_bytes(entry: &Entry) -> usize {
    let lists: usize = entry.tables.iter().chain(&entry.columns).map(String::len).sum();
    entry.statement.len() + entry.principal.len() + lists
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
