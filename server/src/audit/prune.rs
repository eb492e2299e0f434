//! Removes day files that are older than the bank keeps its records.
//!
//! Owns the least time that records are kept. What is removed is named first, in a signed line
//! of the chain, so that the rest can still be proven. Must never remove a file that a newer one
//! does not stand behind, nor anything while a server writes the journal.

use std::fs::{self, File};
use std::path::Path;

use chrono::{Days, NaiveDate};

use super::day_files::{day_of, names};
use super::disk::Local;
use super::mark::{Mark, Pruning, Removed};
use super::record::now_micros;
use super::recover::{Ending, scan_file};
use super::scribe::Scribe;
use super::writer::lock;
use super::{AuditError, JournalOptions};

/// Days that records are kept at least (Cybersecurity Law, Article 21: six months).
pub const KEPT_DAYS_MIN: u32 = 180;
/// Days that records are kept where nothing else is said: three years.
pub const KEPT_DAYS_DEFAULT: u32 = 3 * 365 + 1;

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// The files, oldest first.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// The last line of the chain among them.
    pub last: Option<u64>,
}

/// The files that are older than `kept_days` on the day `today`, oldest first. The newest file
/// is never among them.
///
/// # Errors
/// [`AuditError::KeptTooShortly`] below [`KEPT_DAYS_MIN`], [`AuditError::Unusable`] if the
/// folder cannot be read.
pub fn outdated(
    folder: &Path,
    kept_days: u32,
    today: NaiveDate,
) -> Result<Vec<String>, AuditError> {
    if kept_days < KEPT_DAYS_MIN {
        return Err(AuditError::KeptTooShortly { days: kept_days, min: KEPT_DAYS_MIN });
    }
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let oldest_kept = today.checked_sub_days(Days::new(kept_days.into()));
    let mut names = names(folder).map_err(unusable)?;
    names.pop();
    let is_old =
        |name: &String| day_of(name).zip(oldest_kept).is_some_and(|(day, kept)| day < kept);
    Ok(names.into_iter().take_while(is_old).collect())
}

/// Names the outdated files in the chain, signs that, and removes them.
///
/// # Errors
/// As [`outdated`]; [`AuditError::InUse`] while a server writes the journal;
/// [`AuditError::Unusable`] if a file cannot be read, written or removed.
pub fn prune(
    options: &JournalOptions,
    kept_days: u32,
    today: NaiveDate,
) -> Result<Pruned, AuditError> {
    prune_on(now_micros, options, kept_days, today)
}

pub(crate) fn prune_on(
    clock: fn() -> i64,
    options: &JournalOptions,
    kept_days: u32,
    today: NaiveDate,
) -> Result<Pruned, AuditError> {
    let folder = options.folder.as_path();
    let _lock = lock(folder)?;
    let names = outdated(folder, kept_days, today)?;
    if names.is_empty() {
        return Ok(Pruned::default());
    }
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let files = names.iter().map(|name| removed(folder, name)).collect::<Result<Vec<_>, _>>()?;
    let pruned = Pruned {
        files: names,
        bytes: files.iter().map(|file| file.bytes).sum(),
        last: files.iter().rev().find_map(|file| file.last),
    };
    let mut scribe = Scribe::open_on(clock, options, Box::new(Local))?;
    let pruning = Pruning { at: clock(), keeps_days: kept_days, files };
    scribe.append_mark(Mark::Pruned(pruning)).map_err(unusable)?;
    for name in &pruned.files {
        fs::remove_file(folder.join(name)).map_err(unusable)?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable)?;
    Ok(pruned)
}

fn removed(folder: &Path, name: &str) -> Result<Removed, AuditError> {
    let path = folder.join(name);
    let scan =
        scan_file(&path, Ending::AsItIs).map_err(|source| AuditError::Unusable { path, source })?;
    Ok(Removed {
        file: name.to_owned(),
        bytes: scan.bytes,
        digest: scan.digest,
        last: scan.head.map(|head| head.sequence),
        head: scan.head.map(|head| head.link),
    })
}
