//! Who is slowed down or cut off.
//!
//! Owns the list and its file, so that a restart lifts nothing. What is decided counts at once,
//! and is written again until the disk takes it. Must never let somebody through because the
//! file is missing a word: one that cannot be read keeps the server from starting.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::AlarmError;
use crate::audit::{RecordId, now_micros};

const FILE: &str = "curbs.json";

/// How somebody is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curbed {
    /// One statement at once, with a pause before each.
    Throttled {
        /// The pause, in milliseconds.
        pause: u64,
    },
    /// No session, no stream, no sign-in.
    Cut,
}

/// One who is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curb {
    /// How.
    pub how: Curbed,
    /// By which rule.
    pub rule: String,
    /// By which alarm.
    pub alarm_id: RecordId,
    /// Since when, in microseconds since 1970-01-01 00:00 UTC.
    pub since: i64,
    /// Until when; until it is lifted where nothing is said.
    pub until: Option<i64>,
}

impl Curb {
    fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whichever holds more.
    fn stricter(self, other: Self) -> Self {
        let lasts = |curb: &Self| curb.until.unwrap_or(i64::MAX);
        let is_cut = |curb: &Self| curb.how == Curbed::Cut;
        match (is_cut(&self), is_cut(&other)) {
            (true, false) => self,
            (false, true) => other,
            _ if lasts(&self) >= lasts(&other) => self,
            _ => other,
        }
    }
}

/// Everybody who is held.
#[derive(Debug, Default)]
pub(crate) struct Curbs {
    /// `None` where nothing is kept, because there are no alarms.
    file: Option<PathBuf>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_name: BTreeMap<String, Curb>,
    /// Whether the file says something else.
    unwritten: bool,
}

/// Who is held, as the folder of the alarms says.
///
/// # Errors
/// [`AlarmError`] if it cannot be read.
pub fn held(folder: &Path) -> Result<BTreeMap<String, Curb>, AlarmError> {
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| AlarmError::Damaged { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(AlarmError::Unusable { path, source }),
    }
}

impl Curbs {
    /// Takes up what was decided before.
    pub(crate) fn open(folder: &Path) -> Result<Self, AlarmError> {
        let unusable = |source| AlarmError::Unusable { path: folder.to_path_buf(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(unusable)?;
        let held = Held { by_name: held(folder)?, unwritten: false };
        Ok(Self { file: Some(folder.join(FILE)), held: Mutex::new(held) })
    }

    /// Whether somebody is cut off.
    pub(crate) fn is_cut(&self, name: &str) -> bool {
        let how = self.lock().by_name.get(name).filter(|curb| curb.holds(now_micros())).map(how);
        how == Some(Curbed::Cut)
    }

    /// The pause before each statement of somebody who is slowed down.
    pub(crate) fn pause(&self, name: &str) -> Option<Duration> {
        let held = self.lock();
        match held.by_name.get(name).filter(|curb| curb.holds(now_micros())).map(how)? {
            Curbed::Throttled { pause } => Some(Duration::from_millis(pause)),
            Curbed::Cut => None,
        }
    }

    /// Holds somebody, from now on.
    pub(crate) fn hold(&self, name: &str, curb: Curb) {
        let mut held = self.lock();
        let curb = match held.by_name.remove(name).filter(|before| before.holds(now_micros())) {
            Some(before) => before.stricter(curb),
            None => curb,
        };
        held.by_name.insert(name.to_owned(), curb);
        held.unwritten = true;
    }

    /// Lets somebody go; whether anybody was held.
    pub(crate) fn lift(&self, name: &str) -> bool {
        let mut held = self.lock();
        let was = held.by_name.remove(name).is_some();
        held.unwritten |= was;
        was
    }

    /// Writes the list, if the file says something else; drops what is over.
    pub(crate) fn keep(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = {
            let mut held = self.lock();
            let before = held.by_name.len();
            held.by_name.retain(|_, curb| curb.holds(now_micros()));
            if !held.unwritten && held.by_name.len() == before {
                return Ok(());
            }
            // Set first: whoever is held while this is written is written next.
            held.unwritten = false;
            serde_json::to_vec_pretty(&held.by_name).unwrap_or_default()
        };
        let written = replace(file, &text);
        if written.is_err() {
            self.lock().unwritten = true;
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn how(curb: &Curb) -> Curbed {
    curb.how
}

/// Puts a whole file in the place of another.
pub(crate) fn replace(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let mut out = File::create(&beside)?;
    out.write_all(text)?;
    out.sync_all()?;
    fs::rename(&beside, file)?;
    File::open(file.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curb(how: Curbed, until: Option<i64>) -> Curb {
        let alarm_id = RecordId::draw().unwrap();
        Curb { how, rule: "rule".into(), alarm_id, since: 0, until }
    }

    const SLOW: Curbed = Curbed::Throttled { pause: 5_000 };

    #[test]
    fn whoever_is_held_stays_so_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let curbs = Curbs::open(folder.path()).unwrap();
        curbs.hold("ann", curb(Curbed::Cut, None));
        curbs.hold("bob", curb(SLOW, None));
        assert!(curbs.is_cut("ann") && !curbs.is_cut("bob") && !curbs.is_cut("cas"));
        curbs.keep().unwrap();
        let again = Curbs::open(folder.path()).unwrap();
        assert!(again.is_cut("ann"));
        assert_eq!(again.pause("bob"), Some(Duration::from_secs(5)));
        assert_eq!(again.pause("ann"), None);
        assert!(again.lift("ann") && !again.lift("ann") && !again.is_cut("ann"));
    }

    #[test]
    fn what_is_over_holds_nobody_and_a_cut_is_not_softened() {
        let folder = tempfile::tempdir().unwrap();
        let curbs = Curbs::open(folder.path()).unwrap();
        curbs.hold("ann", curb(Curbed::Cut, Some(now_micros() - 1)));
        assert!(!curbs.is_cut("ann"));
        curbs.hold("bob", curb(Curbed::Cut, None));
        curbs.hold("bob", curb(SLOW, None));
        assert!(curbs.is_cut("bob"));
        curbs.keep().unwrap();
        assert_eq!(held(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_damaged_list_is_no_empty_list() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", "[]", "{\"ann\":{}}"] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(
                matches!(Curbs::open(folder.path()), Err(AlarmError::Damaged { .. })),
                "{text}"
            );
        }
    }
}
