//! The journal's files: one a day, named by it, in the order of their names.
//!
//! Owns the names and the open file. Must never write over what stands in a file, and never go
//! back to the file of an earlier day: a clock that was set back must not break the order.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate};

use super::disk::Disk;

/// The names of a journal's files, oldest first.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && is_name(&name)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a file of this name is the journal's.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with("audit-") && Path::new(name).extension().is_some_and(|end| end == "jsonl")
}

/// The day of a file's name.
pub(crate) fn day_of(name: &str) -> Option<NaiveDate> {
    let day = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

/// The day of a time, in microseconds since 1970 (UTC).
pub(crate) fn day_at(at: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(at).unwrap_or_default().date_naive()
}

/// The name of the file that lines of this time stand in.
pub(crate) fn name_at(at: i64) -> String {
    day_at(at).format("audit-%Y-%m-%d.jsonl").to_string()
}

/// Whether a line can stand behind what the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind the last line that was written.
    Continued,
    /// Behind nothing, or behind something that this server did not write: a heading first.
    Fresh,
}

/// The file of the day and how much of it is whole.
#[derive(Debug)]
pub(crate) struct DayFiles {
    folder: PathBuf,
    /// The newest name that was ever used.
    newest: String,
    open: Option<DayFile>,
}

#[derive(Debug)]
struct DayFile {
    file: File,
    whole_bytes: u64,
    place: Place,
}

impl DayFiles {
    /// `newest` is the newest file that there is.
    pub(crate) fn new(folder: &Path, newest: Option<String>) -> Self {
        Self { folder: folder.to_path_buf(), newest: newest.unwrap_or_default(), open: None }
    }

    /// The name of the file that a line written at this time stands in.
    pub(crate) fn name_of(&self, today: String) -> String {
        today.max(self.newest.clone())
    }

    /// Opens the file of this name, unless it is open.
    pub(crate) fn turn_to(&mut self, name: &str) -> io::Result<Place> {
        if self.newest == name
            && let Some(day) = &self.open
            && is_still_there(&self.folder.join(name), &day.file)
        {
            return Ok(day.place);
        }
        if self.newest == name && self.open.is_some() {
            tracing::error!(file = name, "a file of the audit journal was taken away");
        }
        self.open = None;
        self.open = Some(open_day(&self.folder, name)?);
        name.clone_into(&mut self.newest);
        Ok(Place::Fresh)
    }

    /// Bytes of the open file.
    pub(crate) fn bytes(&self) -> u64 {
        self.open.as_ref().map_or(0, |day| day.whole_bytes)
    }

    /// Takes all that the open file holds now for whole.
    pub(crate) fn measure(&mut self) -> io::Result<()> {
        if let Some(day) = &mut self.open {
            day.whole_bytes = day.file.metadata()?.len();
        }
        Ok(())
    }

    /// Appends whole lines to the open file and flushes them; on an error nothing of them stays.
    pub(crate) fn append(&mut self, lines: &[u8], disk: &dyn Disk) -> io::Result<()> {
        let Some(day) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        match disk.append(&mut day.file, lines) {
            Ok(()) => {
                day.whole_bytes += lines.len() as u64;
                day.place = Place::Continued;
                Ok(())
            }
            Err(error) => {
                // Where even that fails the file has a tail that is none of ours, and the next
                // line begins with a heading.
                if disk.cut(&day.file, day.whole_bytes).is_err() {
                    self.open = None;
                }
                Err(error)
            }
        }
    }
}

/// Ends a line that a crash tore.
pub(crate) fn complete_line(path: &Path, disk: &dyn Disk) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    disk.append(&mut file, b"\n")
}

fn open_day(folder: &Path, name: &str) -> io::Result<DayFile> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(folder.join(name))?;
    file.sync_all()?;
    // The name of a new file is in the folder, so the folder is flushed too.
    File::open(folder)?.sync_all()?;
    let whole_bytes = file.metadata()?.len();
    Ok(DayFile { file, whole_bytes, place: Place::Fresh })
}

/// Whether the open file is the one that has the name: what is written to a file that was
/// removed is lost.
#[cfg(unix)]
fn is_still_there(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    fs::metadata(path).and_then(|named| Ok(same(named, file.metadata()?))).unwrap_or(false)
}

#[cfg(not(unix))]
fn is_still_there(path: &Path, _: &File) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::disk::Local;

    #[test]
    fn names_tell_their_day() {
        assert_eq!(day_of("audit-2026-11-22.jsonl"), NaiveDate::from_ymd_opt(2026, 11, 22));
        assert_eq!(day_of("audit-2026-11-32.jsonl"), None);
        let midnight = 1_795_305_600_000_000;
        assert_eq!(name_at(midnight), "audit-2026-11-22.jsonl");
        assert_eq!(name_at(midnight - 1), "audit-2026-11-21.jsonl");
        assert_eq!(day_of(&name_at(midnight)), Some(day_at(midnight)));
        assert!(
            is_name(&name_at(0)) && !is_name("reserve") && !is_name("audit-2026-11-22.jsonl.gz")
        );
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_go_back_to_an_earlier_file() {
        let files = DayFiles::new(Path::new("."), Some("audit-2026-11-22.jsonl".into()));
        assert_eq!(files.name_of("audit-2026-11-21.jsonl".into()), "audit-2026-11-22.jsonl");
        assert_eq!(files.name_of("audit-2026-11-23.jsonl".into()), "audit-2026-11-23.jsonl");
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_anew_with_a_heading() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = DayFiles::new(folder.path(), None);
        let name = "audit-2026-11-22.jsonl";
        assert_eq!(files.turn_to(name).unwrap(), Place::Fresh);
        assert_eq!(files.turn_to(name).unwrap(), Place::Fresh, "nothing was written yet");
        files.append(b"a\n", &Local).unwrap();
        assert_eq!(files.turn_to(name).unwrap(), Place::Continued);
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_eq!(files.turn_to(name).unwrap(), Place::Fresh);
        files.append(b"b\n", &Local).unwrap();
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"b\n");
    }
}
