//! The proof's last runs, and the faults that were planted to see whether it notices: as `prove` left
//! them.

use std::fmt::Write as _;

use martlet_tests::mutants::patch::Patch;
use martlet_tests::mutants::results::{Fate, Results};
use serde::Deserialize;

/// The last line of a run of `prove`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    seed: u64,
    first: u64,
    statements: u64,
    answered: u64,
    differences: u64,
    canary_hits: u64,
    reference_mismatches: u64,
    broken: u64,
    unaudited: u64,
}

impl Asked {
    /// The runs of a file, which has their last lines.
    pub(crate) fn read(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let run = |(at, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))
        };
        lines.map(run).collect()
    }

    /// What it found, if anything.
    pub(crate) fn open(&self) -> Option<String> {
        let found = self.differences
            + self.canary_hits
            + self.reference_mismatches
            + self.broken
            + self.unaudited;
        (found > 0).then(|| format!("the proof with seed {}: {found} findings", self.seed))
    }
}

/// The runs as a table.
pub(crate) fn runs(runs: &[Asked]) -> String {
    let mut text = "\n## The proof\n\nRandom statements by `prove`, of two worlds and a copy \
        (`docs/security.md`, \"How it is proven\").\n\n\
        | seed, from | statements | answered | differences | hidden bytes | not the copy's | broken | unrecorded |\n\
        |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for run in runs {
        let _ = writeln!(
            text,
            "| {}, {} | {} | {} | {} | {} | {} | {} | {} |",
            run.seed,
            run.first,
            run.statements,
            run.answered,
            run.differences,
            run.canary_hits,
            run.reference_mismatches,
            run.broken,
            run.unaudited
        );
    }
    text
}

/// A planted fault, and who noticed it.
pub(crate) struct Planted {
    patch: Patch,
    fate: Option<Fate>,
}

impl Planted {
    /// Each fault with what came of it.
    pub(crate) fn of(patches: Vec<Patch>, results: &Results) -> Vec<Self> {
        let with_fate = |patch: Patch| {
            let fate = results.of(&patch).map(|entry| entry.fate.clone());
            Self { patch, fate }
        };
        patches.into_iter().map(with_fate).collect()
    }

    fn is_found(&self) -> bool {
        self.fate.as_ref().is_some_and(Fate::is_found)
    }

    fn came(&self) -> String {
        self.fate.as_ref().map_or_else(|| "not planted".to_owned(), ToString::to_string)
    }

    /// That it was not noticed, if so.
    pub(crate) fn open(&self) -> Option<String> {
        (!self.is_found()).then(|| format!("planted fault {}: {}", self.patch.name, self.came()))
    }
}

/// The planted faults as a table.
pub(crate) fn faults(planted: &[Planted]) -> String {
    let found = planted.iter().filter(|planted| planted.is_found()).count();
    let mut text = format!(
        "\n## Planted faults\n\nEach is a patch of `tests/mutants`, built and asked: {found} of {} are noticed.\n\n\
         | planted | what is wrong then | came |\n|---|---|---|\n",
        planted.len()
    );
    for planted in planted {
        let Patch { name, what, .. } = &planted.patch;
        let _ = writeln!(text, "| {name} | {what} | {} |", planted.came());
    }
    text
}
