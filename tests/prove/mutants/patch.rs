//! A planted fault as it lies in `tests/mutants`: what it says, what it changes, who has to notice.
//!
//! Its first line says in words what is wrong. A line `# caught by: NAME, NAME` names tests that have
//! to fail where the random statements cannot see the fault.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const TESTS: &str = "# caught by: ";
const TOUCHED: &str = "+++ b/";

/// Folders by how little is built again of what changes in them.
const FROM_ABOVE: [&str; 9] = [
    "tests/",
    "server/",
    "ingest/",
    "engine/query/",
    "engine/index/",
    "engine/store/",
    "engine/policy/",
    "engine/core/",
    "",
];

/// Who has to notice a fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notices {
    /// The random statements and their oracles.
    Statements,
    /// Tests, by the beginnings of their names.
    Tests(Vec<String>),
}

/// One planted fault.
#[derive(Debug, Clone)]
pub struct Patch {
    pub path: PathBuf,
    pub name: String,
    /// What is wrong with the source, in words.
    pub what: String,
    pub notices: Notices,
    pub touched: Vec<String>,
    /// Of the whole text.
    pub digest: String,
}

impl Patch {
    /// Reads one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let names = text.lines().find_map(|line| line.strip_prefix(TESTS));
        let names =
            names.map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
        let touched = text.lines().filter_map(|line| line.strip_prefix(TOUCHED));
        Ok(Self {
            path: path.to_owned(),
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            what: text.lines().next().unwrap_or_default().to_owned(),
            notices: names.map_or(Notices::Statements, Notices::Tests),
            touched: touched.map(str::to_owned).collect(),
            digest: hex(&Sha256::digest(text.as_bytes())),
        })
    }

    /// Who builds the same, one after the other; of them, what is built of least first.
    fn place(&self) -> (bool, usize, &[String], &str) {
        let depth = |file: &String| FROM_ABOVE.iter().position(|from| file.starts_with(from));
        let depth = self.touched.iter().filter_map(depth).max().unwrap_or(FROM_ABOVE.len());
        (self.notices != Notices::Statements, depth, self.touched.as_slice(), &self.name)
    }
}

/// The patches in a folder whose names hold `only`, in the order in which they are best built.
///
/// # Errors
/// If the folder or one of them cannot be read.
pub fn planted(folder: &Path, only: &str) -> io::Result<Vec<Patch>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_patch = path.extension().is_some_and(|of| of == "patch");
        if is_patch && path.file_stem().is_some_and(|name| name.to_string_lossy().contains(only)) {
            patches.push(Patch::read(&path)?);
        }
    }
    patches.sort_by(|a, b| a.place().cmp(&b.place()));
    Ok(patches)
}

/// Bytes as text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
