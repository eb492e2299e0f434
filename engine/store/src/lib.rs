//! Immutable segments, one manifest, one way to commit.
//!
//! In reading order: a [`Store`] is a mart's storage. A [`Snapshot`] is one published state of
//! the mart; it names each table's [`TableVersion`], which names its segments ([`SegmentRef`])
//! and what is attached to them. [`Store::live`] says which rows of a segment are still there,
//! and a [`SegmentReader`] gives selected rows and columns of one.
//! A [`Commit`] stages new segments, deletes rows of old ones, and publishes: all tables
//! together, or nothing, as its [`CommitOutcome`] says.
//!
//! Whatever is read was proven by a checksum first: correct, or a [`StoreError`]. The store does
//! not know what a bitmap or a rule is, and it deletes nothing but what [`Store::remove_orphans`] is
//! told to. The bytes are described in `docs/format.md`.

mod commit;
mod error;
#[cfg(test)]
mod fixture;
mod layout;
mod live;
pub mod machine;
mod manifest;
mod object;
mod retention;
mod segment;
mod snapshot;
mod store;

pub use commit::{Commit, CommitOutcome, StagedSegment};
pub use error::StoreError;
pub use manifest::{AttachmentRef, BatchLabel, BatchRecord, Deletion, SegmentRef, TableVersion};
pub use object::ObjectRef;
pub use object::access::{KeptRange, Lease};
#[cfg(any(test, feature = "test-support"))]
pub use object::faulty;
pub use retention::Orphan;
pub use segment::reader::SegmentReader;
pub use snapshot::{Snapshot, SnapshotSummary};
pub use store::Store;
