//! The proof's last runs, and the faults that were planted to see whether it notices: as `prove` left
//! them.

use std::fmt::Write as _;

use crate::mutants::patch::Patch;
use crate::mutants::results::{Fate, Results};
use serde::Deserialize;

/// The last line of a run of `prove`.
#[derive(Debug, Deserialize)]
pub struct Asked {
    seed: u64,
    first: u64,
    statements: u64,
    answered: u64,
    differences: u64,
    canary_hits: u64,
    reference_mismatches: u64,
    broken: u64,
    unaudited: u64,
    mutants_caught: Option<u64>,
    mutants_total: Option<u64>,
}

impl Asked {
    /// The runs of a file, which has their last lines.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let run = |(at, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))
        };
        let runs: Vec<Self> = lines.map(run).collect::<Result<_, String>>()?;
        if runs.is_empty() {
            return Err("it has no run: give the last lines of `prove`".into());
        }
        Ok(runs)
    }

    /// Its row of the table, but for its name.
    fn came(&self) -> [u64; 7] {
        [
            self.statements,
            self.answered,
            self.differences,
            self.canary_hits,
            self.reference_mismatches,
            self.broken,
            self.unaudited,
        ]
    }

    /// What it found, or that it asked too little to find anything.
    #[must_use]
    pub fn open(&self) -> Option<String> {
        let Self { seed, first, statements, answered, .. } = self;
        let which = format!("the proof with seed {seed} from {first}");
        if answered * 2 <= *statements {
            return Some(format!("{which}: {answered} of {statements} were answered"));
        }
        if self.mutants_caught != self.mutants_total {
            return Some(format!("{which}: planted faults were not noticed"));
        }
        let found = self.differences
            + self.canary_hits
            + self.reference_mismatches
            + self.broken
            + self.unaudited;
        (found > 0).then(|| format!("{which}: {found} findings"))
    }
}

/// The runs as a table, and what all of them come to.
#[must_use]
pub fn runs(runs: &[Asked]) -> String {
    let mut text = "\n## The proof\n\nRandom statements by `prove`, of two worlds and a copy \
        (`docs/security.md`, \"How it is proven\").\n\n\
        | seed, from | statements | answered | differences | hidden bytes | not the copy's | broken | unrecorded |\n\
        |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut all = [0; 7];
    for run in runs {
        let came = run.came();
        all = std::array::from_fn(|at| all[at] + came[at]);
        row(&mut text, &format!("{}, {}", run.seed, run.first), came);
    }
    if runs.len() > 1 {
        row(&mut text, "together", all);
    }
    text
}

fn row(text: &mut String, of: &str, came: [u64; 7]) {
    let cells = came.map(|number| number.to_string()).join(" | ");
    let _ = writeln!(text, "| {of} | {cells} |");
}

/// A planted fault, who noticed it, and in which source.
#[derive(Debug)]
pub struct Planted {
    patch: Patch,
    fate: Option<Fate>,
    source: String,
}

impl Planted {
    /// Each fault with what came of it.
    #[must_use]
    pub fn of(patches: Vec<Patch>, files: &[Results]) -> Vec<Self> {
        let with_fate = |patch: Patch| {
            let known = files.iter().rev().find_map(|file| Some((file, file.of(&patch)?)));
            let fate = known.map(|(_, entry)| entry.fate.clone());
            let source = known.map_or_else(String::new, |(file, _)| file.source().to_owned());
            Self { patch, fate, source }
        };
        patches.into_iter().map(with_fate).collect()
    }

    fn is_found(&self) -> bool {
        self.fate.as_ref().is_some_and(Fate::is_found)
    }

    fn came(&self) -> String {
        self.fate
            .as_ref()
            .map_or_else(|| "nothing certain is kept of it".to_owned(), ToString::to_string)
    }

    /// That it was not noticed, if so.
    #[must_use]
    pub fn open(&self) -> Option<String> {
        (!self.is_found()).then(|| format!("planted fault {}: {}", self.patch.name, self.came()))
    }
}

/// The planted faults as a table. A source is told by the beginning of its digest: what was noticed in
/// one is not proven of the next.
#[must_use]
pub fn faults(planted: &[Planted]) -> String {
    let found = planted.iter().filter(|planted| planted.is_found()).count();
    let mut text = format!(
        "\n## Planted faults\n\nEach is a patch of `tests/mutants`: {found} of {} were noticed.\n\n\
         | planted | what is wrong then | came | in source |\n|---|---|---|---|\n",
        planted.len()
    );
    for planted in planted {
        let Patch { name, what, .. } = &planted.patch;
        let source: String = planted.source.chars().take(8).collect();
        let _ = writeln!(text, "| {name} | {what} | {} | {source} |", planted.came());
    }
    text
}
