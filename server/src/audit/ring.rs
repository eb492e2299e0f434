//! The newest records in memory, beginnings and ends joined.
//!
//! Owns the bounds on how many there are and how much they hold, for disclosures, refusals,
//! sign-ins and alarms apart: whoever knocks a hundred thousand times pushes out only other knocks. Must
//! never be the record itself: what is pushed out here is still in the file.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::record::{Decision, Ending, Entry, Line, Outcome, RecordId};

/// Records of one kind that are kept in memory at most.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    records: usize,
    /// Bytes of their texts.
    text_bytes: usize,
}

const DISCLOSURES: Bounds = Bounds { records: 80_000, text_bytes: 64 * 1024 * 1024 };
const REFUSALS: Bounds = Bounds { records: 15_000, text_bytes: 16 * 1024 * 1024 };
const ALARMS: Bounds = Bounds { records: 5_000, text_bytes: 4 * 1024 * 1024 };
const SIGN_INS: Bounds = Bounds { records: 5_000, text_bytes: 4 * 1024 * 1024 };

/// One record as `system.audit_record` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its place among all records.
    number: u64,
    pub(crate) entry: Entry,
    pub(crate) ending: Ending,
}

/// The newest records of each kind.
#[derive(Debug)]
pub(crate) struct Ring {
    next: u64,
    disclosures: Shelf,
    refusals: Shelf,
    sign_ins: Shelf,
    alarms: Shelf,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            disclosures: Shelf::new(DISCLOSURES),
            refusals: Shelf::new(REFUSALS),
            sign_ins: Shelf::new(SIGN_INS),
            alarms: Shelf::new(ALARMS),
        }
    }

    /// Takes in one line of the journal.
    pub(crate) fn apply(&mut self, line: Line) {
        match line {
            Line::Begin { entry } => self.push(entry, Ending::without_rows(Outcome::Running)),
            // Only what was allowed begins.
            Line::End { record_id, ending, .. } => self.disclosures.end(&record_id, ending),
            Line::Whole { entry, ending } => self.push(entry, ending),
        }
    }

    /// What still ran when the file ended will never end.
    pub(crate) fn abandon_running(&mut self) {
        self.disclosures.abandon_running();
    }

    /// The newest records, newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Arc<Row>> {
        let shelves = [&self.disclosures, &self.refusals, &self.sign_ins, &self.alarms];
        let mut rows: Vec<_> = shelves.into_iter().flat_map(|shelf| shelf.newest(limit)).collect();
        rows.sort_unstable_by_key(|row| Reverse(row.number));
        rows.truncate(limit);
        rows
    }

    /// The newest alarms and notices, newest first.
    pub(crate) fn newest_alarms(&self, limit: usize) -> Vec<Arc<Row>> {
        self.alarms.newest(limit).collect()
    }

    fn push(&mut self, entry: Entry, ending: Ending) {
        let shelf = if entry.is_sign_in() {
            &mut self.sign_ins
        } else {
            match entry.decision {
                Decision::Allowed => &mut self.disclosures,
                Decision::Denied | Decision::Failed => &mut self.refusals,
                Decision::Alarm => &mut self.alarms,
            }
        };
        shelf.push(Row { number: self.next, entry: entry.shown(), ending });
        self.next += 1;
    }
}

/// The newest records of one kind, oldest first.
#[derive(Debug)]
struct Shelf {
    bounds: Bounds,
    /// Shared with whoever reads them, so that a reader never holds up a writer for long.
    rows: VecDeque<Arc<Row>>,
    /// The numbers of the rows that have not ended.
    running: HashMap<RecordId, u64>,
    text_bytes: usize,
}

impl Shelf {
    fn new(bounds: Bounds) -> Self {
        Self { bounds, rows: VecDeque::new(), running: HashMap::new(), text_bytes: 0 }
    }

    fn newest(&self, limit: usize) -> impl Iterator<Item = Arc<Row>> {
        self.rows.iter().rev().take(limit).cloned()
    }

    fn end(&mut self, record_id: &RecordId, ending: Ending) {
        if let Some(row) = self.running.remove(record_id).and_then(|number| self.row(number)) {
            row.ending = ending;
        }
    }

    fn abandon_running(&mut self) {
        for number in std::mem::take(&mut self.running).into_values() {
            if let Some(row) = self.row(number) {
                row.ending.outcome = Outcome::Unknown;
            }
        }
    }

    fn row(&mut self, number: u64) -> Option<&mut Row> {
        let index = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get_mut(index).map(Arc::make_mut)
    }

    fn push(&mut self, row: Row) {
        self.text_bytes += text_bytes(&row.entry);
        if row.ending.outcome == Outcome::Running {
            self.running.insert(row.entry.record_id.clone(), row.number);
        }
        self.rows.push_back(Arc::new(row));
        while self.rows.len() > self.bounds.records || self.text_bytes > self.bounds.text_bytes {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.text_bytes -= text_bytes(&oldest.entry);
            self.running.remove(&oldest.entry.record_id);
        }
    }
}

fn text_bytes(entry: &Entry) -> usize {
    let lists: usize = entry.tables.iter().chain(&entry.columns).map(String::len).sum();
    let access = entry.column_access.iter().map(|(column, how)| column.len() + how.len());
    let given = [&entry.parameters, &entry.purpose, &entry.fingerprint, &entry.emergency_reason];
    let given: usize = given.into_iter().flatten().map(String::len).sum();
    entry.statement.len() + given + entry.principal.len() + lists + access.sum::<usize>()
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
