//! How a commit went.
//!
//! A lost reply is not an outcome: publishing reads back whose snapshot stands there, and only
//! when even that fails is it an error, which says so.

use super::Commit;
use crate::snapshot::Snapshot;

/// The outcome of publishing a commit.
#[derive(Debug)]
#[must_use = "a conflicted commit has published nothing"]
pub enum CommitOutcome {
    /// The changes are visible, all of them, and durable.
    Committed(Snapshot),
    /// Somebody else published first. Nothing is visible; here is the work back, to be rebased
    /// on the latest snapshot if it is still wanted.
    Conflicted(Box<Commit>),
}
