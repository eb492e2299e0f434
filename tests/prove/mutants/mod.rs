//! Planted faults: each patch of `tests/mutants` in a copy of the source, built and asked.
//!
//! A fault counts as found only if what has to notice it ran on the faulty source and said that
//! something is wrong: the random statements, or the tests that the patch names where these cannot
//! see it. One that cannot be planted or built was not found, and is told as such. There is one copy
//! and one folder of what was built of it: [`patch`] orders the faults so that each takes as little
//! building as can be, [`copy`] builds and asks, [`results`] keeps what came of each, so that a long
//! run can go on where it stopped.

pub mod copy;
pub mod patch;
pub mod results;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::run::Plan;
use copy::{Built, Copy, Tested};
use patch::{Notices, Patch};
use results::{Entry, Fate, Results};

/// Statements after which a fault has to be found.
pub const STATEMENTS: u64 = 4_000;

/// As many of them as are wanted, others with each turn.
#[must_use]
pub fn some(patches: Vec<Patch>, wanted: usize, turn: u64) -> Vec<Patch> {
    let all = patches.len().max(1);
    let first = usize::try_from(turn).unwrap_or(0).wrapping_mul(wanted) % all;
    patches.into_iter().cycle().skip(first).take(wanted.min(all)).collect()
}

/// How many of the faults are found. Each is told about when it is done, and kept.
pub fn caught(
    source: &Path,
    patches: &[Patch],
    plan: Plan,
    results: &mut Results,
    tell: &dyn Fn(String),
) -> usize {
    let run = Run { copy: Copy::of(source), plan };
    let mut sound = None;
    let mut found = 0;
    for (at, patch) in patches.iter().enumerate() {
        let name = &patch.name;
        let place = format!("{}/{} {name}", at + 1, patches.len());
        let known = results.of(patch).cloned();
        let entry = known.unwrap_or_else(|| {
            let begun = Instant::now();
            let fate = run.fate(patch, patches, &mut sound);
            let entry =
                Entry { patch: patch.digest.clone(), fate, seconds: begun.elapsed().as_secs() };
            if let Err(error) = results.keep(name, entry.clone()) {
                tell(format!("{place}: what came of it cannot be kept: {error}"));
            }
            entry
        });
        found += usize::from(entry.fate.is_found());
        tell(format!("{place}: {} ({} s)", entry.fate, entry.seconds));
    }
    found
}

struct Run {
    copy: Copy,
    plan: Plan,
}

impl Run {
    fn fate(&self, patch: &Patch, all: &[Patch], sound: &mut Option<BTreeSet<String>>) -> Fate {
        if let Notices::Tests(names) = &patch.notices {
            // A test that fails without the fault would find every fault.
            let sound = sound.get_or_insert_with(|| self.sound(all));
            if let Some(name) = names.iter().find(|name| !sound.contains(*name)) {
                return Fate::Broken { why: format!("`{name}` does not pass without the fault") };
            }
        }
        if self.copy.restore().is_err() || !self.copy.plant(patch) {
            return Fate::NotPlanted;
        }
        match &patch.notices {
            Notices::Statements => self.by_statements(),
            Notices::Tests(names) => self.by_tests(names),
        }
    }

    fn by_statements(&self) -> Fate {
        if self.copy.build(Built::Program).is_err() {
            return Fate::NotBuilt;
        }
        let statements = STATEMENTS.min(self.plan.statements.max(1));
        self.copy.ask(Plan { statements, ..self.plan })
    }

    fn by_tests(&self, names: &[String]) -> Fate {
        if self.copy.build(Built::Tests).is_err() {
            return Fate::NotBuilt;
        }
        match self.copy.test(names) {
            Tested::Failed(failed) => {
                let by = failed.into_iter().next().unwrap_or_default();
                Fate::Found { by, statement: None }
            }
            Tested::Passed(_) => Fate::NotFound,
            Tested::Broken => Fate::Broken { why: "the tests broke off".into() },
        }
    }

    /// The tests that pass on the source as it is, of those that patches name.
    fn sound(&self, all: &[Patch]) -> BTreeSet<String> {
        let named = all.iter().flat_map(|patch| match &patch.notices {
            Notices::Tests(names) => names.as_slice(),
            Notices::Statements => &[],
        });
        let named: BTreeSet<String> = named.cloned().collect();
        if self.copy.restore().is_err() || self.copy.build(Built::Tests).is_err() {
            return BTreeSet::new();
        }
        let names: Vec<String> = named.iter().cloned().collect();
        match self.copy.test(&names) {
            Tested::Passed(passed) => named
                .into_iter()
                .filter(|name| passed.iter().any(|test| test.contains(name)))
                .collect(),
            Tested::Failed(_) | Tested::Broken => BTreeSet::new(),
        }
    }
}
