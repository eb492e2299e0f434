//! The rows of one table in both worlds and in the reference.
//!
//! Visible rows are drawn once and written twice: equal where they are shown, different where
//! they are not. Hidden and deleted rows are drawn for each world by itself.

use super::canaries::Canaries;
use super::cell::Cell;
use super::fill::Fill;
use super::tables::{Table, To};
use crate::random::Random;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays.
    Kept,
    /// It is loaded and deleted afterwards.
    Deleted,
}

/// A stored row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) fate: Fate,
}

/// What both worlds share of a table's visible rows.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// How many customers there are, for those who refer to them.
pub(crate) const fn customers(scale: usize) -> usize {
    let count = scale * 150 / 1000;
    if count < 12 { 12 } else { count }
}

fn visible_rows(table: &Table, scale: usize) -> usize {
    match table.name {
        "customer" => customers(scale),
        "product" => 15,
        "outlet" => 6,
        _ => scale * table.share / 1000,
    }
}

/// Keys of visible rows leave room between them for those of two worlds' hidden ones.
fn key_of(table: &Table, at: usize) -> i64 {
    let at = i64::try_from(at).unwrap_or(0);
    if table.guards.is_empty() { at + 1 } else { 3 * at + 3 }
}

/// References point at as many customers as there are, and beyond.
fn sized(fill: Fill, scale: usize) -> Fill {
    match fill {
        Fill::Reference(_) => {
            Fill::Reference(3 * i64::try_from(customers(scale)).unwrap_or(0) + 40)
        }
        fill => fill,
    }
}

impl Visible {
    pub(crate) fn draw(
        table: &Table,
        scale: usize,
        random: &mut Random,
        shared: &mut Canaries,
        related: &Related,
    ) -> Self {
        let rows = (0..visible_rows(table, scale)).map(|at| {
            let mut row: Vec<Cell> = table
                .columns
                .iter()
                .map(|column| sized(column.fill, scale).base(random, shared, key_of(table, at)))
                .collect();
            bend(table, &mut row, at, random, related);
            row
        });
        Self { rows: rows.collect() }
    }

    /// What the reader sees of the rows, and what stands in conditions: the reference's own rows.
    pub(crate) fn copied(&self, table: &Table) -> Vec<Vec<Cell>> {
        let copied = |row: &Vec<Cell>| {
            let cells = table.columns.iter().zip(row);
            let known = cells.filter(|(column, _)| column.copied_type().is_some());
            known.map(|(column, base)| column.fill.shown(base)).collect()
        };
        self.rows.iter().map(copied).collect()
    }

    /// The bases of one column.
    pub(crate) fn column(&self, table: &Table, name: &str) -> Vec<Cell> {
        let at = table.columns.iter().position(|column| column.name == name).unwrap_or(0);
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    /// All rows of one world, in an order of its own.
    pub(crate) fn in_world(&self, table: &Table, world: World<'_>) -> Vec<Row> {
        let World { number, scale, random, canaries } = world;
        let mut rows: Vec<Row> = Vec::new();
        for base in &self.rows {
            let raw = table
                .columns
                .iter()
                .zip(base)
                .map(|(column, base)| column.fill.raw(base, random, canaries));
            rows.push(Row { cells: raw.collect(), fate: Fate::Kept });
        }
        if table.guards.is_empty() && table.granted == To::Reader {
            return rows;
        }
        let at_least = 20 + scale / 10;
        let hidden = at_least + random.below(2 * self.rows.len() + at_least);
        let deleted = 5 + random.below(at_least);
        for at in 0..hidden + deleted {
            let fate = if at < hidden { Fate::Kept } else { Fate::Deleted };
            let key = 3 * i64::try_from(at).unwrap_or(0) + 1 + number;
            rows.push(Row { cells: concealed(table, fate, key, scale, random, canaries), fate });
        }
        random.shuffle(&mut rows);
        rows
    }
}

/// What a world's rows are made of.
pub(crate) struct World<'a> {
    /// 0 or 1.
    pub(crate) number: i64,
    pub(crate) scale: usize,
    pub(crate) random: &'a mut Random,
    pub(crate) canaries: &'a mut Canaries,
}

/// Values of columns that other tables' columns are joined with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Related {
    pub(crate) taxes: Vec<Cell>,
    pub(crate) borrowers: Vec<Cell>,
}

/// What the columns of a table have to do with each other.
fn bend(table: &Table, row: &mut [Cell], at: usize, random: &mut Random, related: &Related) {
    let mut set = |name: &str, cell: Cell| {
        if let Some(at) = table.columns.iter().position(|column| column.name == name) {
            row[at] = cell;
        }
    };
    match table.name {
        // Some of the entries are seen because of who booked them, not where.
        "entry" => {
            let place = ["o21", "o31", "c2"][random.below(3)];
            match random.below(8) {
                0 => set("outlet", Cell::text(place)),
                1 => set("outlet", Cell::Null),
                2..=5 => set("clerk", Cell::text(["ulf", "uta", "Ulla"][random.below(3)])),
                _ => {}
            }
            if !related.taxes.is_empty() {
                set("customer_tax", random.pick(&related.taxes).clone());
            }
        }
        "guarantee" if !related.borrowers.is_empty() && random.chance(80) => {
            set("borrower", random.pick(&related.borrowers).clone());
        }
        "outlet" => set("code", Cell::text(["o11", "o12", "o13", "o21", "o22", "o31"][at % 6])),
        "customer" if random.chance(5) => set("tax_id", Cell::text("Zqkanarisharedtax")),
        _ => {}
    }
}

/// A row that nobody sees: for one reason, with anything in its other columns.
fn concealed(
    table: &Table,
    fate: Fate,
    key: i64,
    scale: usize,
    random: &mut Random,
    canaries: &mut Canaries,
) -> Vec<Cell> {
    let plausible = random.chance(50);
    let guard: &[&str] = match (fate, table.guards) {
        // Only that it is deleted hides it.
        (Fate::Deleted, _) | (_, []) => &[],
        (Fate::Kept, guards) => random.draw(guards),
    };
    let guarded = |name: &str| table.guards.iter().any(|guard| guard.contains(&name));
    let mut shared = Canaries::numbered(canaries.number().unsigned_abs());
    let cell = |column: &super::tables::Column| {
        let fill = sized(column.fill, scale);
        let is_reason = guard.contains(&column.name);
        if matches!(fill, Fill::Key) {
            return Cell::Number(key);
        }
        if is_reason || (!plausible && !guarded(column.name)) {
            return fill.outside(random, canaries, key);
        }
        let base = fill.base(random, &mut shared, key);
        fill.raw(&base, random, canaries)
    };
    table.columns.iter().map(cell).collect()
}
