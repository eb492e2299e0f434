//! The door to a mart's storage: open it, find snapshots, read what they name, begin a commit.
//!
//! Owns the caches of what is immutable anyway (tables' parts, Parquet metadata, open maps). Never deletes;
//! [`crate::retention`] does.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use martlet_core::{BatchDate, SnapshotNumber, TableName, TableSchema};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use url::Url;

use crate::commit::Commit;
use crate::error::StoreError;
use crate::layout;
use crate::live::{DeletionCache, deletion_cache};
use crate::manifest::codec::{self, SnapshotHead};
use crate::manifest::{SegmentRef, TableVersion};
use crate::object::ObjectRef;
use crate::object::access::{KeptRange, Objects};
use crate::segment::reader::{MetadataCache, SegmentReader, metadata_cache};
use crate::snapshot::{Snapshot, SnapshotSummary, newest_date};

/// Bytes of Parquet metadata that are kept.
const METADATA_CACHE_BYTES: u64 = 256 * 1024 * 1024;
/// Table versions that are kept; those of the latest snapshots are what is asked for.
const TABLES_CACHED: u64 = 1_024;
/// Objects that are read at the same time when many snapshots or tables are.
const READS_AT_ONCE: usize = 8;

/// A mart's storage; cloning it is cheap, and clones share their caches.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    objects: Objects,
    metadata: MetadataCache,
    tables: moka::sync::Cache<[u8; 32], Arc<TableVersion>>,
    deletions: DeletionCache,
    /// The highest number that was ever seen; snapshots are found by asking for the next one,
    /// because a list may lag behind.
    seen: AtomicU64,
}

