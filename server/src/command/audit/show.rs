//! `martlet audit show`: the newest records, as a table for a person or as JSON lines.
//!
//! Owns the options and the print. The folder's permissions decide who may read it; what was
//! asked holds customers' values, so that belongs to auditors alone.

use std::path::PathBuf;

use clap::ValueEnum;
use martlet_core::BatchDate;
use martlet_server::audit::Decision;
use martlet_server::audit::search::{Found, Query, newest};
use serde_json::{Value, json};

use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::size::Count;
use crate::command::snapshot::time;
use crate::command::terminal::{Reader, note, say};

const DAY_MICROS: i64 = 86_400_000_000;

/// The options of `martlet audit show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the journal
    #[arg(long, value_name = "DIR", default_value = "mart-audit")]
    journal: PathBuf,
    /// Records of this principal
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// Records that read this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Records that were so decided
    #[arg(long)]
    decision: Option<Decided>,
    /// Records of this day (UTC) and later ones
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<BatchDate>,
    /// Records of this day (UTC) and earlier ones
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<BatchDate>,
    /// How many at most, of the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one JSON object a record
    #[arg(long)]
    json: bool,
}

/// The decisions by their words in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decided {
    /// It was answered
    Allowed,
    /// It asked for what is not granted or does not exist
    Denied,
    /// It could not be understood or carried out
    Failed,
    /// A rule over the record was met, somebody whom it held was let go, or an emergency was opened,
    /// refused or has ended
    Alarm,
}

impl From<Decided> for Decision {
    fn from(decided: Decided) -> Self {
        match decided {
            Decided::Allowed => Self::Allowed,
            Decided::Denied => Self::Denied,
            Decided::Failed => Self::Failed,
            Decided::Alarm => Self::Alarm,
        }
    }
}

/// Shows what the options ask for.
pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let begins = |date: BatchDate| i64::from(date.days()) * DAY_MICROS;
    let query = Query {
        principal: arguments.principal,
        table: arguments.table,
        decision: arguments.decision.map(Decision::from),
        since: arguments.since.map(begins),
        until: arguments.until.map(|date| begins(date).saturating_add(DAY_MICROS)),
        limit: arguments.limit,
    };
    let found = newest(&arguments.journal, &query)?;
    if arguments.json {
        found.iter().for_each(|one| say!("{}", as_json(one)));
    } else if found.is_empty() {
        note!("No record of `{}` is so.", arguments.journal.display());
    } else {
        say!("{}", grid(&found).render(Reader::of_stdout()));
    }
    Ok(())
}

fn grid(found: &[Found]) -> Grid {
    let headings =
        ["at", "principal", "decision", "outcome", ">rows", ">ms", "tables", "statement"];
    let mut grid = Grid::with_headings(&headings);
    for Found { entry, ending } in found {
        grid.texts([
            time(entry.at),
            entry.principal.clone(),
            entry.decision.as_str().to_owned(),
            ending.outcome.as_str().to_owned(),
            Count(ending.rows).to_string(),
            Count(ending.milliseconds).to_string(),
            entry.tables.join(", "),
            entry.statement.split_whitespace().collect::<Vec<_>>().join(" "),
        ]);
    }
    grid
}

fn as_json(found: &Found) -> Value {
    let Found { entry, ending } = found;
    let mut value = json!(entry);
    if let Value::Object(fields) = &mut value {
        fields.insert("rows".into(), json!(ending.rows));
        fields.insert("bytes".into(), json!(ending.bytes));
        fields.insert("milliseconds".into(), json!(ending.milliseconds));
        fields.insert("outcome".into(), json!(ending.outcome.as_str()));
    }
    value
}
