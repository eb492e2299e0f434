//! The policy bundle as text: a handful of files, their canonical bytes and their digest.
//!
//! Knows nothing of what the files say. Equal files give equal bytes, so the digest names the
//! policy. Receives: a folder from the officer, or stored bytes from the snapshot.
//! Hands on: text to [`mod@crate::check`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::error::PolicyError;

/// The bundle's name, version, profile and the attributes that rules may speak of.
pub const BUNDLE_FILE: &str = "bundle.toml";
/// The organization's tree.
pub const ORGANIZATION_FILE: &str = "organization.csv";
/// The column classes and their masks.
pub const CLASSES_FILE: &str = "classes.toml";
/// The roles: tables, and what of each class they see.
pub const ROLES_FILE: &str = "roles.toml";
/// The row rules.
pub const RULES_FILE: &str = "rules.toml";

/// What each column is, as the officers see it.
pub const COLUMNS_FILE: &str = "columns.toml";

/// The files that every bundle has to have.
pub const FILES: [&str; 5] = [BUNDLE_FILE, CLASSES_FILE, ORGANIZATION_FILE, ROLES_FILE, RULES_FILE];

/// The files that a bundle may have beside them; there is no other. By its name each has to come
/// before a required one, so that stored bytes which lost it lost more and are no bundle.
pub const OPTIONAL_FILES: [&str; 1] = [COLUMNS_FILE];

/// A bundle's file is at most this large: a tree of a hundred thousand nodes fits many times.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The first bytes of a stored bundle; the number changes with the layout.
const MAGIC: &[u8] = b"martlet policy bundle 1\n";

/// The text of a bundle: file name -> content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleText {
    /// The files by name.
    pub files: BTreeMap<String, String>,
}

impl BundleText {
    /// The canonical bytes: after the magic, for every file in the order of names, the length
    /// of the name (`u64`, little-endian), the name, the length of the text (`u64`), the text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for part in self.files.iter().flat_map(|(name, text)| [name, text]) {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }

    /// Reads what [`BundleText::to_bytes`] wrote; accepts nothing else, so that a digest has
    /// exactly one text.
    ///
    /// # Errors
    /// [`PolicyError::Damaged`] if the bytes are not a bundle's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let damaged = |what| PolicyError::Damaged { what };
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("unknown beginning"))?;
        let mut files = BTreeMap::new();
        while !rest.is_empty() {
            let name = take_part(&mut rest)?;
            let text = take_part(&mut rest)?;
            let in_order =
                files.last_key_value().is_none_or(|(last, _): (&String, _)| *last < name);
            if !in_order {
                return Err(damaged("its files are not in order"));
            }
            files.insert(name, text);
        }
        Ok(Self { files })
    }

    /// Reads a bundle's folder. Only `.toml` and `.csv` files count, so a `README.md` or an
    /// editor's backup may lie beside them.
    ///
    /// # Errors
    /// [`PolicyError::Unreadable`] or [`PolicyError::TooLarge`], with the path.
    pub fn read_dir(folder: &Path) -> Result<Self, PolicyError> {
        let unreadable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| PolicyError::Unreadable { path, source }
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let is_part = path.extension().is_some_and(|ext| ext == "toml" || ext == "csv");
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !is_part {
                continue;
            }
            let bytes = std::fs::metadata(&path).map_err(unreadable(&path))?.len();
            if bytes > FILE_BYTES_MAX {
                return Err(PolicyError::TooLarge { path, bytes, limit: FILE_BYTES_MAX });
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            files.insert(name.to_owned(), text);
        }
        Ok(Self { files })
    }

    /// BLAKE3 of the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        blake3::hash(&self.to_bytes()).into()
    }
}

/// Takes one length-prefixed UTF-8 text off the front.
fn take_part(rest: &mut &[u8]) -> Result<String, PolicyError> {
    let cut = PolicyError::Damaged { what: "it is cut off" };
    let Some((length, after)) = rest.split_first_chunk::<8>() else { return Err(cut) };
    let Ok(length) = usize::try_from(u64::from_le_bytes(*length)) else { return Err(cut) };
    let Some((part, after)) = after.split_at_checked(length) else { return Err(cut) };
    *rest = after;
    std::str::from_utf8(part)
        .map(str::to_owned)
        .map_err(|_| PolicyError::Damaged { what: "a part is not UTF-8" })
}

/// Which policy this is: the officer's own version text, and the digest that cannot lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    pub(crate) text: String,
    pub(crate) digest: [u8; 32],
}

impl PolicyVersion {
    /// The version as `bundle.toml` gives it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// BLAKE3 of the bundle's canonical bytes.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// `2026-11-22.1+5f0c1a2b3c4d`: the version and the first six bytes of the digest.
impl fmt::Display for PolicyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}+", self.text)?;
        self.digest.iter().take(6).try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
