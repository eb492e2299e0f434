//! What a snapshot is made of: tables, their segments, what is attached to them, and batches.
//!
//! Owns these types and, in [`codec`], their bytes. Never does I/O. The values can only be
//! made here and in the commit, so whoever holds one holds checked data.

pub(crate) mod codec;
pub(crate) mod deletion;
pub(crate) mod envelope;
pub(crate) mod invariants;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use martlet_core::{BatchDate, ColumnName, SegmentId, TableSchema};

pub use deletion::Deletion;

use crate::error::StoreError;
use crate::object::ObjectRef;

/// A batch's name and business date, such as `night 2026-11-22`: the same label is loaded once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchLabel {
    name: ColumnName,
    date: BatchDate,
}

impl BatchLabel {
    /// Checks and makes a label; the name is written like a column's.
    ///
    /// # Errors
    /// [`StoreError::Label`] if the name is not lower-case letters, digits and `_`.
    pub fn new(name: &str, date: BatchDate) -> Result<Self, StoreError> {
        let name = ColumnName::new(name)
            .map_err(|refused| StoreError::Label { reason: refused.to_string() })?;
        Ok(Self { name, date })
    }

    /// The batch's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its business date.
    #[must_use]
    pub const fn date(&self) -> BatchDate {
        self.date
    }
}

impl std::fmt::Display for BatchLabel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.name, self.date)
    }
}

/// One batch that the mart holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord {
    label: BatchLabel,
    digest: [u8; 32],
    rows: u64,
    committed_at: i64,
}

impl BatchRecord {
    /// Describes a batch to be committed: `digest` is BLAKE3 over its content, `rows` what it
    /// brings over all tables. The time is set when the commit is published.
    #[must_use]
    pub const fn new(label: BatchLabel, digest: [u8; 32], rows: u64) -> Self {
        Self { label, digest, rows, committed_at: 0 }
    }

    /// Name and date.
    #[must_use]
    pub const fn label(&self) -> &BatchLabel {
        &self.label
    }

    /// The batch's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label.name()
    }

    /// Its business date.
    #[must_use]
    pub const fn date(&self) -> BatchDate {
        self.label.date()
    }

    /// BLAKE3 over the batch's content, by which a second load of it is recognised.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Rows that it brought, over all tables.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// When it was committed, in microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn committed_at(&self) -> i64 {
        self.committed_at
    }

    pub(crate) const fn stamped(mut self, committed_at: i64) -> Self {
        self.committed_at = committed_at;
        self
    }
}

/// An object beside a segment. The store does not know what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRef {
    object: ObjectRef,
    descriptor: Bytes,
}

impl AttachmentRef {
    pub(crate) const fn new(object: ObjectRef, descriptor: Bytes) -> Self {
        Self { object, descriptor }
    }

    /// The object.
    #[must_use]
    pub const fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// What is told of it without opening it; proven together with the manifest.
    #[must_use]
    pub const fn descriptor(&self) -> &Bytes {
        &self.descriptor
    }

    /// The same object under another descriptor, for [`crate::Commit::replace_attachments`]: so
    /// a part of it is left out without writing it again.
    #[must_use]
    pub fn described_as(&self, descriptor: Bytes) -> Self {
        Self { object: self.object.clone(), descriptor }
    }
}

/// One immutable segment of a table, and which of its rows are no longer there.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRef {
    pub(crate) id: SegmentId,
    pub(crate) rows: u32,
    pub(crate) object: ObjectRef,
    pub(crate) batch: BatchLabel,
    pub(crate) attachments: Vec<AttachmentRef>,
    /// Ascending by batch; no row stands in two of them.
    pub(crate) deletions: Vec<Deletion>,
}

impl SegmentRef {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> SegmentId {
        self.id
    }

    /// How many rows its object and its attachments have, deleted ones included: 1 to
    /// [`martlet_core::limits::SEGMENT_ROWS_MAX`]. Row numbers are below it.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The Parquet object.
    #[must_use]
    pub const fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// The batch that brought the rows.
    #[must_use]
    pub const fn batch(&self) -> &BatchLabel {
        &self.batch
    }

    /// What is attached to it.
    #[must_use]
    pub fn attachments(&self) -> &[AttachmentRef] {
        &self.attachments
    }

    /// Which batches deleted rows of it, and how many. Which rows are left says
    /// [`crate::Store::live`].
    #[must_use]
    pub fn deletions(&self) -> &[Deletion] {
        &self.deletions
    }

    /// How many of its rows are deleted.
    #[must_use]
    pub fn deleted_count(&self) -> u32 {
        self.deletions.iter().map(Deletion::count).sum()
    }

    /// How many of its rows are left. May be 0: a segment stays until it is compacted, so that
    /// the batch which deleted its rows can still be loaded again.
    #[must_use]
    pub fn live_count(&self) -> u32 {
        self.rows - self.deleted_count()
    }
}

/// What the part of a table says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableContent {
    pub(crate) schema: TableSchema,
    pub(crate) segments: Vec<Arc<SegmentRef>>,
    pub(crate) settled: BTreeSet<BatchLabel>,
    pub(crate) settings: Bytes,
}

/// A table as one or more snapshots hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableVersion {
    pub(crate) content: TableContent,
    pub(crate) rows: u64,
    pub(crate) part: ObjectRef,
}

impl TableVersion {
    /// Columns and keys.
    #[must_use]
    pub const fn schema(&self) -> &TableSchema {
        &self.content.schema
    }

    /// The segments, in the order in which they were committed; one that others were compacted
    /// into stands where the first of them stood.
    #[must_use]
    pub fn segments(&self) -> &[Arc<SegmentRef>] {
        &self.content.segments
    }

    /// The batches whose work on this table can no longer be told from that of others, because
    /// it was compacted with theirs. They cannot be loaded into it again.
    #[must_use]
    pub const fn settled(&self) -> &BTreeSet<BatchLabel> {
        &self.content.settled
    }

    /// How many rows the table has; deleted ones do not count.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What was set by hand for the table with `Commit::set_settings`; empty if nothing was.
    #[must_use]
    pub const fn settings(&self) -> &Bytes {
        &self.content.settings
    }

    /// How many rows its segments store, deleted ones included.
    #[must_use]
    pub fn rows_stored(&self) -> u64 {
        self.segments().iter().map(|segment| u64::from(segment.rows)).sum()
    }

    /// The object that holds this version; two snapshots with the same one hold the same rows.
    #[must_use]
    pub const fn part(&self) -> &ObjectRef {
        &self.part
    }
}
