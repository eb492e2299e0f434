//! `martlet table show`: how a table is stored and indexed.
//!
//! An operator's command on the mart's folder, which sees every table. It tells names, counts
//! and sizes; it must never print a value of a column, so zone maps show that they exist and
//! not what their bounds are.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use martlet_core::{ErrorKind, TableSchema};
use martlet_index::Descriptor;
use martlet_store::TableVersion;
use serde_json::{Value, json};

use super::exit::Failure;
use super::grid::Grid;
use super::mart::{self, Expected};
use super::size::{Bytes, Count};
use super::snapshot::{print_json, stored};
use super::terminal::Reader;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet table show customer --mart ./mart
  martlet table show transaction --mart ./mart --snapshot 7 --json";

/// The commands of `martlet table`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Show a table's columns, classes, keys, segments and indexes
    #[command(after_help = EXAMPLES)]
    Show(ShowArguments),
}

/// The options of `martlet table show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The table's name
    table: String,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// A snapshot's number; default: the latest
    #[arg(long, value_name = "N")]
    snapshot: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Answers a `table` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments::Show(arguments) = arguments;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::snapshot(&store, arguments.snapshot).await?;
    let Some(table) = snapshot.table(&arguments.table) else {
        let what = format!("snapshot {} has no table `{}`", snapshot.number(), arguments.table);
        return Err(Failure::new(ErrorKind::NotFound, what)
            .advise(format!("martlet snapshot show --mart {} lists its tables", arguments.mart)));
    };
    let columns = columns(table)?;
    if arguments.json {
        print_json(&as_json(table, &columns));
    } else {
        print(table, &columns);
    }
    Ok(())
}

/// What the segments' descriptors tell of one column, over all segments.
#[derive(Debug, Default)]
struct ColumnStorage {
    /// Bytes of its indexes by kind.
    indexes: BTreeMap<&'static str, u64>,
    /// Distinct values of the segment that has most; at least as many does the table have.
    distinct: Option<u32>,
    nulls: u64,
    /// Segments that have a zone map of it.
    zone_maps: usize,
}

fn columns(table: &TableVersion) -> Result<Vec<ColumnStorage>, Failure> {
    let mut columns: Vec<ColumnStorage> =
        table.schema().columns().iter().map(|_| ColumnStorage::default()).collect();
    for attachment in table.segments().iter().flat_map(|segment| segment.attachments()) {
        let descriptor = Descriptor::decode(attachment.descriptor())?;
        for (position, column) in columns.iter_mut().enumerate() {
            if let Some(zone) = descriptor.zone_map(position) {
                column.zone_maps += 1;
                column.nulls += u64::from(zone.nulls);
                column.distinct = column.distinct.max(zone.distinct);
            }
        }
        for section in descriptor.sections() {
            if let Some(column) = columns.get_mut(section.column) {
                *column.indexes.entry(section.kind.name()).or_default() += section.length;
                column.distinct = column.distinct.max(Some(section.distinct));
            }
        }
    }
    Ok(columns)
}

fn print(table: &TableVersion, columns: &[ColumnStorage]) {
    let schema = table.schema();
    let stored = stored(table);
    say!("table        {}", schema.name());
    say!("primary key  {}", key(schema, schema.primary_key()));
    say!("cluster key  {}", key(schema, schema.cluster_key()));
    say!("rows         {} in {}", Count(table.rows()), segments(table.segments().len()));
    if table.rows_stored() > table.rows() {
        let deleted = Count(table.rows_stored() - table.rows());
        say!("deleted      {deleted} rows still stored; martlet compact drops them");
    }
    say!("bytes        {} of rows, {} of indexes", Bytes(stored.rows), Bytes(stored.attachments));
    say!("\nColumns\n{}", column_grid(schema, columns).render(Reader::of_stdout()));
    say!("\nSegments\n{}", segment_grid(table).render(Reader::of_stdout()));
}

fn column_grid(schema: &TableSchema, columns: &[ColumnStorage]) -> Grid {
    let mut grid = Grid::with_headings(&[
        "column",
        "type",
        "null",
        "class",
        "indexes",
        ">index bytes",
        ">distinct",
        ">nulls",
        ">zone maps",
    ]);
    for (column, storage) in schema.columns().iter().zip(columns) {
        let kinds: Vec<&str> = storage.indexes.keys().copied().collect();
        grid.row([
            Some(column.name.to_string()),
            Some(column.column_type.name()),
            Some(if column.nullable { "yes" } else { "no" }.to_owned()),
            Some(column.class.as_ref().map_or_else(|| "secret".to_owned(), ToString::to_string)),
            Some(if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }),
            Some(Bytes(storage.indexes.values().sum()).to_string()),
            storage.distinct.map(|distinct| format!("≥ {}", Count(u64::from(distinct)))),
            Some(Count(storage.nulls).to_string()),
            Some(storage.zone_maps.to_string()),
        ]);
    }
    grid
}

fn segment_grid(table: &TableVersion) -> Grid {
    let mut grid =
        Grid::with_headings(&["segment", "batch", ">rows", ">deleted", ">bytes", ">index bytes"]);
    for segment in table.segments() {
        let attached = segment.attachments().iter();
        grid.texts([
            segment.id().to_string(),
            segment.batch().to_string(),
            Count(u64::from(segment.rows())).to_string(),
            Count(u64::from(segment.deleted_count())).to_string(),
            Bytes(segment.object().size_bytes()).to_string(),
            Bytes(attached.map(|part| part.object().size_bytes()).sum()).to_string(),
        ]);
    }
    grid
}

fn as_json(table: &TableVersion, columns: &[ColumnStorage]) -> Value {
    let schema = table.schema();
    let stored = stored(table);
    let names = |positions: &[usize]| -> Vec<String> {
        positions.iter().map(|at| schema.columns()[*at].name.to_string()).collect()
    };
    let column = |(column, storage): (&martlet_core::ColumnSchema, &ColumnStorage)| {
        json!({
            "column": column.name.to_string(),
            "type": column.column_type.name(),
            "nullable": column.nullable,
            "class": column.class.as_ref().map(ToString::to_string),
            "indexes": storage.indexes,
            "distinct_at_least": storage.distinct,
            "nulls": storage.nulls,
            "zone_maps": storage.zone_maps,
        })
    };
    let segment = |segment: &martlet_store::SegmentRef| {
        let attached = segment.attachments().iter();
        json!({
            "segment": segment.id().to_string(),
            "batch": segment.batch().to_string(),
            "rows": segment.rows(),
            "rows_deleted": segment.deleted_count(),
            "bytes": segment.object().size_bytes(),
            "index_bytes": attached.map(|part| part.object().size_bytes()).sum::<u64>(),
        })
    };
    json!({
        "table": schema.name().to_string(),
        "primary_key": names(schema.primary_key()),
        "cluster_key": names(schema.cluster_key()),
        "rows": table.rows(),
        "rows_deleted": table.rows_stored() - table.rows(),
        "bytes": stored.rows,
        "index_bytes": stored.attachments,
        "columns": schema.columns().iter().zip(columns).map(column).collect::<Vec<_>>(),
        "segments": table.segments().iter().map(|part| segment(part)).collect::<Vec<_>>(),
    })
}

fn key(schema: &TableSchema, positions: &[usize]) -> String {
    if positions.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = positions.iter().map(|at| schema.columns()[*at].name.as_str()).collect();
    names.join(", ")
}

fn segments(number: usize) -> String {
    if number == 1 { "1 segment".to_owned() } else { format!("{number} segments") }
}
