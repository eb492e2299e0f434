//! Who is slowed down or cut off, and when somebody last was.
//!
//! Owns the list and its file, so that a restart lifts nothing. What is decided counts at once,
//! and is written again until the disk takes it. Must never let somebody through because the
//! file is missing a word: one that cannot be read keeps the server from starting, and so does one
//! that is not there although it has to be.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::MINUTE;
use super::error::AlarmError;
use crate::audit::{RecordId, make_folder, now_micros};

const FILE: &str = "curbs.json";
/// How much longer than an issuer's tokens live a cut is remembered: both clocks may differ by a minute.
const CLOCKS_DIFFER: i64 = 2 * MINUTE;
/// For how long a cut is remembered at least, in microseconds: whoever lets tokens live longer from the
/// next start on finds it still.
const CUTS_KEPT_MIN: i64 = 31 * 24 * 60 * MINUTE;

/// How somebody is held; the stricter is the greater.
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

    /// Whether it takes nothing away that the other does not take away as long.
    fn adds_nothing_to(&self, other: &Self) -> bool {
        let lasts = |curb: &Self| curb.until.unwrap_or(i64::MAX);
        self.how <= other.how && lasts(self) <= lasts(other)
    }
}

/// Everybody who is held.
#[derive(Debug, Default)]
pub(crate) struct Curbs {
    /// `None` where nothing is kept, because there are no alarms.
    file: Option<PathBuf>,
    /// For how long a cut is remembered, in microseconds.
    cuts_kept: i64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Of each only what holds longer or more strictly than the others: a throttle without an end
    /// stays beside a cut for some minutes, and counts again after it.
    by_name: BTreeMap<String, Vec<Curb>>,
    /// When each was last cut off, in microseconds since 1970-01-01 00:00 UTC: also of those who were
    /// let go, for what an issuer signed before is worth nothing any more.
    last_cuts: BTreeMap<String, i64>,
    /// Whether the file says something else.
    unwritten: bool,
}

/// What is written.
#[derive(Serialize)]
struct Written<'a> {
    held: &'a BTreeMap<String, Vec<Curb>>,
    last_cuts: &'a BTreeMap<String, i64>,
}

/// What the file holds. A server of before kept no more than who is held.
#[derive(Deserialize)]
#[serde(untagged)]
enum Read {
    Whole(Whole),
    Held(BTreeMap<String, Kept>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    held: BTreeMap<String, Vec<Curb>>,
    last_cuts: BTreeMap<String, i64>,
}

impl From<Read> for Whole {
    fn from(read: Read) -> Self {
        match read {
            Read::Whole(whole) => whole,
            Read::Held(kept) => {
                let kept = kept.into_iter().map(|(name, kept)| (name, Vec::from(kept)));
                let held: BTreeMap<String, Vec<Curb>> = kept.collect();
                let cuts = |curbs: &Vec<Curb>| {
                    let cuts = curbs.iter().filter(|curb| curb.how == Curbed::Cut);
                    cuts.map(|curb| curb.since).max()
                };
                let last_cuts = held.iter();
                let last_cuts = last_cuts.filter_map(|(name, of)| Some((name.clone(), cuts(of)?)));
                Self { last_cuts: last_cuts.collect(), held }
            }
        }
    }
}

/// What such a file holds of one name; the first servers kept one curb of each.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Several(Vec<Curb>),
    One(Curb),
}

impl From<Kept> for Vec<Curb> {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Several(curbs) => curbs,
            Kept::One(curb) => vec![curb],
        }
    }
}

/// Who is held, and by what, as the folder of the alarms says.
///
/// # Errors
/// [`AlarmError`] if it cannot be read.
pub fn held(folder: &Path) -> Result<BTreeMap<String, Vec<Curb>>, AlarmError> {
    Ok(read(folder)?.map_or_else(BTreeMap::new, |whole| whole.held))
}

/// What the file says; `None` if there is none.
fn read(folder: &Path) -> Result<Option<Whole>, AlarmError> {
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            let read: Read =
                serde_json::from_slice(&bytes).map_err(|_| AlarmError::Damaged { path })?;
            Ok(Some(read.into()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AlarmError::Unusable { path, source }),
    }
}

