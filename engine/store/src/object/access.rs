//! Reads and writes objects: what is read is proven before it is handed on.
//!
//! Receives: paths from [`crate::layout`], descriptions from the manifest.
//! Hands on: bytes that are those that were written, or an error.
//! Never interprets the bytes, and deletes only what [`crate::retention`] names.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use martlet_core::ProvenBytes;
use martlet_core::limits::CHECKSUM_BLOCK_BYTES;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::proven::{MapLease, ProvenMaps};
use super::{BLOCK_BYTES, ObjectRef, block_checksum};
use crate::error::StoreError;
use crate::machine;

/// The objects of one mart.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where the mart lies in a local folder.
    maps: Option<Arc<ProvenMaps>>,
}

/// What a read of several ranges gave.
#[derive(Debug)]
pub(crate) struct RangesRead {
    /// The bytes of each range asked for.
    pub(crate) ranges: Vec<Bytes>,
    /// Bytes of the blocks that the ranges touch, each counted once.
    pub(crate) bytes_touched: u64,
}

/// Bytes of an object that are kept for later.
#[derive(Debug, Clone)]
pub struct KeptRange {
    /// The bytes.
    pub bytes: ProvenBytes,
    /// To be kept with them.
    pub lease: Lease,
}

/// What kept bytes cost, and by what their keeper tells of their use. Where they lie in a memory
/// map, those that were not used for longest leave the memory first.
#[derive(Debug, Clone)]
pub struct Lease(Stay);

#[derive(Debug, Clone)]
enum Stay {
    Mapped(MapLease),
    /// So many bytes of the heap.
    Held(usize),
}

impl Lease {
    /// Notes that the bytes are about to be used.
    pub fn used(&self) {
        if let Stay::Mapped(lease) = &self.0 {
            lease.used();
        }
    }

    /// Bytes that it takes to keep them, beside what a memory map has in memory.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        match &self.0 {
            Stay::Mapped(_) => 0,
            Stay::Held(bytes) => *bytes,
        }
    }
}

