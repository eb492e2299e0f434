//! The load file: one TOML text that says which files feed which tables, and how.
//!
//! Hands on: a checked [`plan::LoadPlan`] to `arrive`. Everything that a load file can get
//! wrong is found here, with line and column, before any data file is looked at.

mod checked;
mod column;
pub mod plan;
mod raw;
mod source;
mod written;

use std::path::Path;

use crate::error::IngestError;
use plan::LoadPlan;

impl LoadPlan {
    /// Reads and checks a load file. Its files are looked for in `input`, or in the load file's
    /// own folder.
    ///
    /// # Errors
    /// [`IngestError::Read`] if the file cannot be read, [`IngestError::LoadFile`] with line
    /// and column for the first thing in it that is wrong.
    pub fn read(path: &Path, input: Option<&Path>) -> Result<Self, IngestError> {
        let text = std::fs::read_to_string(path).map_err(|error| IngestError::read(path, error))?;
        let own_folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Self::parse(path, &text, input.unwrap_or(own_folder))
    }

    /// Checks a load file's text; `path` is what messages call it.
    ///
    /// # Errors
    /// [`IngestError::LoadFile`] as for [`Self::read`].
    pub fn parse(path: &Path, text: &str, input: &Path) -> Result<Self, IngestError> {
        checked::check(written::Written { path, text }, input)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
