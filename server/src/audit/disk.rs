//! The few things that the journal does to files, so that a full disk can be put in their place.
//!
//! Owns nothing. Must never hide an error: what was not flushed was not written.

use std::fs::File;
use std::io::{self, Write as _};

/// Appends, flushes and cuts.
pub(crate) trait Disk: Send {
    /// Appends bytes to a file and flushes them to the device. On an error any part of them
    /// may stand there.
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file down to so many bytes.
    fn cut(&self, file: &File, bytes: u64) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local;

impl Disk for Local {
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)?;
        file.sync_data()
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A disk with so much room; what is cut is room again. Also used by the writer's tests.
    #[derive(Debug, Clone)]
    pub(crate) struct Small {
        pub(crate) room: Arc<AtomicU64>,
    }

    impl Small {
        pub(crate) fn with_room(bytes: u64) -> Self {
            Self { room: Arc::new(AtomicU64::new(bytes)) }
        }
    }

    impl Disk for Small {
        fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
            let room = self.room.load(Ordering::SeqCst);
            let fits = bytes.len().min(usize::try_from(room).unwrap());
            file.write_all(&bytes[..fits])?;
            // Somebody else may have given it room since.
            self.room.fetch_sub(fits as u64, Ordering::SeqCst);
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }

        fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
            let freed = file.metadata()?.len().saturating_sub(bytes);
            self.room.fetch_add(freed, Ordering::SeqCst);
            file.set_len(bytes)
        }
    }

    #[test]
    fn a_small_disk_takes_half_a_line_and_says_that_it_is_full() {
        let mut file = tempfile::tempfile().unwrap();
        let disk = Small::with_room(5);
        let error = disk.append(&mut file, b"12345678").unwrap_err();
        assert!(is_full(&error));
        assert_eq!(file.metadata().unwrap().len(), 5);
        disk.cut(&file, 2).unwrap();
        assert_eq!(disk.room.load(Ordering::SeqCst), 3);
    }
}