impl Objects {
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, maps: None }
    }

    /// The objects in a folder of this machine: they can be mapped.
    pub(crate) fn in_folder(folder: LocalFileSystem) -> Self {
        let maps = Some(Arc::new(ProvenMaps::of(folder.clone(), machine::mapped_bytes_default())));
        Self { store: Arc::new(folder), maps }
    }

    /// Writes an object whose path no other content has: it is named by a random id or by its
    /// own digest, so writing it again changes nothing.
    pub(crate) async fn put(&self, object: &ObjectRef, bytes: Bytes) -> Result<(), StoreError> {
        self.store
            .put(&Path::from(object.path()), bytes.into())
            .await
            .map(|_| ())
            .map_err(|source| StoreError::access("write", object.path(), source))
    }

    /// Creates the object if there is none at the path. The error is the storage's own: only
    /// the publisher knows what it means.
    pub(crate) async fn create(&self, path: &str, bytes: Bytes) -> Result<(), object_store::Error> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&Path::from(path), bytes.into(), options).await.map(|_| ())
    }

    /// The bytes of an object that proves itself (a snapshot); `None` if there is none.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        let failed = |source| StoreError::access("read", path, source);
        match self.store.get(&Path::from(path)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Writes an object that proves itself, whatever stands at the path.
    pub(crate) async fn put_sealed(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.store.put(&Path::from(path), bytes.into()).await;
        put.map(|_| ()).map_err(|source| StoreError::access("write", path, source))
    }

    /// Removes an object; it is no error if there is none.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self.store.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::access("delete", path, source)),
        }
    }

    pub(crate) async fn exists(&self, path: &str) -> Result<bool, StoreError> {
        match self.store.head(&Path::from(path)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::access("read", path, source)),
        }
    }

    /// Every object in a folder, in no order.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.store
            .list(Some(&Path::from(folder)))
            .try_collect()
            .await
            .map_err(|source| StoreError::access("list", folder, source))
    }

    /// The whole object, proven by its digest.
    pub(crate) async fn read(&self, object: &ObjectRef) -> Result<Bytes, StoreError> {
        let missing = || StoreError::damaged(object.path(), "it is missing");
        let bytes = self.get(object.path()).await?.ok_or_else(missing)?;
        if bytes.len() as u64 != object.size_bytes() {
            return Err(wrong_size(object, bytes.len() as u64));
        }
        if blake3::hash(&bytes) != blake3::Hash::from_bytes(*object.digest()) {
            return Err(StoreError::damaged(object.path(), "its digest does not match"));
        }
        Ok(bytes)
    }

    /// Some ranges of the object, each proven by the checksums of the blocks it touches.
    /// Blocks that several ranges share are fetched once.
    pub(crate) async fn read_ranges(
        &self,
        object: &ObjectRef,
        ranges: &[Range<u64>],
    ) -> Result<RangesRead, StoreError> {
        check_within(object, ranges)?;
        self.fetch(object, ranges, &block_runs(ranges)).await
    }

    /// Like [`Self::read_ranges`], but out of a memory map where the objects lie in a local
    /// folder: nothing is copied, and a block is proven the first time only.
    pub(crate) async fn map_ranges(
        &self,
        object: &ObjectRef,
        ranges: &[Range<u64>],
    ) -> Result<RangesRead, StoreError> {
        check_within(object, ranges)?;
        let runs = block_runs(ranges);
        let Some(map) = self.maps.as_ref().and_then(|maps| maps.map(object)) else {
            return self.fetch(object, ranges, &runs).await;
        };
        map.prove(&runs).await?;
        let bytes = map.bytes();
        ranges.iter().for_each(|range| drop(map.lease(range)));
        let slice = |range: &Range<u64>| bytes.slice(range.start as usize..range.end as usize);
        let bytes_touched = byte_ranges(object, &runs).map(|range| range.end - range.start).sum();
        Ok(RangesRead { ranges: ranges.iter().map(slice).collect(), bytes_touched })
    }

    /// One range, to be kept: where it lies in a memory map, it tells of each use of it.
    pub(crate) async fn map_kept(
        &self,
        object: &ObjectRef,
        range: Range<u64>,
    ) -> Result<KeptRange, StoreError> {
        check_within(object, std::slice::from_ref(&range))?;
        let runs = block_runs(std::slice::from_ref(&range));
        let Some(map) = self.maps.as_ref().and_then(|maps| maps.map(object)) else {
            let bytes = self.fetch(object, &[range], &runs).await?.ranges.swap_remove(0);
            let lease = Lease(Stay::Held(bytes.len()));
            return Ok(KeptRange { bytes: ProvenBytes::vouched_for(bytes), lease });
        };
        map.prove(&runs).await?;
        let lease = Lease(Stay::Mapped(map.lease(&range)));
        let bytes = map.bytes().slice(range.start as usize..range.end as usize);
        Ok(KeptRange { bytes: ProvenBytes::vouched_for(bytes), lease })
    }

    /// Sets how many bytes of memory maps may be in memory.
    pub(crate) fn limit_resident(&self, bytes_max: u64) {
        if let Some(maps) = &self.maps {
            maps.resident().set_limit(bytes_max);
        }
    }

    /// Bytes of memory maps that count as being in memory; `None` where nothing is mapped.
    #[cfg(test)]
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        self.maps.as_ref().map(|maps| maps.resident().bytes())
    }

    async fn fetch(
        &self,
        object: &ObjectRef,
        ranges: &[Range<u64>],
        runs: &[Range<u64>],
    ) -> Result<RangesRead, StoreError> {
        let fetched = self.fetch_runs(object, runs).await?;
        let bytes_touched = fetched.iter().map(|bytes| bytes.len() as u64).sum();
        let ranges = ranges.iter().map(|range| cut(range, runs, &fetched)).collect();
        Ok(RangesRead { ranges, bytes_touched })
    }

    async fn fetch_runs(
        &self,
        object: &ObjectRef,
        runs: &[Range<u64>],
    ) -> Result<Vec<Bytes>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let byte_ranges: Vec<Range<u64>> = byte_ranges(object, runs).collect();
        let path = Path::from(object.path());
        let fetched = match self.store.get_ranges(&path, &byte_ranges).await {
            Ok(fetched) => fetched,
            Err(source) => return Err(self.explain_failed_read(object, source).await),
        };
        for ((run, wanted), bytes) in runs.iter().zip(&byte_ranges).zip(&fetched) {
            if bytes.len() as u64 != wanted.end - wanted.start {
                return Err(StoreError::damaged(object.path(), "it ends too early"));
            }
            verify_blocks(object, run.start, bytes)?;
        }
        Ok(fetched)
    }

    /// Stores answer a range beyond the end with an error like any other, so the size tells
    /// whether the object was cut or the read may be tried again.
    async fn explain_failed_read(
        &self,
        object: &ObjectRef,
        source: object_store::Error,
    ) -> StoreError {
        match self.store.head(&Path::from(object.path())).await {
            Ok(found) if found.size != object.size_bytes() => wrong_size(object, found.size),
            Err(object_store::Error::NotFound { .. }) => {
                StoreError::damaged(object.path(), "it is missing")
            }
            _ => StoreError::access("read", object.path(), source),
        }
    }
}

