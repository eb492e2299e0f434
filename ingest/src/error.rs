//! What can go wrong in a load, where, and what to do about it.
//!
//! Owns the crate's one error type. Never carries a cell's value: those stand only in the
//! reject file, which only the engineer of the night reads.

use std::fmt;
use std::path::{Path, PathBuf};

use martlet_core::{BatchDate, ErrorKind, Kinded, TableName};
use martlet_index::IndexError;
use martlet_store::StoreError;

/// A place in the load file; both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte in a text.
    #[must_use]
    pub fn of_byte(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// Why a load did not happen.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The load file does not say what it should.
    #[error("{}: {place}: {problem}", path.display())]
    LoadFile {
        /// The load file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// A file could not be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A source's pattern matches no file: the delivery is not complete.
    #[error(
        "table `{table}`: no file matches `{pattern}` in {}: wait for the delivery, or correct the pattern or the date",
        directory.display()
    )]
    NoFile {
        /// The table.
        table: TableName,
        /// The pattern, with the date put in.
        pattern: String,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// One file would be loaded twice into a table.
    #[error(
        "table `{table}`: {} is matched by two of its sources: let one pattern match it",
        path.display()
    )]
    FileTwice {
        /// The table.
        table: TableName,
        /// The file.
        path: PathBuf,
    },
    /// More or larger files than an origin can number.
    #[error("table `{table}`: {} of its delivery is out of bounds: {limit}", path.display())]
    FileOutOfBounds {
        /// The table.
        table: TableName,
        /// The first file beyond.
        path: PathBuf,
        /// The bound.
        limit: &'static str,
    },
    /// A file was written to while it was loaded.
    #[error("{}: changed while it was read: load again once the delivery is complete", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// A file as a whole is not what the load file says: its header, its Parquet schema.
    #[error("{}: {problem}", path.display())]
    FileForm {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Too many bad rows.
    #[error(
        "the batch is refused: {rejected} of the rows read so far are bad and the limit is {limit}; nothing became visible; see {} for line, column and reason of each, then correct the files or raise `reject_limit`",
        rejects_file.display()
    )]
    TooManyRejects {
        /// Rows rejected when the load stopped.
        rejected: u64,
        /// The limit.
        limit: u64,
        /// Where the bad rows are.
        rejects_file: PathBuf,
    },
    /// The batch is in the mart with other content.
    #[error(
        "batch `{name}` of {date} is already loaded with other content: use --replace to put this content in its place"
    )]
    OtherContent {
        /// The batch's name.
        name: String,
        /// Its date.
        date: BatchDate,
    },
    /// A table of which a batch replaces rows already holds a later day.
    #[error(
        "batches replace rows of table `{table}`, which already holds {loaded}: a batch of {date} would take it back in time"
    )]
    OlderThanLoaded {
        /// The table.
        table: TableName,
        /// The date asked for.
        date: BatchDate,
        /// The later date that is loaded.
        loaded: BatchDate,
    },
    /// An append table has another schema in the mart.
    #[error(
        "table `{table}` has another schema in the mart, and rows can only be appended to the same one: {difference}"
    )]
    SchemaChanged {
        /// The table.
        table: TableName,
        /// The first difference, in words.
        difference: String,
    },
    /// Rows are deleted from a table that the mart does not have, or not by its primary key.
    #[error("rows of table `{table}` cannot be deleted: {problem}")]
    NotDeletable {
        /// The table.
        table: TableName,
        /// Why, in words.
        problem: String,
    },
    /// A table is named that the mart does not have.
    #[error("the mart has no table `{table}`")]
    NoSuchTable {
        /// The table.
        table: TableName,
    },
    /// What the batch did to a table was compacted together with the work of others.
    #[error(
        "what batch `{name}` of {date} did to table `{table}` was compacted with the work of other batches and cannot be replaced any more: bring corrections with a batch of another name or date"
    )]
    Settled {
        /// The table.
        table: TableName,
        /// The batch's name.
        name: String,
        /// Its date.
        date: BatchDate,
    },
    /// Others committed again and again in between.
    #[error("the mart changed {attempts} times while the batch was being published: load again")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// A working file (sorted runs, bad rows) could not be written or read back.
    #[error("{}: working files cannot be kept there: {source}", directory.display())]
    Scratch {
        /// The folder.
        directory: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An index could not be built.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Arrow refused rows that were checked.
    #[error("rows that were checked could not be put together: {0}")]
    Rows(#[from] arrow::error::ArrowError),
    /// A worker ended without an answer.
    #[error("a worker of the load ended without an answer")]
    Worker,
}

impl IngestError {
    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.to_path_buf(), source }
    }

    pub(crate) fn form(path: &Path, problem: impl Into<String>) -> Self {
        Self::FileForm { path: path.to_path_buf(), problem: problem.into() }
    }

    pub(crate) fn scratch(directory: &Path, source: std::io::Error) -> Self {
        Self::Scratch { directory: directory.to_path_buf(), source }
    }
}

impl Kinded for IngestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::LoadFile { .. }
            | Self::FileTwice { .. }
            | Self::FileOutOfBounds { .. }
            | Self::FileForm { .. }
            | Self::TooManyRejects { .. }
            | Self::OtherContent { .. }
            | Self::OlderThanLoaded { .. }
            | Self::SchemaChanged { .. }
            | Self::Settled { .. }
            | Self::NotDeletable { .. } => ErrorKind::Invalid,
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Read { .. } => ErrorKind::Invalid,
            Self::NoFile { .. } | Self::NoSuchTable { .. } => ErrorKind::NotFound,
            Self::FileChanged { .. } | Self::Conflict { .. } => ErrorKind::Retry,
            Self::Scratch { .. } => ErrorKind::Exhausted,
            Self::Store(error) => error.kind(),
            Self::Index(error) => error.kind(),
            Self::Rows(_) | Self::Worker => ErrorKind::Bug,
        }
    }
}
