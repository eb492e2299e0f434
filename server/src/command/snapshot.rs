//! `martlet snapshot`: which states a mart has, and what one of them holds.
//!
//! An operator's command on the mart's folder. It reads manifests only, never a row.

use chrono::DateTime;
use clap::{Args, Subcommand};
use martlet_store::{ObjectRef, Snapshot, TableVersion};
use serde_json::{Value, json};

use super::exit::Failure;
use super::grid::Grid;
use super::mart::{self, Expected};
use super::size::{Bytes, Count};
use super::terminal::Reader;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet snapshot list --mart ./mart
  martlet snapshot show --mart ./mart            the latest
  martlet snapshot show 7 --mart ./mart --json";

/// The commands of `martlet snapshot`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// List the snapshots of a mart
    #[command(after_help = EXAMPLES)]
    List(ListArguments),
    /// Show what a snapshot holds: tables, batches, policy
    #[command(after_help = EXAMPLES)]
    Show(ShowArguments),
}

/// The options of `martlet snapshot list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The options of `martlet snapshot show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The snapshot's number; default: the latest
    number: Option<u64>,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Answers a `snapshot` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::List(arguments) => list(&arguments).await,
        Arguments::Show(arguments) => show(&arguments).await,
    }
}

async fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let mut grid = Grid::with_headings(&[
        ">snapshot",
        "committed",
        "newest date",
        ">tables",
        ">batches",
        "commit",
    ]);
    let mut list = Vec::new();
    for summary in store.snapshots().await? {
        let newest = summary.newest_date.map(|date| date.to_string());
        grid.row([
            Some(summary.number.to_string()),
            Some(time(summary.committed_at)),
            newest.clone(),
            Some(summary.tables.len().to_string()),
            Some(summary.batches.to_string()),
            Some(summary.commit_id.to_string()),
        ]);
        list.push(json!({
            "snapshot": summary.number.get(),
            "committed_at": time(summary.committed_at),
            "newest_date": newest,
            "tables": summary.tables.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "batches": summary.batches,
            "commit": summary.commit_id.to_string(),
        }));
    }
    if arguments.json {
        print_json(&Value::from(list));
    } else if grid.len() == 0 {
        say!("The mart is empty; `martlet load` makes its first snapshot.");
    } else {
        say!("{}", grid.render(Reader::of_stdout()));
    }
    Ok(())
}

async fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::snapshot(&store, arguments.number).await?;
    if arguments.json {
        print_json(&as_json(&snapshot));
        return Ok(());
    }
    let reader = Reader::of_stdout();
    say!("snapshot    {}", snapshot.number());
    say!("committed   {}", time(snapshot.committed_at()));
    say!("commit      {}", snapshot.commit_id());
    say!("policy      {}", snapshot.policy().map_or("none", ObjectRef::path));
    say!("principals  {}", snapshot.principals().map_or("none", ObjectRef::path));
    say!("\nTables\n{}", tables(&snapshot).render(reader));
    say!("\nBatches\n{}", batches(&snapshot).render(reader));
    Ok(())
}

fn tables(snapshot: &Snapshot) -> Grid {
    let mut grid =
        Grid::with_headings(&["table", ">columns", ">rows", ">segments", ">bytes", ">index bytes"]);
    for (name, table) in snapshot.tables() {
        let stored = stored(table);
        grid.texts([
            name.to_string(),
            table.schema().columns().len().to_string(),
            Count(table.rows()).to_string(),
            table.segments().len().to_string(),
            Bytes(stored.rows).to_string(),
            Bytes(stored.attachments).to_string(),
        ]);
    }
    grid
}

fn batches(snapshot: &Snapshot) -> Grid {
    let mut grid = Grid::with_headings(&["batch", "date", ">rows", "committed"]);
    for batch in snapshot.batches() {
        grid.texts([
            batch.name().to_owned(),
            batch.date().to_string(),
            Count(batch.rows()).to_string(),
            time(batch.committed_at()),
        ]);
    }
    grid
}

fn as_json(snapshot: &Snapshot) -> Value {
    let table = |table: &TableVersion| {
        let stored = stored(table);
        json!({
            "table": table.schema().name().to_string(),
            "columns": table.schema().columns().len(),
            "rows": table.rows(),
            "segments": table.segments().len(),
            "bytes": stored.rows,
            "index_bytes": stored.attachments,
        })
    };
    let batch = |batch: &martlet_store::BatchRecord| {
        json!({
            "name": batch.name(),
            "date": batch.date().to_string(),
            "rows": batch.rows(),
            "committed_at": time(batch.committed_at()),
        })
    };
    json!({
        "snapshot": snapshot.number().get(),
        "committed_at": time(snapshot.committed_at()),
        "commit": snapshot.commit_id().to_string(),
        "policy": snapshot.policy().map(ObjectRef::path),
        "principals": snapshot.principals().map(ObjectRef::path),
        "tables": snapshot.tables().values().map(|version| table(version)).collect::<Vec<_>>(),
        "batches": snapshot.batches().iter().map(batch).collect::<Vec<_>>(),
    })
}

/// Bytes of a table's objects.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stored {
    /// Of its Parquet files.
    pub(crate) rows: u64,
    /// Of what is attached to them: indexes.
    pub(crate) attachments: u64,
}

/// Adds up what a table takes.
pub(crate) fn stored(table: &TableVersion) -> Stored {
    let mut stored = Stored::default();
    for segment in table.segments() {
        stored.rows += segment.object().size_bytes();
        let attached = segment.attachments().iter();
        stored.attachments += attached.map(|part| part.object().size_bytes()).sum::<u64>();
    }
    stored
}

/// Prints one JSON document.
pub(crate) fn print_json(value: &Value) {
    say!("{value:#}");
}

/// Microseconds since 1970 as a UTC time to the second.
pub(crate) fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(|| "unknown".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_utc() {
        assert_eq!(super::time(1_500_000), "1970-01-01 00:00:01Z");
        assert_eq!(super::time(i64::MAX), "unknown");
    }
}
