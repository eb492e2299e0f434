//! Answers as people and programs read them: a table, CSV after RFC 4180, JSON lines.
//!
//! Receives: record batches from `connect`. Hands on: text to standard output.
//! Must never lose a digit: decimals are written as they are, not through a float.

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use martlet_core::ErrorKind;

use crate::command::exit::Failure;
use crate::command::grid::{Grid, Side};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table that fits the terminal
    Table,
    /// RFC 4180: a header line, CRLF, quotes where needed; a null is empty, an empty text is ""
    Csv,
    /// One JSON object per row and line
    Json,
}

/// An empty grid with the answer's columns.
pub(crate) fn grid_for(schema: &SchemaRef) -> Grid {
    let mut grid = Grid::default();
    for field in schema.fields() {
        let side = if is_number(field.data_type()) { Side::Right } else { Side::Left };
        grid.heading(field.name(), side);
    }
    grid
}

/// Adds the first `rows_max` rows of the batch to the grid.
pub(crate) fn add_rows(
    grid: &mut Grid,
    batch: &RecordBatch,
    rows_max: usize,
) -> Result<(), Failure> {
    let columns = Columns::of(batch, "%Y-%m-%d %H:%M:%S%.f")?;
    for row in 0..batch.num_rows().min(rows_max) {
        grid.row(columns.cells(row)?);
    }
    Ok(())
}

/// The batch's cells as texts, row by row; a null is absent.
pub(crate) fn texts(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let columns = Columns::of(batch, "%Y-%m-%d %H:%M:%S%.f")?;
    (0..batch.num_rows()).map(|row| columns.cells(row)).collect()
}

/// The header line of a CSV answer.
pub(crate) fn csv_header(schema: &SchemaRef, out: &mut dyn Write) -> std::io::Result<()> {
    let names: Vec<String> = schema.fields().iter().map(|field| csv_field(field.name())).collect();
    write!(out, "{}\r\n", names.join(","))
}

/// The batch's rows as CSV.
pub(crate) fn csv_rows(batch: &RecordBatch, out: &mut dyn Write) -> Result<(), Failure> {
    let columns = Columns::of(batch, "%Y-%m-%d %H:%M:%S%.f")?;
    for row in 0..batch.num_rows() {
        let cells = columns.cells(row)?;
        let fields: Vec<String> = cells
            .into_iter()
            .map(|cell| cell.map_or_else(String::new, |text| csv_field(&text)))
            .collect();
        write!(out, "{}\r\n", fields.join(",")).map_err(|error| Failure::output(&error))?;
    }
    Ok(())
}

/// The batch's rows as JSON, one object a line.
pub(crate) fn json_rows(batch: &RecordBatch, out: &mut dyn Write) -> Result<(), Failure> {
    let columns = Columns::of(batch, "%Y-%m-%dT%H:%M:%S%.f")?;
    let schema = batch.schema();
    for row in 0..batch.num_rows() {
        let cells = columns.cells(row)?;
        let members: Vec<String> = schema
            .fields()
            .iter()
            .zip(cells)
            .map(|(field, cell)| {
                let name = serde_json::Value::from(field.name().as_str());
                format!("{name}:{}", json_value(field.data_type(), cell))
            })
            .collect();
        writeln!(out, "{{{}}}", members.join(",")).map_err(|error| Failure::output(&error))?;
    }
    Ok(())
}

/// One field: quoted when it must be, or when it is empty (which is not a null).
fn csv_field(text: &str) -> String {
    let must_quote = text.is_empty()
        || text.contains([',', '"', '\r', '\n'])
        || text.starts_with(' ')
        || text.ends_with(' ');
    if must_quote { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn json_value(data_type: &DataType, cell: Option<String>) -> String {
    let Some(text) = cell else { return "null".to_owned() };
    match data_type {
        DataType::Boolean => text,
        // The text of a finite number is a JSON number as it stands; JSON has no other.
        number if is_number(number) && is_json_number(&text) => text,
        number if is_number(number) => "null".to_owned(),
        _ => serde_json::Value::from(text).to_string(),
    }
}

fn is_json_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// The columns of a batch with their formatters, made once per batch.
struct Columns<'a> {
    columns: Vec<(&'a dyn Array, ArrayFormatter<'a>)>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, timestamps: &'static str) -> Result<Self, Failure> {
        let options = FormatOptions::new()
            .with_display_error(false)
            .with_timestamp_format(Some(timestamps))
            .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"));
        let formatter = |array: &'a dyn Array| {
            ArrayFormatter::try_new(array, &options).map(|formatter| (array, formatter))
        };
        let columns = batch
            .columns()
            .iter()
            .map(|column| formatter(column.as_ref()))
            .collect::<Result<_, _>>()
            .map_err(|error| unprintable(&error))?;
        Ok(Self { columns })
    }

    fn cells(&self, row: usize) -> Result<Vec<Option<String>>, Failure> {
        self.columns
            .iter()
            .map(|(array, formatter)| {
                // An array of the type null has no validity bitmap to ask.
                if array.is_null(row) || *array.data_type() == DataType::Null {
                    return Ok(None);
                }
                formatter.value(row).try_to_string().map(Some).map_err(|error| unprintable(&error))
            })
            .collect()
    }
}

fn unprintable(error: &arrow::error::ArrowError) -> Failure {
    Failure::new(ErrorKind::Bug, error.to_string()).during("a column's type cannot be printed")
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
