//! Why indexes were not changed. Never carries a cell's value.

use martlet_core::{ColumnName, ErrorKind, Kinded, TableName};
use martlet_index::{IndexError, IndexKind};
use martlet_store::StoreError;

/// Why indexes were not changed; the mart is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReindexError {
    /// The mart has no such table.
    #[error("the mart has no table `{table}`")]
    UnknownTable {
        /// The name as it was given.
        table: TableName,
    },
    /// The table has no such column.
    #[error("table `{table}` has no column `{column}`")]
    UnknownColumn {
        /// The table.
        table: TableName,
        /// The name as it was given.
        column: ColumnName,
    },
    /// No segment's values suit the kind.
    #[error("the kind `{}` does not apply to the values of `{table}.{column}`", kind.name())]
    NotApplicable {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The kind.
        kind: IndexKind,
    },
    /// Others published again and again in between.
    #[error("the mart changed {attempts} times while indexes were built; try again")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// An index could not be built or read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread that built an index ended without a word.
    #[error("the building of an index ended unexpectedly")]
    Worker,
}

impl Kinded for ReindexError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownTable { .. } | Self::UnknownColumn { .. } => ErrorKind::NotFound,
            Self::NotApplicable { .. } => ErrorKind::Invalid,
            Self::Conflict { .. } => ErrorKind::Retry,
            Self::Index(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Worker => ErrorKind::Bug,
        }
    }
}