fn wrong_size(object: &ObjectRef, found: u64) -> StoreError {
    let what = format!("it has {found} bytes instead of {}", object.size_bytes());
    StoreError::damaged(object.path(), what)
}

fn check_within(object: &ObjectRef, ranges: &[Range<u64>]) -> Result<(), StoreError> {
    if ranges.iter().any(|range| range.start > range.end || range.end > object.size_bytes()) {
        return Err(StoreError::damaged(object.path(), "bytes beyond its end are asked for"));
    }
    Ok(())
}

/// The bytes of the object that lie in these runs of blocks.
fn byte_ranges(object: &ObjectRef, runs: &[Range<u64>]) -> impl Iterator<Item = Range<u64>> {
    let size = object.size_bytes();
    runs.iter().map(move |run| {
        run.start * CHECKSUM_BLOCK_BYTES..(run.end * CHECKSUM_BLOCK_BYTES).min(size)
    })
}

/// The blocks that the ranges touch, as ascending runs that neither touch nor overlap.
fn block_runs(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut touched: Vec<Range<u64>> = ranges
        .iter()
        .filter(|range| !range.is_empty())
        .map(|range| range.start / CHECKSUM_BLOCK_BYTES..range.end.div_ceil(CHECKSUM_BLOCK_BYTES))
        .collect();
    touched.sort_by_key(|run| run.start);
    let mut runs: Vec<Range<u64>> = Vec::with_capacity(touched.len());
    for run in touched {
        match runs.last_mut() {
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => runs.push(run),
        }
    }
    runs
}

/// Compares the checksums of the blocks from this one on, which begin and end the bytes.
pub(super) fn verify_blocks(
    object: &ObjectRef,
    first_block: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let expected = object.block_checksums().iter().skip(first_block as usize);
    for (at, (block, expected)) in bytes.chunks(BLOCK_BYTES).zip(expected).enumerate() {
        if block_checksum(block) != *expected {
            let from = (first_block + at as u64) * CHECKSUM_BLOCK_BYTES;
            let what = format!("its bytes from {from} on do not match their checksum");
            return Err(StoreError::damaged(object.path(), what));
        }
    }
    Ok(())
}

/// The bytes of one range out of the runs fetched; every range lies within one run.
fn cut(range: &Range<u64>, runs: &[Range<u64>], fetched: &[Bytes]) -> Bytes {
    if range.is_empty() {
        return Bytes::new();
    }
    let after = runs.partition_point(|run| run.start * CHECKSUM_BLOCK_BYTES <= range.start);
    let run = after - 1;
    let origin = runs[run].start * CHECKSUM_BLOCK_BYTES;
    fetched[run].slice((range.start - origin) as usize..(range.end - origin) as usize)
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
