//! How much of the mapped files counts as this process's memory, and what is given back first.
//!
//! Receives: maps, and which of their bytes are handed out or used again. Keeps a stamp for each
//! extent of each map, and gives back those used longest ago once all together exceed a limit.
//! An extent counts as a whole from its first use on, touched or not: what is counted is an
//! upper bound, but for a reader that goes on using what was given back to the file cache
//! meanwhile, which is counted again from its next use on. Never waits for a reader and never
//! takes bytes away: they come back when they are touched.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use super::BLOCK_BYTES;
use super::map::{FileState, MappedFile};

/// Bytes that count, and are given back, together: those that are proven together, all of which
/// were touched then. Were they more, a reader of scattered pages would seem to use a whole file.
const EXTENT_BYTES: usize = BLOCK_BYTES;

/// The account of all maps of a store.
#[derive(Debug)]
pub(crate) struct Resident {
    bytes_max: AtomicU64,
    bytes: AtomicU64,
    /// Counts uses.
    clock: AtomicU64,
    maps: Mutex<HashMap<FileState, Weak<ResidentMap>>>,
}

/// A map whose use is accounted.
#[derive(Debug)]
pub(crate) struct ResidentMap {
    file: MappedFile,
    /// When each extent was last used; 0 for one that was given back.
    used_at: Box<[AtomicU64]>,
    account: Arc<Resident>,
}

/// The map as the owner of the bytes that are handed out.
struct Held(Arc<ResidentMap>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.file.bytes()
    }
}

impl Resident {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max: AtomicU64::new(bytes_max),
            bytes: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            maps: Mutex::default(),
        }
    }

    /// How many bytes count.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// From now on at most so many bytes.
    pub(crate) fn set_limit(&self, bytes_max: u64) {
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
        self.keep_to_the_limit();
    }

    /// Takes a map into the account. If the same file is mapped already, that map is handed out:
    /// two maps of a file would count twice.
    pub(crate) fn adopt(self: &Arc<Self>, file: MappedFile) -> Arc<ResidentMap> {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = maps.get(&file.state()).and_then(Weak::upgrade) {
            return known;
        }
        let extents = file.bytes().len().div_ceil(EXTENT_BYTES);
        let used_at = (0..extents).map(|_| AtomicU64::new(0)).collect();
        let state = file.state();
        let map = Arc::new(ResidentMap { file, used_at, account: Arc::clone(self) });
        if maps.len() == maps.capacity() {
            maps.retain(|_, map| map.strong_count() > 0);
        }
        maps.insert(state, Arc::downgrade(&map));
        map
    }

    fn keep_to_the_limit(&self) {
        let bytes_max = self.bytes_max.load(Ordering::Relaxed);
        if self.bytes.load(Ordering::Relaxed) > bytes_max {
            // Some more than needed, so that it is not needed again at once.
            self.release_down_to(bytes_max / 4 * 3);
        }
    }

    fn release_down_to(&self, goal: u64) {
        // Who finds the account locked leaves the work to whoever is at it.
        let Ok(maps) = self.maps.try_lock() else { return };
        let maps_alive: Vec<Arc<ResidentMap>> = maps.values().filter_map(Weak::upgrade).collect();
        drop(maps);
        let mut by_age: Vec<(u64, usize, usize)> = Vec::new();
        for (number, map) in maps_alive.iter().enumerate() {
            let stamps = map.used_at.iter().map(|stamp| stamp.load(Ordering::Relaxed)).enumerate();
            let used = stamps.filter(|(_, stamp)| *stamp > 0);
            by_age.extend(used.map(|(extent, stamp)| (stamp, number, extent)));
        }
        by_age.sort_unstable();
        let mut given_back: Vec<(usize, usize)> = Vec::new();
        for (stamp, number, extent) in by_age {
            if self.bytes.load(Ordering::Relaxed) <= goal {
                break;
            }
            if maps_alive[number].forget(extent, stamp) {
                given_back.push((number, extent));
            }
        }
        given_back.sort_unstable();
        for run in given_back.chunk_by(|(of, at), (other, next)| of == other && at + 1 == *next) {
            let (number, first) = run[0];
            maps_alive[number].release(first..first + run.len());
        }
    }
}

impl ResidentMap {
    pub(crate) const fn file(&self) -> &MappedFile {
        &self.file
    }

    /// All bytes of the file, without a copy.
    pub(crate) fn bytes(self: &Arc<Self>) -> Bytes {
        Bytes::from_owner(Held(Arc::clone(self)))
    }

    /// Notes that these bytes are about to be used.
    pub(crate) fn note_use(&self, range: &Range<usize>) {
        if range.is_empty() {
            return;
        }
        let now = self.account.clock.fetch_add(1, Ordering::Relaxed) + 1;
        let mut new = 0;
        for extent in range.start / EXTENT_BYTES..range.end.div_ceil(EXTENT_BYTES) {
            let stamp = self.used_at.get(extent);
            if stamp.is_some_and(|stamp| stamp.swap(now, Ordering::Relaxed) == 0) {
                new += self.place(&(extent..extent + 1)).len() as u64;
            }
        }
        if new > 0 {
            self.account.bytes.fetch_add(new, Ordering::Relaxed);
            self.account.keep_to_the_limit();
        }
    }

    /// Takes an extent out of the account, unless it was used since.
    fn forget(&self, extent: usize, stamp: u64) -> bool {
        let slot = &self.used_at[extent];
        let is_old = slot.compare_exchange(stamp, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_old {
            let bytes = self.place(&(extent..extent + 1)).len() as u64;
            self.account.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_old
    }

    fn release(&self, extents: Range<usize>) {
        self.file.release(self.place(&extents));
    }

    /// The bytes of some extents.
    fn place(&self, extents: &Range<usize>) -> Range<usize> {
        extents.start * EXTENT_BYTES..(extents.end * EXTENT_BYTES).min(self.file.bytes().len())
    }
}

impl Drop for ResidentMap {
    fn drop(&mut self) {
        for extent in 0..self.used_at.len() {
            let stamp = self.used_at[extent].load(Ordering::Relaxed);
            if stamp > 0 {
                self.forget(extent, stamp);
            }
        }
    }
}

#[cfg(test)]
#[path = "resident_tests.rs"]
mod tests;
