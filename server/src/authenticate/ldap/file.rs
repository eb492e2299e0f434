//! The operator's files: who else may have them.
//!
//! Owns that question. Must never put what is in a file into an error.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::LdapUnusable;

const BYTES_MAX: u64 = 1024 * 1024;

/// Who must not have a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFor {
    /// Whoever writes it decides who has which role.
    EverybodyToWrite,
    /// It holds a password.
    EverybodyToRead,
}

impl NotFor {
    const fn permissions(self) -> (u32, &'static str) {
        match self {
            Self::EverybodyToWrite => (0o002, "everybody may write it: take that away"),
            Self::EverybodyToRead => (0o006, "everybody may read or write it: take that away"),
        }
    }
}

/// Reads a file of the option.
pub(super) fn read(
    option: &'static str,
    path: &Path,
    not_for: NotFor,
) -> Result<String, LdapUnusable> {
    let unreadable = |source| LdapUnusable::File { option, path: path.to_path_buf(), source };
    let wrong = |what| LdapUnusable::option(option, format!("{}: {what}", path.display()));
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let (forbidden, what) = not_for.permissions();
    if !metadata.is_file() {
        return Err(wrong("it is no file"));
    }
    if metadata.mode() & forbidden != 0 {
        return Err(wrong(what));
    }
    let (mut text, file) = (String::new(), File::open(path).map_err(unreadable)?);
    let read = file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if read as u64 > BYTES_MAX {
        return Err(wrong("it is larger than 1 MiB"));
    }
    Ok(text)
}
