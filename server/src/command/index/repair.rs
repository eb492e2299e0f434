//! `martlet index repair`: proves every index and builds anew what is damaged or missing.
//!
//! Owns the options and the report. Answers are right without it, only slower.

use clap::Args;
use martlet_core::TableName;
use martlet_ingest::reindex::{Which, mend_indexes};

use super::change::work_grid;
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};
use crate::command::progress::progress;
use crate::command::size::Count;
use crate::command::terminal::{Reader, say};

/// The options of `martlet index repair`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Only this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

/// Checks and mends.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let which = match &arguments.table {
        None => Which::All,
        Some(name) => {
            Which::Table(TableName::new(name).map_err(|error| Failure::invalid(error.to_string()))?)
        }
    };
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let progress = progress();
    let mended = mend_indexes(&store, &which, progress.as_ref()).await?;
    drop(progress);
    let (sections, segments) = (Count(mended.sections), Count(mended.segments));
    match mended.snapshot {
        None => say!("{sections} indexes of {segments} segments are as they were written."),
        Some(snapshot) => {
            say!("{}", work_grid(&mended.work).render(Reader::of_stdout()));
            say!("{sections} indexes of {segments} segments were looked at.");
            say!("Snapshot {snapshot} is published; servers take it over at once.");
        }
    }
    Ok(())
}
