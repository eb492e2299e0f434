//! One table's files to its sorted rows: the part of a load that touches no store.
//!
//! Receives: the files of a table from `arrive`. Hands on: sorted rows to `write`. Runs on
//! ordinary threads, within the load's memory whatever the delivery's size.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use martlet_core::BatchDate;

use crate::arrive::ArrivedFile;
use crate::config::plan::{FileFormat, LoadMode, TablePlan};
use crate::decode::delimited::Revisit;
use crate::decode::{DecodedChunk, decode_table, parquet};
use crate::error::IngestError;
use crate::keys::{KeyCollector, KeyEntry, KeyRun, SortedKeys};
use crate::origin::Origin;
use crate::progress::{Progress, Stage};
use crate::reason::Reason;
use crate::reject::{Reject, RejectLog};
use crate::shape::{SortedRows, Sorter};
use crate::supersede::KeyBounds;

/// How a load uses memory and disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workspace<'a> {
    /// Half of it is for rows that wait to be sorted, an eighth for their primary keys, the
    /// rest for chunks being decoded and segments being written.
    pub(crate) memory_bytes: usize,
    /// A folder for working files.
    pub(crate) scratch: &'a Path,
}

/// A table's rows, ready to be written.
#[derive(Debug)]
pub(crate) struct Collected {
    /// None of a table whose rows are deleted.
    pub(crate) rows: SortedRows,
    pub(crate) keys: SortedKeys,
    /// Of the keys, where they decide which rows of the mart go.
    pub(crate) bounds: KeyBounds,
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
    let sorter = Sorter::new(&table.schema, workspace.memory_bytes / 2, workspace.scratch)?;
    let mut keys = KeyCollector::new(workspace.memory_bytes / 8, workspace.scratch);
    let is_refused = AtomicBool::new(false);
    let mut bounds = KeyBounds::default();
    let mut rows_read = 0;
    decode_table(
        table,
        files,
        date,
        |chunk| {
            // A batch that is refused already is read on only to show more of what is wrong.
            if table.mode != LoadMode::Delete && !is_refused.load(Ordering::Relaxed) {
                sorter.add(&chunk.rows.batch)?;
            }
            Gathered::of(table, chunk)
        },
        |gathered, bytes| {
            rows_read += gathered.rows_read;
            rejects.add(name, &gathered.rejects)?;
            progress.stage(name, Stage::Decode, bytes, bytes_read);
            is_refused.store(rejects.limit_is_passed(), Ordering::Relaxed);
            bounds.widen(gathered.bounds);
            if rejects.limit_is_passed() { Ok(()) } else { keys.add(gathered.keys) }
        },
    )?;
    progress.stage(name, Stage::Decode, bytes_read, bytes_read);
    rejects.refuse_if_passed()?;

    let (later, keys) = keys.finish()?;
    reject_duplicates(table, files, &later, rejects)?;
    rejects.refuse_if_passed()?;
    progress.stage(name, Stage::Sort, 0, bytes_read);
    let dropped = if table.mode == LoadMode::Delete { &[][..] } else { &later };
    let rows = sorter.finish(dropped)?;
    progress.stage(name, Stage::Sort, bytes_read, bytes_read);
    let rows_rejected = rejects.rejected() - rejected_before;
    Ok(Collected { rows, keys, bounds, rows_read, rows_rejected, bytes_read })
}

/// What is left of a chunk when its rows are with the sorter.
struct Gathered {
    rows_read: u64,
    keys: KeyRun,
    bounds: KeyBounds,
    rejects: Vec<Reject>,
}

impl Gathered {
    fn of(table: &TablePlan, chunk: DecodedChunk) -> Result<Self, IngestError> {
        let DecodedChunk { rows_read, rows, rejects } = chunk;
        let origins = rows.batch.column(rows.batch.num_columns() - 1);
        let origins = origins.as_primitive::<UInt64Type>().values();
        let keys = rows.keys.iter().zip(origins);
        let keys: Vec<KeyEntry> = keys.map(|(key, origin)| KeyEntry::new(*key, *origin)).collect();
        let keys = KeyRun::of(&keys);
        let bounds = if table.mode.supersedes() {
            KeyBounds::of(&table.schema, &rows.batch)?
        } else {
            KeyBounds::default()
        };
        Ok(Self { rows_read, keys, bounds, rejects })
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
