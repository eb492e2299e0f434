//! A signed-in shell: runs statements and its own commands, and prints what comes back.
//!
//! Receives: statements from the command line, a file or `repl`.
//! Hands on: answers to `print`. Must never hold a whole csv or json answer in memory.

use std::io::{BufWriter, Write as _};
use std::time::Instant;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::IpcMessage;
use martlet_core::ErrorKind;

use super::connect::{Answer, Client};
use super::print::{self, Format};
use super::statements::{is_blank, split};
use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::size::{Count, Elapsed};
use crate::command::terminal::Reader;
use crate::command::terminal::{note, say};

/// The name of the field metadata that Flight SQL gives a column's type name in.
const TYPE_NAME: &str = "ARROW:FLIGHT:SQL:TYPE_NAME";

/// Whether times are printed after answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// One connection with the way its answers are printed.
#[derive(Debug)]
pub(crate) struct Shell {
    client: Client,
    format: Format,
    rows_max: usize,
    timing: Timing,
    reader: Reader,
}

impl Shell {
    /// A shell over the connection.
    pub(crate) fn new(client: Client, format: Format, rows_max: usize) -> Self {
        Self { client, format, rows_max, timing: Timing::Off, reader: Reader::of_stdout() }
    }

    /// Who is signed in.
    pub(crate) fn user(&self) -> &str {
        self.client.user()
    }

    /// Turns times on or off and says which.
    pub(crate) fn toggle_timing(&mut self) -> Timing {
        self.timing = if self.timing == Timing::On { Timing::Off } else { Timing::On };
        self.timing
    }

    /// Runs every statement of the text in turn; the first failure ends it. The last
    /// statement needs no `;`.
    pub(crate) async fn run_all(&mut self, text: &str) -> Result<(), Failure> {
        let (mut statements, rest) = split(text);
        if !is_blank(rest) {
            statements.push(rest.trim().to_owned());
        }
        if statements.is_empty() {
            return Err(
                Failure::invalid("there is no statement").advise("write one, such as SELECT 1")
            );
        }
        for statement in &statements {
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Runs one statement and prints its answer.
    pub(crate) async fn run(&mut self, statement: &str) -> Result<(), Failure> {
        let start = Instant::now();
        let answer = self.client.query(statement).await?;
        match self.format {
            Format::Table => self.print_table(answer).await?,
            Format::Csv | Format::Json => self.print_stream(answer).await?,
        }
        if self.timing == Timing::On {
            note!("time: {}", Elapsed(start.elapsed()));
        }
        Ok(())
    }

    /// Prints the tables that the user may know of.
    pub(crate) async fn list_tables(&mut self) -> Result<(), Failure> {
        let mut grid = Grid::with_headings(&["schema", "table", ">columns"]);
        for table in self.tables().await? {
            grid.texts([table.schema, table.name, table.columns.fields().len().to_string()]);
        }
        self.print(&grid)
    }

    /// Prints the columns of one table, named with or without its schema.
    pub(crate) async fn describe(&mut self, wanted: &str) -> Result<(), Failure> {
        let tables = self.tables().await?;
        let named = |table: &&Table| {
            table.name == wanted || format!("{}.{}", table.schema, table.name) == wanted
        };
        let Some(table) = tables.iter().find(named) else {
            return Err(Failure::new(ErrorKind::NotFound, format!("there is no table `{wanted}`"))
                .advise("\\d lists the tables that you may see"));
        };
        let mut grid = Grid::with_headings(&["column", "type", "null"]);
        for field in table.columns.fields() {
            let null = if field.is_nullable() { "yes" } else { "no" };
            grid.texts([field.name().as_str(), &type_name(field), null]);
        }
        self.print(&grid)
    }

    async fn tables(&mut self) -> Result<Vec<Table>, Failure> {
        let mut tables = Vec::new();
        for batch in self.client.tables().await? {
            tables.extend(read_tables(&batch).ok_or_else(|| {
                Failure::new(ErrorKind::Bug, "the server's list of tables is not as specified")
            })?);
        }
        Ok(tables)
    }

    async fn print_table(&self, mut answer: Answer) -> Result<(), Failure> {
        let mut grid = print::grid_for(answer.schema());
        let mut more = false;
        while let Some(batch) = answer.next().await? {
            let room = self.rows_max - grid.len();
            print::add_rows(&mut grid, &batch, room)?;
            more = batch.num_rows() > room;
            if more {
                break;
            }
        }
        self.print(&grid)?;
        let rows = Count(grid.len() as u64);
        if more {
            say!("the first {rows} rows; --max-rows N shows more, --format csv has all");
        } else {
            say!("{rows} {}", if grid.len() == 1 { "row" } else { "rows" });
        }
        Ok(())
    }

    async fn print_stream(&self, mut answer: Answer) -> Result<(), Failure> {
        let mut out = BufWriter::new(std::io::stdout());
        if self.format == Format::Csv {
            print::csv_header(answer.schema(), &mut out)
                .map_err(|error| Failure::output(&error))?;
        }
        while let Some(batch) = answer.next().await? {
            match self.format {
                Format::Json => print::json_rows(&batch, &mut out)?,
                Format::Csv | Format::Table => print::csv_rows(&batch, &mut out)?,
            }
        }
        out.flush().map_err(|error| Failure::output(&error))
    }

    fn print(&self, grid: &Grid) -> Result<(), Failure> {
        writeln!(std::io::stdout(), "{}", grid.render(self.reader))
            .map_err(|error| Failure::output(&error))
    }
}

/// One table of the server's list.
struct Table {
    schema: String,
    name: String,
    columns: Schema,
}

fn read_tables(batch: &RecordBatch) -> Option<Vec<Table>> {
    let schemas = batch.column_by_name("db_schema_name")?.as_string_opt::<i32>()?;
    let names = batch.column_by_name("table_name")?.as_string_opt::<i32>()?;
    let columns = batch.column_by_name("table_schema")?.as_binary_opt::<i32>()?;
    (0..batch.num_rows())
        .map(|row| {
            let schema = if schemas.is_null(row) { "" } else { schemas.value(row) };
            let bytes = columns.value(row).to_vec();
            Some(Table {
                schema: schema.to_owned(),
                name: names.value(row).to_owned(),
                columns: Schema::try_from(IpcMessage(bytes.into())).ok()?,
            })
        })
        .collect()
}

/// The type's name: the server's where it gives one, else SQL's name of the Arrow type.
fn type_name(field: &Field) -> String {
    if let Some(name) = field.metadata().get(TYPE_NAME) {
        return name.to_lowercase();
    }
    match field.data_type() {
        DataType::Boolean => "boolean".into(),
        DataType::Int32 => "integer".into(),
        DataType::Int64 => "bigint".into(),
        DataType::Float64 => "double".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Utf8 => "varchar".into(),
        other => other.to_string().to_lowercase(),
    }
}
