//! Reads a journal's newest lines back at start.
//!
//! Owns the way through the files. Must never fail because of a line: a crash tears the last
//! one, and a torn line is skipped and counted. Must never read without bound: of a large
//! journal only the newest part is read.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::Days;

use super::AuditError;
use super::day_files::{day_of, names};
use super::mark::Mark;
use super::record::Line;

/// Bytes that are read back at most.
const REPLAY_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Hands the newest lines of a journal on, oldest first.
pub(crate) fn replay(folder: &Path, apply: &mut dyn FnMut(Line)) -> Result<(), AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let mut torn = 0_u64;
    for (path, from) in newest_parts(folder).map_err(unusable)? {
        torn += replay_file(&path, from, apply).map_err(unusable)?;
    }
    if torn > 0 {
        tracing::warn!(lines = torn, "lines of the audit journal are torn and were skipped");
    }
    Ok(())
}

/// The files of the newest days, oldest first: so many days before the newest one.
pub(crate) fn days_since(folder: &Path, back: Days) -> Result<Vec<PathBuf>, AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let names = names(folder).map_err(unusable)?;
    let newest = names.iter().filter_map(|name| day_of(name)).max();
    let oldest = newest.and_then(|newest| newest.checked_sub_days(back));
    let is_wanted = |name: &&String| day_of(name).is_none_or(|day| Some(day) >= oldest);
    Ok(names.iter().filter(is_wanted).map(|name| folder.join(name)).collect())
}

/// Hands all lines of one file on.
pub(crate) fn replay_day(path: &Path, apply: &mut dyn FnMut(Line)) -> Result<(), AuditError> {
    let unusable = |source| AuditError::Unusable { path: path.to_path_buf(), source };
    replay_file(path, 0, apply).map(|_| ()).map_err(unusable)
}

/// The files to read and where to begin in each, oldest first.
fn newest_parts(folder: &Path) -> std::io::Result<Vec<(PathBuf, u64)>> {
    let mut left = REPLAY_BYTES_MAX;
    let mut parts = Vec::new();
    for name in names(folder)?.into_iter().rev() {
        let path = folder.join(name);
        let bytes = fs::metadata(&path)?.len();
        parts.push((path, bytes.saturating_sub(left)));
        left = left.saturating_sub(bytes);
        if left == 0 {
            break;
        }
    }
    parts.reverse();
    Ok(parts)
}

/// Reads one file; gives the number of lines that are no records.
pub(crate) fn replay_file(
    path: &Path,
    from: u64,
    apply: &mut dyn FnMut(Line),
) -> std::io::Result<u64> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    if from > 0 {
        file.seek(SeekFrom::Start(from))?;
        // The part begins inside a line.
        file.read_until(b'\n', &mut line)?;
    }
    let mut torn = 0;
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            return Ok(torn);
        }
        match Line::from_json(&line) {
            Some(record) => apply(record),
            None if Mark::is_named(&line) || line.iter().all(u8::is_ascii_whitespace) => {}
            None => torn += 1,
        }
    }
}
