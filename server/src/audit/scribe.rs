//! Writes the chain: bodies in, linked, signed and flushed lines out.
//!
//! Owns the chain's head, the times of checkpoints, the reserve and the way to the anchor. Works
//! for one thread, so that there is one order. Must never move the head for lines that are not
//! on disk, and never let a statement begin whose end might not be written.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::anchor::{Anchor, Keys};
use super::chain::Head;
use super::day_files::{self, DayFiles, Place, name_at};
use super::disk::Disk;
use super::hex::JournalId;
use super::mark::{Checkpoint, DayStart, Mark, Opening};
use super::record::now_micros;
use super::recover::{Recovered, keys_of_days, recover};
use super::reserve::Reserve;
use super::signing::Signer;
use super::{AuditError, JournalOptions};
use crate::random;

/// Lines between two checkpoints at most.
pub(crate) const CHECKPOINT_LINES: u32 = 1_000;
/// How long a line waits for its checkpoint at most.
const CHECKPOINT_TIME: Duration = Duration::from_secs(10);
/// How often the anchor is tried again.
const ANCHOR_RETRY: Duration = Duration::from_secs(1);
/// There is nothing to do before the next line comes.
const NOTHING_TO_DO: Duration = Duration::from_secs(3_600);

/// The writer of one journal.
pub(crate) struct Scribe {
    folder: PathBuf,
    disk: Box<dyn Disk>,
    files: DayFiles,
    reserve: Reserve,
    anchor: Option<Anchor>,
    signer: Signer,
    journal: JournalId,
    head: Head,
    unsigned: Unsigned,
    /// Tells the time, in microseconds since 1970 (UTC).
    clock: fn() -> i64,
}

/// Lines behind the last checkpoint.
#[derive(Debug, Clone, Copy, Default)]
struct Unsigned {
    lines: u32,
    since: Option<Instant>,
}

impl Scribe {
    /// Takes a journal up where it ends, or begins one, and says so in its first line. Whoever
    /// calls holds the journal's lock.
    pub(crate) fn open(options: &JournalOptions, disk: Box<dyn Disk>) -> Result<Self, AuditError> {
        Self::open_on(now_micros, options, disk)
    }

    pub(crate) fn open_on(
        clock: fn() -> i64,
        options: &JournalOptions,
        disk: Box<dyn Disk>,
    ) -> Result<Self, AuditError> {
        let folder = options.folder.as_path();
        let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
        let signer = Signer::open(&options.key)?;
        let recovered = recover(folder).map_err(unusable)?;
        let anchor = match &options.anchor {
            None => None,
            Some(path) => {
                let mut keys = Keys { own: signer.public(), earlier: recovered.keys.clone() };
                keys.earlier.extend(keys_of_days(folder).map_err(unusable)?);
                Some(Anchor::open(path, options.new_anchor, &recovered, &keys)?)
            }
        };
        let journal = match recovered.journal {
            Some(journal) => journal,
            None => JournalId::new(random::draw().map_err(|_| AuditError::NoRandomBytes)?),
        };
        let mut scribe = Self {
            folder: folder.to_path_buf(),
            files: DayFiles::new(folder, recovered.newest_file.clone()),
            reserve: Reserve::open(folder, disk.as_ref()).map_err(unusable)?,
            disk,
            anchor,
            signer,
            journal,
            head: recovered.head.unwrap_or(Head::START),
            unsigned: Unsigned::default(),
            clock,
        };
        scribe.begin(recovered).map_err(unusable)?;
        Ok(scribe)
    }

    fn begin(&mut self, recovered: Recovered) -> io::Result<()> {
        let name = self.files.name_of(name_at((self.clock)()));
        self.files.turn_to(&name)?;
        let opening = self.opening(recovered, name)?;
        self.write(Some(opening), &[])
    }

    /// Appends lines in this order and flushes them; on an error none of them counts.
    pub(crate) fn append(&mut self, bodies: &[&[u8]]) -> io::Result<()> {
        let heading = self.heading()?;
        self.write(heading, bodies)
    }

    /// Appends a line about the journal and signs it.
    pub(crate) fn append_mark(&mut self, mark: Mark) -> io::Result<()> {
        if let Some(heading) = self.heading()? {
            self.write(Some(heading), &[])?;
        }
        self.write(Some(mark), &[])
    }

    /// Signs what is not signed yet, in the file of the day on which it is signed: whoever
    /// removes a file by its day removes no younger signature with it.
    pub(crate) fn checkpoint(&mut self) -> io::Result<()> {
        if self.unsigned.lines == 0 {
            return Ok(());
        }
        if let Some(heading) = self.heading()? {
            return self.write(Some(heading), &[]);
        }
        let mut batch = self.batch();
        batch.sign(&self.signer, self.journal, (self.clock)());
        self.commit(batch)
    }

