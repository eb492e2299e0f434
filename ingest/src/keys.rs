//! The primary keys of a batch, in bounded memory: which rows have the same one as an earlier row,
//! and which keys there are.
//!
//! Receives: key digests from `check`. Hands on: the origins of the later rows to `shape`,
//! which drops them, and to `reject`. A long key is told by 128 bits of its BLAKE3 digest: the
//! chance that two different keys of a billion share one is below 10^-20.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use foldhash::fast::RandomState;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::IngestError;
use crate::origin::Origin;

/// A primary key in 16 bytes: itself where it is short, else its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyDigest([u64; 2]);

impl KeyDigest {
    /// Of a key in Arrow's row format, which is equal exactly where the key is. A key that is
    /// short enough stands for itself, with its length behind it.
    pub(crate) fn of(key: &[u8]) -> Self {
        if key.len() < 16 {
            let mut bytes = [0; 16];
            bytes[..key.len()].copy_from_slice(key);
            bytes[15] = u8::try_from(key.len()).unwrap_or(u8::MAX);
            let whole = u128::from_be_bytes(bytes);
            return Self([(whole >> 64) as u64, whole as u64]);
        }
        let digest = blake3::hash(key);
        let bytes = digest.as_bytes();
        let word = |at: usize| {
            bytes[at..at + 8].iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte))
        };
        Self([word(0), word(8)])
    }
}

impl KeyDigest {
    /// Which of the [`PARTS`] the key belongs to: by all of its bytes, so that the parts are even.
    const fn part(self) -> usize {
        let mixed = (self.0[0] ^ self.0[1].rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (u64::BITS - PART_BITS)) as usize
    }
}

/// A key and the row that has it. Sorted, the first row of a key stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyEntry {
    key: KeyDigest,
    origin: u64,
}

impl KeyEntry {
    pub(crate) const fn new(key: KeyDigest, origin: u64) -> Self {
        Self { key, origin }
    }
}

const ENTRY_BYTES: usize = 24;

/// Binary digits of a key's part.
const PART_BITS: u32 = 10;

/// Parts that all keys are cut into, so that the keys of one part fit a processor's cache.
const PARTS: usize = 1 << PART_BITS;

/// The keys of one chunk by their parts, put in order where the chunk was decoded.
#[derive(Debug)]
pub(crate) struct KeyRun {
    entries: Vec<KeyEntry>,
    /// Where each part begins, and where the last ends.
    offsets: Vec<u32>,
}

impl KeyRun {
    /// Of the keys of a chunk, which is far below 2^32 rows long.
    pub(crate) fn of(unordered: &[KeyEntry]) -> Self {
        let mut offsets = vec![0_u32; PARTS + 1];
        unordered.iter().for_each(|entry| offsets[entry.key.part() + 1] += 1);
        let mut end = 0;
        for offset in &mut offsets {
            end += *offset;
            *offset = end;
        }
        let mut next = offsets.clone();
        let mut entries = unordered.to_vec();
        for entry in unordered {
            let place = &mut next[entry.key.part()];
            entries[*place as usize] = *entry;
            *place += 1;
        }
        Self { entries, offsets }
    }

    /// How many entries take as much memory.
    fn weight(&self) -> usize {
        self.entries.len() + size_of_val(&*self.offsets).div_ceil(ENTRY_BYTES)
    }

    fn part(&self, part: usize) -> &[KeyEntry] {
        &self.entries[self.offsets[part] as usize..self.offsets[part + 1] as usize]
    }
}

/// Collects the keys of one table.
#[derive(Debug)]
pub(crate) struct KeyCollector {
    /// As they come: joining them would take as much memory again.
    held: Vec<KeyRun>,
    /// How many entries take as much memory as what is held.
    held_entries: usize,
    held_max: usize,
    runs: Vec<File>,
    scratch: PathBuf,
}

impl KeyCollector {
    /// Holds at most `budget_bytes` in memory, or one chunk; the rest goes to unnamed files in
    /// `scratch`.
    pub(crate) fn new(budget_bytes: usize, scratch: &Path) -> Self {
        Self {
            held: Vec::new(),
            held_entries: 0,
            held_max: (budget_bytes / ENTRY_BYTES).max(2),
            runs: Vec::new(),
            scratch: scratch.to_path_buf(),
        }
    }

    /// Adds the rows of one chunk.
    pub(crate) fn add(&mut self, run: KeyRun) -> Result<(), IngestError> {
        if run.entries.is_empty() {
            return Ok(());
        }
        if self.held_entries + run.weight() > self.held_max {
            self.spill().map_err(|error| IngestError::scratch(&self.scratch, error))?;
        }
        self.held_entries += run.weight();
        self.held.push(run);
        Ok(())
    }

    /// The origins of all rows but the first of each key, ascending, and the keys.
    pub(crate) fn finish(mut self) -> Result<(Vec<Origin>, SortedKeys), IngestError> {
        let scratch = std::mem::take(&mut self.scratch);
        self.find_later().map_err(|error| IngestError::scratch(&scratch, error))
    }

