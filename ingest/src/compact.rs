//! Compaction: small segments and such with many deleted rows give way to full, sorted ones.
//!
//! Receives: the latest snapshot. Hands on: a snapshot with the same rows in fewer segments, in
//! one commit over all tables, through the same sort and the same writer as a load. Never merges
//! what somebody may still want to correct, and never changes a row.

mod choices;
mod pick;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use futures::{StreamExt, TryStreamExt, stream};
use martlet_core::{BatchDate, SegmentId, TableName};
use martlet_store::{
    Commit, CommitOutcome, SegmentRef, Snapshot, StagedSegment, Store, StoreError, TableVersion,
};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::error::IngestError;
use crate::memory;
use crate::origin::{Origin, schema_with_origin};
use crate::progress::{Progress, Stage};
use crate::publish::ATTEMPTS;
use crate::shape::{SortedRows, Sorter};
use crate::write::{SegmentWriter, write};
use pick::Picked;

/// Rows of a segment that are read, and sorted, at a time.
const READ_ROWS: usize = 64 * 1024;

/// Which tables are compacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactTables {
    /// All that the mart has.
    All,
    /// These.
    Named(Vec<TableName>),
}

/// How much of a table is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactScope {
    /// Segments that are far from full, and those of which an eighth of the rows or more is
    /// deleted.
    Needed,
    /// Every segment, so that the table becomes one sorted run.
    Everything,
}

/// Which batches can still be corrected afterwards. A batch whose segments are merged with those
/// of others, or whose deletions are carried out, can not: the mart no longer tells its work from
/// theirs. So segments that such a batch brought or deleted rows of stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correctable {
    /// Those of the mart's newest date.
    Newest,
    /// Those of this date and later ones.
    From(BatchDate),
    /// None.
    Nothing,
}

/// A compaction that is asked for.
#[derive(Debug, Clone)]
pub struct CompactRequest {
    /// Which tables.
    pub tables: CompactTables,
    /// How much of them.
    pub scope: CompactScope,
    /// Which batches stay apart.
    pub correctable: Correctable,
    /// A folder for working files, which have no name and vanish with the process. Made if it is
    /// not there.
    pub scratch_dir: PathBuf,
    /// Bytes of memory to plan with; `None` for a quarter of the machine's.
    pub memory_bytes: Option<usize>,
}

/// What a compaction did, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CompactReport {
    /// The snapshot that it made; `None` if there was nothing to do.
    pub snapshot: Option<u64>,
    /// One entry per table of which something was written anew, by name.
    pub tables: Vec<TableCompaction>,
    /// From the first look to the published snapshot.
    pub seconds: f64,
}

/// What a compaction did to one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TableCompaction {
    /// The table.
    pub table: String,
    /// Segments that gave way.
    pub segments_before: usize,
    /// Segments that took their place.
    pub segments_after: usize,
    /// Segments that stayed as they were.
    pub segments_kept: usize,
    /// Rows written anew.
    pub rows: u64,
    /// Deleted rows that are gone now.
    pub rows_dropped: u64,
    /// Bytes of the segments that gave way and their indexes.
    pub bytes_before: u64,
    /// Bytes of those that took their place.
    pub bytes_after: u64,
}

/// Compacts tables of a mart. Earlier snapshots keep what they hold. The indexes of the new
/// segments are of the kinds that the old ones have, or that the table's settings ask for.
///
/// # Errors
/// [`IngestError::NoSuchTable`] if a table is named that the mart does not have;
/// [`IngestError::Conflict`] if others changed the same segments again and again meanwhile; the
/// store's and the index builder's own. Nothing is visible then.
pub async fn compact(
    store: &Store,
    request: &CompactRequest,
    progress: &Arc<dyn Progress>,
) -> Result<CompactReport, IngestError> {
    let started = Instant::now();
    std::fs::create_dir_all(&request.scratch_dir)
        .map_err(|error| IngestError::scratch(&request.scratch_dir, error))?;
    for _ in 0..ATTEMPTS {
        let base = store.latest().await?;
        let compacting = Compacting { store, request, progress, base };
        if let Some(mut report) = compacting.run().await? {
            report.seconds = started.elapsed().as_secs_f64();
            return Ok(report);
        }
    }
    Err(IngestError::Conflict { attempts: ATTEMPTS })
}

/// One attempt on one snapshot.
struct Compacting<'a> {
    store: &'a Store,
    request: &'a CompactRequest,
    progress: &'a Arc<dyn Progress>,
    base: Snapshot,
}

