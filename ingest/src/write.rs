//! Sorted rows to staged segments with their indexes.
//!
//! Receives: a table's sorted rows from `shape`. Hands on: staged segments to `publish`. As many
//! segments are put together, encoded and indexed at once as there are processors, while the
//! order of the next ones is found. Nothing written here is visible to anybody.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use martlet_core::TableSchema;
use martlet_index::IndexChoice;
use martlet_store::{BatchLabel, Commit, StagedSegment};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::error::IngestError;
use crate::progress::{Progress, Stage};
use crate::shape::{SortedRows, SortedSegment};

/// Segments whose order is known before they can be put together.
const WAITING_MAX: usize = 1;

/// Where a table's segments go.
#[derive(Debug, Clone)]
pub(crate) struct SegmentWriter<'a> {
    pub(crate) commit: &'a Commit,
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) indexes: Arc<[IndexChoice]>,
    pub(crate) label: BatchLabel,
}

/// Writes all segments of a table.
pub(crate) async fn write(
    writer: &SegmentWriter<'_>,
    mut rows: SortedRows,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<StagedSegment>, IngestError> {
    let (total_rows, total_bytes) = (rows.rows(), rows.bytes());
    let (send, receive) = mpsc::channel::<Result<SortedSegment, IngestError>>(WAITING_MAX);
    let producer = spawn_blocking(move || {
        while let Some(segment) = rows.next_segment().transpose() {
            // The receiver is gone only when the load has failed elsewhere.
            if send.blocking_send(segment).is_err() {
                break;
            }
        }
    });
    let mut staged = Vec::new();
    let mut written_rows = 0;
    let arriving = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|segment| (segment, receive))
    });
    let mut writing = arriving
        .map(|segment| async { writer.write_segment(segment?).await })
        .buffered(rayon::current_num_threads())
        .boxed();
    while let Some(segment) = writing.try_next().await? {
        written_rows += u64::from(segment.rows());
        staged.push(segment);
        let done = share(total_bytes, written_rows, total_rows);
        let table = writer.schema.name().as_str();
        progress.stage(table, Stage::Write, done, total_bytes);
        progress.stage(table, Stage::Index, done, total_bytes);
    }
    drop(writing);
    producer.await.map_err(|_| IngestError::Worker)?;
    Ok(staged)
}

impl SegmentWriter<'_> {
    async fn write_segment(&self, segment: SortedSegment) -> Result<StagedSegment, IngestError> {
        let rows = spawn_blocking(move || segment.into_rows());
        let rows = rows.await.map_err(|_| IngestError::Worker)??;
        let indexing = {
            let (schema, indexes) = (Arc::clone(&self.schema), Arc::clone(&self.indexes));
            let rows = rows.clone();
            spawn_blocking(move || martlet_index::build(&schema, &rows, &indexes))
        };
        let (commit, rows) = (self.commit, std::slice::from_ref(&rows));
        let mut staged = commit.stage_segment(&self.schema, &self.label, rows).await?;
        let built = indexing.await.map_err(|_| IngestError::Worker)??;
        commit.attach(&mut staged, built.bytes, built.descriptor.encode()).await?;
        Ok(staged)
    }
}

/// `done` parts of `all`, of a total.
fn share(total: u64, done: u64, all: u64) -> u64 {
    let part = u128::from(total) * u128::from(done) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(total)
}
