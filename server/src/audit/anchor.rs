//! Checkpoints at a second place, out of reach of whoever administers the journal.
//!
//! Owns the anchor's file: one checkpoint a line, only ever appended to. A checkpoint goes there
//! after it is in the journal, so the journal is never behind. Must never be trusted less than
//! the journal: where the two differ, the journal is wrong. Must never make the file anew while
//! it may lie elsewhere, on a share that is not there at the moment.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::AuditError;
use super::hex::{JournalId, PublicKey};
use super::mark::{Checkpoint, Mark};
use super::recover::Recovered;
use super::signing::is_signed;

/// How long statements are answered while the anchor takes nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Checkpoints of which the greatest is proven first: of an honest anchor that is all it takes.
const PROVEN_TOGETHER: usize = 1_024;
/// Bytes of a line at most: no checkpoint is longer, and whatever is must not fill the memory.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// The way to the anchor.
#[derive(Debug)]
pub(crate) struct Anchor {
    path: PathBuf,
    /// Bytes that it has at least: a shorter file is another one.
    bytes: u64,
    waiting: Vec<u8>,
    failing_since: Option<Instant>,
}

/// The keys of a journal.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// What it is signed with from now on.
    pub(crate) own: PublicKey,
    /// What it was signed with before, as far as the journal names it.
    pub(crate) earlier: Vec<PublicKey>,
}

impl Anchor {
    /// Holds a journal against its anchor and proves that the anchor can be written. It is made
    /// only for a journal without a line, or where somebody says that it is new.
    pub(crate) fn open(
        path: &Path,
        is_new: bool,
        journal: &Recovered,
        keys: &Keys,
    ) -> Result<Self, AuditError> {
        let unusable = |source| AuditError::Unusable { path: path.to_path_buf(), source };
        let named = || path.to_path_buf();
        match newest_of(path, journal.journal, keys).map_err(unusable)? {
            Content::Missing | Content::Nothing if journal.head.is_some() && !is_new => {
                return Err(AuditError::AnchorMissing { anchor: named() });
            }
            Content::Missing => make(path).map_err(unusable)?,
            Content::Nothing => {}
            Content::Strange | Content::Newest(_) if is_new => {
                return Err(AuditError::AnchorNotNew { anchor: named() });
            }
            Content::Strange => return Err(AuditError::AnchorForeign { anchor: named() }),
            Content::Newest(newest) => refuse_behind(path, &newest, journal, keys)?,
        }
        let mut anchor = Self { path: named(), bytes: 0, waiting: Vec::new(), failing_since: None };
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

    /// Opened anew each time: the anchor may be a file of another machine. Where it is not there
    /// any more it is away, and what waits goes on waiting.
    fn write(&mut self) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).read(true).open(&self.path)?;
        let mut bytes = file.metadata()?.len();
        if bytes < self.bytes {
            return Err(io::Error::other(
                "it is shorter than it was: another file is in its place",
            ));
        }
        if ends_torn(&mut file)? {
            file.write_all(b"\n")?;
            bytes += 1;
        }
        file.write_all(&self.waiting)?;
        file.sync_all()?;
        self.bytes = bytes + self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)?.sync_all()
}

fn refuse_behind(
    path: &Path,
    newest: &Checkpoint,
    journal: &Recovered,
    keys: &Keys,
) -> Result<(), AuditError> {
    // A checkpoint of the journal that somebody signed with a key of their own reaches nothing.
    let signed = journal.signed.filter(|signed| [keys.own, newest.key].contains(&signed.key));
    let is_ours = journal.journal == Some(newest.journal);
    let reaches = signed.is_some_and(|signed| {
        signed.head.sequence > newest.covers || signed.head == newest.covered()
    });
    if is_ours && reaches {
        return Ok(());
    }
    Err(AuditError::BehindAnchor {
        anchor: path.to_path_buf(),
        anchored: newest.covers,
        journal: if is_ours { journal.head.map_or(0, |head| head.sequence) } else { 0 },
    })
}

/// What an anchor holds.
#[derive(Debug)]
enum Content {
    /// There is no file.
    Missing,
    /// The file is empty.
    Nothing,
    /// Lines, none of which is a checkpoint that a key of the journal signed.
    Strange,
    /// The checkpoint that reaches furthest; it is another journal's if none is this one's.
    Newest(Checkpoint),
}

/// Reads all of the anchor: whoever can append to it can put any line at its end, an earlier
/// checkpoint once more or as many others as they like.
fn newest_of(path: &Path, journal: Option<JournalId>, keys: &Keys) -> io::Result<Content> {
    let mut lines = match AnchorLines::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Missing),
        other => other?,
    };
    let (mut newest, mut unproven) = (Newest::default(), Vec::new());
    while let Some(line) = lines.next()? {
        let checkpoint = match line {
            Anchored::Checkpoint(checkpoint) => Some(*checkpoint),
            // It may lack its line break alone.
            Anchored::Torn => read_line(&lines.line),
            Anchored::Unreadable => None,
        };
        let is_ours = |key| key == keys.own || keys.earlier.contains(&key);
        unproven.extend(checkpoint.filter(|checkpoint| is_ours(checkpoint.key)));
        if unproven.len() == PROVEN_TOGETHER {
            newest.prove(&mut unproven, journal);
        }
    }
    newest.prove(&mut unproven, journal);
    Ok(match newest.ours.or(newest.others) {
        Some(newest) => Content::Newest(newest),
        None if lines.number == 0 => Content::Nothing,
        None => Content::Strange,
    })
}

/// The checkpoints that reach furthest, of this journal and of others.
#[derive(Debug, Default)]
struct Newest {
    ours: Option<Checkpoint>,
    others: Option<Checkpoint>,
}

impl Newest {
    /// Takes over what reaches further; only that needs its signature proven.
    fn prove(&mut self, unproven: &mut Vec<Checkpoint>, journal: Option<JournalId>) {
        unproven.sort_unstable_by_key(|checkpoint| std::cmp::Reverse(checkpoint.covers));
        for checkpoint in unproven.drain(..) {
            let is_ours = journal == Some(checkpoint.journal);
            let newest = if is_ours { &mut self.ours } else { &mut self.others };
            let reached = newest.as_ref().map_or(0, |newest| newest.covers);
            if checkpoint.covers > reached && is_signed(&checkpoint) {
                *newest = Some(checkpoint);
            }
        }
    }
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
        let read = self.file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if !self.line.ends_with(b"\n") && read as u64 == LINE_BYTES_MAX {
            self.file.skip_until(b'\n')?;
            return Ok(Some(Anchored::Unreadable));
        }
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
