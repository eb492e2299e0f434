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
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Of each only what holds longer or more strictly than the others: a throttle without an end
    /// stays beside a cut for some minutes, and counts again after it.
    by_name: BTreeMap<String, Vec<Curb>>,
    /// Whether the file says something else.
    unwritten: bool,
}

/// What the file holds of one name. A server of before kept one curb of each.
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
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            let kept: BTreeMap<String, Kept> =
                serde_json::from_slice(&bytes).map_err(|_| AlarmError::Damaged { path })?;
            Ok(kept.into_iter().map(|(name, kept)| (name, kept.into())).collect())
        }
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

    /// Writes the list, if the file says something else; drops what is over.
    pub(crate) fn keep(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = {
            let mut held = self.lock();
            let is_over = drop_what_is_over(&mut held.by_name);
            if !held.unwritten && !is_over {
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

/// Whether anything was over.
fn drop_what_is_over(by_name: &mut BTreeMap<String, Vec<Curb>>) -> bool {
    let count =
        |by_name: &BTreeMap<String, Vec<Curb>>| by_name.values().map(Vec::len).sum::<usize>();
    let before = count(by_name);
    by_name.values_mut().for_each(|curbs| curbs.retain(|curb| curb.holds(now_micros())));
    by_name.retain(|_, curbs| !curbs.is_empty());
    count(by_name) < before
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
    fn a_throttle_comes_back_when_a_cut_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let curbs = Curbs::open(folder.path()).unwrap();
        let soon = now_micros() + 300_000;
        curbs.hold("ann", curb(SLOW, None));
        curbs.hold("ann", curb(Curbed::Cut, Some(soon)));
        assert!(curbs.is_cut("ann"));
        curbs.keep().unwrap();
        let again = Curbs::open(folder.path()).unwrap();
        assert!(again.is_cut("ann"), "both are kept");
        while now_micros() < soon {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!again.is_cut("ann"));
        assert_eq!(again.pause("ann"), Some(Duration::from_secs(5)));
        again.keep().unwrap();
        let left = &held(folder.path()).unwrap()["ann"];
        assert_eq!(left.iter().map(|curb| curb.how).collect::<Vec<_>>(), [SLOW]);
        assert!(again.lift("ann"), "an officer lifts all of it");
        assert_eq!(again.pause("ann"), None);
    }

    #[test]
    fn of_several_the_strictest_counts_and_none_is_kept_for_nothing() {
        let curbs = Curbs::default();
        let (soon, later) = (now_micros() + 1_000_000_000, now_micros() + 2_000_000_000);
        let slower = Curbed::Throttled { pause: 9_000 };
        let kept = || curbs.lock().by_name["ann"].len();
        curbs.hold("ann", curb(SLOW, Some(later)));
        curbs.hold("ann", curb(slower, Some(soon)));
        assert_eq!((curbs.pause("ann"), kept()), (Some(Duration::from_secs(9)), 2));
        curbs.hold("ann", curb(SLOW, Some(soon)));
        assert_eq!(kept(), 2, "it is shorter and no stricter");
        curbs.hold("ann", curb(Curbed::Cut, Some(later)));
        assert_eq!(kept(), 1, "nothing is left of it when that is over");
    }

    #[test]
    fn a_list_of_before_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let one = serde_json::json!({"ann": curb(Curbed::Cut, None)});
        fs::write(folder.path().join(FILE), one.to_string()).unwrap();
        assert!(Curbs::open(folder.path()).unwrap().is_cut("ann"));
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