impl Curbs {
    /// Takes up what was decided before. Where there is no file, it is asked whether alarms ever held
    /// anybody: then there was one, for it is written before that is on record, and is never removed.
    /// So long as an issuer's tokens live, a cut is remembered.
    pub(crate) fn open(
        folder: &Path,
        tokens_live: Duration,
        ever_held: impl FnOnce() -> Result<bool, AlarmError>,
    ) -> Result<Self, AlarmError> {
        make_folder(folder)
            .map_err(|source| AlarmError::Unusable { path: folder.to_path_buf(), source })?;
        let file = folder.join(FILE);
        let held = match read(folder)? {
            Some(Whole { held, last_cuts }) => Held { by_name: held, last_cuts, unwritten: false },
            None if ever_held()? => return Err(AlarmError::Missing { path: file }),
            None => Held { unwritten: true, ..Held::default() },
        };
        let tokens_live = i64::try_from(tokens_live.as_micros()).unwrap_or(i64::MAX);
        let cuts_kept = tokens_live.saturating_add(CLOCKS_DIFFER).max(CUTS_KEPT_MIN);
        let curbs = Self { file: Some(file.clone()), cuts_kept, held: Mutex::new(held) };
        curbs.keep().map_err(|source| AlarmError::Unusable { path: file, source })?;
        Ok(curbs)
    }

    /// Whether somebody was cut off at this time or later, in seconds since 1970-01-01 00:00 UTC, and
    /// be it that they were let go since.
    pub(crate) fn was_cut_since(&self, name: &str, seconds: i64) -> bool {
        let since = seconds.saturating_mul(1_000_000);
        self.lock().last_cuts.get(name).is_some_and(|cut| *cut >= since)
    }

    /// Whether somebody is cut off.
    pub(crate) fn is_cut(&self, name: &str) -> bool {
        self.holding(name).contains(&Curbed::Cut)
    }

    /// The pause before each statement of somebody who is slowed down.
    pub(crate) fn pause(&self, name: &str) -> Option<Duration> {
        let pauses = self.holding(name).into_iter().filter_map(|how| match how {
            Curbed::Throttled { pause } => Some(Duration::from_millis(pause)),
            Curbed::Cut => None,
        });
        pauses.max()
    }

    /// How somebody is held now.
    fn holding(&self, name: &str) -> Vec<Curbed> {
        let held = self.lock();
        let curbs = held.by_name.get(name).into_iter().flatten();
        curbs.filter(|curb| curb.holds(now_micros())).map(|curb| curb.how).collect()
    }

    /// Holds somebody, from now on.
    pub(crate) fn hold(&self, name: &str, curb: Curb) {
        let mut held = self.lock();
        if curb.how == Curbed::Cut {
            let last = held.last_cuts.entry(name.to_owned()).or_insert(curb.since);
            *last = curb.since.max(*last);
        }
        let curbs = held.by_name.entry(name.to_owned()).or_default();
        curbs.retain(|before| before.holds(now_micros()));
        if !curbs.iter().any(|before| curb.adds_nothing_to(before)) {
            curbs.retain(|before| !before.adds_nothing_to(&curb));
            curbs.push(curb);
        }
        held.unwritten = true;
    }

    /// Lets somebody go; whether anybody was held.
    pub(crate) fn lift(&self, name: &str) -> bool {
        let mut held = self.lock();
        let was = held.by_name.remove(name).is_some();
        held.unwritten |= was;
        was
    }

    /// Writes the list, if the file says something else or was removed; drops what is over.
    pub(crate) fn keep(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let is_gone = matches!(file.try_exists(), Ok(false));
        let (text, is_news) = {
            let mut held = self.lock();
            let is_over = drop_what_is_over(&mut held, self.cuts_kept);
            let is_news = held.unwritten || is_over;
            if !is_news && !is_gone {
                return Ok(());
            }
            let written = Written { held: &held.by_name, last_cuts: &held.last_cuts };
            let text = serde_json::to_vec_pretty(&written)?;
            // Set first: whoever is held while this is written is written next.
            held.unwritten = false;
            (text, is_news)
        };
        match replace(file, &text) {
            // Everything was written once; for its sake no alarm stays off the record.
            Err(error) if !is_news => {
                tracing::error!(%error, "the list of who is held was removed, and cannot be written again");
                Ok(())
            }
            Err(error) => {
                self.lock().unwritten = true;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether anything was over.
fn drop_what_is_over(held: &mut Held, cuts_kept: i64) -> bool {
    let count =
        |held: &Held| held.last_cuts.len() + held.by_name.values().map(Vec::len).sum::<usize>();
    let (before, now) = (count(held), now_micros());
    held.by_name.values_mut().for_each(|curbs| curbs.retain(|curb| curb.holds(now)));
    held.by_name.retain(|_, curbs| !curbs.is_empty());
    held.last_cuts.retain(|_, cut| now < cut.saturating_add(cuts_kept));
    count(held) < before
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
#[path = "curbs_tests.rs"]
mod tests;
