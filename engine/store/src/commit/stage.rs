//! Writes segments and their attachments, which nobody sees before the commit is published.
//!
//! Receives: sorted rows from the load, index bytes from the index builder.
//! Hands on: a [`StagedSegment`] to the commit. Never makes anything visible.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use martlet_core::{SegmentId, TableName, TableSchema};

use super::{Commit, segment_of};
use crate::error::StoreError;
use crate::layout;
use crate::manifest::{AttachmentRef, BatchLabel, SegmentRef};
use crate::object::ObjectRef;
use crate::segment::writer;

/// A segment that was written durably and is not visible yet.
#[derive(Debug)]
pub struct StagedSegment {
    schema: Arc<TableSchema>,
    segment: SegmentRef,
}

impl StagedSegment {
    /// What the manifest will say of it.
    #[must_use]
    pub const fn segment(&self) -> &SegmentRef {
        &self.segment
    }

    /// How many rows it has.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.segment.rows
    }

    /// Bytes that it and its attachments take in storage.
    #[must_use]
    pub fn bytes_stored(&self) -> u64 {
        let attached = self.segment.attachments.iter();
        let attached: u64 = attached.map(|attachment| attachment.object().size_bytes()).sum();
        self.segment.object.size_bytes() + attached
    }

    pub(crate) fn schema(&self) -> &TableSchema {
        &self.schema
    }

    pub(crate) fn into_segment(self) -> Arc<SegmentRef> {
        Arc::new(self.segment)
    }
}

impl Commit {
    /// Writes these rows as one segment: 1 to [`martlet_core::limits::SEGMENT_ROWS_MAX`] of
    /// them, in stored types, over all batches sorted ascending by the table's cluster key with
    /// nulls first. May be called for several segments at once.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the rows do not fit the schema or are not sorted,
    /// [`StoreError::Access`] if storage failed.
    pub async fn stage_segment(
        &self,
        schema: &TableSchema,
        batch: &BatchLabel,
        rows: &[RecordBatch],
    ) -> Result<StagedSegment, StoreError> {
        let schema = Arc::new(schema.clone());
        let encoded = writer::encode_blocking(Arc::clone(&schema), rows.to_vec()).await?;
        let id = SegmentId::from_bytes(*uuid::Uuid::new_v4().as_bytes());
        let bytes = Bytes::from(encoded.bytes);
        let object = self.put(&layout::segment(schema.name(), id), bytes).await?;
        let segment = SegmentRef {
            id,
            rows: encoded.rows,
            object,
            batch: batch.clone(),
            attachments: Vec::new(),
            deletions: Vec::new(),
        };
        Ok(StagedSegment { schema, segment })
    }

    /// Writes an object beside the segment. `descriptor` is kept in the manifest, to be read
    /// without opening the object.
    ///
    /// # Errors
    /// [`StoreError::Access`] if storage failed.
    pub async fn attach(
        &self,
        staged: &mut StagedSegment,
        bytes: Bytes,
        descriptor: Bytes,
    ) -> Result<(), StoreError> {
        let ordinal = staged.segment.attachments.len();
        let path = layout::attachment(staged.schema.name(), staged.segment.id, ordinal);
        let object = self.put(&path, bytes).await?;
        staged.segment.attachments.push(AttachmentRef::new(object, descriptor));
        Ok(())
    }

    /// Writes an object beside a segment that the base has. It is seen by nobody until it is
    /// given to [`Self::replace_attachments`] and the commit is published.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if the base's table has no such segment,
    /// [`StoreError::Access`] if storage failed.
    pub async fn attach_to(
        &self,
        table: &TableName,
        segment: SegmentId,
        bytes: Bytes,
        descriptor: Bytes,
    ) -> Result<AttachmentRef, StoreError> {
        segment_of(self.base(), table, segment)?;
        let name = *uuid::Uuid::new_v4().as_bytes();
        let object = self.put(&layout::later_attachment(table, segment, name), bytes).await?;
        Ok(AttachmentRef::new(object, descriptor))
    }

    pub(super) async fn put(&self, path: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        let object = ObjectRef::describe(path, &bytes);
        self.store.objects().put(&object, bytes).await?;
        Ok(object)
    }
}
