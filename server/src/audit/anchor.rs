//! Checkpoints at a second place, out of reach of whoever administers the journal.
//!
//! Owns the anchor's file: one checkpoint a line, only ever appended to. A checkpoint goes there
//! after it is in the journal, so the journal is never behind. Must never be trusted less than
//! the journal: where the two differ, the journal is wrong.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::AuditError;
use super::mark::{Checkpoint, Mark};
use super::recover::Recovered;

/// How long statements are answered while the anchor takes nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that are enough for some checkpoints.
const TAIL_BYTES: u64 = 64 * 1024;

/// The way to the anchor.
#[derive(Debug)]
pub(crate) struct Anchor {
    path: PathBuf,
    waiting: Vec<u8>,
    failing_since: Option<Instant>,
}

impl Anchor {
    /// Holds a journal against its anchor and proves that the anchor can be written.
    pub(crate) fn open(path: &Path, journal: &Recovered) -> Result<Self, AuditError> {
        let unusable = |source| AuditError::Unusable { path: path.to_path_buf(), source };
        if let Some(last) = last_of(path).map_err(unusable)? {
            refuse_behind(path, &last, journal)?;
        }
        let mut anchor =
            Self { path: path.to_path_buf(), waiting: Vec::new(), failing_since: None };
        anchor.write().map_err(unusable)?;
        Ok(anchor)
    }

    /// Hands a checkpoint over that is in the journal.
    pub(crate) fn keep(&mut self, checkpoint: &Checkpoint) {
        self.waiting.extend(Mark::Checkpoint(checkpoint.clone()).to_json());
        self.waiting.push(b'\n');
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match self.write() {
            Ok(()) => self.failing_since = None,
            Err(error) => {
                if self.failing_since.is_none() {
                    tracing::error!(%error, "the audit anchor cannot be written");
                }
                self.failing_since.get_or_insert_with(Instant::now);
            }
        }
    }

    /// Whether something waits for it.
    pub(crate) const fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether it has taken nothing for so long that nothing more may be told.
    pub(crate) fn is_lost(&self) -> bool {
        self.failing_since.is_some_and(|since| since.elapsed() > PATIENCE)
    }

    /// Opened anew each time: the anchor may be a file of another machine.
    fn write(&mut self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        let mut file = options.open(&self.path)?;
        if ends_torn(&mut file)? {
            file.write_all(b"\n")?;
        }
        file.write_all(&self.waiting)?;
        file.sync_all()?;
        self.waiting.clear();
        Ok(())
    }
}

fn refuse_behind(path: &Path, last: &Checkpoint, journal: &Recovered) -> Result<(), AuditError> {
    let is_ours = journal.journal == Some(last.journal);
    let reaches = journal
        .signed
        .is_some_and(|signed| signed.sequence > last.covers || signed == last.covered());
    if is_ours && reaches {
        return Ok(());
    }
    Err(AuditError::BehindAnchor {
        anchor: path.to_path_buf(),
        anchored: last.covers,
        journal: if is_ours { journal.head.map_or(0, |head| head.sequence) } else { 0 },
    })
}

/// The newest checkpoint in the anchor.
fn last_of(path: &Path) -> io::Result<Option<Checkpoint>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let from = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(tail.split(|byte| *byte == b'\n').rev().find_map(read_line))
}

fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8; 1];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn read_line(line: &[u8]) -> Option<Checkpoint> {
    match Mark::from_json(line)? {
        Mark::Checkpoint(checkpoint) => Some(checkpoint),
        _ => None,
    }
}

/// A line of the anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anchored {
    /// A checkpoint; its signature is not proven yet.
    Checkpoint(Box<Checkpoint>),
    /// A last line that is not whole.
    Torn,
    /// None of ours.
    Unreadable,
}

/// The anchor's lines as they stand when it is opened; what is appended later is not seen.
#[derive(Debug)]
pub(crate) struct AnchorLines {
    file: BufReader<io::Take<File>>,
    line: Vec<u8>,
    /// The number of the line that was read last, from 1.
    pub(crate) number: u64,
}

impl AnchorLines {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file: BufReader::new(file.take(bytes)), line: Vec::new(), number: 0 })
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> io::Result<Option<Anchored>> {
        self.line.clear();
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let Some(line) = self.line.strip_suffix(b"\n") else { return Ok(Some(Anchored::Torn)) };
        Ok(Some(
            read_line(line).map_or(Anchored::Unreadable, |checkpoint| {
                Anchored::Checkpoint(Box::new(checkpoint))
            }),
        ))
    }
}

#[cfg(test)]
#[path = "anchor_tests.rs"]
mod tests;