impl Store {
    /// Opens the mart at a URL (`file:///…`, `memory://`) or in a folder, which is created if
    /// it is not there. Writes to files are synced to disk before they count as done.
    ///
    /// # Errors
    /// [`StoreError::Location`] if the place cannot hold a mart.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        let refused =
            |reason: String| StoreError::Location { location: location.to_owned(), reason };
        match Url::parse(location) {
            Ok(url) if url.scheme() == "memory" => Ok(Self::over(Arc::new(InMemory::new()))),
            Ok(url) if url.scheme() == "file" => {
                let folder = url.to_file_path().map_err(|()| {
                    refused("a file URL names an absolute path: file:///…".to_owned())
                })?;
                Self::open_folder(&folder).map_err(refused)
            }
            Ok(url) if location.contains("://") => {
                let reason = format!("this build does not know the scheme `{}`", url.scheme());
                Err(refused(reason))
            }
            _ => Self::open_folder(std::path::Path::new(location)).map_err(refused),
        }
    }

    fn open_folder(folder: &std::path::Path) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let files = LocalFileSystem::new_with_prefix(folder).map_err(|error| error.to_string())?;
        Ok(Self::of(Objects::in_folder(files.with_fsync(true))))
    }

    /// The mart in this object store, which must be able to create an object conditionally and
    /// must have made it durable when it says so.
    #[must_use]
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self::of(Objects::over(store))
    }

    fn of(objects: Objects) -> Self {
        let inner = Inner {
            objects,
            metadata: metadata_cache(METADATA_CACHE_BYTES),
            tables: moka::sync::Cache::new(TABLES_CACHED),
            deletions: deletion_cache(),
            seen: AtomicU64::new(SnapshotNumber::EMPTY.get()),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    pub(crate) fn deletions(&self) -> &DeletionCache {
        &self.inner.deletions
    }

    pub(crate) fn note_published(&self, number: SnapshotNumber) {
        self.inner.seen.fetch_max(number.get(), Ordering::Relaxed);
    }

    /// The latest snapshot; snapshot 0 if nothing was ever committed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] rather than an older snapshot, if the latest is not whole.
    pub async fn latest(&self) -> Result<Snapshot, StoreError> {
        self.snapshot(self.latest_number().await?).await
    }

    /// The number of the latest snapshot: cheap enough to be asked often.
    ///
    /// # Errors
    /// [`StoreError::Access`] if storage failed.
    pub async fn latest_number(&self) -> Result<SnapshotNumber, StoreError> {
        let mut latest = SnapshotNumber::new(self.inner.seen.load(Ordering::Relaxed));
        if latest == SnapshotNumber::EMPTY {
            latest = self.numbers().await?.last().copied().unwrap_or(latest);
        }
        while self.objects().exists(&layout::snapshot(latest.next())).await? {
            latest = latest.next();
        }
        self.note_published(latest);
        Ok(latest)
    }

    /// The snapshot of that number.
    ///
    /// # Errors
    /// [`StoreError::NoSnapshot`] if there is none, [`StoreError::Damaged`] if it is not whole.
    pub async fn snapshot(&self, number: SnapshotNumber) -> Result<Snapshot, StoreError> {
        if number == SnapshotNumber::EMPTY {
            return Ok(Snapshot::empty());
        }
        let head = self.head(number).await?;
        let tables: BTreeMap<TableName, Arc<TableVersion>> = stream::iter(head.tables.clone())
            .map(|(name, part)| async move { Ok((name, self.table_version(&part).await?)) })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(Snapshot::new(head, tables))
    }

    /// All snapshots, ascending; snapshot 0 is not among them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if one is not whole.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotSummary>, StoreError> {
        let heads = self.heads().await?;
        Ok(heads.iter().map(SnapshotSummary::from).collect())
    }

    /// The mart as of a business date: the latest snapshot that holds no batch of a later date
    /// (and at least one batch). A correction of that day that came after the next day's batch
    /// is therefore not in it; policies and principals are those of that snapshot.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a snapshot is not whole.
    pub async fn snapshot_of(&self, date: BatchDate) -> Result<Option<Snapshot>, StoreError> {
        let numbers = self.numbers().await?;
        // The newest date never falls from one snapshot to the next: batches only come.
        let (mut at_or_before, mut after) = (0, numbers.len());
        while at_or_before < after {
            let middle = usize::midpoint(at_or_before, after);
            let newest = newest_date(&self.head(numbers[middle]).await?);
            if newest.is_none_or(|newest| newest <= date) {
                at_or_before = middle + 1;
            } else {
                after = middle;
            }
        }
        let Some(last) = at_or_before.checked_sub(1) else { return Ok(None) };
        let snapshot = self.snapshot(numbers[last]).await?;
        Ok(snapshot.newest_date().is_some().then_some(snapshot))
    }

    /// The policies of the snapshots after one and up to another, as far as they are kept,
    /// ascending; one that several hold one after the other is there once.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a snapshot is not whole.
    pub async fn policies_between(
        &self,
        after: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<ObjectRef>, StoreError> {
        self.documents_between(after, last, |head| head.policy).await
    }

    /// The same of what the mart keeps of emergencies.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a snapshot is not whole.
    pub async fn emergencies_between(
        &self,
        after: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<ObjectRef>, StoreError> {
        self.documents_between(after, last, |head| head.emergencies).await
    }

    async fn documents_between(
        &self,
        after: SnapshotNumber,
        last: SnapshotNumber,
        of: impl Fn(SnapshotHead) -> Option<ObjectRef>,
    ) -> Result<Vec<ObjectRef>, StoreError> {
        let mut documents: Vec<ObjectRef> = Vec::new();
        let between = |number: &SnapshotNumber| *number > after && *number <= last;
        for number in self.numbers().await?.into_iter().filter(between) {
            let document = match self.head(number).await {
                Ok(head) => of(head),
                // It is being retired; the later ones stay.
                Err(StoreError::NoSnapshot { .. }) => None,
                Err(error) => return Err(error),
            };
            documents.extend(document.filter(|document| documents.last() != Some(document)));
        }
        Ok(documents)
    }

    /// The whole object, proven.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not what was written.
    pub async fn read(&self, object: &ObjectRef) -> Result<Bytes, StoreError> {
        self.objects().read(object).await
    }

    /// Some bytes of an object, proven by block.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if they are not what was written, or the range is not in it.
    pub async fn read_range(
        &self,
        object: &ObjectRef,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        Ok(self.read_ranges(object, &[range]).await?.swap_remove(0))
    }

    /// Several ranges of an object at once, in the order asked for, each proven by block;
    /// blocks that they share are fetched once.
    ///
    /// # Errors
    /// As for [`Self::read_range`].
    pub async fn read_ranges(
        &self,
        object: &ObjectRef,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, StoreError> {
        Ok(self.objects().read_ranges(object, ranges).await?.ranges)
    }

    /// Some bytes of an object without a copy, where the mart lies in a local folder: they are
    /// of a memory map of its file. The blocks that they touch are proven the first time only,
    /// once for each opened store. Elsewhere the bytes are those of [`Self::read_range`].
    ///
    /// # Errors
    /// As for [`Self::read_range`].
    pub async fn map_range(
        &self,
        object: &ObjectRef,
        range: Range<u64>,
    ) -> Result<KeptRange, StoreError> {
        self.objects().map_kept(object, range).await
    }

    /// Sets how many bytes of mapped files may count as this process's memory, which is
    /// [`crate::machine::mapped_bytes_default`] before: beyond, those used longest ago are left
    /// to the system's file cache, from where they come back when they are used again.
    pub fn limit_mapped_bytes(&self, bytes_max: u64) {
        self.objects().limit_resident(bytes_max);
    }

    /// Opens a segment of a table that has this schema.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not what was written.
    pub async fn open_segment(
        &self,
        schema: &TableSchema,
        segment: &SegmentRef,
    ) -> Result<SegmentReader, StoreError> {
        let objects = self.objects().clone();
        SegmentReader::open(objects, &self.inner.metadata, schema, segment).await
    }

    /// Begins a set of changes to this snapshot. Nothing is visible before it is published.
    #[must_use]
    pub fn begin(&self, base: &Snapshot) -> Commit {
        Commit::new(self.clone(), base.clone())
    }

    /// The numbers in the list of snapshots, ascending.
    pub(crate) async fn numbers(&self) -> Result<Vec<SnapshotNumber>, StoreError> {
        let listed = self.objects().list(layout::SNAPSHOTS).await?;
        let mut numbers: Vec<_> = listed
            .iter()
            .filter_map(|object| layout::snapshot_number(object.location.as_ref()))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Every snapshot but those that are retired while they are looked for.
    pub(crate) async fn heads(&self) -> Result<Vec<SnapshotHead>, StoreError> {
        let numbers = self.numbers().await?;
        let found: Vec<Option<SnapshotHead>> = stream::iter(numbers)
            .map(|number| async move {
                match self.head(number).await {
                    Ok(head) => Ok(Some(head)),
                    Err(StoreError::NoSnapshot { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn head(&self, number: SnapshotNumber) -> Result<SnapshotHead, StoreError> {
        let path = layout::snapshot(number);
        let sealed = self.objects().get(&path).await?;
        codec::decode_snapshot(&path, number, &sealed.ok_or(StoreError::NoSnapshot { number })?)
    }

    pub(crate) async fn table_version(
        &self,
        part: &ObjectRef,
    ) -> Result<Arc<TableVersion>, StoreError> {
        if let Some(table) = self.inner.tables.get(part.digest()) {
            return Ok(table);
        }
        let sealed = self.objects().read(part).await?;
        let table = Arc::new(codec::decode_table(part, &sealed)?);
        self.inner.tables.insert(*part.digest(), Arc::clone(&table));
        Ok(table)
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
