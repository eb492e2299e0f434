//! The lines' shapes, and rows as text. Knows Arrow and JSON; never the engine.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::{Deserialize, Serialize};

/// One line in.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    /// The statement.
    #[serde(default)]
    pub(crate) sql: String,
    /// Who asks.
    #[serde(default = "researcher")]
    pub(crate) principal: String,
    /// How often to time it.
    #[serde(default)]
    pub(crate) runs: usize,
    /// How many rows to hand back for the check; all are fetched in any case.
    #[serde(default)]
    pub(crate) rows_max: usize,
    /// Open the mart anew first.
    #[serde(default)]
    pub(crate) reopen: bool,
}

fn researcher() -> String {
    "researcher".to_owned()
}

/// One line out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The first execution, which is not among the timed ones.
    pub(crate) first_ms: f64,
    pub(crate) times_ms: Vec<f64>,
    pub(crate) rows_out: usize,
    pub(crate) types: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    /// What did not work, in the engine's words.
    pub(crate) fn failed(error: impl ToString) -> Self {
        Self { error: Some(error.to_string()), ..Self::default() }
    }
}

/// The first `rows_max` rows as text; null is null.
pub(crate) fn cells(
    batches: &[RecordBatch],
    rows_max: usize,
) -> Result<Vec<Vec<Option<String>>>, ArrowError> {
    let mut rows = Vec::new();
    for batch in batches {
        let wanted = batch.num_rows().min(rows_max - rows.len());
        let options = FormatOptions::default();
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).map(|f| (column, f)))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..wanted {
            let cells = columns
                .iter()
                .map(|(column, text)| (!column.is_null(row)).then(|| text.value(row).to_string()));
            rows.push(cells.collect());
        }
    }
    Ok(rows)
}
