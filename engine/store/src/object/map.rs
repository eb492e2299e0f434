//! A file as memory: the one place of Martlet with unsafe code.
//!
//! Owns the mapping and the reason why it is sound. Never proves the bytes, [`super::proven`]
//! does, and never decides what stays in memory, [`super::resident`] does.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// A whole file, mapped for reading.
#[derive(Debug)]
pub(crate) struct MappedFile {
    map: Mmap,
    state: FileState,
}

/// Which file it is, and when its content or name last changed. What was proven of one state is
/// not proven of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileState {
    device: u64,
    inode: u64,
    changed_at: (i64, i64),
}

impl MappedFile {
    /// Maps a file of exactly this length, which is not 0.
    ///
    /// # Errors
    /// What the operating system said; `InvalidData` if the file has another length.
    #[expect(unsafe_code, reason = "a memory map is a borrow that the compiler cannot check")]
    pub(crate) fn open(path: &Path, length: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        if length == 0 || found.len() != length {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let state = FileState {
            device: found.dev(),
            inode: found.ino(),
            changed_at: (found.ctime(), found.ctime_nsec()),
        };
        // SAFETY: the bytes must neither change nor end while the map lives. Objects of a mart
        // are immutable: they are written to a file of another name, which is renamed into
        // place once it is whole, and removed by name, which leaves the mapped file as it is
        // until it is unmapped. So nobody who follows the format truncates or overwrites one in
        // place, and docs/format.md tells operators not to; the length was looked at above, for
        // a file that is already too short. Whoever breaks this rule on a running server gets a
        // SIGBUS (a file cut off) or bytes that no checksum proved (a file written over).
        let map = unsafe { Mmap::map(&file)? };
        if map.len() as u64 != length {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { map, state })
    }

    /// All bytes of the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The file's state when it was mapped.
    pub(crate) const fn state(&self) -> FileState {
        self.state
    }

    /// Asks the system to fetch these bytes before they are touched. A hint: whether it was
    /// taken does not matter.
    pub(crate) fn fetch_ahead(&self, range: Range<usize>) {
        drop(self.map.advise_range(Advice::WillNeed, range.start, range.len()));
    }

    /// Gives back the memory of these bytes, which begin at a page; whoever touches them again
    /// gets them from the system's file cache, or from the disk. If the system refuses, they
    /// merely stay.
    #[expect(unsafe_code, reason = "the same advice would destroy what a private map has written")]
    pub(crate) fn release(&self, range: Range<usize>) {
        // SAFETY: the advice drops pages of this process. Of a mapping that was written to, or
        // that no file lies behind, their content would be lost while somebody borrows it. This
        // one is of a file and read-only from its first moment to its last, so that a page that
        // comes back holds what the file holds, which does not change (see `open`). A reader
        // that is in the midst of these bytes waits for the page, and sees the same.
        drop(unsafe {
            self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len())
        });
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
