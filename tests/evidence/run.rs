//! What a test run came to, by the names of its tests.

use std::collections::BTreeMap;

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Passed,
    Failed,
    Ignored,
    NotRun,
}

impl Came {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Ignored => "was left out",
            Self::NotRun => "was not run",
        }
    }
}

/// A run's tests.
#[derive(Debug, Default)]
pub struct Run {
    tests: BTreeMap<String, Came>,
}

impl Run {
    /// Reads lines such as `test security::doors::a_ticket_is_worth_nothing_to_another ... ok`.
    /// A name that several binaries have passed only if it did in all.
    #[must_use]
    pub fn read(output: &str) -> Self {
        let mut run = Self::default();
        for line in output.lines() {
            let Some((name, outcome)) =
                line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
            else {
                continue;
            };
            let came = match outcome.split([',', ' ']).next() {
                Some("ok") => Came::Passed,
                Some("ignored") => Came::Ignored,
                _ => Came::Failed,
            };
            let name = name.trim_end_matches(" - should panic").to_owned();
            let known = run.tests.entry(name).or_insert(came);
            if came != Came::Passed {
                *known = came;
            }
        }
        run
    }

    /// What came of one.
    #[must_use]
    pub fn came(&self, test: &str) -> Came {
        self.tests.get(test).copied().unwrap_or(Came::NotRun)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }
}
