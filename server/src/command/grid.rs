//! A grid of texts, fitted to the reader: the one way in which every command prints a table.
//!
//! Receives: headings and cells as text from the commands.
//! Hands on: lines that fit the terminal to standard output.
//! Must never cut a number: half a number is another number.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

use super::terminal::{Reader, harmless, shorten, width_of};

/// A text column is not made narrower than this before lines are cut.
const TEXT_WIDTH_MIN: usize = 8;

/// The text that stands for a null.
pub(crate) const NULL: &str = "NULL";

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Texts, dates, booleans.
    Left,
    /// Numbers, so that digits of one weight stand below each other.
    Right,
}

/// Headings and rows; a cell that is absent is a null.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grid {
    headings: Vec<(String, Side)>,
    rows: Vec<Vec<Option<String>>>,
}

impl Grid {
    /// An empty grid; `>` in front of a heading sets its column right.
    pub(crate) fn with_headings(headings: &[&str]) -> Self {
        let mut grid = Self::default();
        for heading in headings {
            match heading.strip_prefix('>') {
                Some(name) => grid.heading(name, Side::Right),
                None => grid.heading(heading, Side::Left),
            }
        }
        grid
    }

    /// Adds a column, before any row is added.
    pub(crate) fn heading(&mut self, name: &str, side: Side) {
        self.headings.push((harmless(name).into_owned(), side));
    }

    /// Adds a row. A text that reads like a null is quoted, so that the two differ.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Option<String>>) {
        let safe = |cell: Option<String>| {
            cell.map(
                |text| if text == NULL { format!("\"{NULL}\"") } else { harmless(&text).into() },
            )
        };
        self.rows.push(cells.into_iter().map(safe).collect());
    }

    /// Adds a row without nulls.
    pub(crate) fn texts<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.row(cells.into_iter().map(|cell| Some(cell.into())));
    }

    /// The rows' number.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.headings.iter().map(|(name, _)| name.as_str())
    }

    /// The rows' cells, as they are shown.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<&str>> {
        self.rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or(NULL)).collect())
    }

    /// The columns that [`Grid::plain_lines`] takes when nothing is shortened.
    pub(crate) fn plain_width(&self) -> usize {
        plain_gaps(self.headings.len()) + self.column_widths().iter().sum::<usize>()
    }

    /// The grid as lines without a last line break, fitted to the reader: wide texts are
    /// shortened first, then lines are cut.
    pub(crate) fn render(&self, reader: Reader) -> String {
        let widths = match reader.width() {
            Some(width) => self.fitted_widths(width),
            None => self.column_widths(),
        };
        let table = self.table(&widths, reader.styled());
        let Some(width) = reader.width() else { return table.trim_fmt() };
        let lines: Vec<String> =
            table.lines().map(|line| shorten(&line, width).into_owned()).collect();
        lines.join("\n")
    }

    /// The grid without a frame around it, for a panel of `width` columns; headings are
    /// followed by a line.
    pub(crate) fn plain_lines(&self, width: usize) -> Vec<String> {
        let widths = self.shrunk(self.column_widths(), width, plain_gaps(self.headings.len()));
        let line = |cells: Vec<&str>| {
            let padded: Vec<String> = cells
                .iter()
                .zip(&self.headings)
                .zip(&widths)
                .map(|((cell, (_, side)), width)| pad(&shorten(cell, *width), *width, *side))
                .collect();
            shorten(&padded.join("  "), width).trim_end().to_owned()
        };
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let mut lines = vec![line(self.names().collect())];
        lines.push(shorten(&rule.join("  "), width).into_owned());
        lines.extend(self.rows().map(line));
        lines
    }

    fn table(&self, widths: &[usize], styled: bool) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Disabled);
        if styled {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let fitted = |text: &str, column: usize| {
            let cell = Cell::new(shorten(text, widths[column]));
            match self.headings[column].1 {
                Side::Right => cell.set_alignment(CellAlignment::Right),
                Side::Left => cell,
            }
        };
        table.set_header(self.names().enumerate().map(|(column, name)| fitted(name, column)));
        for row in &self.rows {
            table.add_row(row.iter().enumerate().map(|(column, cell)| match cell {
                Some(text) => fitted(text, column),
                None => fitted(NULL, column).add_attribute(Attribute::Dim),
            }));
        }
        table
    }

    fn column_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.names().map(width_of).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_deref().map_or(NULL.len(), width_of));
            }
        }
        widths
    }

    fn fitted_widths(&self, width: usize) -> Vec<usize> {
        self.shrunk(self.column_widths(), width, frame_width(self.headings.len()))
    }

    /// Takes columns from the widest text until all fit, or no text is left to take from.
    fn shrunk(&self, mut widths: Vec<usize>, width: usize, frame: usize) -> Vec<usize> {
        while widths.iter().sum::<usize>() + frame > width {
            let widest = (0..widths.len())
                .filter(|column| self.headings[*column].1 == Side::Left)
                .filter(|column| widths[*column] > TEXT_WIDTH_MIN)
                .max_by_key(|column| widths[*column]);
            let Some(column) = widest else { break };
            widths[column] -= 1;
        }
        widths
    }
}

/// A border at each side, one between columns, and a blank at both sides of each cell.
const fn frame_width(columns: usize) -> usize {
    3 * columns + 1
}

/// Two blanks between columns.
const fn plain_gaps(columns: usize) -> usize {
    2 * columns.saturating_sub(1)
}

/// The text with blanks up to `width` columns.
pub(crate) fn pad(text: &str, width: usize, side: Side) -> String {
    let blanks = " ".repeat(width.saturating_sub(width_of(text)));
    match side {
        Side::Right => format!("{blanks}{text}"),
        Side::Left => format!("{text}{blanks}"),
    }
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
