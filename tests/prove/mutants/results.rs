//! What came of each planted fault, kept in a file: a long run goes on where it stopped.
//!
//! Holds for one state of the source, of the statements and of a patch; what was kept of others is
//! not taken for it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::patch::Patch;

/// What came of one planted fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// By an oracle at a statement's number, or by a test.
    Found {
        by: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        statement: Option<u64>,
    },
    NotFound,
    NotPlanted,
    NotBuilt,
    Broken {
        why: String,
    },
}

impl Fate {
    /// Whether it was noticed.
    #[must_use]
    pub const fn is_found(&self) -> bool {
        matches!(self, Self::Found { .. })
    }

    /// Whether the same would come of it again.
    const fn is_certain(&self) -> bool {
        matches!(self, Self::Found { .. } | Self::NotFound)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { by, statement: Some(number) } => {
                write!(formatter, "found by {by} at statement {number}")
            }
            Self::Found { by, statement: None } => write!(formatter, "found by {by}"),
            Self::NotFound => formatter.write_str("NOT found"),
            Self::NotPlanted => formatter.write_str("NOT planted: the patch does not apply"),
            Self::NotBuilt => formatter.write_str("NOT built"),
            Self::Broken { why } => write!(formatter, "NOT asked: {why}"),
        }
    }
}

/// What is kept of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The digest of the patch.
    pub patch: String,
    #[serde(flatten)]
    pub fate: Fate,
    pub seconds: u64,
}

/// What is kept of all of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// The digest of the source, and what was asked of it.
    state: String,
    mutants: BTreeMap<String, Entry>,
    #[serde(skip)]
    file: Option<PathBuf>,
}

impl Results {
    /// Kept nowhere.
    #[must_use]
    pub fn forgotten() -> Self {
        Self::default()
    }

    /// What the file has of this state; empty if it has none, or is none.
    #[must_use]
    pub fn of_state(file: &Path, state: &str) -> Self {
        let known = fs::read(file).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        let mutants = known.filter(|known| known.state == state).map(|known| known.mutants);
        Self {
            state: state.to_owned(),
            mutants: mutants.unwrap_or_default(),
            file: Some(file.to_owned()),
        }
    }

    /// What the file has, of whatever state.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(file: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)
    }

    /// The digest of the source, and what was asked of it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.state
    }

    /// What came of a patch, if it is certain.
    #[must_use]
    pub fn of(&self, patch: &Patch) -> Option<&Entry> {
        let entry = self.mutants.get(&patch.name)?;
        (entry.patch == patch.digest && entry.fate.is_certain()).then_some(entry)
    }

    /// Keeps what came of one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(&mut self, name: &str, entry: Entry) -> io::Result<()> {
        self.mutants.insert(name.to_owned(), entry);
        let Some(file) = &self.file else { return Ok(()) };
        let beside = file.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        fs::rename(beside, file)
    }
}
