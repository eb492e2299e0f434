//! What can go wrong with an index, and what to do about it.
//!
//! No text here holds a cell's value. A damaged index is never fatal to a query: the caller
//! goes on without it.

use martlet_core::{ColumnName, ErrorKind, Kinded, limits::SEGMENT_ROWS_MAX};

/// Why an index was not built, opened or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Stored bytes are not what was written.
    #[error("index is damaged: {what}; build it again from its segment")]
    Damaged {
        /// What does not hold.
        what: &'static str,
    },
    /// The bytes are of a format that this version does not know.
    #[error("index has format version {version}, which this version of Martlet cannot read")]
    UnknownFormat {
        /// The version found.
        version: u32,
    },
    /// The rows lack a column of the schema, or it has another type.
    #[error("rows do not fit the schema: column `{column}` is missing or has another type")]
    Column {
        /// The column.
        column: ColumnName,
    },
    /// More rows than a segment may have.
    #[error("{rows} rows are too many for one segment; at most {SEGMENT_ROWS_MAX} are possible")]
    TooManyRows {
        /// How many.
        rows: usize,
    },
    /// Not one choice of index per column.
    #[error("{choices} choices of index were given for {columns} columns")]
    Choices {
        /// How many were given.
        choices: usize,
        /// How many columns the table has.
        columns: usize,
    },
    /// The index is of a kind that cannot tell what was asked.
    #[error("an index of kind `{kind}` cannot tell that; ask one of another kind")]
    Unanswered {
        /// The kind's name.
        kind: &'static str,
    },
    /// Two things over the rows of one segment differ in how many rows that is.
    #[error("index covers {index} rows, but the selection is over {selection}")]
    Lengths {
        /// Rows of the index.
        index: u32,
        /// Rows of the selection.
        selection: u32,
    },
}

impl IndexError {
    pub(crate) const fn damaged(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}

impl Kinded for IndexError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } | Self::UnknownFormat { .. } => ErrorKind::Damaged,
            Self::Column { .. }
            | Self::TooManyRows { .. }
            | Self::Choices { .. }
            | Self::Unanswered { .. }
            | Self::Lengths { .. } => ErrorKind::Bug,
        }
    }
}
