//! Which rows of a segment are still there.
//!
//! Receives: a segment's reference from a snapshot. Hands on: selections of row numbers.
//! Everything that reads rows or answers from an index combines its selection with these;
//! [`crate::SegmentReader`] itself gives whatever rows it is asked for.

use std::sync::Arc;

use martlet_core::Selection;

use crate::error::StoreError;
use crate::manifest::deletion::DeletedRows;
use crate::manifest::{BatchLabel, Deletion, SegmentRef};
use crate::store::Store;

/// Deleted rows that have an object of their own, by its digest and the segment's rows.
pub(crate) type DeletionCache = moka::sync::Cache<([u8; 32], u32), Arc<Selection>>;

/// Bytes of such objects that are kept in memory.
const DELETIONS_CACHED_BYTES: u64 = 256 * 1024 * 1024;

pub(crate) fn deletion_cache() -> DeletionCache {
    let bytes = |deleted: &Selection| deleted.to_bytes().len();
    moka::sync::Cache::builder()
        .max_capacity(DELETIONS_CACHED_BYTES)
        .weigher(move |_, deleted: &Arc<Selection>| {
            u32::try_from(bytes(deleted)).unwrap_or(u32::MAX)
        })
        .build()
}

impl Store {
    /// The rows of the segment that are not deleted. All of them where nothing is.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the deleted rows are not what was written,
    /// [`StoreError::Access`] if storage failed.
    pub async fn live(&self, segment: &SegmentRef) -> Result<Selection, StoreError> {
        self.left_by(segment, segment.deletions().iter()).await
    }

    /// The rows of the segment that would be there if this batch had deleted none: what a batch
    /// sees that is loaded again, because its own deletions are taken back
    /// ([`crate::Commit::append_table`]).
    ///
    /// # Errors
    /// As for [`Self::live`].
    pub async fn live_without(
        &self,
        segment: &SegmentRef,
        batch: &BatchLabel,
    ) -> Result<Selection, StoreError> {
        let others = segment.deletions().iter().filter(|deletion| deletion.batch() != batch);
        self.left_by(segment, others).await
    }

    async fn left_by(
        &self,
        segment: &SegmentRef,
        deletions: impl Iterator<Item = &Deletion>,
    ) -> Result<Selection, StoreError> {
        let mut deleted = Selection::none(segment.rows());
        let mut counted = 0;
        for deletion in deletions {
            deleted = deleted.or(&self.deleted_by(segment, deletion).await?);
            counted += u64::from(deletion.count());
        }
        if deleted.count() != counted {
            let what = "two batches deleted the same row of it";
            return Err(StoreError::damaged(segment.object().path(), what));
        }
        Ok(deleted.complement())
    }

    /// The rows that one batch deleted.
    pub(crate) async fn deleted_by(
        &self,
        segment: &SegmentRef,
        deletion: &Deletion,
    ) -> Result<Selection, StoreError> {
        let object = match &deletion.rows {
            DeletedRows::Inline(rows) => return Ok(rows.clone()),
            DeletedRows::Object(object) => object,
        };
        let key = (*object.digest(), segment.rows());
        if let Some(rows) = self.deletions().get(&key) {
            return Ok(Selection::clone(&rows));
        }
        let bytes = self.read(object).await?;
        let rows = Selection::from_bytes(segment.rows(), &bytes)
            .filter(|rows| rows.count() == u64::from(deletion.count()))
            .ok_or_else(|| StoreError::damaged(object.path(), "deleted rows are garbled"))?;
        self.deletions().insert(key, Arc::new(rows.clone()));
        Ok(rows)
    }
}
