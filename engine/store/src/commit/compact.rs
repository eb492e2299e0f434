//! Segments that give way to others which hold the same rows.
//!
//! Receives: segments of the base, and staged ones that the caller made of their live rows.
//! Hands on: what changes in the table, and which batches are settled by it.
//! Checks numbers of rows and labels; that the rows are the same is the caller's promise.

use std::collections::BTreeSet;
use std::sync::Arc;

use martlet_core::SegmentId;

use super::StagedSegment;
use crate::error::StoreError;
use crate::manifest::{BatchLabel, Deletion, SegmentRef, TableVersion};

/// One set of segments and what takes its place.
#[derive(Debug)]
pub(super) struct Compaction {
    /// At least one, in the table's order.
    old: Vec<Arc<SegmentRef>>,
    added: Vec<Arc<SegmentRef>>,
}

impl Compaction {
    pub(super) fn of(
        table: &TableVersion,
        old: &[SegmentId],
        new: Vec<StagedSegment>,
    ) -> Result<Self, StoreError> {
        let name = table.schema().name();
        let wrong = |what: &str| StoreError::misuse(format!("compacting `{name}`: {what}"));
        let wanted: BTreeSet<SegmentId> = old.iter().copied().collect();
        let found: Vec<_> =
            table.segments().iter().filter(|segment| wanted.contains(&segment.id())).collect();
        if found.is_empty() || found.len() != old.len() {
            return Err(wrong("a segment that it does not have was named, or none, or one twice"));
        }
        let live: u64 = found.iter().map(|segment| u64::from(segment.live_count())).sum();
        let staged: u64 = new.iter().map(|segment| u64::from(segment.rows())).sum();
        if staged != live {
            return Err(wrong(&format!("{staged} rows cannot take the place of {live}")));
        }
        let labels: BTreeSet<_> = found.iter().map(|segment| segment.batch()).collect();
        if new.iter().any(|segment| segment.schema() != table.schema()) {
            return Err(wrong("a segment was staged for another table"));
        }
        if new.iter().any(|segment| !labels.contains(segment.segment().batch())) {
            return Err(wrong("a segment was staged for a batch that none of the old ones is of"));
        }
        let old = found.into_iter().cloned().collect();
        Ok(Self { old, added: new.into_iter().map(StagedSegment::into_segment).collect() })
    }

    /// The segments that go.
    pub(super) fn old(&self) -> &[Arc<SegmentRef>] {
        &self.old
    }

    /// The segments that come.
    pub(super) fn added(&self) -> &[Arc<SegmentRef>] {
        &self.added
    }

    pub(super) fn takes(&self, segment: SegmentId) -> bool {
        self.old.iter().any(|old| old.id() == segment)
    }

    pub(super) fn begins_with(&self, segment: SegmentId) -> bool {
        self.old.first().is_some_and(|first| first.id() == segment)
    }

    /// The batches that cannot be undone any more. Where all rows are of one batch, dropping
    /// that batch drops the new segments as it would have dropped the old ones; what another
    /// batch deleted is gone for good. Where rows of several batches come together, no label
    /// tells them apart.
    pub(super) fn settles(&self) -> BTreeSet<BatchLabel> {
        let batches: BTreeSet<_> = self.old.iter().map(|segment| segment.batch()).collect();
        let deleting = self.old.iter().flat_map(|segment| segment.deletions());
        let mut settled: BTreeSet<BatchLabel> =
            deleting.map(Deletion::batch).chain(batches.iter().copied()).cloned().collect();
        if let (1, Some(only)) = (batches.len(), batches.first()) {
            settled.remove(*only);
        }
        settled
    }
}

#[cfg(test)]
#[path = "compact_tests.rs"]
mod tests;
