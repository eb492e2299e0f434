//! What a run found: for people while it runs, for programs at its end.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::doors::{Door, Outcome};
use crate::grammar::{Judged, Statement};
use crate::oracles::Oracle;

/// One finding, made as small as could be.
#[derive(Debug, Clone)]
pub struct Finding {
    pub oracle: Oracle,
    pub seed: u64,
    pub number: u64,
    pub door: Option<Door>,
    pub sql: String,
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: seed {}, statement {}", self.oracle.name(), self.seed, self.number)?;
        if let Some(door) = self.door {
            write!(formatter, ", door {door:?}")?;
        }
        write!(formatter, "\n  {}\n  {}", self.sql, self.what)
    }
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What everything was drawn from.
    pub seed: u64,
    /// The number of the first statement.
    pub first: u64,
    /// Statements that were judged.
    pub statements: u64,
    /// Of them, those that gave rows; few would mean that nothing was proven.
    pub told: u64,
    /// Why statements that were meant to be answered were not: how many of them, and one.
    pub refusals: BTreeMap<String, (u64, String)>,
    pub findings: Vec<Finding>,
    /// Planted faults that were found, of how many.
    pub mutants: Option<(usize, usize)>,
}

impl Report {
    /// Counts one statement in.
    pub fn count_in(&mut self, statement: &Statement, outcome: Outcome) {
        self.statements += 1;
        match outcome {
            Outcome::Rows { .. } => self.told += 1,
            Outcome::Refused { words, .. }
                if statement.judged == Judged::Answer && !statement.may_fail =>
            {
                let words = words.chars().take(70).collect();
                let (many, one) = self.refusals.entry(words).or_default();
                *many += 1;
                if one.is_empty() {
                    *one = statement.sql();
                }
            }
            Outcome::Refused { .. } => {}
        }
    }

    fn count(&self, oracles: &[Oracle]) -> usize {
        self.findings.iter().filter(|finding| oracles.contains(&finding.oracle)).count()
    }

    /// Whether anything was found, or a planted fault was not.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.mutants.is_none_or(|(caught, total)| caught == total)
    }

    /// One line for programs.
    #[must_use]
    pub fn json(&self) -> String {
        let mut line = Map::new();
        let mut put = |name: &str, number: Value| line.insert(name.to_owned(), number);
        put("seed", self.seed.into());
        put("first", self.first.into());
        put("statements", self.statements.into());
        put("answered", self.told.into());
        put("differences", self.count(&[Oracle::Worlds, Oracle::Denial]).into());
        put("canary_hits", self.count(&[Oracle::Canary, Oracle::Log]).into());
        put("reference_mismatches", self.count(&[Oracle::Reference]).into());
        put("broken", self.count(&[Oracle::Broken]).into());
        put("unaudited", self.count(&[Oracle::Record]).into());
        if let Some(first) = self.findings.first() {
            let first = json!({ "by": first.oracle.name(), "statement": first.number });
            put("first_finding", first);
        }
        if let Some((caught, total)) = self.mutants {
            put("mutants_caught", caught.into());
            put("mutants_total", total.into());
        }
        Value::Object(line).to_string()
    }
}
