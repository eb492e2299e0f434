//! `martlet index list`: what every index takes and took.
//!
//! Reads manifests only: no row, and no index. Distinct counts are of the segment that has most,
//! so a table has at least as many.

use std::time::Duration;

use clap::Args;
use martlet_core::{ErrorKind, TableName};
use martlet_index::{Descriptor, HandChoices, IndexFigures, inventory};
use martlet_store::{Snapshot, TableVersion};
use serde_json::{Value, json};

use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::mart::{self, Expected};
use crate::command::size::{Bytes, Count, Elapsed};
use crate::command::snapshot::{print_json, stored};
use crate::command::terminal::{Reader, say};

/// The options of `martlet index list`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Only this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// A snapshot's number; default: the latest
    #[arg(long, value_name = "N")]
    snapshot: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists the indexes of all tables, or of one.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::snapshot(&store, arguments.snapshot).await?;
    let tables = chosen(&snapshot, arguments.table.as_deref(), &arguments.mart)?
        .into_iter()
        .map(TableIndexes::of)
        .collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let tables: Vec<Value> = tables.iter().map(TableIndexes::as_json).collect();
        print_json(&json!({ "snapshot": snapshot.number().get(), "tables": tables }));
    } else if tables.is_empty() {
        say!("The mart is empty; `martlet load` makes its first snapshot.");
    } else {
        say!("{}", grid(&tables).render(Reader::of_stdout()));
        for table in &tables {
            say!("{}", table.summary());
        }
    }
    Ok(())
}

/// The table of that name, or all.
pub(super) fn chosen<'a>(
    snapshot: &'a Snapshot,
    wanted: Option<&str>,
    mart: &str,
) -> Result<Vec<&'a TableVersion>, Failure> {
    let Some(wanted) = wanted else {
        return Ok(snapshot.tables().values().map(AsRef::as_ref).collect());
    };
    match snapshot.table(wanted) {
        Some(table) => Ok(vec![table]),
        None => Err(Failure::new(
            ErrorKind::NotFound,
            format!("snapshot {} has no table `{wanted}`", snapshot.number()),
        )
        .advise(format!("martlet snapshot show --mart {mart} lists its tables"))),
    }
}

/// The indexes of one table.
struct TableIndexes<'a> {
    table: &'a TableVersion,
    figures: Vec<IndexFigures>,
    by_hand: HandChoices,
    /// Distinct values of each column, of the segment that has most, where they were counted.
    distinct: Vec<Option<u32>>,
    /// Bytes of the descriptors, zone maps among them, which lie in the manifest.
    manifest_bytes: u64,
}

impl<'a> TableIndexes<'a> {
    fn of(table: &'a TableVersion) -> Result<Self, Failure> {
        let attachments = || table.segments().iter().flat_map(|segment| segment.attachments());
        let descriptors = attachments()
            .map(|attachment| Descriptor::decode(attachment.descriptor()))
            .collect::<Result<Vec<_>, _>>()?;
        let distinct = |column: usize| {
            let zones = descriptors.iter().filter_map(|descriptor| descriptor.zone_map(column));
            zones.filter_map(|zone| zone.distinct).max()
        };
        Ok(Self {
            table,
            figures: inventory(&descriptors),
            by_hand: HandChoices::decode(table.settings())?,
            distinct: (0..table.schema().columns().len()).map(distinct).collect(),
            manifest_bytes: attachments().map(|part| part.descriptor().len() as u64).sum(),
        })
    }

    fn name(&self) -> &TableName {
        self.table.schema().name()
    }

    /// The figures of one column.
    fn of_column(&self, column: usize) -> impl Iterator<Item = &IndexFigures> {
        self.figures.iter().filter(move |figures| figures.column == column)
    }

    /// Bytes that the table takes in storage: rows and indexes.
    fn bytes(&self) -> u64 {
        let stored = stored(self.table);
        stored.rows + stored.attachments
    }

