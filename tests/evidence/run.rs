//! What a test run came to, by the names of its tests.

use std::collections::BTreeMap;

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Passed,
    Failed,
    Ignored,
    NotRun,
}

impl Came {
    pub(crate) const fn word(self) -> &'static str {
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
pub(crate) struct Run {
    tests: BTreeMap<String, Came>,
}

impl Run {
    /// Reads lines such as `test security::doors::a_ticket_is_worth_nothing_to_another ... ok`.
    /// A name that several binaries have passed only if it did in all.
    pub(crate) fn read(output: &str) -> Self {
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

    pub(crate) fn came(&self, test: &str) -> Came {
        self.tests.get(test).copied().unwrap_or(Came::NotRun)
    }

    pub(crate) fn len(&self) -> usize {
        self.tests.len()
    }
}
