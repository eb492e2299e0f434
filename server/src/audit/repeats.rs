//! Long texts and parameters that today's records have whole already: they are not written again.
//!
//! Owns the memory of them. Must never count a text as written before the line that has it is on
//! disk, and never take one principal's for another's: how long a record takes must not tell what
//! others ask.
//!
//! Receives: lines on their way to the `writer`, which says when they are on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::{Entry, Line, RecordId};

/// Texts that are remembered; beyond it all are forgotten, and each is written once more.
const REMEMBERED_MAX: usize = 16_384;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

type Digest = [u8; 32];

/// The long texts of one day.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    today: Mutex<Today>,
}

/// A day since 1970, and the records that have its texts whole.
#[derive(Debug, Default)]
struct Today {
    day: i64,
    whole_in: HashMap<Digest, RecordId>,
}

/// The texts that a line is the first to have. They count once it is on disk.
#[derive(Debug)]
pub(super) struct Firsts {
    repeats: Arc<Repeats>,
    record_id: RecordId,
    day: i64,
    texts: Vec<Digest>,
}

impl Repeats {
    /// The body of a line, without what earlier ones of the day have whole.
    pub(super) fn body_of(self: &Arc<Self>, line: &Line) -> (Vec<u8>, Option<Firsts>) {
        let Some(entry) = line.entry().filter(|entry| entry.is_long()) else {
            return (line.to_json(), None);
        };
        let day = entry.at.div_euclid(MICROS_PER_DAY);
        let mut texts = Vec::new();
        let mut find = |part: Part, text: Option<&str>| {
            let digest = digest(entry, part, text?);
            let found = self.of(day).whole_in.get(&digest).cloned();
            texts.extend(found.is_none().then_some(digest));
            found
        };
        let (statement_in, parameters_in) = (
            find(Part::Statement, entry.long_statement()),
            find(Part::Parameters, entry.long_parameters()),
        );
        let shorter = entry.clone().referring(statement_in, parameters_in);
        let firsts =
            Firsts { repeats: Arc::clone(self), record_id: entry.record_id.clone(), day, texts };
        (line.with_entry(shorter).to_json(), Some(firsts))
    }

    fn of(&self, day: i64) -> MutexGuard<'_, Today> {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != day || today.whole_in.len() >= REMEMBERED_MAX {
            *today = Today { day, whole_in: HashMap::new() };
        }
        today
    }
}

impl Firsts {
    /// The line is on disk: what repeats it may refer to it.
    pub(super) fn stand(self) {
        let mut today = self.repeats.of(self.day);
        let stand = self.texts.into_iter().map(|text| (text, self.record_id.clone()));
        today.whole_in.extend(stand);
    }
}

/// Where a text stands in its record: whoever is referred to it looks there.
#[derive(Debug, Clone, Copy)]
enum Part {
    Statement,
    Parameters,
}

fn digest(entry: &Entry, part: Part, text: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[part as u8]);
    hasher.update(&(entry.principal.len() as u64).to_le_bytes());
    hasher.update(entry.principal.as_bytes());
    hasher.update(text.as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
#[path = "repeats_tests.rs"]
mod tests;