    /// A part of the table's bytes, in hundredths of a percent, so that it can be compared.
    fn share(&self, bytes: u64) -> u64 {
        let part = u128::from(bytes) * 10_000 / u128::from(self.bytes().max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    fn summary(&self) -> String {
        let stored = stored(self.table);
        let built = self.figures.iter().map(|figures| figures.build_micros).sum();
        format!(
            "{}: {} of rows, {} of indexes ({}), {} of zone maps in the manifest, built in {}",
            self.name(),
            Bytes(stored.rows),
            Bytes(stored.attachments),
            percent(self.share(stored.attachments)),
            Bytes(self.manifest_bytes),
            Elapsed(Duration::from_micros(built)),
        )
    }

    fn as_json(&self) -> Value {
        let stored = stored(self.table);
        let columns = self.table.schema().columns().iter().enumerate();
        let columns: Vec<Value> =
            columns.map(|(at, column)| self.column_json(at, column)).collect();
        json!({
            "table": self.name().to_string(),
            "rows": self.table.rows(),
            "segments": self.table.segments().len(),
            "bytes": stored.rows,
            "index_bytes": stored.attachments,
            "manifest_bytes": self.manifest_bytes,
            "columns": columns,
        })
    }

    fn column_json(&self, at: usize, column: &martlet_core::ColumnSchema) -> Value {
        let index = |figures: &IndexFigures| {
            json!({
                "kind": figures.kind.name(),
                "segments": figures.segments,
                "bytes": figures.bytes,
                "share_of_table": figures.bytes as f64 / self.bytes().max(1) as f64,
                "distinct_at_least": figures.distinct_at_least,
                "build_micros": figures.build_micros,
            })
        };
        let by_hand = self.by_hand.of(&column.name).map(|choice| {
            let names = |kinds: &std::collections::BTreeSet<martlet_index::IndexKind>| {
                kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>()
            };
            json!({ "added": names(&choice.added), "dropped": names(&choice.dropped) })
        });
        json!({
            "column": column.name.to_string(),
            "type": column.column_type.name(),
            "distinct_at_least": self.distinct.get(at).copied().flatten(),
            "by_hand": by_hand,
            "indexes": self.of_column(at).map(index).collect::<Vec<_>>(),
        })
    }
}

fn grid(tables: &[TableIndexes<'_>]) -> Grid {
    let mut grid = Grid::with_headings(&[
        "table",
        "column",
        "kind",
        ">segments",
        ">bytes",
        ">share",
        ">distinct",
        ">build",
    ]);
    for table in tables {
        for (at, column) in table.table.schema().columns().iter().enumerate() {
            let mut has_index = false;
            for figures in table.of_column(at) {
                has_index = true;
                grid.texts(index_row(table, column.name.as_str(), figures));
            }
            if !has_index {
                grid.texts(bare_row(table, at, column.name.as_str()));
            }
        }
    }
    grid
}

fn index_row(table: &TableIndexes<'_>, column: &str, figures: &IndexFigures) -> [String; 8] {
    let segments = table.table.segments().len();
    [
        table.name().to_string(),
        column.to_owned(),
        figures.kind.name().to_owned(),
        format!("{} of {segments}", figures.segments),
        Bytes(figures.bytes).to_string(),
        percent(table.share(figures.bytes)),
        format!("≥ {}", Count(u64::from(figures.distinct_at_least))),
        Elapsed(Duration::from_micros(figures.build_micros)).to_string(),
    ]
}

/// A column that has its zone maps only.
fn bare_row(table: &TableIndexes<'_>, at: usize, column: &str) -> [String; 8] {
    let none = || "-".to_owned();
    let distinct = table.distinct.get(at).copied().flatten();
    let distinct = distinct.map(|distinct| format!("≥ {}", Count(u64::from(distinct))));
    let (name, column) = (table.name().to_string(), column.to_owned());
    [name, column, "none".to_owned(), none(), none(), none(), distinct.unwrap_or_else(none), none()]
}

/// Hundredths of a percent as percent with one digit behind the point.
fn percent(hundredths: u64) -> String {
    let tenths = (hundredths + 5) / 10;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_to_a_tenth() {
        let shown: Vec<String> =
            [0, 4, 5, 94, 95, 1_234, 10_000].into_iter().map(percent).collect();
        assert_eq!(shown, ["0.0 %", "0.0 %", "0.1 %", "0.9 %", "1.0 %", "12.3 %", "100.0 %"]);
    }
}
