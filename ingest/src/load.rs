//! The nightly load, from the files to the published snapshot.
//!
//! Owns the order of the stages: arrive, decode, check, shape, write, publish. All tables of a
//! batch become visible together or not at all; a load that is killed leaves nothing visible,
//! and running it again finishes it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use martlet_core::BatchDate;
use martlet_index::{HandChoices, IndexChoice};
use martlet_store::{BatchLabel, Commit, Snapshot, Store};
use tokio::task::spawn_blocking;

use crate::arrive::{Arrival, arrive};
use crate::collect::{Collected, Workspace, collect};
use crate::config::plan::{LoadPlan, TablePlan};
use crate::error::IngestError;
use crate::keys::SortedKeys;
use crate::memory;
use crate::progress::{Progress, Stage};
use crate::publish::{ATTEMPTS, Batch, Published, Wanted};
use crate::reject::RejectLog;
use crate::report::{LoadReport, TableReport, per_second};
use crate::supersede::{KeyBounds, superseded};
use crate::write::{SegmentWriter, write};

/// What to do when the batch is in the mart with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceMode {
    /// Refuse the load.
    Refuse,
    /// Put the new content in the place of the old.
    Replace,
}

/// A load that is asked for.
#[derive(Clone)]
pub struct LoadRequest {
    /// The checked load file.
    pub plan: LoadPlan,
    /// The business date; with the plan's name it identifies the batch.
    pub date: BatchDate,
    /// What to do when the batch is there with other content.
    pub replace: ReplaceMode,
    /// The folder for the reject file and for working files, which have no name and vanish with
    /// the process. Made if it is not there. It will hold customers' data.
    pub rejects_dir: PathBuf,
    /// Hears how far the load is.
    pub progress: Arc<dyn Progress>,
}

impl std::fmt::Debug for LoadRequest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("LoadRequest")
            .field("batch", &self.plan.name)
            .field("date", &self.date)
            .field("replace", &self.replace)
            .field("rejects_dir", &self.rejects_dir)
            .finish_non_exhaustive()
    }
}

/// How a load ended well.
#[derive(Debug)]
pub enum LoadOutcome {
    /// The batch is visible, whole.
    Published {
        /// The first snapshot that has it.
        snapshot: Snapshot,
        /// What was done.
        report: LoadReport,
    },
    /// The batch was there already with exactly this content; nothing was changed.
    AlreadyLoaded {
        /// The latest snapshot, which has it.
        snapshot: Snapshot,
        /// The batch's name.
        name: String,
        /// Its date.
        date: BatchDate,
        /// Rows that it brought when it was loaded.
        rows: u64,
    },
}

/// Loads a batch.
///
/// # Errors
/// [`IngestError`]; nothing of the batch is visible then. Too many bad rows leave the reject
/// file, whose path the error tells.
pub async fn load(store: &Store, request: LoadRequest) -> Result<LoadOutcome, IngestError> {
    load_within(store, request, memory::default_budget()).await
}

/// Loads a batch with a memory budget of the caller's, in bytes; [`load`] takes a quarter of the
/// machine's memory. A table of which more than half the budget waits to be sorted goes through
/// working files; the result is the same.
///
/// # Errors
/// As for [`load`].
pub async fn load_within(
    store: &Store,
    request: LoadRequest,
    memory_bytes: usize,
) -> Result<LoadOutcome, IngestError> {
    let request = Arc::new(request);
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = load_once(store, &request, memory_bytes).await? {
            return Ok(outcome);
        }
    }
    Err(IngestError::Conflict { attempts: ATTEMPTS })
}

/// Loads a batch onto the latest snapshot; `None` if somebody else changed a table meanwhile in
/// which the batch had looked for rows to take the place of.
async fn load_once(
    store: &Store,
    request: &Arc<LoadRequest>,
    memory_bytes: usize,
) -> Result<Option<LoadOutcome>, IngestError> {
    let started = Instant::now();
    let label = BatchLabel::new(&request.plan.name, request.date)?;
    let arrival = Arc::new(arrived(request).await?);
    let base = store.latest().await?;
    // Only where the mart has the batch does its content decide whether to load it.
    let digest = match base.batch(&label) {
        Some(_) => Some(content_digest(request, &arrival).await?),
        None => None,
    };
    let batch = Batch { plan: &request.plan, label, digest, replace: request.replace };
    if batch.wanted_on(&base)? == Wanted::AlreadyThere {
        return Ok(Some(already_loaded(&batch, base)));
    }

    let mut loading = Loading {
        store,
        request,
        batch: &batch,
        commit: store.begin(&base),
        rejects: Arc::new(Mutex::new(RejectLog::start(
            &request.rejects_dir,
            &file_stem(&batch),
            request.plan.reject_limit,
        )?)),
        memory_bytes,
        report: LoadReport::default(),
    };
    for at in 0..request.plan.tables.len() {
        loading.load_table(at, &arrival).await?;
    }
    let Loading { commit, rejects, mut report, .. } = loading;
    let content = content_digest(request, &arrival).await?;
    let batch = Batch { digest: Some(content), ..batch };

    request.progress.stage("", Stage::Publish, 0, report.bytes_stored);
    let snapshot = match batch.publish(store, commit, report.rows_loaded).await? {
        Published::Now(snapshot) => snapshot,
        Published::ByAnother(snapshot) => return Ok(Some(already_loaded(&batch, snapshot))),
        Published::Overtaken => return Ok(None),
    };
    request.progress.stage("", Stage::Publish, report.bytes_stored, report.bytes_stored);
    report.batch = batch.label.name().to_string();
    report.date = request.date.to_string();
    report.digest = blake3::Hash::from_bytes(content).to_hex().to_string();
    report.snapshot = snapshot.number().get();
    report.rejects_file =
        rejects.lock().map_err(|_| IngestError::Worker)?.path().map(PathBuf::from);
    report.seconds = started.elapsed().as_secs_f64();
    report.rows_per_second = per_second(report.rows_read, report.seconds);
    Ok(Some(LoadOutcome::Published { snapshot, report }))
}

