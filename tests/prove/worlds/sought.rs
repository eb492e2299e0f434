//! Raw values that a look-up may be asked for: of visible rows, of rows that are hidden in either
//! world, and of rows that were deleted. Which rows it finds is known from the visible ones alone.

use martlet_core::ColumnType;

use super::cell::Cell;
use super::fill::Fill;
use super::rows::{Row, Visible};
use super::tables::{Column, Table};

/// A value, and where a reader finds it.
#[derive(Debug, Clone)]
pub struct Sought {
    pub column: &'static str,
    pub column_type: ColumnType,
    pub value: Cell,
    /// The keys of the visible rows that have it.
    pub found: Vec<i64>,
}

/// Every value that stands in a column that may be looked up, in either world.
#[derive(Debug, Default)]
pub(super) struct Stored(Vec<(&'static str, Cell)>);

fn columns(table: &Table) -> impl Iterator<Item = (usize, &Column)> {
    let may_be_sought =
        |column: &Column| matches!(column.fill, Fill::SoughtText | Fill::SoughtNumber);
    table.columns.iter().enumerate().filter(move |(_, column)| may_be_sought(column))
}

impl Stored {
    /// Notes what stands in one world's table.
    pub(super) fn note(&mut self, table: &Table, rows: &[Row]) {
        for (at, column) in columns(table) {
            let values = rows.iter().map(|row| &row.cells[at]);
            let values = values.filter(|value| **value != Cell::Null);
            self.0.extend(values.map(|value| (column.name, value.clone())));
        }
    }

    /// Those of a table.
    pub(super) fn of(&self, table: &Table, visible: &Visible) -> Vec<Sought> {
        let of_column = |(at, column): (usize, &Column)| {
            let values = self.0.iter().filter(|(name, _)| *name == column.name);
            let sought = values.map(|(_, value)| Sought {
                column: column.name,
                column_type: column.raw_type(),
                value: value.clone(),
                found: found(visible, at, value),
            });
            sought.collect::<Vec<Sought>>()
        };
        columns(table).flat_map(|(at, column)| of_column((at, column))).collect()
    }
}

/// Keys stand in the first column.
fn found(visible: &Visible, at: usize, value: &Cell) -> Vec<i64> {
    let with_it = visible.rows.iter().filter(|row| row[at] == *value);
    with_it
        .filter_map(|row| if let Cell::Number(key) = row[0] { Some(key) } else { None })
        .collect()
}
