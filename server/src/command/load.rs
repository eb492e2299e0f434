//! `martlet load`: one night's files into a mart, with a report.
//!
//! Owns the options and the report's looks; the load itself is `martlet-ingest`'s.
//! Must never print a cell's value: those stand only in the reject files.

use std::path::{Path, PathBuf};

use clap::Args;
use martlet_core::{BatchDate, ErrorKind};
use martlet_ingest::{LoadOutcome, LoadPlan, LoadReport, LoadRequest, ReplaceMode, load};

use super::exit::Failure;
use super::grid::Grid;
use super::mart::{self, Expected};
use super::policy::note_published;
use super::progress::progress;
use super::size::{Bytes, Count};
use super::terminal::Reader;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet load night.toml --mart ./mart --date 1994-03-31
  martlet load night.toml --mart ./mart --date 1994-03-31 --input /landing --report load.json
  martlet load night.toml --mart ./mart --date 1994-03-31 --replace     the night came again

A night is loaded whole or not at all. Loading the same files again changes nothing and ends
with 0; other files under the same date are refused unless --replace is given.";

/// The options of `martlet load`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The load file: tables, columns, sources (TOML)
    load_file: PathBuf,
    /// The mart: a folder, made if absent, or a URL
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The night's business date, YYYY-MM-DD
    #[arg(long)]
    date: BatchDate,
    /// The folder that the load file's patterns start from, if not its own
    #[arg(long, value_name = "DIR")]
    input: Option<PathBuf>,
    /// Where rejected rows are written; default: beside the mart, with `-rejects` at the end
    #[arg(long, value_name = "DIR")]
    rejects: Option<PathBuf>,
    /// Put this content in the place of what was loaded for this date
    #[arg(long)]
    replace: bool,
    /// Also write the report as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Loads the night and prints the report.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let rejects = arguments.rejects.unwrap_or_else(|| mart::beside(&arguments.mart, "rejects"));
    mart::refuse_inside(&arguments.mart, &rejects, "the folder of rejected rows")?;
    let plan = LoadPlan::read(&arguments.load_file, arguments.input.as_deref())?;
    let store = mart::open(&arguments.mart, Expected::NewOrExisting)?;
    let replace = if arguments.replace { ReplaceMode::Replace } else { ReplaceMode::Refuse };
    let request = LoadRequest {
        plan,
        date: arguments.date,
        replace,
        rejects_dir: rejects,
        progress: progress(),
    };
    let outcome = load(&store, request).await.map_err(|error| {
        let failure = Failure::from(error);
        let failure = match failure.kind() {
            ErrorKind::Invalid | ErrorKind::NotFound => {
                failure.advise("correct what is named above and load again; nothing became visible")
            }
            _ => failure,
        };
        failure.during(format!(
            "loading `{}` for {} into `{}`",
            arguments.load_file.display(),
            arguments.date,
            arguments.mart
        ))
    })?;
    say!("{}", summary(&outcome, arguments.date));
    if let LoadOutcome::Published { snapshot, .. } = &outcome {
        note_published(&store, snapshot).await;
    }
    if let (Some(file), LoadOutcome::Published { report, .. }) = (&arguments.report, &outcome) {
        write_report(report, file)?;
    }
    Ok(())
}

/// What came of a load: the report, or that there was nothing to do.
pub(crate) fn summary(outcome: &LoadOutcome, date: BatchDate) -> String {
    match outcome {
        LoadOutcome::Published { snapshot, report } => {
            let mut text = report_grid(report).render(Reader::of_stdout());
            if let Some(file) = &report.rejects_file {
                let rows = Count(report.rows_rejected);
                let file = file.display();
                text.push_str(&format!("\n{rows} rejected rows, each with its reason: {file}"));
            }
            text.push_str(&format!("\nSnapshot {} is published.", snapshot.number()));
            text
        }
        LoadOutcome::AlreadyLoaded { snapshot, .. } => format!(
            "The night of {date} is already loaded with this content; nothing changed \
             (snapshot {}).",
            snapshot.number()
        ),
    }
}

fn report_grid(report: &LoadReport) -> Grid {
    let mut grid = Grid::with_headings(&[
        "table",
        ">rows read",
        ">loaded",
        ">rejected",
        ">read",
        ">seconds",
        ">rows/s",
        ">segments",
        ">stored",
    ]);
    for table in &report.tables {
        grid.texts([
            table.table.clone(),
            Count(table.rows_read).to_string(),
            Count(table.rows_loaded).to_string(),
            Count(table.rows_rejected).to_string(),
            Bytes(table.bytes_read).to_string(),
            format!("{:.2}", table.seconds),
            rate(table.rows_per_second),
            table.segments.to_string(),
            Bytes(table.bytes_stored).to_string(),
        ]);
    }
    grid.texts([
        "all".to_owned(),
        Count(report.rows_read).to_string(),
        Count(report.rows_loaded).to_string(),
        Count(report.rows_rejected).to_string(),
        Bytes(report.bytes_read).to_string(),
        format!("{:.2}", report.seconds),
        rate(report.rows_per_second),
        report.tables.iter().map(|table| table.segments).sum::<usize>().to_string(),
        Bytes(report.bytes_stored).to_string(),
    ]);
    grid
}

fn rate(rows_per_second: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is a number of rows, and the cast stops at its ends"
    )]
    let whole = rows_per_second.round() as u64;
    Count(whole).to_string()
}

fn write_report(report: &LoadReport, file: &Path) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(report).map_err(|error| {
        Failure::new(ErrorKind::Bug, error.to_string()).during("writing the report")
    })?;
    json.push('\n');
    std::fs::write(file, json).map_err(|error| {
        Failure::file("the night is loaded, but its report could not be written to", file, &error)
    })
}