async fn arrived(request: &Arc<LoadRequest>) -> Result<Arrival, IngestError> {
    let request = Arc::clone(request);
    spawn_blocking(move || arrive(&request.plan, request.date))
        .await
        .map_err(|_| IngestError::Worker)?
}

/// The digest of the batch's content.
async fn content_digest(
    request: &Arc<LoadRequest>,
    arrival: &Arc<Arrival>,
) -> Result<[u8; 32], IngestError> {
    let (request, arrival) = (Arc::clone(request), Arc::clone(arrival));
    spawn_blocking(move || arrival.digest(&request.plan, request.progress.as_ref()))
        .await
        .map_err(|_| IngestError::Worker)?
}

fn already_loaded(batch: &Batch<'_>, snapshot: Snapshot) -> LoadOutcome {
    LoadOutcome::AlreadyLoaded {
        rows: snapshot.batch(&batch.label).map_or(0, martlet_store::BatchRecord::rows),
        name: batch.label.name().to_string(),
        date: batch.label.date(),
        snapshot,
    }
}

fn file_stem(batch: &Batch<'_>) -> String {
    format!("{}-{}", batch.label.name(), batch.label.date())
}

/// A load between its first table and its publication.
struct Loading<'a> {
    store: &'a Store,
    request: &'a Arc<LoadRequest>,
    batch: &'a Batch<'a>,
    commit: Commit,
    rejects: Arc<Mutex<RejectLog>>,
    memory_bytes: usize,
    report: LoadReport,
}

impl Loading<'_> {
    async fn load_table(&mut self, at: usize, arrival: &Arc<Arrival>) -> Result<(), IngestError> {
        let started = Instant::now();
        let table = &self.request.plan.tables[at];
        let file_count = arrival.tables[at].len();
        let collected = self.collect(at, Arc::clone(arrival)).await?;
        let Collected { rows, keys, bounds, rows_read, rows_rejected, bytes_read } = collected;
        let rows_superseded = self.supersede(table, keys, &bounds).await?;
        let rows_loaded = rows.rows();
        let writer = SegmentWriter {
            commit: &self.commit,
            schema: Arc::new(table.schema.clone()),
            indexes: self.indexes(table)?.into(),
            label: self.batch.label.clone(),
        };
        let staged = write(&writer, rows, &self.request.progress).await?;
        let seconds = started.elapsed().as_secs_f64();
        self.report.add(TableReport {
            table: table.schema.name().to_string(),
            mode: table.mode.word(),
            files: file_count,
            rows_read,
            rows_loaded,
            rows_rejected,
            rows_superseded,
            bytes_read,
            segments: staged.len(),
            bytes_stored: staged.iter().map(martlet_store::StagedSegment::bytes_stored).sum(),
            seconds,
            rows_per_second: per_second(rows_read, seconds),
        });
        self.batch.change(&mut self.commit, table, staged)
    }

    /// What the load file says of each column's indexes, and where it leaves it to `auto` what
    /// was chosen by hand for the table.
    fn indexes(&self, table: &TablePlan) -> Result<Vec<IndexChoice>, IngestError> {
        let mut indexes = table.indexes.clone();
        if let Some(before) = self.commit.base().table(table.schema.name().as_str()) {
            HandChoices::decode(before.settings())?.apply(&table.schema, &mut indexes);
        }
        Ok(indexes)
    }

    /// Deletes the rows of earlier batches that have one of the keys, where the table's mode says
    /// so. Returns how many there are.
    async fn supersede(
        &mut self,
        table: &TablePlan,
        keys: SortedKeys,
        bounds: &KeyBounds,
    ) -> Result<u64, IngestError> {
        let (name, label) = (table.schema.name(), &self.batch.label);
        let before = self.commit.base().table(name.as_str()).cloned();
        let Some(before) = before.filter(|_| table.mode.supersedes()) else { return Ok(0) };
        let scratch = &self.request.rejects_dir;
        let mut rows = 0;
        for gone in superseded(self.store, &before, label, keys, bounds, scratch).await? {
            rows += gone.rows.count();
            self.commit.delete_rows(name, gone.segment, &gone.rows, label)?;
        }
        Ok(rows)
    }

    /// The table's sorted rows, on threads that may block.
    async fn collect(&self, at: usize, arrival: Arc<Arrival>) -> Result<Collected, IngestError> {
        let request = Arc::clone(self.request);
        let rejects = Arc::clone(&self.rejects);
        let memory_bytes = self.memory_bytes;
        spawn_blocking(move || {
            let mut rejects = rejects.lock().map_err(|_| IngestError::Worker)?;
            let workspace = Workspace { memory_bytes, scratch: &request.rejects_dir };
            let table = &request.plan.tables[at];
            let progress = request.progress.as_ref();
            collect(table, &arrival.tables[at], request.date, workspace, &mut rejects, progress)
        })
        .await
        .map_err(|_| IngestError::Worker)?
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