    fn find_later(mut self) -> io::Result<(Vec<Origin>, SortedKeys)> {
        let part_keys = self.held_max;
        let (mut later, source) = if self.runs.is_empty() {
            (later_of(&self.held), KeySource::Held(self.held))
        } else {
            self.spill()?;
            let mut later = Later::default();
            let mut merged = MergedKeys::open(&mut self.runs)?;
            while let Some(entry) = merged.next()? {
                later.see(entry);
            }
            (later.origins, KeySource::Merged(MergedKeys::open(&mut self.runs)?))
        };
        later.sort_unstable();
        Ok((later, SortedKeys { source, part_keys }))
    }

    fn spill(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.held_entries) == 0 {
            return Ok(());
        }
        let mut writer = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(&self.scratch)?);
        let mut entries = Vec::new();
        for part in 0..PARTS {
            gather(&held, part, &mut entries);
            entries.sort_unstable();
            for entry in &entries {
                writer.write_all(&entry.key.0[0].to_le_bytes())?;
                writer.write_all(&entry.key.0[1].to_le_bytes())?;
                writer.write_all(&entry.origin.to_le_bytes())?;
            }
        }
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.runs.push(file);
        Ok(())
    }
}

/// The entries of a part, chunk by chunk.
fn gather(held: &[KeyRun], part: usize, into: &mut Vec<KeyEntry>) {
    into.clear();
    held.iter().for_each(|run| into.extend_from_slice(run.part(part)));
}

/// The origins of all rows but the first of each key, in no order. Only a part that has a key
/// twice is sorted.
fn later_of(held: &[KeyRun]) -> Vec<Origin> {
    let of_part = |(seen, entries): &mut (KeySet, Vec<KeyEntry>), part| {
        seen.clear();
        let mut all = held.iter().flat_map(|run| run.part(part));
        let mut later = Later::default();
        if !all.all(|entry| seen.insert(entry.key)) {
            gather(held, part, entries);
            entries.sort_unstable();
            entries.iter().for_each(|entry| later.see(*entry));
        }
        later.origins
    };
    let parts = (0..PARTS).into_par_iter();
    parts.map_init(Default::default, of_part).flatten_iter().collect()
}

/// Watches sorted entries go by and keeps those whose key went by before.
#[derive(Debug, Default)]
struct Later {
    last: Option<KeyDigest>,
    origins: Vec<Origin>,
}

impl Later {
    fn see(&mut self, entry: KeyEntry) {
        if self.last == Some(entry.key) {
            self.origins.push(Origin::from_bits(entry.origin));
        }
        self.last = Some(entry.key);
    }
}

/// The keys of a batch, to be gone through in parts that fit in memory.
#[derive(Debug)]
pub(crate) struct SortedKeys {
    source: KeySource,
    /// Keys of one part at most.
    part_keys: usize,
}

#[derive(Debug)]
enum KeySource {
    Held(Vec<KeyRun>),
    Merged(MergedKeys),
}

impl SortedKeys {
    /// The next keys, each at least once; `None` when all were told.
    pub(crate) fn next_part(&mut self) -> io::Result<Option<KeySet>> {
        let part: KeySet = match &mut self.source {
            KeySource::Held(held) => {
                let entries = std::mem::take(held).into_iter().flat_map(|run| run.entries);
                entries.map(|entry| entry.key).collect()
            }
            KeySource::Merged(merged) => {
                let mut part = KeySet::default();
                while part.len() < self.part_keys {
                    let Some(entry) = merged.next()? else { break };
                    part.insert(entry.key);
                }
                part
            }
        };
        Ok((!part.is_empty()).then_some(part))
    }
}

/// Some keys of a batch.
pub(crate) type KeySet = HashSet<KeyDigest, RandomState>;

/// The entries of several files as one sequence, sorted as the files are: by part, then by key.
#[derive(Debug)]
struct MergedKeys {
    readers: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(usize, KeyEntry, usize)>>,
}

impl MergedKeys {
    /// Reads the files from their beginning. Only one may be open over them at a time.
    fn open(runs: &mut [File]) -> io::Result<Self> {
        let mut readers = Vec::with_capacity(runs.len());
        for run in runs {
            run.rewind()?;
            readers.push(BufReader::with_capacity(1 << 18, run.try_clone()?));
        }
        let mut heads = BinaryHeap::new();
        for (run, reader) in readers.iter_mut().enumerate() {
            heads.extend(read_entry(reader)?.map(|entry| Reverse((entry.key.part(), entry, run))));
        }
        Ok(Self { readers, heads })
    }

    fn next(&mut self) -> io::Result<Option<KeyEntry>> {
        let Some(Reverse((_, entry, run))) = self.heads.pop() else { return Ok(None) };
        let next = read_entry(&mut self.readers[run])?;
        self.heads.extend(next.map(|next| Reverse((next.key.part(), next, run))));
        Ok(Some(entry))
    }
}

fn read_entry(reader: &mut impl Read) -> io::Result<Option<KeyEntry>> {
    let mut bytes = [0; ENTRY_BYTES];
    match reader.read_exact(&mut bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let word = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(eight)
    };
    Ok(Some(KeyEntry { key: KeyDigest([word(0), word(8)]), origin: word(16) }))
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
