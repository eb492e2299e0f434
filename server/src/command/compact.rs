//! `martlet compact`: small segments and deleted rows give way to full, sorted segments.
//!
//! Owns the options and the report; the work is `martlet-ingest`'s. No row changes, and earlier
//! snapshots keep what they hold.

use std::path::PathBuf;

use clap::Args;
use martlet_core::{BatchDate, TableName};
use martlet_ingest::{
    CompactReport, CompactRequest, CompactScope, CompactTables, Correctable, compact,
};
use serde_json::json;

use super::exit::Failure;
use super::grid::Grid;
use super::mart::{self, Expected};
use super::progress::progress;
use super::size::{Bytes, Count, Size};
use super::snapshot::print_json;
use super::terminal::Reader;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet compact --mart ./mart
  martlet compact transaction --mart ./mart --everything
  martlet compact --mart ./mart --correctable-from 2026-11-01

A batch whose segments are merged with those of others can no longer be loaded again under its
date. So the newest date's batches stay as they are, unless --correctable-from or
--correct-nothing says otherwise.";

/// The options of `martlet compact`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The tables; default: all
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Write every segment anew, so that a table becomes one sorted run
    #[arg(long)]
    everything: bool,
    /// Batches of this date and later can be corrected afterwards
    #[arg(long, value_name = "DATE", conflicts_with = "correct_nothing")]
    correctable_from: Option<BatchDate>,
    /// No batch has to be corrected afterwards
    #[arg(long)]
    correct_nothing: bool,
    /// Memory to plan with, such as 4G; default: a quarter of the machine's
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// Folder for working files; default: beside the mart, with `-rejects` at the end
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Compacts and reports.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let scratch_dir = arguments.work.unwrap_or_else(|| mart::beside(&arguments.mart, "rejects"));
    mart::refuse_inside(&arguments.mart, &scratch_dir, "the folder of working files")?;
    let correctable = match arguments.correctable_from {
        Some(date) => Correctable::From(date),
        None if arguments.correct_nothing => Correctable::Nothing,
        None => Correctable::Newest,
    };
    let request = CompactRequest {
        tables: tables(&arguments.tables)?,
        scope: if arguments.everything { CompactScope::Everything } else { CompactScope::Needed },
        correctable,
        scratch_dir,
        // A size beyond the address space is a limit that is never reached.
        memory_bytes: arguments
            .memory
            .map(|memory| usize::try_from(memory.bytes()).unwrap_or(usize::MAX)),
    };
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let progress = progress();
    let report = compact(&store, &request, &progress).await?;
    // The bars are gone before the report is printed.
    drop(progress);
    if arguments.json {
        print_json(&json!(report));
    } else {
        print(&report);
    }
    Ok(())
}

fn tables(names: &[String]) -> Result<CompactTables, Failure> {
    if names.is_empty() {
        return Ok(CompactTables::All);
    }
    let name =
        |name: &String| TableName::new(name).map_err(|error| Failure::invalid(error.to_string()));
    Ok(CompactTables::Named(names.iter().map(name).collect::<Result<_, _>>()?))
}

fn print(report: &CompactReport) {
    let Some(snapshot) = report.snapshot else {
        say!("Nothing to compact: segments are full, or their batches can still be corrected.");
        return;
    };
    let mut grid = Grid::with_headings(&[
        "table",
        ">segments",
        ">become",
        ">kept",
        ">rows",
        ">deleted rows gone",
        ">bytes",
        ">become",
    ]);
    for table in &report.tables {
        grid.texts([
            table.table.clone(),
            table.segments_before.to_string(),
            table.segments_after.to_string(),
            table.segments_kept.to_string(),
            Count(table.rows).to_string(),
            Count(table.rows_dropped).to_string(),
            Bytes(table.bytes_before).to_string(),
            Bytes(table.bytes_after).to_string(),
        ]);
    }
    say!("{}", grid.render(Reader::of_stdout()));
    say!("Snapshot {snapshot} is published ({:.2} s).", report.seconds);
}
