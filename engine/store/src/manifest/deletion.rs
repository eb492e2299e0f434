//! Rows of a segment that a later batch deleted.
//!
//! Deletions are kept by the batch that made them, so that a batch which is loaded again takes
//! its own deletions back and nobody else's. Never changes a segment: its object stays as it
//! was, and only the table's part says which of its rows are no longer there.

use martlet_core::Selection;

use super::BatchLabel;
use crate::object::ObjectRef;

/// Serialized deletions of one segment that may stand in the table's part. What is beyond is an
/// object of its own, so that a part stays small enough to be read whole.
pub(crate) const INLINE_BYTES_MAX: usize = 64 * 1024;

/// The rows of one segment that one batch deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Deletion {
    pub(crate) batch: BatchLabel,
    pub(crate) count: u32,
    pub(crate) rows: DeletedRows,
}

/// Where the row numbers stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DeletedRows {
    Inline(Selection),
    Object(ObjectRef),
}

impl Deletion {
    /// The batch that deleted the rows.
    #[must_use]
    pub const fn batch(&self) -> &BatchLabel {
        &self.batch
    }

    /// How many rows it deleted: at least 1, and none that another batch had deleted before.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The object that holds the row numbers, if they are too many for the table's part.
    #[must_use]
    pub const fn object(&self) -> Option<&ObjectRef> {
        match &self.rows {
            DeletedRows::Object(object) => Some(object),
            DeletedRows::Inline(_) => None,
        }
    }
}
