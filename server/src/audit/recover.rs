//! Finds the end of the chain in a journal that was left, in order or not.
//!
//! Owns the judgement what of the last file was surely written: everything as far as the last
//! line that follows from the line before it. What a crash left behind that is told, so that it
//! can be named in the chain, and stays where it is. Must never change a line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::chain::{Chained, Head, linked};
use super::day_files::names;
use super::hex::{Digest, JournalId, PublicKey};
use super::mark::{Checkpoint, Mark, Span};
use super::signing::is_signed;

/// A heading and its checkpoint.
const HEADING_LINES: usize = 2;
/// Bytes that they have at most; a heading that names more than fits is passed over.
const HEADING_BYTES_MAX: u64 = 64 * 1024;

/// Where a journal's chain ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recovered {
    /// The last line; `None` if no line is chained.
    pub(crate) head: Option<Head>,
    pub(crate) journal: Option<JournalId>,
    /// What the last checkpoint signs.
    pub(crate) signed: Option<Signed>,
    /// The keys that were signed with, as far as the journal was read.
    pub(crate) keys: Vec<PublicKey>,
    /// What stands behind the last line.
    pub(crate) unchained: Vec<Span>,
    /// Whether the newest file ends in the middle of a line.
    pub(crate) ends_torn: bool,
    pub(crate) newest_file: Option<String>,
}

/// What a checkpoint signs, and with which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) head: Head,
    pub(crate) key: PublicKey,
}

/// Reads the newest files back as far as the chain's end and its last checkpoint.
pub(crate) fn recover(folder: &Path) -> io::Result<Recovered> {
    let mut found = Recovered::default();
    for name in names(folder)?.into_iter().rev() {
        let is_newest = found.newest_file.is_none();
        let ending = if is_newest { Ending::Completed } else { Ending::AsItIs };
        let scan = scan_file(&folder.join(&name), ending)?;
        if is_newest {
            found.ends_torn = scan.ends_torn;
            found.newest_file = Some(name.clone());
        }
        if found.head.is_none() {
            found.head = scan.head;
            if scan.tail_bytes > 0 {
                let Scan { tail_bytes, tail_digest, .. } = scan;
                let span = Span { file: name, bytes: tail_bytes, digest: tail_digest };
                found.unchained.insert(0, span);
            }
        }
        found.keys.extend(scan.keys);
        found.signed = found.signed.or(scan.signed);
        found.journal = found.journal.or(scan.journal);
        if found.head.is_some() && found.signed.is_some() && found.journal.is_some() {
            break;
        }
    }
    Ok(found)
}

/// The keys that the journal's days began with: a day's file begins with a heading and the
/// checkpoint over it. Without their files nobody needs to read years of records for them.
pub(crate) fn keys_of_days(folder: &Path) -> io::Result<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for name in names(folder)? {
        let mut file = BufReader::new(File::open(folder.join(name))?.take(HEADING_BYTES_MAX));
        let mut line = Vec::new();
        for _ in 0..HEADING_LINES {
            line.clear();
            file.read_until(b'\n', &mut line)?;
            let key = checkpoint_in(line.strip_suffix(b"\n").unwrap_or(&line)).map(|it| it.key);
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
    }
    Ok(keys)
}

/// A line's checkpoint, if it is one with a good signature.
fn checkpoint_in(line: &[u8]) -> Option<Checkpoint> {
    match Mark::from_json(&Chained::read(line)?.body())? {
        Mark::Checkpoint(checkpoint) => is_signed(&checkpoint).then_some(checkpoint),
        _ => None,
    }
}

/// What one file holds.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    /// Its last line that follows from the one before it.
    pub(crate) head: Option<Head>,
    pub(crate) journal: Option<JournalId>,
    pub(crate) signed: Option<Signed>,
    keys: Vec<PublicKey>,
    /// Bytes behind that line.
    tail_bytes: u64,
    tail_digest: Digest,
    ends_torn: bool,
    /// All of the file.
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

/// The state of the way through a file.
struct Way {
    head: Option<Head>,
    journal: Option<JournalId>,
    signed: Option<Signed>,
    keys: Vec<PublicKey>,
    /// The last chained line as it stands there, true or not.
    last: Option<Head>,
    /// Whether some line since the last signed or heading one does not follow.
    broken: bool,
    tail: blake3::Hasher,
    tail_bytes: u64,
    whole: blake3::Hasher,
    bytes: u64,
}

/// How a last line without a newline is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it stands there.
    AsItIs,
    /// With the newline that the writer is about to add.
    Completed,
}

/// Reads one file.
pub(crate) fn scan_file(path: &Path, ending: Ending) -> io::Result<Scan> {
    let file = File::open(path)?;
    // Not further than the file is long now: a device has no end.
    let bytes = file.metadata()?.len();
    let mut file = BufReader::with_capacity(1 << 20, file.take(bytes));
    let mut way = Way {
        head: None,
        journal: None,
        signed: None,
        keys: Vec::new(),
        last: None,
        broken: false,
        tail: blake3::Hasher::new(),
        tail_bytes: 0,
        whole: blake3::Hasher::new(),
        bytes: 0,
    };
    let mut line = Vec::new();
    let mut ends_torn = false;
    while {
        line.clear();
        file.read_until(b'\n', &mut line)? > 0
    } {
        way.whole.update(&line);
        way.bytes += line.len() as u64;
        ends_torn = !line.ends_with(b"\n");
        if ends_torn && ending == Ending::Completed {
            line.push(b'\n');
        }
        way.step(&line);
    }
    Ok(Scan {
        head: way.head,
        journal: way.journal,
        signed: way.signed,
        keys: way.keys,
        tail_bytes: way.tail_bytes,
        tail_digest: Digest::new(*way.tail.finalize().as_bytes()),
        ends_torn,
        bytes: way.bytes,
        digest: Digest::new(*way.whole.finalize().as_bytes()),
    })
}

impl Way {
    fn step(&mut self, line: &[u8]) {
        self.tail.update(line);
        self.tail_bytes += line.len() as u64;
        let Some(chained) = Chained::read(line.strip_suffix(b"\n").unwrap_or(line)) else {
            self.broken = true;
            return;
        };
        let mark = if Mark::is_named(line) { Mark::from_json(&chained.body()) } else { None };
        let heading = mark.as_ref().and_then(|mark| mark.heading().map(|(previous, _)| previous));
        let before = heading.or(self.last.map(|last| last.link));
        let follows = before.is_some_and(|link| linked(link, chained.digest()) == chained.link);
        let signed = match &mark {
            Some(Mark::Checkpoint(checkpoint)) => {
                let covered = checkpoint.covered();
                (follows && self.last == Some(covered) && is_signed(checkpoint))
                    .then_some(Signed { head: covered, key: checkpoint.key })
            }
            _ => None,
        };
        self.broken = !follows || (self.broken && heading.is_none() && signed.is_none());
        self.last = Some(chained.head());
        if !self.broken {
            self.head = Some(chained.head());
            self.signed = signed.or(self.signed);
            let key = signed.map(|signed| signed.key);
            self.keys.extend(key.filter(|key| !self.keys.contains(key)));
            self.journal = mark.and_then(|mark| mark.journal()).or(self.journal);
            self.tail.reset();
            self.tail_bytes = 0;
        }
    }
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
