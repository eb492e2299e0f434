//! Where a mart lies, and the folders that belong beside it.
//!
//! Owns opening a store by path or URL, and the default places of what must not lie inside a
//! mart: audit journal, token key, rejected rows. Never reads a row.

use std::path::{Path, PathBuf};

use martlet_core::{ErrorKind, SnapshotNumber};
use martlet_store::{Snapshot, Store};

use super::exit::Failure;

/// Whether a mart has to be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It has; a missing folder is a wrong path.
    Existing,
    /// A load makes it.
    NewOrExisting,
}

/// Opens the mart in a folder or at a URL.
pub(crate) fn open(mart: &str, expected: Expected) -> Result<Store, Failure> {
    if let Some(folder) = folder_of(mart) {
        match expected {
            Expected::Existing if !folder.is_dir() => {
                return Err(Failure::new(
                    ErrorKind::NotFound,
                    format!("there is no mart in `{mart}`"),
                )
                .advise("check --mart; `martlet load` makes a mart"));
            }
            Expected::Existing => {}
            Expected::NewOrExisting => std::fs::create_dir_all(&folder)
                .map_err(|error| Failure::file("making the mart's folder", &folder, &error))?,
        }
    }
    Ok(Store::open(mart)?)
}

/// The latest snapshot, which is snapshot 0 before the first load.
pub(crate) async fn latest(store: &Store) -> Result<Snapshot, Failure> {
    Ok(store.latest().await?)
}

/// The latest snapshot, or the one of this number.
pub(crate) async fn snapshot(store: &Store, number: Option<u64>) -> Result<Snapshot, Failure> {
    match number {
        None => latest(store).await,
        Some(number) => Ok(store.snapshot(SnapshotNumber::new(number)).await?),
    }
}

/// The folder of a mart that lies in the local file system.
pub(crate) fn folder_of(mart: &str) -> Option<PathBuf> {
    match mart.split_once("://") {
        None => Some(PathBuf::from(mart)),
        Some(("file", path)) => Some(PathBuf::from(path)),
        Some(_) => None,
    }
}

/// A place beside the mart's folder: `bank/mart` and `audit` give `bank/mart-audit`. A mart
/// that is not in the local file system has it in the working folder.
pub(crate) fn beside(mart: &str, what: &str) -> PathBuf {
    let folder = folder_of(mart).unwrap_or_else(|| PathBuf::from("martlet"));
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("mart");
    folder.with_file_name(format!("{name}-{what}"))
}

/// Refuses a path inside the mart's folder: who may read the mart must not read this.
pub(crate) fn refuse_inside(mart: &str, path: &Path, what: &str) -> Result<(), Failure> {
    let Some(folder) = folder_of(mart) else { return Ok(()) };
    let resolved = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // A link may hide where the parent really is.
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| resolved(path));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    if resolved(path).starts_with(resolved(&folder)) || real(parent).starts_with(real(&folder)) {
        return Err(Failure::invalid(format!(
            "{what} `{}` would lie inside the mart `{mart}`",
            path.display()
        ))
        .advise("choose a place outside of the mart, with other permissions"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_lie_beside_the_mart_and_never_in_it() {
        assert_eq!(beside("bank/mart", "audit"), Path::new("bank/mart-audit"));
        assert_eq!(beside("./mart/", "audit"), Path::new("./mart-audit"));
        assert_eq!(beside("file:///bank/mart", "audit"), Path::new("/bank/mart-audit"));
        assert_eq!(beside("s3://bucket/mart", "audit"), Path::new("martlet-audit"));
    }

    #[test]
    fn a_key_inside_the_mart_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mart = dir.path().join("mart");
        std::fs::create_dir(&mart).unwrap();
        let mart = mart.to_str().unwrap();
        let inside = Path::new(mart).join("key");
        assert!(refuse_inside(mart, &inside, "the token key").is_err());
        let roundabout = Path::new(mart).join("..").join("mart").join("key");
        assert!(refuse_inside(mart, &roundabout, "the token key").is_err());
        assert!(refuse_inside(mart, &dir.path().join("mart-key"), "the token key").is_ok());
    }

    #[test]
    fn a_mart_that_is_not_there_is_not_made_by_a_reader() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent");
        let refused = open(path.to_str().unwrap(), Expected::Existing);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!path.exists());
    }
}