    /// What is due by the clock: signatures, and what the anchor did not take.
    pub(crate) fn attend(&mut self) {
        let is_due = self.unsigned.since.is_some_and(|since| since.elapsed() >= CHECKPOINT_TIME);
        if is_due && let Err(error) = self.checkpoint() {
            tracing::error!(%error, "the audit journal cannot be signed");
            self.unsigned.since = Some(Instant::now());
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.flush();
        }
    }

    /// How long there is nothing to do.
    pub(crate) fn leisure(&self) -> Duration {
        let unsigned = self
            .unsigned
            .since
            .map_or(NOTHING_TO_DO, |since| CHECKPOINT_TIME.saturating_sub(since.elapsed()));
        let is_behind = self.anchor.as_ref().is_some_and(Anchor::is_behind);
        if is_behind { unsigned.min(ANCHOR_RETRY) } else { unsigned }
    }

    /// Whether a disclosure may be recorded: whatever comes, its end will find room.
    pub(crate) fn may_begin(&mut self) -> bool {
        let is_anchored = !self.anchor.as_ref().is_some_and(Anchor::is_lost);
        is_anchored && self.reserve.is_whole(self.disk.as_ref())
    }

    /// Gives up the kept room; whether there is more now.
    pub(crate) fn give_up_reserve(&mut self) -> bool {
        tracing::error!("the disk of the audit journal is full; statements are refused");
        self.reserve.give_up(self.disk.as_ref())
    }

    /// What has to stand in front of the next line: nothing, or the head of a file.
    fn heading(&mut self) -> io::Result<Option<Mark>> {
        let name = self.files.name_of(name_at((self.clock)()));
        match self.files.turn_to(&name)? {
            Place::Continued => Ok(None),
            Place::Fresh if self.files.bytes() == 0 => {
                let previous = self.head.link;
                let start = DayStart { at: (self.clock)(), file: name, previous };
                Ok(Some(Mark::DayStarted(start)))
            }
            // A write failed and could not be taken back.
            Place::Fresh => {
                let recovered = recover(&self.folder)?;
                let reached = recovered.head.filter(|head| head.sequence > self.head.sequence);
                self.head = reached.unwrap_or(self.head);
                self.opening(recovered, name).map(Some)
            }
        }
    }

    fn opening(&mut self, recovered: Recovered, file: String) -> io::Result<Mark> {
        if let Some(newest) = recovered.newest_file.filter(|_| recovered.ends_torn) {
            day_files::complete_line(&self.folder.join(newest), self.disk.as_ref())?;
            self.files.measure()?;
        }
        let opening = Opening {
            at: (self.clock)(),
            journal: self.journal,
            key: self.signer.public(),
            file,
            previous: self.head.link,
            unchained: recovered.unchained,
        };
        Ok(match self.head {
            Head::START => Mark::ChainStarted(opening),
            _ => Mark::Opened(opening),
        })
    }

    /// A mark is signed at once.
    fn write(&mut self, mark: Option<Mark>, bodies: &[&[u8]]) -> io::Result<()> {
        let mut batch = self.batch();
        if let Some(mark) = mark {
            batch.add(&mark.to_json());
            batch.sign(&self.signer, self.journal, (self.clock)());
        }
        for body in bodies {
            batch.add(body);
            if batch.unsigned == CHECKPOINT_LINES {
                batch.sign(&self.signer, self.journal, (self.clock)());
            }
        }
        self.commit(batch)
    }

    const fn batch(&self) -> Batch {
        Batch {
            head: self.head,
            unsigned: self.unsigned.lines,
            lines: Vec::new(),
            checkpoints: Vec::new(),
        }
    }

    fn commit(&mut self, batch: Batch) -> io::Result<()> {
        self.files.append(&batch.lines, self.disk.as_ref())?;
        self.head = batch.head;
        let since = if batch.checkpoints.is_empty() { self.unsigned.since } else { None };
        self.unsigned = Unsigned {
            lines: batch.unsigned,
            since: (batch.unsigned > 0).then(|| since.unwrap_or_else(Instant::now)),
        };
        if let Some(anchor) = &mut self.anchor {
            batch.checkpoints.iter().for_each(|checkpoint| anchor.keep(checkpoint));
            anchor.flush();
        }
        Ok(())
    }
}

/// Lines that are linked and not on disk yet.
struct Batch {
    head: Head,
    unsigned: u32,
    lines: Vec<u8>,
    checkpoints: Vec<Checkpoint>,
}

impl Batch {
    fn add(&mut self, body: &[u8]) {
        self.head.seal(body, &mut self.lines);
        self.unsigned += 1;
    }

    fn sign(&mut self, signer: &Signer, journal: JournalId, at: i64) {
        let checkpoint = signer.sign(journal, self.head, at);
        self.head.seal(&Mark::Checkpoint(checkpoint.clone()).to_json(), &mut self.lines);
        self.checkpoints.push(checkpoint);
        self.unsigned = 0;
    }
}

#[cfg(test)]
#[path = "scribe_tests.rs"]
mod tests;
