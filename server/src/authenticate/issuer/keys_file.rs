//! The file of the issuer's keys, read again when it changes.
//!
//! Owns when it is looked at, and what is said about it in the log. Must never go on with keys
//! that the file does not hold any more: a file that is missing, damaged, open to everybody's
//! hand or on a disk that does not answer is no keys at all. Must never make a request wait for
//! the disk.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::key_set::KeySet;

/// How often the file is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// For how long the keys count that were read last: a disk that does not answer is no keys.
const COUNT_FOR: Duration = Duration::from_secs(10);
/// A set of keys is a few KiB.
const BYTES_MAX: u64 = 1024 * 1024;
/// Permission of everybody to write.
const WRITABLE_BY_ALL: u32 = 0o002;

/// By which a change is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Debug, Default)]
struct State {
    /// When the look began whose outcome this is.
    looked_at: Option<Instant>,
    stamp: Option<Stamp>,
    keys: Option<Arc<KeySet>>,
    /// What was last said in the log, so that it is said once.
    said: Option<String>,
}

/// The file with the keys. Requests read what is known of it; looking at it can take as long as
/// the disk likes.
#[derive(Debug)]
pub(super) struct KeysFile {
    path: PathBuf,
    state: Mutex<State>,
}

impl KeysFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// The keys that the file held when it was looked at last, if that is not too long ago.
    pub(super) fn current(&self, now: Instant) -> Option<Arc<KeySet>> {
        let state = self.lock();
        let looked_at = state.looked_at?;
        let counts = now.saturating_duration_since(looked_at) < COUNT_FOR;
        state.keys.clone().filter(|_| counts)
    }

    /// Looks at the file again and again, for ever, away from the tasks that serve requests.
    pub(super) async fn keep_reading(self: &Arc<Self>) {
        loop {
            let file = Arc::clone(self);
            if tokio::task::spawn_blocking(move || file.look(Instant::now())).await.is_err() {
                return;
            }
            tokio::time::sleep(LOOKED_AT_EVERY).await;
        }
    }

    /// Looks at the file. Nothing is held that requests wait for while the disk answers.
    pub(super) fn look(&self, now: Instant) {
        let known = self.lock().stamp;
        let read = self.read_if_changed(known);
        let mut state = self.lock();
        state.looked_at = Some(now);
        match read {
            Ok(None) => {}
            Ok(Some((stamp, keys))) => {
                (state.stamp, state.keys) = (Some(stamp), Some(Arc::new(keys)));
                state.said = None;
                tracing::info!(file = %self.path.display(), "the issuer's keys were read");
            }
            Err(reason) => {
                (state.stamp, state.keys) = (None, None);
                if state.said.as_ref() != Some(&reason) {
                    tracing::error!(
                        file = %self.path.display(), %reason,
                        "the issuer's keys cannot be used: nobody signs in by its tokens"
                    );
                    state.said = Some(reason);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_if_changed(&self, known: Option<Stamp>) -> Result<Option<(Stamp, KeySet)>, String> {
        let file = File::open(&self.path).map_err(|error| error.to_string())?;
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        if !metadata.is_file() || metadata.mode() & WRITABLE_BY_ALL != 0 {
            return Err("it is no file, or everybody may write it".into());
        }
        let stamp = Stamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        if known == Some(stamp) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err("it is larger than 1 MiB".into());
        }
        Ok(Some((stamp, KeySet::parse(&bytes)?)))
    }
}
