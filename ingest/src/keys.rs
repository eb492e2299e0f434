//! Finds rows of a batch that have the same primary key as an earlier one, in bounded memory.
//!
//! Receives: key digests from `check`. Hands on: the origins of the later rows to `shape`,
//! which drops them, and to `reject`. A key is told by 128 bits of its BLAKE3 digest: the
//! chance that two different keys of a billion share one is below 10^-20.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rayon::slice::ParallelSliceMut;

use crate::error::IngestError;
use crate::origin::Origin;

/// A primary key's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyDigest([u64; 2]);

impl KeyDigest {
    /// Of a key in Arrow's row format, which is equal exactly where the key is.
    pub(crate) fn of(key: &[u8]) -> Self {
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
struct Entry {
    key: KeyDigest,
    origin: u64,
}

const ENTRY_BYTES: usize = 24;

/// Collects the keys of one table.
#[derive(Debug)]
pub(crate) struct KeyCollector {
    held: Vec<Entry>,
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
    pub(crate) fn add(&mut self, keys: &[KeyDigest], origins: &[u64]) -> Result<(), IngestError> {
        for (key, origin) in keys.iter().zip(origins) {
            if self.held.len() == self.held_max {
                self.spill().map_err(|error| IngestError::scratch(&self.scratch, error))?;
            }
            self.held.push(Entry { key: *key, origin: *origin });
        }
        Ok(())
    }

    /// The origins of all rows but the first of each key, ascending.
    pub(crate) fn later_rows(mut self) -> Result<Vec<Origin>, IngestError> {
        let scratch = std::mem::take(&mut self.scratch);
        self.find_later().map_err(|error| IngestError::scratch(&scratch, error))
    }

    fn find_later(mut self) -> io::Result<Vec<Origin>> {
        let mut later = Later::default();
        if self.runs.is_empty() {
            self.held.par_sort_unstable();
            self.held.iter().for_each(|entry| later.see(*entry));
        } else {
            self.spill()?;
            merge(self.runs, |entry| later.see(entry))?;
        }
        later.origins.sort_unstable();
        Ok(later.origins)
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
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
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
    fn see(&mut self, entry: Entry) {
        if self.last == Some(entry.key) {
            self.origins.push(Origin::from_bits(entry.origin));
        }
        self.last = Some(entry.key);
    }
}

fn merge(runs: Vec<File>, mut see: impl FnMut(Entry)) -> io::Result<()> {
    let mut readers: Vec<_> =
        runs.into_iter().map(|run| BufReader::with_capacity(1 << 18, run)).collect();
    let mut heads = BinaryHeap::new();
    for (run, reader) in readers.iter_mut().enumerate() {
        heads.extend(read_entry(reader)?.map(|entry| Reverse((entry, run))));
    }
    while let Some(Reverse((entry, run))) = heads.pop() {
        see(entry);
        heads.extend(read_entry(&mut readers[run])?.map(|next| Reverse((next, run))));
    }
    Ok(())
}

fn read_entry(reader: &mut impl Read) -> io::Result<Option<Entry>> {
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
    Ok(Some(Entry { key: KeyDigest([word(0), word(8)]), origin: word(16) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Sorting in memory and merging spilled runs both agree with the plain way.
        #[test]
        fn later_rows_are_found(keys in prop::collection::vec(0_u8..40, 0..200), held_max in 2_usize..50) {
            let scratch = tempfile::tempdir().unwrap();
            let mut collector = KeyCollector::new(held_max * ENTRY_BYTES, scratch.path());
            let mut seen = BTreeSet::new();
            let mut expected = Vec::new();
            for (row, key) in keys.iter().enumerate() {
                collector.add(&[KeyDigest::of(&[*key])], &[row as u64]).unwrap();
                if !seen.insert(key) {
                    expected.push(Origin::from_bits(row as u64));
                }
            }
            prop_assert_eq!(collector.later_rows().unwrap(), expected);
            prop_assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        }
    }
}
