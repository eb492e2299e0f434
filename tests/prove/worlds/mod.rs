//! Two worlds that one reader cannot tell apart, and what that reader sees as a mart of its own.
//!
//! The worlds are equal in all that the reader may see or ask by and different in everything else: how
//! many rows are hidden, what stands in them, where they lie, where segments end, which indexes
//! there are, which rows were deleted, what stands under masks, and one whole table. The
//! reference has the visible rows as they are shown, and nothing to hide.

pub mod canaries;
pub mod cell;
pub mod fill;
pub mod policy;
mod publish;
mod rows;
pub mod sought;
pub mod tables;

use std::sync::Arc;

use martlet_core::ColumnType;

use canaries::Canaries;
use cell::Cell;
use publish::{Content, Cut, copied_schema, publish, stored_schema};
use rows::{Fate, Related, Row, Visible, World};
use sought::{Sought, Stored};
use tables::{ONLY_IN_FIRST, TABLES, Table, To};

use crate::random::Random;
use crate::support::TestMart;

/// The three marts of one round.
pub struct Worlds {
    /// The two worlds.
    pub(crate) pair: [TestMart; 2],
    /// The physically filtered and masked copy.
    pub(crate) reference: TestMart,
    /// What must not leave either world.
    pub canaries: [Arc<Canaries>; 2],
    /// What the reader sees: for whoever writes statements.
    pub seen: Arc<Vec<SeenTable>>,
}

impl std::fmt::Debug for Worlds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Worlds(..)")
    }
}

/// A table as its reader sees it.
#[derive(Debug, Clone)]
pub struct SeenTable {
    pub name: &'static str,
    pub columns: Vec<SeenColumn>,
    /// Columns that stand in conditions and are never shown.
    pub for_conditions: Vec<SeenColumn>,
    /// Raw values of masked columns that may be asked for, one at a time.
    pub sought: Vec<Sought>,
}

/// A column as its reader sees it, with some of the values that stand in it.
#[derive(Debug, Clone)]
pub struct SeenColumn {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub values: Vec<Cell>,
}

/// Values of a column that statements may speak of.
const SAMPLES: usize = 24;

impl Worlds {
    /// The worlds of a seed, with so many visible rows in the largest table.
    pub async fn build(seed: u64, scale: usize) -> Self {
        let mut random = Random::of(seed, 0);
        let mut shared = Canaries::numbered(3);
        let visible = draw(scale, &mut random, &mut shared);
        let mut stored = Stored::default();
        let first = world(0, seed, scale, &visible, &mut stored).await;
        let second = world(1, seed, scale, &visible, &mut stored).await;
        Self {
            pair: [first.0, second.0],
            canaries: [Arc::new(first.1), Arc::new(second.1)],
            reference: reference(seed, &visible).await,
            seen: Arc::new(seen(&visible, &stored)),
        }
    }
}

type Drawn = Vec<(Table, Visible)>;

fn draw(scale: usize, random: &mut Random, shared: &mut Canaries) -> Drawn {
    let mut related = Related::default();
    let mut drawn: Drawn = Vec::new();
    for table in TABLES {
        let visible = Visible::draw(&table, scale, random, shared, &related);
        match table.name {
            "customer" => related.taxes = visible.column(&table, "tax_id"),
            "loan" => related.borrowers = visible.column(&table, "borrower"),
            _ => {}
        }
        drawn.push((table, visible));
    }
    drawn
}

async fn world(
    number: i64,
    seed: u64,
    scale: usize,
    visible: &Drawn,
    stored: &mut Stored,
) -> (TestMart, Canaries) {
    let mut random = Random::of(seed, 100 + number.unsigned_abs());
    let mut canaries = Canaries::numbered(number.unsigned_abs() + 1);
    let mut contents = Vec::new();
    for (table, visible) in visible {
        if number > 0 && table.name == ONLY_IN_FIRST {
            continue;
        }
        let world = World { number, scale, random: &mut random, canaries: &mut canaries };
        let rows = visible.in_world(table, world);
        stored.note(table, &rows);
        let cluster =
            (!table.clusters.is_empty() && random.chance(70)).then(|| random.draw(table.clusters));
        // Whoever sees a whole table may know how it is stored.
        let is_whole = table.granted == To::Reader && table.guards.is_empty();
        let cut = if is_whole { Cut::Whole } else { Cut::Anyhow };
        contents.push(Content { schema: stored_schema(table, cluster), rows, cut });
    }
    let mart = TestMart::new();
    publish(&mart.store, contents, &mut random).await;
    mart.apply(&policy::of_worlds()).await;
    (mart, canaries)
}

async fn reference(seed: u64, visible: &Drawn) -> TestMart {
    let mut random = Random::of(seed, 200);
    let granted = visible.iter().filter(|(table, _)| table.granted != To::Nobody);
    let contents = granted.map(|(table, visible)| {
        let kept = |cells| Row { cells, fate: Fate::Kept };
        let rows = visible.copied(table).into_iter().map(kept).collect();
        Content { schema: copied_schema(table), rows, cut: Cut::Anyhow }
    });
    let mart = TestMart::new();
    publish(&mart.store, contents.collect(), &mut random).await;
    mart.apply(&policy::of_reference()).await;
    mart
}

fn seen(visible: &Drawn, stored: &Stored) -> Vec<SeenTable> {
    let granted = visible.iter().filter(|(table, _)| table.granted != To::Nobody);
    let table = |(table, visible): &(Table, Visible)| {
        let rows = visible.copied(table);
        let known = table.columns.iter().filter_map(|column| Some((column, column.copied_type()?)));
        let (mut columns, mut for_conditions) = (Vec::new(), Vec::new());
        for (at, (column, column_type)) in known.enumerate() {
            let values = rows.iter().map(|row| row[at].clone()).filter(|cell| *cell != Cell::Null);
            let values = values.take(SAMPLES).collect();
            let seen = SeenColumn { name: column.name, column_type, values };
            let its = if column.is_for_conditions() { &mut for_conditions } else { &mut columns };
            its.push(seen);
        }
        SeenTable { name: table.name, columns, for_conditions, sought: stored.of(table, visible) }
    };
    granted.map(table).collect()
}
