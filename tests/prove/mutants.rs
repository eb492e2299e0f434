//! Planted faults: each patch of `tests/mutants` in a copy of the source, built and asked.
//!
//! A fault counts as found only if the command ran on the faulty source and said that something
//! is wrong. One that cannot be planted or built was not found, and is told as such. The copy is built
//! as this program was, into the same folder, where only other people's crates may meet: Martlet's
//! own have another version in the copy, and the program has another name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::Plan;

/// Statements after which a fault has to be found.
const STATEMENTS: u64 = 4_000;

/// What is copied of the source: everything that is built.
const COPIED: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "benchmarks",
    "engine",
    "ingest",
    "proto",
    "server",
    "tests",
];

/// What stands differently in the copy, so that nothing that was built of it is ever taken for
/// something that was built of the source: in which file, the line that begins so, and the line.
const RENAMED: [(&str, &str, &str); 2] = [
    ("Cargo.toml", "version = ", "version = \"0.0.0-planted\""),
    ("tests/Cargo.toml", "name = \"prove\"", "name = \"prove-planted\""),
];
/// The program's name there.
const PROGRAM: &str = "prove-planted";

/// What came of one planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Found,
    NotFound,
    NotPlanted,
    NotBuilt,
    Broken,
}

impl Fate {
    const fn told(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NotFound => "NOT found",
            Self::NotPlanted => "NOT planted: the patch does not apply",
            Self::NotBuilt => "NOT built",
            Self::Broken => "NOT asked: the command broke",
        }
    }
}

/// The patches in a folder whose names hold `only`, in the order of their names.
#[must_use]
pub fn planted(folder: &Path, only: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut patches: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|of| of == "patch"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(only)))
        .collect();
    patches.sort();
    patches
}

/// As many of them as are wanted, others with each turn.
#[must_use]
pub fn some(patches: Vec<PathBuf>, wanted: usize, turn: u64) -> Vec<PathBuf> {
    let all = patches.len().max(1);
    let first = usize::try_from(turn).unwrap_or(0).wrapping_mul(wanted) % all;
    patches.into_iter().cycle().skip(first).take(wanted.min(all)).collect()
}

/// How many of the faults are found. Each is told about when it is done.
pub fn caught(source: &Path, patches: &[PathBuf], plan: Plan, tell: &dyn Fn(String)) -> usize {
    let copy = source.join("target/mutants/source");
    let mut found = 0;
    for patch in patches {
        let fate = fate(source, &copy, patch, plan);
        found += usize::from(fate == Fate::Found);
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        tell(format!("{name}: {}", fate.told()));
    }
    found
}

fn fate(source: &Path, copy: &Path, patch: &Path, plan: Plan) -> Fate {
    if fs::create_dir_all(copy).is_err()
        || COPIED.iter().any(|part| mirror(&source.join(part), &copy.join(part)).is_err())
        || RENAMED.iter().any(|renamed| rename(source, copy, *renamed).is_err())
    {
        return Fate::NotPlanted;
    }
    // The copy lies in a folder that the source's repository ignores; git must not look there.
    let applied = Command::new("git")
        .arg("apply")
        .arg(patch)
        .current_dir(copy)
        .env("GIT_CEILING_DIRECTORIES", source)
        .status();
    if !applied.is_ok_and(|status| status.success()) {
        return Fate::NotPlanted;
    }
    let built =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| source.join("target"), PathBuf::from);
    if !build(copy, &built).status().is_ok_and(|status| status.success()) {
        return Fate::NotBuilt;
    }
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let asked = Command::new(built.join(profile).join(PROGRAM))
        .args(["--statements", &STATEMENTS.min(plan.statements.max(1)).to_string()])
        .args(["--seed", &plan.seed.to_string(), "--rows", &plan.scale.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match asked.ok().and_then(|status| status.code()) {
        Some(1) => Fate::Found,
        Some(0) => Fate::NotFound,
        _ => Fate::Broken,
    }
}

/// Builds the copy in the profile of this program, with the whole workspace's features: what is
/// built of others' crates is built once.
fn build(copy: &Path, built: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--offline", "--workspace", "--bin", PROGRAM]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.current_dir(copy).env("CARGO_TARGET_DIR", built);
    command
}

fn rename(
    source: &Path,
    copy: &Path,
    (file, begins, line): (&str, &str, &str),
) -> std::io::Result<()> {
    let text = fs::read_to_string(source.join(file))?;
    let mut renamed = String::with_capacity(text.len());
    let mut is_done = false;
    for old in text.lines() {
        let is_it = !is_done && old.starts_with(begins);
        is_done |= is_it;
        renamed.push_str(if is_it { line } else { old });
        renamed.push('\n');
    }
    if fs::read_to_string(copy.join(file)).is_ok_and(|old| old == renamed) {
        return Ok(());
    }
    fs::write(copy.join(file), renamed)
}

/// Makes `to` what `from` is, and leaves files alone that are the same already: what did not
/// change is not built again.
fn mirror(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(to)? {
            let entry = entry?;
            if !from.join(entry.file_name()).exists() {
                remove(&entry.path())?;
            }
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_name() != "target" {
                mirror(&entry.path(), &to.join(entry.file_name()))?;
            }
        }
        return Ok(());
    }
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(to, content)
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
