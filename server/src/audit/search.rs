//! The newest records of a journal that someone looks for.
//!
//! Owns the filters. Reads only, file by file from the newest day back, until there are enough;
//! a server may write meanwhile. Must never hold more than what is asked for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use super::AuditError;
use super::day_files::{day_of, names};
use super::reader::replay_file;
use super::record::{Decision, Ending, Entry, Line, Outcome, RecordId};

/// What to look for; what is not said is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Records of this principal.
    pub principal: Option<String>,
    /// Records that read this table.
    pub table: Option<String>,
    /// Records that were so decided.
    pub decision: Option<Decision>,
    /// Records from this time on, in microseconds since 1970.
    pub since: Option<i64>,
    /// Records before this time.
    pub until: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// One record, beginning and end together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was known when it began.
    pub entry: Entry,
    /// How it ended; [`Outcome::Unknown`] if no end is recorded: it runs, or the server ended
    /// before it did.
    pub ending: Ending,
}

impl Query {
    fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|want| want == is);
        let reads = |table: &String| entry.tables.contains(table);
        is(&self.principal, &entry.principal)
            && self.table.as_ref().is_none_or(reads)
            && self.decision.is_none_or(|decision| decision == entry.decision)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }

    /// Whether a file of this name can hold such a record. A statement's time is taken a moment
    /// before it is written, so the file of the day after is read, too.
    fn may_be_in(&self, name: &str) -> bool {
        let Some(day) = day_of(name) else { return true };
        let begins = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
        let day_micros = 24 * 3_600 * 1_000_000;
        self.since.is_none_or(|since| begins + day_micros > since)
            && self.until.is_none_or(|until| begins < until.saturating_add(day_micros))
    }
}

/// The newest records that the query takes, oldest first.
///
/// # Errors
/// [`AuditError::Unusable`] if the folder or a file in it cannot be read.
pub fn newest(folder: &Path, query: &Query) -> Result<Vec<Found>, AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let mut found: VecDeque<Found> = VecDeque::new();
    let mut ends = HashMap::new();
    for name in names(folder).map_err(unusable)?.iter().rev() {
        if found.len() >= query.limit {
            break;
        }
        if !query.may_be_in(name) {
            continue;
        }
        let mut day = Day::new(query, query.limit - found.len(), std::mem::take(&mut ends));
        replay_file(&folder.join(name), 0, &mut |line| day.take(line)).map_err(unusable)?;
        ends = day.foreign_ends;
        let shown = day.shown.into_iter().rev().map(|(_, one)| one);
        shown.for_each(|one| found.push_front(one));
    }
    Ok(found.into())
}

/// The newest records of one file.
struct Day<'a> {
    query: &'a Query,
    limit: usize,
    shown: VecDeque<(u64, Found)>,
    /// The places of those that have not ended.
    open: HashMap<RecordId, u64>,
    next: u64,
    /// Ends, in later files, of records that began in this one.
    later_ends: HashMap<RecordId, Ending>,
    /// Ends of records that began in an earlier file.
    foreign_ends: HashMap<RecordId, Ending>,
    /// Records of this file whose end may still come in it.
    begun: HashSet<RecordId>,
}

impl<'a> Day<'a> {
    fn new(query: &'a Query, limit: usize, later_ends: HashMap<RecordId, Ending>) -> Self {
        Self {
            query,
            limit,
            shown: VecDeque::new(),
            open: HashMap::new(),
            next: 0,
            later_ends,
            foreign_ends: HashMap::new(),
            begun: HashSet::new(),
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Begin { entry } => {
                self.begun.insert(entry.record_id.clone());
                if self.query.takes(&entry) {
                    let later = self.later_ends.remove(&entry.record_id);
                    let ending = later.unwrap_or(Ending::without_rows(Outcome::Unknown));
                    self.open.insert(entry.record_id.clone(), self.next);
                    self.push(Found { entry, ending });
                }
            }
            Line::Whole { entry, ending } => {
                if self.query.takes(&entry) {
                    self.push(Found { entry, ending });
                }
            }
            Line::End { record_id, ending, .. } => {
                if !self.begun.remove(&record_id) {
                    self.foreign_ends.insert(record_id, ending);
                } else if let Some(number) = self.open.remove(&record_id)
                    && let Ok(at) = self.shown.binary_search_by_key(&number, |(number, _)| *number)
                {
                    self.shown[at].1.ending = ending;
                }
            }
        }
    }

    fn push(&mut self, found: Found) {
        self.shown.push_back((self.next, found));
        self.next += 1;
        if self.shown.len() > self.limit
            && let Some((_, oldest)) = self.shown.pop_front()
        {
            self.open.remove(&oldest.entry.record_id);
        }
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
