//! The anchor, held beside the journal while that is walked.
//!
//! Owns the merge of two ascending lists of checkpoints. Each one that is anchored has to stand
//! in the journal; the journal may have more, where the anchor could not be written.

use std::io;
use std::path::Path;

use super::finding::Problem;
use crate::audit::anchor::{AnchorLines, Anchored};
use crate::audit::chain::Head;
use crate::audit::hex::{JournalId, PublicKey};
use crate::audit::mark::Checkpoint;
use crate::audit::signing::is_signed;

/// The anchor's checkpoints that the journal has not shown yet.
#[derive(Debug)]
pub(super) struct Witness {
    lines: AnchorLines,
    next: Option<Box<Checkpoint>>,
    /// The last line that an anchored checkpoint covers, of those read.
    read: u64,
    pub(super) journal: Option<JournalId>,
    /// The keys that are believed; empty: the first one that the anchor names.
    keys: Vec<PublicKey>,
    /// Lines of the anchor that are not good.
    pub(super) unreadable: Vec<u64>,
    pub(super) ends_torn: bool,
}

impl Witness {
    /// Opens the anchor as far as it is written now. To be opened before the journal, which is
    /// never behind it.
    pub(super) fn open(path: &Path, keys: &[PublicKey]) -> io::Result<Self> {
        let mut witness = Self {
            lines: AnchorLines::open(path)?,
            next: None,
            read: 0,
            journal: None,
            keys: keys.to_vec(),
            unreadable: Vec::new(),
            ends_torn: false,
        };
        witness.advance()?;
        Ok(witness)
    }

    /// The keys that the anchor is believed with.
    pub(super) fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The journal has this checkpoint; its first line is `first`. Whether what is missing before
    /// that was old enough to go is for the notices.
    pub(super) fn see(&mut self, covered: Head, first: u64) -> io::Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut missing: Option<(u64, u64)> = None;
        while let Some(next) = self.next.take_if(|next| next.covers <= covered.sequence) {
            if next.covers == covered.sequence && next.head != covered.link {
                problems.push(Problem::AnchorDiffers { covers: next.covers });
            } else if next.covers < covered.sequence && next.covers + 1 >= first {
                let from = missing.map_or(next.covers, |(from, _)| from);
                missing = Some((from, next.covers));
            }
            self.advance()?;
        }
        problems.extend(missing.map(|(first, last)| Problem::NotAsAnchored { first, last }));
        Ok(problems)
    }

    /// The journal is at its end: what is left of the anchor is missing in it.
    pub(super) fn finish(&mut self) -> io::Result<Option<Problem>> {
        let mut missing: Option<(u64, u64)> = None;
        while let Some(next) = self.next.take() {
            let from = missing.map_or(next.covers, |(from, _)| from);
            missing = Some((from, next.covers));
            self.advance()?;
        }
        Ok(missing.map(|(first, last)| Problem::NotAsAnchored { first, last }))
    }

    /// Whether a line of the anchor is a checkpoint of this journal with a good signature.
    pub(super) fn believes(&self, checkpoint: &Checkpoint) -> bool {
        self.journal == Some(checkpoint.journal)
            && self.keys.contains(&checkpoint.key)
            && is_signed(checkpoint)
    }

    /// The next good checkpoint. A line may stand there twice: a write was tried again.
    fn advance(&mut self) -> io::Result<()> {
        while let Some(line) = self.lines.next()? {
            match line {
                Anchored::Checkpoint(checkpoint) if self.is_believed(&checkpoint) => {
                    if self.next.is_none() && (self.read == 0 || checkpoint.covers > self.read) {
                        self.read = checkpoint.covers;
                        self.next = Some(checkpoint);
                        return Ok(());
                    }
                }
                Anchored::Torn => self.ends_torn = true,
                Anchored::Checkpoint(_) | Anchored::Unreadable => {
                    self.unreadable.push(self.lines.number);
                }
            }
        }
        Ok(())
    }

    fn is_believed(&mut self, checkpoint: &Checkpoint) -> bool {
        if !is_signed(checkpoint) {
            return false;
        }
        if self.keys.is_empty() {
            self.keys.push(checkpoint.key);
        }
        let journal = *self.journal.get_or_insert(checkpoint.journal);
        journal == checkpoint.journal && self.keys.contains(&checkpoint.key)
    }
}
