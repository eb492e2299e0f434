//! Notices of removed files: was everything in them old enough when it went?
//!
//! Owns the judgement of the lines `pruned`, and of an anchor's checkpoints over lines that are
//! gone. A signature makes no time true: whoever has the key can sign any. So a notice is held
//! against the names of its files, the verifier's clock and the checkpoints around it, and what
//! is gone against the times in the anchor. Must never let a time in the future excuse anything.

use std::io;
use std::path::Path;

use chrono::Days;

use super::finding::{Problem, TooEarly};
use super::walk::Place;
use super::witness::Witness;
use crate::audit::anchor::{AnchorLines, Anchored};
use crate::audit::day_files::{day_at, day_of};
use crate::audit::mark::{Pruning, Removed};
use crate::audit::prune::KEPT_DAYS_MIN;

/// The clocks of two machines may differ by so much, and a batch over midnight is signed a
/// moment later.
const TOLERANCE: i64 = 3_600 * 1_000_000;
/// The least time that a line is kept.
const KEPT_LEAST: i64 = KEPT_DAYS_MIN as i64 * 24 * 3_600 * 1_000_000;

/// The notices of a journal, on the way through it.
#[derive(Debug, Default)]
pub(super) struct Notices {
    all: Vec<Notice>,
    /// The greatest time of those whose time fits so far.
    latest: Option<i64>,
    /// The time of the last good checkpoint.
    signed_at: Option<i64>,
}

#[derive(Debug)]
struct Notice {
    place: Place,
    pruning: Pruning,
    /// Whether its time fits the checkpoints before and behind it.
    fits: bool,
}

impl Notices {
    /// The next notice.
    pub(super) fn take(&mut self, place: Place, pruning: Pruning) {
        let fits = self.signed_at.is_none_or(|at| at <= pruning.at.saturating_add(TOLERANCE));
        if fits {
            self.latest = self.latest.max(Some(pruning.at));
        }
        self.all.push(Notice { place, pruning, fits });
    }

    /// A good checkpoint of this time stands behind all notices so far: none is from later.
    pub(super) fn signed(&mut self, at: i64) {
        self.signed_at = Some(at);
        let possible = at.saturating_add(TOLERANCE);
        if self.latest.is_some_and(|latest| latest > possible) {
            for notice in &mut self.all {
                notice.fits &= notice.pruning.at <= possible;
            }
            let fitting = self.all.iter().filter(|notice| notice.fits);
            self.latest = fitting.map(|notice| notice.pruning.at).max();
        }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.all.len()
    }

    /// All but the first so many were left by a crash, and stand in no chain.
    pub(super) fn truncate(&mut self, count: usize) {
        self.all.truncate(count);
    }

    /// Those that a checkpoint covers as far as this line: only they count.
    fn covered(&self, signed: u64) -> impl Iterator<Item = &Notice> {
        self.all.iter().filter(move |notice| notice.place.sequence.is_some_and(|at| at <= signed))
    }

    /// The files that they name.
    pub(super) fn files(&self, signed: u64) -> Vec<&Removed> {
        self.covered(signed).flat_map(|notice| &notice.pruning.files).collect()
    }

    /// What is wrong with the notices by themselves.
    pub(super) fn judged(&self, now: i64, signed: u64) -> Vec<(Place, Problem)> {
        let mut problems = Vec::new();
        for Notice { place, pruning, fits } in self.covered(signed) {
            let at = pruning.at;
            if !fits || at > now.saturating_add(TOLERANCE) {
                problems.push((place.clone(), Problem::PrunedAtWrongTime { at }));
            }
            if let Some(early) = too_young(pruning) {
                problems.push((place.clone(), Problem::PrunedTooEarly(early)));
            }
        }
        problems
    }

    /// When the lines before the journal's first may have been signed at the latest.
    pub(super) fn limits(&self, now: i64, signed: u64, first: u64) -> Limits {
        // The checkpoint over line `first - 1` is the journal's first line: it is not gone.
        let gone = first.saturating_sub(2);
        let limit = |removed: i64| removed.saturating_sub(KEPT_LEAST).saturating_add(TOLERANCE);
        let told = self.covered(signed).filter_map(|notice| {
            let last = notice.pruning.files.iter().filter_map(|file| file.last).max()?;
            Some((last.min(gone), limit(notice.pruning.at)))
        });
        let mut limits: Vec<_> = told.chain([(gone, limit(now))]).collect();
        limits.sort_unstable();
        // A line went with the first removal that reaches it.
        let mut least = i64::MAX;
        for (_, limit) in limits.iter_mut().rev() {
            least = least.min(*limit);
            *limit = least;
        }
        Limits(limits)
    }
}

/// The files that were not as old as the notice says that files are kept, or as the law says.
fn too_young(pruning: &Pruning) -> Option<TooEarly> {
    let days = pruning.keeps_days.max(KEPT_DAYS_MIN);
    let oldest_kept = day_at(pruning.at).checked_sub_days(Days::new(days.into()));
    // A name without a day tells no age.
    let is_old =
        |file: &&Removed| day_of(&file.file).zip(oldest_kept).is_some_and(|(day, kept)| day < kept);
    let young: Vec<_> = pruning.files.iter().filter(|file| !is_old(file)).collect();
    let newest = young.iter().map(|file| &file.file).max()?.clone();
    Some(TooEarly::Files { files: young.len() as u64, newest, at: pruning.at, days })
}

/// Ascending lines of the chain, and the latest time at which the lines as far as there may have
/// been signed. Behind the last of them nothing is gone.
#[derive(Debug)]
pub(super) struct Limits(Vec<(u64, i64)>);

impl Limits {
    /// Whether a line that was signed at this time is gone and was too young for it.
    fn is_broken_by(&self, covers: u64, at: i64) -> bool {
        let reaching = self.0.partition_point(|(last, _)| *last < covers);
        self.0.get(reaching).is_some_and(|(_, limit)| at > *limit)
    }

    /// The last line that is gone and, as an anchor has it, was too young. Every line of the
    /// anchor counts, also one that stands there out of order: somebody may have put another
    /// before it, with a time that suits them.
    pub(super) fn broken_in(
        &self,
        anchor: &Path,
        witness: &Witness,
    ) -> io::Result<Option<TooEarly>> {
        let mut lines = AnchorLines::open(anchor)?;
        let mut last: Option<(u64, i64)> = None;
        while let Some(line) = lines.next()? {
            if let Anchored::Checkpoint(checkpoint) = line {
                let found = (checkpoint.covers, checkpoint.at);
                if self.is_broken_by(found.0, found.1)
                    && last.is_none_or(|last| found > last)
                    && witness.believes(&checkpoint)
                {
                    last = Some(found);
                }
            }
        }
        Ok(last.map(|(covers, at)| TooEarly::Line { covers, at, days: KEPT_DAYS_MIN }))
    }
}

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;
