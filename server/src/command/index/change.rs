//! `martlet index add`, `drop` and `alter`: the choice of kinds over a column, on rows that are
//! loaded already.
//!
//! Owns the options and the report. The work is `martlet-ingest`'s: it writes no row, and
//! publishes one snapshot.

use std::time::Duration;

use clap::Args;
use martlet_core::{ColumnName, TableName};
use martlet_index::IndexKind;
use martlet_ingest::reindex::{
    IndexChange, IndexChanged, IndexDeed, IndexWork, Unsuitable, change_indexes,
};
use martlet_query::alter::{AlterDeed, AlterIndex, parse_alter_index};

use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::mart::{self, Expected};
use crate::command::progress::progress;
use crate::command::size::{Bytes, Elapsed};
use crate::command::terminal::{Reader, say};

/// The options of `martlet index add` and `drop`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The column, as TABLE.COLUMN
    #[arg(value_name = "TABLE.COLUMN", value_parser = target)]
    target: Target,
    /// Kinds of index
    #[arg(value_name = "KIND", required = true, value_parser = kind)]
    kinds: Vec<IndexKind>,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
}

/// The options of `martlet index alter`.
#[derive(Debug, Args)]
pub(crate) struct AlterArguments {
    /// ALTER TABLE name ADD INDEX kind (column), or DROP INDEX
    sql: String,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
}

/// A column of a table.
#[derive(Debug, Clone)]
struct Target {
    table: TableName,
    column: ColumnName,
}

fn target(text: &str) -> Result<Target, String> {
    let (table, column) =
        text.rsplit_once('.').ok_or("write the column as TABLE.COLUMN, such as customer.outlet")?;
    let table = table.strip_prefix("mart.").unwrap_or(table);
    Ok(Target {
        table: TableName::new(table).map_err(|error| error.to_string())?,
        column: ColumnName::new(column).map_err(|error| error.to_string())?,
    })
}

pub(super) fn kind(name: &str) -> Result<IndexKind, String> {
    IndexKind::parse(name).ok_or_else(|| {
        let kinds = IndexKind::ALL.map(IndexKind::name).join(", ");
        format!("`{name}` is not a kind of index; there are {kinds}")
    })
}

/// Adds or drops kinds over a column.
pub(crate) async fn run(arguments: Arguments, deed: IndexDeed) -> Result<(), Failure> {
    let Target { table, column } = arguments.target;
    let change = IndexChange { table, column, deed, kinds: arguments.kinds };
    apply(&arguments.mart, change).await
}

/// Does what the statement says.
pub(crate) async fn alter(arguments: AlterArguments) -> Result<(), Failure> {
    let change = as_change(parse_alter_index(&arguments.sql)?);
    apply(&arguments.mart, change).await
}

fn as_change(alter: AlterIndex) -> IndexChange {
    let AlterIndex { table, column, deed, kinds } = alter;
    let deed = match deed {
        AlterDeed::Add => IndexDeed::Add,
        AlterDeed::Drop => IndexDeed::Drop,
    };
    IndexChange { table, column, deed, kinds }
}

async fn apply(mart: &str, change: IndexChange) -> Result<(), Failure> {
    let store = mart::open(mart, Expected::Existing)?;
    let progress = progress();
    let changed = change_indexes(&store, &[change], Unsuitable::Refuse, progress.as_ref()).await?;
    // The bars are gone before the report is printed.
    drop(progress);
    let IndexChanged { snapshot, work } = changed;
    if work.is_empty() {
        say!("Every segment was so already; later loads keep the choice.");
    } else {
        say!("{}", work_grid(&work).render(Reader::of_stdout()));
    }
    say!("Snapshot {snapshot} is published; servers take it over at once.");
    Ok(())
}

/// What was built and dropped.
pub(super) fn work_grid(work: &[IndexWork]) -> Grid {
    let mut grid = Grid::with_headings(&[
        "table",
        "column",
        "kind",
        ">built",
        ">dropped",
        ">not applicable",
        ">bytes",
        ">build",
    ]);
    for one in work {
        grid.texts([
            one.table.to_string(),
            one.column.to_string(),
            one.kind.name().to_owned(),
            one.built.to_string(),
            one.dropped.to_string(),
            one.declined.to_string(),
            Bytes(one.bytes).to_string(),
            Elapsed(Duration::from_micros(one.micros)).to_string(),
        ]);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_with_its_table() {
        let named = target("mart.customer.outlet").unwrap();
        assert_eq!((named.table.as_str(), named.column.as_str()), ("customer", "outlet"));
        assert!(target("outlet").is_err());
        assert!(target("customer.").is_err());
        assert_eq!(kind("bitmap"), Ok(IndexKind::Bitmap));
        assert!(kind("hash").unwrap_err().contains("codes"));
    }
}