impl Compacting<'_> {
    /// What was done; `None` if somebody else changed what was to be compacted.
    async fn run(self) -> Result<Option<CompactReport>, IngestError> {
        let mut commit = self.store.begin(&self.base);
        let mut report = CompactReport::default();
        for table in self.tables()? {
            let correctable_from = self.correctable_from();
            let Some(picked) = pick::pick(&table, self.request.scope, correctable_from) else {
                continue;
            };
            let staged = self.rewrite(&commit, &table, &picked).await?;
            report.tables.push(summary(&table, &picked.segments, &staged));
            let old: Vec<SegmentId> = picked.segments.iter().map(|segment| segment.id()).collect();
            commit.compact(table.schema().name(), &old, staged)?;
        }
        if report.tables.is_empty() {
            return Ok(Some(report));
        }
        self.progress.stage("", Stage::Publish, 0, 1);
        let Some(snapshot) = publish(self.store, commit).await? else { return Ok(None) };
        self.progress.stage("", Stage::Publish, 1, 1);
        report.snapshot = Some(snapshot.number().get());
        Ok(Some(report))
    }

    fn tables(&self) -> Result<Vec<Arc<TableVersion>>, IngestError> {
        match &self.request.tables {
            CompactTables::All => Ok(self.base.tables().values().cloned().collect()),
            CompactTables::Named(names) => names
                .iter()
                .map(|name| {
                    let table = self.base.table(name.as_str()).cloned();
                    table.ok_or_else(|| IngestError::NoSuchTable { table: name.clone() })
                })
                .collect(),
        }
    }

    /// The date from which on batches stay apart; `None` if all may be merged.
    fn correctable_from(&self) -> Option<BatchDate> {
        match self.request.correctable {
            Correctable::Newest => self.base.newest_date(),
            Correctable::From(date) => Some(date),
            Correctable::Nothing => None,
        }
    }

    /// The live rows of the segments, sorted, as new segments that nobody sees yet.
    async fn rewrite(
        &self,
        commit: &Commit,
        table: &Arc<TableVersion>,
        picked: &Picked,
    ) -> Result<Vec<StagedSegment>, IngestError> {
        let rows = self.sorted(table, picked).await?;
        let writer = SegmentWriter {
            commit,
            schema: Arc::new(table.schema().clone()),
            indexes: choices::choices(table, &picked.segments)?.into(),
            label: picked.label.clone(),
        };
        write(&writer, rows, self.progress).await
    }

    async fn sorted(
        &self,
        table: &Arc<TableVersion>,
        picked: &Picked,
    ) -> Result<SortedRows, IngestError> {
        let memory_bytes = self.request.memory_bytes.unwrap_or_else(memory::default_budget);
        let scratch = &self.request.scratch_dir;
        let sorter = Arc::new(Sorter::new(table.schema(), memory_bytes / 2, scratch)?);
        let name = table.schema().name().as_str();
        let total = picked.segments.iter().map(|segment| segment.object().size_bytes()).sum();
        let mut done = 0;
        let reads: Vec<_> = (0_u32..)
            .zip(&picked.segments)
            .map(|(ordinal, segment)| {
                let (store, table) = (self.store.clone(), Arc::clone(table));
                let (segment, sorter) = (Arc::clone(segment), Arc::clone(&sorter));
                let bytes = segment.object().size_bytes();
                async move {
                    let reading = tokio::spawn(read(store, table, segment, ordinal, sorter));
                    reading.await.map_err(|_| IngestError::Worker)??;
                    Ok::<u64, IngestError>(bytes)
                }
            })
            .collect();
        let mut reading = stream::iter(reads).buffered(rayon::current_num_threads()).boxed();
        while let Some(bytes) = reading.try_next().await? {
            done += bytes;
            self.progress.stage(name, Stage::Sort, done, total);
        }
        drop(reading);
        // Every reader has ended, so nobody else holds the sorter.
        let sorter = Arc::into_inner(sorter).ok_or(IngestError::Worker)?;
        spawn_blocking(move || sorter.finish(&[])).await.map_err(|_| IngestError::Worker)?
    }
}

/// Gives the live rows of a segment to the sorter. Rows of equal cluster key stay in the order in
/// which their segments were committed.
async fn read(
    store: Store,
    table: Arc<TableVersion>,
    segment: Arc<SegmentRef>,
    ordinal: u32,
    sorter: Arc<Sorter>,
) -> Result<(), IngestError> {
    let schema = table.schema();
    let with_origin = schema_with_origin(schema);
    let reader = store.open_segment(schema, &segment).await?;
    let live = store.live(&segment).await?;
    let all: Vec<usize> = (0..schema.columns().len()).collect();
    let mut batches = reader.read(&all, &live, READ_ROWS);
    let mut rows = live.iter();
    while let Some(batch) = batches.try_next().await? {
        let origin = |row: u32| Origin::new(ordinal, u64::from(row)).bits();
        let origins: UInt64Array = rows.by_ref().take(batch.num_rows()).map(origin).collect();
        let origins: ArrayRef = Arc::new(origins);
        let columns = batch.columns().iter().cloned().chain([origins]).collect();
        let chunk = RecordBatch::try_new(Arc::clone(&with_origin), columns)?;
        let sorter = Arc::clone(&sorter);
        let adding = spawn_blocking(move || sorter.add(&chunk));
        adding.await.map_err(|_| IngestError::Worker)??;
    }
    Ok(())
}

fn summary(
    table: &TableVersion,
    old: &[Arc<SegmentRef>],
    new: &[StagedSegment],
) -> TableCompaction {
    let attached = |segment: &SegmentRef| -> u64 {
        segment.attachments().iter().map(|attachment| attachment.object().size_bytes()).sum()
    };
    TableCompaction {
        table: table.schema().name().to_string(),
        segments_before: old.len(),
        segments_after: new.len(),
        segments_kept: table.segments().len() - old.len(),
        rows: new.iter().map(|segment| u64::from(segment.rows())).sum(),
        rows_dropped: old.iter().map(|segment| u64::from(segment.deleted_count())).sum(),
        bytes_before: old
            .iter()
            .map(|segment| segment.object().size_bytes() + attached(segment))
            .sum(),
        bytes_after: new.iter().map(StagedSegment::bytes_stored).sum(),
    }
}

/// Publishes on top of whatever the mart has become; `None` if a segment that gives way is no
/// longer there as it was.
async fn publish(store: &Store, mut commit: Commit) -> Result<Option<Snapshot>, IngestError> {
    for _ in 0..ATTEMPTS {
        let conflicted = match commit.publish().await {
            Ok(CommitOutcome::Committed(snapshot)) => return Ok(Some(snapshot)),
            Ok(CommitOutcome::Conflicted(conflicted)) => conflicted,
            Err(StoreError::Superseded { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        commit = conflicted.rebase(&store.latest().await?);
    }
    Ok(None)
}
