//! Indexes over rows that are loaded already: added, dropped, mended, without writing a row.
//!
//! Receives: a change of the choice of kinds, or the wish to mend, from the operator or the
//! server. Hands on: one commit in which segments have other attachments; readers of the
//! snapshots before go on with the old ones. The choice is kept in the table's settings, so that
//! later loads build the same kinds. Never changes, and never drops, a row.

mod change;
mod error;
mod mend;
mod segment;

use martlet_core::{ColumnName, SnapshotNumber, TableName};
use martlet_index::IndexKind;

pub use change::{IndexChange, IndexDeed, Unsuitable, change_indexes};
pub use error::ReindexError;
pub use mend::{Mended, Which, mend_indexes};

/// How often a change is put on top of a mart that changed meanwhile.
const ATTEMPTS: u32 = 5;

/// What was done to one kind of index over one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexWork {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// The kind of index.
    pub kind: IndexKind,
    /// Segments in which it was built.
    pub built: u64,
    /// Bytes of what was built.
    pub bytes: u64,
    /// Microseconds that the building took.
    pub micros: u64,
    /// Segments from which it was dropped.
    pub dropped: u64,
    /// Segments whose values it does not apply to, so that it was not built there.
    pub declined: u64,
}

/// What a change came to.
#[derive(Debug, Clone)]
pub struct IndexChanged {
    /// The snapshot that has it.
    pub snapshot: SnapshotNumber,
    /// One entry per column and kind that was touched, ascending.
    pub work: Vec<IndexWork>,
}

#[cfg(test)]
mod tests;
