//! `evidence`: which of a bank's controls are shown by which tests, and what came of them.
//!
//! Owns the way from `controls.toml`, the output of a test run and what `prove` left to
//! `docs/evidence.md`. Must never call a control shown by a test that was not run, or that failed, nor
//! a planted fault noticed that was not.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use martlet_tests::evidence::controls::{self, Control};
use martlet_tests::evidence::page;
use martlet_tests::evidence::proof::{Asked, Planted};
use martlet_tests::evidence::run::{Came, Run};
use martlet_tests::mutants::patch::planted;
use martlet_tests::mutants::results::Results;

/// Writes which controls are shown by which tests, out of a test run's output
///
/// cargo test --workspace 2>&1 | tee run.log;
/// cargo run -p martlet-tests --bin evidence -- run.log --of "$(git rev-parse --short HEAD)"
#[derive(Debug, Parser)]
#[command(name = "evidence")]
struct Arguments {
    /// What `cargo test --workspace` printed
    output: PathBuf,
    /// What was tested, as the page shall call it: a version, a commit
    #[arg(long)]
    of: String,
    /// The page; without it only whether every control is shown
    #[arg(long)]
    page: Option<PathBuf>,
    /// The last lines of long runs of `prove`
    #[arg(long)]
    proof: Option<PathBuf>,
    /// What `prove --mutants --results` kept of the planted faults; of several the last one counts
    #[arg(long)]
    mutants: Vec<PathBuf>,
    /// The list of controls
    #[arg(long, default_value_os_t = Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence/controls.toml"))]
    controls: PathBuf,
}

fn main() -> ExitCode {
    match write(&Arguments::parse()) {
        Ok(open) if open.is_empty() => ExitCode::SUCCESS,
        Ok(open) => {
            open.iter().for_each(|line| eprintln!("{line}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(65)
        }
    }
}

/// Writes the page; gives what is not shown.
fn write(arguments: &Arguments) -> Result<Vec<String>, String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| in_file(path, error));
    let controls = controls::read(&read(&arguments.controls)?)?;
    let run = Run::read(&read(&arguments.output)?);
    let asked = match &arguments.proof {
        Some(file) => Asked::read(&read(file)?).map_err(|error| in_file(file, error))?,
        None => Vec::new(),
    };
    let results = arguments.mutants.iter();
    let results: Vec<Results> = results
        .map(|file| Results::read(file).map_err(|error| in_file(file, error)))
        .collect::<Result<_, String>>()?;
    let planted = if results.is_empty() { Vec::new() } else { planted_faults(&results)? };
    if let Some(page) = &arguments.page {
        let text = page::written(&controls, &run, &arguments.of, (&asked, &planted));
        std::fs::write(page, text).map_err(|error| in_file(page, error))?;
    }
    let mut found: Vec<String> = controls.iter().flat_map(|control| open(control, &run)).collect();
    found.extend(asked.iter().filter_map(Asked::open));
    found.extend(planted.iter().filter_map(Planted::open));
    Ok(found)
}

fn in_file(file: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", file.display())
}

fn planted_faults(results: &[Results]) -> Result<Vec<Planted>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let patches = planted(&folder, "").map_err(|error| in_file(&folder, error))?;
    Ok(Planted::of(patches, results))
}

/// The tests of a control that do not show it.
fn open(control: &Control, run: &Run) -> Vec<String> {
    let told = |test: &String| {
        let came = run.came(test);
        (came != Came::Passed).then(|| format!("{}: {test} {}", control.name, came.word()))
    };
    control.tests.iter().filter_map(told).collect()
}
