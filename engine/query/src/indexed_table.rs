//! A table of a snapshot with what is told of its indexes, decoded once.
//!
//! Receives: a table version from the store. Hands on: segments with their descriptors to
//! every scan of the snapshot. Holds no rows, no index and nothing of a principal.

use std::sync::Arc;

use martlet_core::TableSchema;
use martlet_index::{Descriptor, IndexKind, SectionRef};
use martlet_store::{AttachmentRef, SegmentRef, TableVersion};

/// A table version whose descriptors are decoded.
#[derive(Debug)]
pub(crate) struct IndexedTable {
    version: Arc<TableVersion>,
    segments: Vec<Arc<IndexedSegment>>,
}

impl IndexedTable {
    pub(crate) fn of(version: &Arc<TableVersion>) -> Self {
        let segments =
            version.segments().iter().map(|segment| Arc::new(IndexedSegment::of(segment)));
        Self { version: Arc::clone(version), segments: segments.collect() }
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
}

/// A segment, and the descriptors of those attachments that can be understood.
#[derive(Debug)]
pub(crate) struct IndexedSegment {
    segment: Arc<SegmentRef>,
    indexes: Vec<(AttachmentRef, Descriptor)>,
}

impl IndexedSegment {
    fn of(segment: &Arc<SegmentRef>) -> Self {
        let understood = segment.attachments().iter().filter_map(|attachment| {
            let descriptor = Descriptor::decode(attachment.descriptor()).ok()?;
            (descriptor.rows() == segment.rows()).then(|| (attachment.clone(), descriptor))
        });
        Self { indexes: understood.collect(), segment: Arc::clone(segment) }
    }

    pub(crate) fn segment(&self) -> &SegmentRef {
        &self.segment
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
