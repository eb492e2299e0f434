//! Room that is kept free for the end: a file that is given up when the disk is full.
//!
//! Owns that file. While it is whole, statements may begin; when the disk takes no more it is
//! cut to nothing, and ends and refusals have its room. Must never be given up for a beginning.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::disk::Disk;

/// Ends of all running statements, and some thousands of refusals.
const RESERVE_BYTES: usize = 4 * 1024 * 1024;
/// How often it is tried to have the room again.
const RETRY: Duration = Duration::from_secs(1);
const RESERVE_FILE: &str = "reserve";

/// The kept room.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// It was given up, and not to be had again before this time.
    Spent {
        retry: Instant,
    },
}

impl Reserve {
    /// Makes the room, where it is not there yet.
    pub(crate) fn open(folder: &Path, disk: &dyn Disk) -> io::Result<Self> {
        let path = folder.join(RESERVE_FILE);
        fill(&path, disk)?;
        Ok(Self { path, state: State::Whole })
    }

    /// Whether there is room for a beginning and, whatever comes, for its end.
    pub(crate) fn is_whole(&mut self, disk: &dyn Disk) -> bool {
        if let State::Spent { retry } = self.state
            && Instant::now() >= retry
        {
            self.state = match fill(&self.path, disk) {
                Ok(()) => State::Whole,
                Err(_) => State::Spent { retry: Instant::now() + RETRY },
            };
        }
        self.state == State::Whole
    }

    /// Gives the room up; whether that freed any.
    pub(crate) fn give_up(&mut self, disk: &dyn Disk) -> bool {
        if self.state != State::Whole {
            return false;
        }
        self.state = State::Spent { retry: Instant::now() + RETRY };
        OpenOptions::new().write(true).open(&self.path).is_ok_and(|file| disk.cut(&file, 0).is_ok())
    }
}

/// Bytes without a pattern: a file system that compresses must keep room for all of them.
fn fill(path: &Path, disk: &dyn Disk) -> io::Result<()> {
    let mut file = open(path)?;
    if file.metadata()?.len() == RESERVE_BYTES as u64 {
        return Ok(());
    }
    disk.cut(&file, 0)?;
    let mut bytes = vec![0_u8; RESERVE_BYTES];
    blake3::Hasher::new().update(b"reserve").finalize_xof().fill(&mut bytes);
    let filled = disk.append(&mut file, &bytes);
    if filled.is_err() {
        // Half of it would only take the room of what is still to be written.
        disk.cut(&file, 0)?;
    }
    filled
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::audit::disk::tests::Small;

    #[test]
    fn room_is_given_up_once_and_had_again_when_there_is_some() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Small::with_room(RESERVE_BYTES as u64 + 10);
        let mut reserve = Reserve::open(folder.path(), &disk).unwrap();
        assert!(reserve.is_whole(&disk));
        assert!(reserve.give_up(&disk));
        assert_eq!(disk.room.load(Ordering::SeqCst), RESERVE_BYTES as u64 + 10);
        assert!(!reserve.give_up(&disk) && !reserve.is_whole(&disk));
        // The disk was filled by others meanwhile: half a reserve is none.
        disk.room.store(100, Ordering::SeqCst);
        reserve.state = State::Spent { retry: Instant::now() };
        assert!(!reserve.is_whole(&disk));
        assert_eq!(disk.room.load(Ordering::SeqCst), 100);
        disk.room.store(RESERVE_BYTES as u64, Ordering::SeqCst);
        reserve.state = State::Spent { retry: Instant::now() };
        assert!(reserve.is_whole(&disk));
        assert!(Reserve::open(folder.path(), &disk).is_ok(), "a whole one is not made again");
    }

    #[test]
    fn without_room_there_is_no_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Small::with_room(1_000);
        assert!(Reserve::open(folder.path(), &disk).is_err());
        assert_eq!(disk.room.load(Ordering::SeqCst), 1_000);
    }
}
