//! A table of a snapshot with what is told of its indexes, decoded once.
//!
//! Receives: a table version from the store. Hands on: segments with their descriptors to
//! every scan of the snapshot. Holds no rows, no index and nothing of a principal.

use std::sync::{Arc, OnceLock};

use martlet_core::TableSchema;
use martlet_index::{Descriptor, IndexKind, SectionRef};
use martlet_store::{AttachmentRef, SegmentRef, TableVersion};

use crate::overlap::Overlaps;
use crate::scan::statistics::{SegmentFacts, TableSummary};

/// A table version whose descriptors are decoded.
#[derive(Debug)]
pub(crate) struct IndexedTable {
    version: Arc<TableVersion>,
    segments: Vec<Arc<IndexedSegment>>,
    summary: OnceLock<TableSummary>,
    overlaps: Overlaps,
}

impl IndexedTable {
    pub(crate) fn of(version: &Arc<TableVersion>) -> Self {
        let segments = version.segments().iter().enumerate();
        let segments =
            segments.map(|(position, segment)| Arc::new(IndexedSegment::of(segment, position)));
        Self {
            version: Arc::clone(version),
            segments: segments.collect(),
            summary: OnceLock::new(),
            overlaps: Overlaps::default(),
        }
    }

    pub(crate) const fn version(&self) -> &Arc<TableVersion> {
        &self.version
    }

    pub(crate) fn schema(&self) -> &TableSchema {
        self.version.schema()
    }

    pub(crate) fn segments(&self) -> &[Arc<IndexedSegment>] {
        &self.segments
    }

    /// What its segments share of their columns' values.
    pub(crate) const fn overlaps(&self) -> &Overlaps {
        &self.overlaps
    }

    /// What its zone maps tell of it as a whole; only for those who may see all of it.
    pub(crate) fn summary(&self) -> &TableSummary {
        self.summary.get_or_init(|| {
            let facts = self.segments.iter().map(|segment| SegmentFacts {
                live: segment.segment().live_count(),
                descriptor: segment.indexes().first().map(|(_, descriptor)| descriptor),
            });
            TableSummary::of(self.schema(), facts)
        })
    }
}

/// A segment, and the descriptors of those attachments that can be understood.
#[derive(Debug)]
pub(crate) struct IndexedSegment {
    segment: Arc<SegmentRef>,
    position: usize,
    indexes: Vec<(AttachmentRef, Descriptor)>,
}

impl IndexedSegment {
    fn of(segment: &Arc<SegmentRef>, position: usize) -> Self {
        let understood = segment.attachments().iter().filter_map(|attachment| {
            let descriptor = Descriptor::decode(attachment.descriptor()).ok()?;
            (descriptor.rows() == segment.rows()).then(|| (attachment.clone(), descriptor))
        });
        Self { indexes: understood.collect(), segment: Arc::clone(segment), position }
    }

    pub(crate) fn segment(&self) -> &SegmentRef {
        &self.segment
    }

    /// Its position among the table's segments.
    pub(crate) const fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn rows(&self) -> u32 {
        self.segment.rows()
    }

    /// Attachments with their descriptors.
    pub(crate) fn indexes(&self) -> &[(AttachmentRef, Descriptor)] {
        &self.indexes
    }

    /// The index of that kind over a column, and the object it lies in.
    pub(crate) fn section(
        &self,
        column: usize,
        kind: IndexKind,
    ) -> Option<(&AttachmentRef, &SectionRef)> {
        self.indexes.iter().find_map(|(attachment, descriptor)| {
            descriptor.section(column, kind).map(|section| (attachment, section))
        })
    }
}
