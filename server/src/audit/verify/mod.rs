//! Proves a journal: that no bit of it was changed, and nothing taken out, put in or cut off.
//!
//! Owns the order of a proof: the anchor first, then the files from the oldest to the newest,
//! each in blocks whose lines are read in parallel and walked one after the other. Reads only,
//! and holds no journal open, so a server may write it meanwhile.
//!
//! Receives: a folder, and perhaps an anchor and public keys. Hands on: a [`Report`].

mod finding;
mod lines;
mod notices;
mod walk;
mod witness;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub use finding::{Finding, Problem, Remark, TooEarly};
use lines::Blocks;
use walk::Walk;
use witness::Witness;

use super::AuditError;
use super::day_files::names;
use super::hex::PublicKey;

/// What to prove, and what to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The folder of the journal.
    pub folder: PathBuf,
    /// The second place of its checkpoints.
    pub anchor: Option<PathBuf>,
    /// The keys that it may be signed with; none: the first one that the anchor names, or else
    /// the journal.
    pub keys: Vec<PublicKey>,
    /// The time of the proof, by a clock that whoever asks for it trusts: what was removed had to
    /// be old enough by it.
    pub now: SystemTime,
}

/// What a proof found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Day files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chained lines.
    pub lines: u64,
    /// Records among them: statements, refusals, sign-ins.
    pub records: u64,
    /// Checkpoints that are good.
    pub checkpoints: u64,
    /// The numbers of the first and the last line.
    pub range: Option<(u64, u64)>,
    /// What is not as it was written; the first thousand.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub found: u64,
    /// What a reader should know beside.
    pub remarks: Vec<Remark>,
}

impl Report {
    /// Whether all is as it was written.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.found == 0
    }
}

/// Proves a journal. `progress` is told the bytes that are done and all there are.
///
/// # Errors
/// [`AuditError::Unusable`] if a file cannot be read. What a file holds is never an error.
pub fn verify(check: &Check, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, AuditError> {
    let unusable = |path: &Path, source| AuditError::Unusable { path: path.to_path_buf(), source };
    let witness = match &check.anchor {
        None => None,
        Some(path) => {
            Some(Witness::open(path, &check.keys).map_err(|source| unusable(path, source))?)
        }
    };
    let mut walk = Walk::new(witness, &check.keys);
    let files = files_of(&check.folder).map_err(|source| unusable(&check.folder, source))?;
    let total = files.iter().map(|(_, bytes)| bytes).sum();
    let mut done = 0;
    for (at, (name, _)) in files.iter().enumerate() {
        walk.turn_to(name, at + 1 == files.len());
        let path = check.folder.join(name);
        let mut step = |bytes| {
            done += bytes;
            progress(done, total);
        };
        walk_file(&mut walk, &path, &mut step).map_err(|source| unusable(&path, source))?;
    }
    walk.finish(micros_of(check.now));
    if let Some(path) = &check.anchor {
        hold_against(&mut walk, path).map_err(|source| unusable(path, source))?;
    }
    Ok(report(walk, check, files.len() as u64, total))
}

/// Microseconds since 1970; a clock that stands before that makes everything too young.
fn micros_of(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn files_of(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let with_length = |name: String| {
        let bytes = std::fs::metadata(folder.join(&name))?.len();
        Ok((name, bytes))
    };
    names(folder)?.into_iter().map(with_length).collect()
}

/// While one block's lines are read, the next block comes from the disk.
fn walk_file(walk: &mut Walk, path: &Path, step: &mut dyn FnMut(u64)) -> io::Result<()> {
    let mut blocks = Blocks::open(path)?;
    let mut next = blocks.next()?;
    while let Some(block) = next {
        let (following, parsed) = rayon::join(|| blocks.next(), || lines::parse(&block));
        for line in parsed {
            let bytes = line.bytes.clone();
            walk.step(line, &block[bytes])?;
        }
        step(block.len() as u64);
        next = following?;
    }
    Ok(())
}

/// What the anchor has beyond the journal's end and of what was removed, and what is wrong with
/// itself.
fn hold_against(walk: &mut Walk, path: &Path) -> io::Result<()> {
    let Some(mut witness) = walk.witness.take() else { return Ok(()) };
    if let Some(problem) = witness.finish()? {
        walk.find(problem, None);
    }
    if let Some((place, limits)) = walk.gone.take()
        && let Some(early) = limits.broken_in(path, &witness)?
    {
        walk.find_at(place, Problem::PrunedTooEarly(early));
    }
    walk.turn_to(&path.display().to_string(), false);
    if witness.journal.is_none() {
        walk.find(Problem::AnchorEmpty, None);
    }
    for line in std::mem::take(&mut witness.unreadable) {
        walk.find_in_anchor(line);
    }
    if witness.ends_torn {
        walk.remarks.push(Remark::AnchorTorn);
    }
    Ok(())
}

fn report(walk: Walk, check: &Check, files: u64, bytes: u64) -> Report {
    let mut remarks = walk.remarks;
    match &check.anchor {
        None if check.keys.is_empty() => {
            remarks.extend([Remark::KeyOfTheJournal, Remark::NoAnchor]);
        }
        None => remarks.push(Remark::NoAnchor),
        Some(_) => {}
    }
    Report {
        files,
        bytes,
        lines: walk.lines,
        records: walk.records,
        checkpoints: walk.checkpoints,
        range: walk.first.zip(walk.head.map(|head| head.sequence)),
        findings: walk.findings,
        found: walk.found,
        remarks,
    }
}

#[cfg(test)]
mod tests;
