//! What can go wrong while a bank is written or read back. Never holds a cell's value.

use std::path::{Path, PathBuf};

/// Why the bank was not generated or recounted.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The plan asks for something impossible.
    #[error("the bank's plan: {what}")]
    Plan {
        /// What is impossible, and what would be possible.
        what: String,
    },
    /// A file could not be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A feed file, read back, is not what the generator writes.
    #[error("{}, line {line}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 where the reader does not know it.
        line: u64,
        /// What is wrong, without any cell's value.
        what: String,
    },
}

impl BankError {
    /// Makes the closure that names the file an operating system's error was about.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn plan(what: impl Into<String>) -> Self {
        Self::Plan { what: what.into() }
    }

    pub(crate) fn content(path: &Path, line: u64, what: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), line, what: what.into() }
    }
}
