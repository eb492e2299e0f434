//! One table's files to its sorted rows: the part of a load that touches no store.
//!
//! Receives: the files of a table from `arrive`. Hands on: sorted rows to `write`. Runs on
//! ordinary threads, and holds about [`MEMORY_BYTES`] whatever the delivery's size.

use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use martlet_core::{BatchDate, TableSchema};

use crate::arrive::ArrivedFile;
use crate::config::plan::{FileFormat, TablePlan};
use crate::decode::delimited::Revisit;
use crate::decode::{DecodedChunk, decode_table, parquet};
use crate::error::IngestError;
use crate::keys::KeyCollector;
use crate::origin::Origin;
use crate::progress::{Progress, Stage};
use crate::reason::Reason;
use crate::reject::{Reject, RejectLog};
use crate::shape::{SortedRows, Sorter};

/// Memory that a load plans with: a quarter of it for the rows being sorted and about as much
/// again for their sort keys, an eighth for their primary keys, the rest for chunks being
/// decoded and segments being written.
pub(crate) const MEMORY_BYTES: usize = 1024 * 1024 * 1024;

/// How a load uses memory and disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workspace<'a> {
    pub(crate) memory_bytes: usize,
    /// A folder for working files.
    pub(crate) scratch: &'a Path,
}

/// A table's rows, ready to be written.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) rows: SortedRows,
    pub(crate) rows_read: u64,
    pub(crate) rows_rejected: u64,
    pub(crate) bytes_read: u64,
}

/// Decodes, checks and sorts a table's rows.
pub(crate) fn collect(
    table: &TablePlan,
    files: &[ArrivedFile],
    date: BatchDate,
    workspace: Workspace<'_>,
    rejects: &mut RejectLog,
    progress: &dyn Progress,
) -> Result<Collected, IngestError> {
    let name = table.schema.name().as_str();
    let bytes_read: u64 = files.iter().map(|file| file.bytes).sum();
    let rejected_before = rejects.rejected();
    let mut gathering = Gathering::new(&table.schema, workspace);
    let mut rows_read = 0;
    decode_table(table, files, date, |chunk, bytes| {
        rows_read += chunk.rows_read;
        rejects.add(name, &chunk.rejects)?;
        progress.stage(name, Stage::Decode, bytes, bytes_read);
        // A batch that is refused already is read on only to show more of what is wrong.
        if rejects.limit_is_passed() { Ok(()) } else { gathering.take(chunk) }
    })?;
    progress.stage(name, Stage::Decode, bytes_read, bytes_read);
    rejects.refuse_if_passed()?;

    let later = gathering.keys.later_rows()?;
    reject_duplicates(table, files, &later, rejects)?;
    rejects.refuse_if_passed()?;
    progress.stage(name, Stage::Sort, 0, bytes_read);
    let rows = gathering.sorter.finish(&later)?;
    progress.stage(name, Stage::Sort, bytes_read, bytes_read);
    let rows_rejected = rejects.rejected() - rejected_before;
    Ok(Collected { rows, rows_read, rows_rejected, bytes_read })
}

/// Where the good rows go while they are read.
struct Gathering {
    origin_column: usize,
    keys: KeyCollector,
    sorter: Sorter,
}

impl Gathering {
    fn new(schema: &TableSchema, workspace: Workspace<'_>) -> Self {
        Self {
            origin_column: schema.columns().len(),
            keys: KeyCollector::new(workspace.memory_bytes / 8, workspace.scratch),
            sorter: Sorter::new(schema, workspace.memory_bytes / 4, workspace.scratch),
        }
    }

    fn take(&mut self, chunk: DecodedChunk) -> Result<(), IngestError> {
        let origins = chunk.rows.batch.column(self.origin_column).as_primitive::<UInt64Type>();
        self.keys.add(&chunk.rows.keys, origins.values())?;
        self.sorter.add(chunk.rows.batch)
    }
}

/// Rejects the rows whose key an earlier one has; `later` ascends.
fn reject_duplicates(
    table: &TablePlan,
    files: &[ArrivedFile],
    later: &[Origin],
    rejects: &mut RejectLog,
) -> Result<(), IngestError> {
    let schema = &table.schema;
    let names: Vec<&str> =
        schema.primary_key().iter().map(|at| schema.columns()[*at].name.as_str()).collect();
    let columns = names.join(", ");
    let shown = usize::try_from(rejects.room()).unwrap_or(usize::MAX).min(later.len());
    for of_file in later[..shown].chunk_by(|left, right| left.file() == right.file()) {
        let file = &files[of_file[0].file()];
        let found: Vec<Reject> = raw_rows(table, file, of_file)?
            .into_iter()
            .zip(of_file)
            .map(|((line, raw), origin)| Reject {
                file: file.shown.clone(),
                line,
                byte_offset: has_offsets(table, file).then_some(origin.at()),
                column: names.first().map(ToString::to_string),
                reason: Reason::DuplicateKey { columns: columns.clone() },
                raw,
            })
            .collect();
        rejects.add(schema.name().as_str(), &found)?;
    }
    rejects.count_only((later.len() - shown) as u64);
    Ok(())
}

fn has_offsets(table: &TablePlan, file: &ArrivedFile) -> bool {
    matches!(table.sources[file.source].format, FileFormat::Delimited(_))
}

/// The line and the text of each of these rows of a file.
fn raw_rows(
    table: &TablePlan,
    file: &ArrivedFile,
    origins: &[Origin],
) -> Result<Vec<(u64, String)>, IngestError> {
    match &table.sources[file.source].format {
        FileFormat::Delimited(dialect) => {
            let failed = |error| IngestError::read(&file.path, error);
            let mut revisit = Revisit::open(&file.path, dialect).map_err(failed)?;
            origins.iter().map(|origin| revisit.record_at(origin.at()).map_err(failed)).collect()
        }
        FileFormat::Parquet => {
            let numbers: Vec<u64> = origins.iter().map(|origin| origin.at()).collect();
            parquet::rows_at(&file.path, &numbers)
        }
    }
}
