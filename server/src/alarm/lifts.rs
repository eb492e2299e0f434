//! Lifting: an officer lays a slip into the alarms' folder, and the server takes it.
//!
//! Whoever may write in that folder may lift, so it belongs to the officers and the server's
//! account. Who lays a slip down is recorded as it is said, beside the number of the account
//! that owns the slip.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::curbs::replace;
use super::error::AlarmError;

const FOLDER: &str = "lifts";
/// Characters of each text on a slip.
const CHARACTERS_MAX: usize = 256;
/// Bytes of a slip.
const BYTES_MAX: u64 = 16 * 1024;

/// Who is to be let go, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slip {
    /// Who is held.
    pub principal: String,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Lays a slip down, for the server that uses this folder.
///
/// # Errors
/// [`AlarmError::Unusable`] if it cannot be written.
pub fn lay_down(folder: &Path, slip: &Slip) -> Result<(), AlarmError> {
    let path = folder.join(FOLDER);
    let unusable = |source| AlarmError::Unusable { path: path.clone(), source };
    fs::create_dir_all(&path).map_err(unusable)?;
    let name = uuid::Uuid::new_v4().simple().to_string();
    let text = serde_json::to_vec(slip).unwrap_or_default();
    replace(&path.join(name).with_extension("json"), &text).map_err(unusable)
}

/// A slip that was found.
pub(crate) struct Laid {
    pub(crate) path: PathBuf,
    /// `None` if it cannot be understood.
    pub(crate) slip: Option<Slip>,
    /// The account that owns it.
    pub(crate) owner: u32,
}

/// The slips of a folder. Each is followed once, even if it cannot be taken away: whom it let go
/// must not be out of reach for ever.
#[derive(Debug)]
pub(crate) struct Slips {
    folder: PathBuf,
    followed: HashSet<PathBuf>,
}

impl Slips {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.join(FOLDER), followed: HashSet::new() }
    }

    /// Those that lie there and were not followed.
    pub(crate) fn laid(&mut self) -> Vec<Laid> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let slips = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let slips: Vec<PathBuf> = slips.collect();
        self.followed.retain(|path| slips.contains(path));
        let new = slips.into_iter().filter(|path| !self.followed.contains(path));
        new.map(|path| Laid { slip: read(&path), owner: owner(&path), path }).collect()
    }

    /// Takes a slip away that was followed.
    pub(crate) fn take_away(&mut self, laid: &Laid) {
        if let Err(error) = fs::remove_file(&laid.path) {
            tracing::error!(%error, path = %laid.path.display(), "a slip cannot be removed: remove it, or a restart follows it again");
            self.followed.insert(laid.path.clone());
        }
    }
}

fn read(path: &Path) -> Option<Slip> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > BYTES_MAX {
        return None;
    }
    let slip: Slip = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let bounded = |text: String| {
        let shown = text.chars().map(|one| if one.is_control() { ' ' } else { one });
        shown.take(CHARACTERS_MAX).collect()
    };
    Some(Slip { principal: slip.principal, by: bounded(slip.by), reason: bounded(slip.reason) })
}

#[cfg(unix)]
fn owner(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(path).map_or(u32::MAX, |meta| meta.uid())
}

#[cfg(not(unix))]
fn owner(_: &Path) -> u32 {
    u32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_bounded_and_one_that_is_none_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut slips = Slips::of(folder.path());
        assert!(slips.laid().is_empty());
        let slip =
            Slip { principal: "ann".into(), by: "officer\n".into(), reason: "x".repeat(10_000) };
        lay_down(folder.path(), &slip).unwrap();
        let found = slips.laid();
        let read = found[0].slip.as_ref().unwrap();
        assert_eq!((read.principal.as_str(), read.by.as_str()), ("ann", "officer "));
        assert_eq!(read.reason.len(), CHARACTERS_MAX);
        fs::write(folder.path().join(FOLDER).join("a.json"), "nonsense").unwrap();
        assert_eq!(slips.laid().iter().filter(|laid| laid.slip.is_none()).count(), 1);
    }

    #[test]
    fn a_slip_that_stays_is_followed_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut slips = Slips::of(folder.path());
        // What cannot be removed like a file.
        fs::create_dir_all(folder.path().join(FOLDER).join("a.json")).unwrap();
        let found = slips.laid();
        assert_eq!(found.len(), 1);
        slips.take_away(&found[0]);
        assert!(slips.laid().is_empty());
        lay_down(
            folder.path(),
            &Slip { principal: "ann".into(), by: "o".into(), reason: "".into() },
        )
        .unwrap();
        let found = slips.laid();
        assert_eq!(found.len(), 1, "the next one is another");
        slips.take_away(&found[0]);
        assert!(slips.laid().is_empty() && !found[0].path.exists());
    }
}
