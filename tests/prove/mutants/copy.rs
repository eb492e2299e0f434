//! The copy of the source in which faults are planted: one, with one folder of what was built of it.
//!
//! Martlet's own crates have another version in the copy, and the program has another name: nothing
//! that was built of it is ever taken for something that was built of the source. Other people's
//! crates are built once for both. Only what changes is written, and a change in a crate is built as
//! a change: whoever waits for fifty builds does not want each from the beginning.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::patch::{Patch, hex};
use super::results::Fate;
use crate::run::Plan;

/// What is copied of the source: everything that is built.
const COPIED: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "benchmarks", "engine", "ingest", "proto", "server", "tests"];
/// How it is built. The copy lies within the source, where cargo finds this: with one of its own,
/// each flag would be there twice, and everybody else's crates would be built again for it.
const SETTINGS: &str = ".cargo";
/// What no fault is noticed by.
const FAULTS: &str = "tests/mutants";

/// What stands differently in the copy: in which file, the line that begins so, and the line.
const RENAMED: [(&str, &str, &str); 2] = [
    ("Cargo.toml", "version = ", "version = \"0.0.0-planted\""),
    ("tests/Cargo.toml", "name = \"prove\"", "name = \"prove-planted\""),
];
/// The program's name there.
const PROGRAM: &str = "prove-planted";

/// A fault may make something wait for ever.
const ASKED_AT_MOST: Duration = Duration::from_secs(20 * 60);
const LOOKED_EVERY: Duration = Duration::from_millis(100);

/// What is built of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    Program,
    Tests,
}

/// What came of tests, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    Passed(Vec<String>),
    Failed(Vec<String>),
    Broken,
}

/// The copy.
#[derive(Debug)]
pub struct Copy {
    source: PathBuf,
    folder: PathBuf,
    built: PathBuf,
}

impl Copy {
    /// That of a source.
    #[must_use]
    pub fn of(source: &Path) -> Self {
        let own = || source.join("target");
        let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(own, PathBuf::from);
        Self { source: source.to_owned(), folder: source.join("target/mutants/source"), built }
    }

    /// Makes it what the source is.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn restore(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        for part in COPIED {
            mirror(&self.source.join(part), &self.folder.join(part))?;
        }
        for renamed in RENAMED {
            rename(&self.source, &self.folder, renamed)?;
        }
        Ok(())
    }

    /// Plants a fault, if its patch applies.
    #[must_use]
    pub fn plant(&self, patch: &Patch) -> bool {
        // The copy lies in a folder that the source's repository ignores; git must not look there.
        let applied = Command::new("git")
            .arg("apply")
            .arg(&patch.path)
            .current_dir(&self.folder)
            .env("GIT_CEILING_DIRECTORIES", &self.source)
            .stderr(Stdio::null())
            .status();
        applied.is_ok_and(|status| status.success())
    }

    /// Builds it in the profile of this program, with the whole workspace's features: what is built
    /// of others' crates is built once.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn build(&self, what: Built) -> io::Result<()> {
        let mut command = match what {
            Built::Program => self.cargo(&["build", "--bin", PROGRAM]),
            Built::Tests => self.cargo(&["test", "--no-run", "--test", "martlet"]),
        };
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("it cannot be built")) }
    }

    fn cargo(&self, what: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(what).args(["--offline", "--workspace"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.built)
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env("CARGO_TERM_COLOR", "never");
        command
    }

    /// Asks the program that was built of it, until it finds something.
    #[must_use]
    pub fn ask(&self, plan: Plan) -> Fate {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let mut command = Command::new(self.built.join(profile).join(PROGRAM));
        command.args(["--until-found", "--statements", &plan.statements.to_string()]).args([
            "--seed",
            &plan.seed.to_string(),
            "--rows",
            &plan.scale.to_string(),
        ]);
        let broken = |why: &str| Fate::Broken { why: why.to_owned() };
        let Some((code, said)) = self.said(command) else {
            return broken("the command did not end");
        };
        let last: Option<Value> =
            said.lines().last().and_then(|line| serde_json::from_str(line).ok());
        let Some(last) = last else { return broken("the command broke off") };
        let first = &last["first_finding"];
        match (code, first["by"].as_str()) {
            (Some(1), Some(by)) => {
                Fate::Found { by: by.to_owned(), statement: first["statement"].as_u64() }
            }
            (Some(0), None) => Fate::NotFound,
            _ => broken("the command contradicts itself"),
        }
    }

    /// Runs tests that were built of it.
    #[must_use]
    pub fn test(&self, names: &[String]) -> Tested {
        let mut command = self.cargo(&["test", "--test", "martlet"]);
        command.arg("--").args(names);
        let Some((code, said)) = self.said(command) else { return Tested::Broken };
        match code {
            Some(0) => Tested::Passed(told(&said, "ok")),
            Some(101) if said.contains("test result: FAILED") => {
                Tested::Failed(told(&said, "FAILED"))
            }
            _ => Tested::Broken,
        }
    }

    /// What a command ends with and says; none if it does not end.
    fn said(&self, mut command: Command) -> Option<(Option<i32>, String)> {
        let file = self.folder.with_file_name("said");
        let begun = Instant::now();
        let mut child =
            command.stdout(File::create(&file).ok()?).stderr(Stdio::null()).spawn().ok()?;
        loop {
            if let Some(status) = child.try_wait().ok()? {
                return Some((status.code(), fs::read_to_string(&file).ok()?));
            }
            if begun.elapsed() >= ASKED_AT_MOST {
                child.kill().ok()?;
                child.wait().ok()?;
                return None;
            }
            std::thread::sleep(LOOKED_EVERY);
        }
    }
}

/// The names of the tests of which so much is told.
fn told(said: &str, outcome: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let (name, how) = line.strip_prefix("test ")?.split_once(" ... ")?;
        how.starts_with(outcome).then(|| name.to_owned())
    };
    said.lines().filter_map(of_line).collect()
}

/// What the source is, but for the faults themselves.
///
/// # Errors
/// If a file cannot be read.
pub fn state(source: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    for part in COPIED.into_iter().chain([SETTINGS]) {
        digest_of(source, Path::new(part), &mut digest)?;
    }
    Ok(hex(&digest.finalize()))
}

fn digest_of(source: &Path, part: &Path, digest: &mut Sha256) -> io::Result<()> {
    let path = source.join(part);
    if part == Path::new(FAULTS) || part.ends_with("target") {
        return Ok(());
    }
    if path.is_dir() {
        let mut names = Vec::new();
        for entry in fs::read_dir(&path)? {
            names.push(entry?.file_name());
        }
        names.sort();
        return names.iter().try_for_each(|name| digest_of(source, &part.join(name), digest));
    }
    let content = fs::read(&path)?;
    digest.update(part.to_string_lossy().as_bytes());
    digest.update([0]);
    digest.update((content.len() as u64).to_le_bytes());
    digest.update(&content);
    Ok(())
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
