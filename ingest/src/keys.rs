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
use rayon::slice::ParallelSliceMut;

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

/// Collects the keys of one table.
#[derive(Debug)]
pub(crate) struct KeyCollector {
    held: Vec<KeyEntry>,
    held_max: usize,
    runs: Vec<File>,
    scratch: PathBuf,
}

impl KeyCollector {
    /// Holds at most `budget_bytes` in memory; the rest goes to unnamed files in `scratch`.
    pub(crate) fn new(budget_bytes: usize, scratch: &Path) -> Self {
        Self {
            held: Vec::new(),
            held_max: (budget_bytes / ENTRY_BYTES).max(2),
            runs: Vec::new(),
            scratch: scratch.to_path_buf(),
        }
    }

    /// Adds the rows of one chunk.
    pub(crate) fn add(&mut self, mut entries: &[KeyEntry]) -> Result<(), IngestError> {
        while !entries.is_empty() {
            if self.held.len() == self.held_max {
                self.spill().map_err(|error| IngestError::scratch(&self.scratch, error))?;
            }
            let (fitting, rest) =
                entries.split_at(entries.len().min(self.held_max - self.held.len()));
            self.held.extend_from_slice(fitting);
            entries = rest;
        }
        Ok(())
    }

    /// The origins of all rows but the first of each key, ascending, and the keys.
    pub(crate) fn finish(mut self) -> Result<(Vec<Origin>, SortedKeys), IngestError> {
        let scratch = std::mem::take(&mut self.scratch);
        self.find_later().map_err(|error| IngestError::scratch(&scratch, error))
    }

    fn find_later(mut self) -> io::Result<(Vec<Origin>, SortedKeys)> {
        let mut later = Later::default();
        let part_keys = self.held_max;
        let source = if self.runs.is_empty() {
            self.held.par_sort_unstable();
            self.held.iter().for_each(|entry| later.see(*entry));
            KeySource::Held(self.held)
        } else {
            self.spill()?;
            let mut merged = MergedKeys::open(&mut self.runs)?;
            while let Some(entry) = merged.next()? {
                later.see(entry);
            }
            KeySource::Merged(MergedKeys::open(&mut self.runs)?)
        };
        later.origins.sort_unstable();
        Ok((later.origins, SortedKeys { source, part_keys }))
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.held.par_sort_unstable();
        let mut writer = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(&self.scratch)?);
        for entry in &self.held {
            writer.write_all(&entry.key.0[0].to_le_bytes())?;
            writer.write_all(&entry.key.0[1].to_le_bytes())?;
            writer.write_all(&entry.origin.to_le_bytes())?;
        }
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.runs.push(file);
        self.held.clear();
        Ok(())
    }
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
    Held(Vec<KeyEntry>),
    Merged(MergedKeys),
}

impl SortedKeys {
    /// The next keys, each at least once; `None` when all were told.
    pub(crate) fn next_part(&mut self) -> io::Result<Option<KeySet>> {
        let part: KeySet = match &mut self.source {
            KeySource::Held(held) => std::mem::take(held).iter().map(|entry| entry.key).collect(),
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

/// The entries of several sorted files as one sorted sequence.
#[derive(Debug)]
struct MergedKeys {
    readers: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(KeyEntry, usize)>>,
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
            heads.extend(read_entry(reader)?.map(|entry| Reverse((entry, run))));
        }
        Ok(Self { readers, heads })
    }

    fn next(&mut self) -> io::Result<Option<KeyEntry>> {
        let Some(Reverse((entry, run))) = self.heads.pop() else { return Ok(None) };
        let next = read_entry(&mut self.readers[run])?;
        self.heads.extend(next.map(|next| Reverse((next, run))));
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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Sorting in memory and merging spilled runs both agree with the plain way, and tell
        /// every key.
        #[test]
        fn later_rows_are_found(keys in prop::collection::vec(0_u8..40, 0..200), held_max in 2_usize..50) {
            let scratch = tempfile::tempdir().unwrap();
            let mut collector = KeyCollector::new(held_max * ENTRY_BYTES, scratch.path());
            let mut seen = BTreeSet::new();
            let mut expected = Vec::new();
            for (row, key) in keys.iter().enumerate() {
                collector.add(&[KeyEntry::new(KeyDigest::of(&[*key]), row as u64)]).unwrap();
                if !seen.insert(key) {
                    expected.push(Origin::from_bits(row as u64));
                }
            }
            let (later, mut sorted) = collector.finish().unwrap();
            prop_assert_eq!(later, expected);
            let mut told = KeySet::default();
            while let Some(part) = sorted.next_part().unwrap() {
                told.extend(part);
            }
            prop_assert_eq!(told, seen.iter().map(|key| KeyDigest::of(&[**key])).collect());
            prop_assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        }
    }
}
