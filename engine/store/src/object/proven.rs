//! Mapped objects whose blocks are proven once.
//!
//! Receives: descriptions of objects in a local folder. Hands on: their bytes without a copy,
//! once the checksum of every block touched was right in this process.
//! Owns the open maps and what was proven of them; both are bounded, and so is what of the maps is
//! in memory. Never reads an object that
//! lies elsewhere, and gives no bytes where a map cannot be made.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use martlet_core::limits::CHECKSUM_BLOCK_BYTES;
use moka::sync::Cache;
use object_store::local::LocalFileSystem;
use object_store::path::Path;

use super::access::verify_blocks;
use super::map::{FileState, MappedFile};
use super::resident::{Resident, ResidentMap};
use super::{BLOCK_BYTES, ObjectRef};
use crate::error::StoreError;

/// Maps that are kept open: a part of those that the system allows a process.
const MAPS_MAX: u64 = 16_384;
/// A map that nobody asked for this long is closed, so that the disk gets back the space of a
/// file that was removed; making it anew costs microseconds.
const IDLE_TIME: Duration = Duration::from_secs(600);
/// Blocks of which it is remembered whether they were proven: one bit each.
const PROOFS_MAX: u64 = 1 << 32;

/// Path and digest: two objects that differ in either share nothing.
type Key = (Arc<str>, [u8; 32]);

/// The objects of a local folder as memory.
#[derive(Debug)]
pub(crate) struct ProvenMaps {
    folder: LocalFileSystem,
    resident: Arc<Resident>,
    maps: Cache<Key, Arc<ResidentMap>>,
    /// They outlive the map, but not a change of the file.
    proofs: Cache<(Key, FileState), Arc<Proofs>>,
}

/// One object, mapped, and what is proven of it.
#[derive(Debug, Clone)]
pub(crate) struct ProvenMap {
    object: ObjectRef,
    map: Arc<ResidentMap>,
    proofs: Arc<Proofs>,
}

impl ProvenMaps {
    /// The objects of a folder, of whose maps so many bytes may be in memory.
    pub(crate) fn of(folder: LocalFileSystem, resident_bytes_max: u64) -> Self {
        let maps = Cache::builder().max_capacity(MAPS_MAX).time_to_idle(IDLE_TIME).build();
        let proofs = Cache::builder()
            .max_capacity(PROOFS_MAX / 64)
            .weigher(|_, proofs: &Arc<Proofs>| proofs.words.len().try_into().unwrap_or(u32::MAX))
            .build();
        let resident = Arc::new(Resident::new(resident_bytes_max));
        Self { folder, resident, maps, proofs }
    }

    /// How much of the maps is in memory.
    pub(crate) fn resident(&self) -> &Resident {
        &self.resident
    }

    /// The object's map; `None` if the file cannot be mapped as it is described, in which case
    /// reading it tells why.
    pub(crate) fn map(&self, object: &ObjectRef) -> Option<ProvenMap> {
        let key = (Arc::clone(&object.path), *object.digest());
        let map = match self.maps.get(&key) {
            Some(map) => map,
            None => {
                let path = self.folder.path_to_filesystem(&Path::from(object.path())).ok()?;
                let file = MappedFile::open(&path, object.size_bytes()).ok()?;
                let map = self.resident.adopt(file);
                self.maps.insert(key.clone(), Arc::clone(&map));
                map
            }
        };
        let blocks = object.block_checksums().len();
        let proofs =
            self.proofs.get_with((key, map.file().state()), || Arc::new(Proofs::none_of(blocks)));
        Some(ProvenMap { object: object.clone(), map, proofs })
    }
}

impl ProvenMap {
    /// Proves the blocks of these runs that were not proven before. Where there are some, it
    /// happens away from the threads that serve readers, for it waits for the disk.
    pub(crate) async fn prove(&self, runs: &[Range<u64>]) -> Result<(), StoreError> {
        let unproven: Vec<Range<u64>> =
            runs.iter().flat_map(|run| self.proofs.missing_in(run)).collect();
        if unproven.is_empty() {
            return Ok(());
        }
        let map = self.clone();
        if tokio::runtime::Handle::try_current().is_err() {
            return map.prove_now(&unproven);
        }
        tokio::task::spawn_blocking(move || map.prove_now(&unproven))
            .await
            .map_err(|_| StoreError::misuse("proving a map was broken off"))?
    }

    fn prove_now(&self, unproven: &[Range<u64>]) -> Result<(), StoreError> {
        let bytes = self.map.file().bytes();
        let places = || {
            unproven.iter().map(|run| {
                let from = run.start as usize * BLOCK_BYTES;
                from..(run.end as usize * BLOCK_BYTES).min(bytes.len())
            })
        };
        places().for_each(|place| self.map.file().fetch_ahead(place));
        for (run, place) in unproven.iter().zip(places()) {
            verify_blocks(&self.object, run.start, &bytes[place])?;
            self.proofs.note(run);
        }
        Ok(())
    }

    /// The whole object; only what lies in proven blocks may be handed on.
    pub(crate) fn bytes(&self) -> Bytes {
        self.map.bytes()
    }

    /// Notes that these bytes are about to be used, and hands on how to do so again.
    pub(crate) fn lease(&self, range: &Range<u64>) -> MapLease {
        // Within the map's length.
        let lease = MapLease {
            map: Arc::clone(&self.map),
            range: range.start as usize..range.end as usize,
        };
        lease.used();
        lease
    }
}

/// Bytes of a map that somebody keeps, and uses now and then.
#[derive(Debug, Clone)]
pub(crate) struct MapLease {
    map: Arc<ResidentMap>,
    range: Range<usize>,
}

impl MapLease {
    /// Notes that the bytes are about to be used.
    pub(crate) fn used(&self) {
        self.map.note_use(&self.range);
    }
}

/// For each block of an object, whether its checksum was right.
#[derive(Debug)]
struct Proofs {
    words: Box<[AtomicU64]>,
}

impl Proofs {
    fn none_of(blocks: usize) -> Self {
        Self { words: (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The unproven blocks of a run, as ascending runs.
    fn missing_in(&self, run: &Range<u64>) -> Vec<Range<u64>> {
        let mut missing: Vec<Range<u64>> = Vec::new();
        for block in run.clone().filter(|block| !self.is_proven(*block)) {
            match missing.last_mut() {
                Some(last) if last.end == block => last.end += 1,
                _ => missing.push(block..block + 1),
            }
        }
        missing
    }

    fn is_proven(&self, block: u64) -> bool {
        // Nothing else is published by a bit: the bytes were there before it, and a reader that
        // does not see it yet proves them again.
        let word = self.words.get((block / 64) as usize);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (block % 64)) != 0)
    }

    fn note(&self, run: &Range<u64>) {
        for block in run.clone() {
            if let Some(word) = self.words.get((block / 64) as usize) {
                word.fetch_or(1 << (block % 64), Ordering::Relaxed);
            }
        }
    }
}

const _: () = assert!(CHECKSUM_BLOCK_BYTES == BLOCK_BYTES as u64);

#[cfg(test)]
#[path = "proven_tests.rs"]
mod tests;
