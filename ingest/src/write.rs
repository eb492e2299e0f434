//! Sorted rows to staged segments with their indexes.
//!
//! Receives: a table's sorted rows from `shape`. Hands on: staged segments to `publish`. While
//! one segment is encoded and indexed, the next one is put together. Nothing written here is
//! visible to anybody.

use std::sync::Arc;

use arrow::array::RecordBatch;
use martlet_core::TableSchema;
use martlet_index::IndexChoice;
use martlet_store::{BatchLabel, Commit, StagedSegment};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::error::IngestError;
use crate::progress::{Progress, Stage};
use crate::shape::SortedRows;

/// Segments that wait, put together, while another one is written.
const WAITING_MAX: usize = 1;

/// Writes all segments of a table.
pub(crate) async fn write(
    commit: &Commit,
    schema: &TableSchema,
    indexes: &[IndexChoice],
    label: &BatchLabel,
    mut rows: SortedRows,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<StagedSegment>, IngestError> {
    let (total_rows, total_bytes) = (rows.rows(), rows.bytes());
    let (send, mut receive) = mpsc::channel::<Result<RecordBatch, IngestError>>(WAITING_MAX);
    let producer = spawn_blocking(move || {
        while let Some(segment) = rows.next_segment().transpose() {
            // The receiver is gone only when the load has failed elsewhere.
            if send.blocking_send(segment).is_err() {
                break;
            }
        }
    });
    let schema = Arc::new(schema.clone());
    let indexes: Arc<[IndexChoice]> = indexes.into();
    let mut staged = Vec::new();
    let mut written_rows = 0;
    while let Some(segment) = receive.recv().await {
        let segment = segment?;
        written_rows += segment.num_rows() as u64;
        staged.push(write_segment(commit, &schema, &indexes, label, segment).await?);
        let done = share(total_bytes, written_rows, total_rows);
        progress.stage(schema.name().as_str(), Stage::Write, done, total_bytes);
        progress.stage(schema.name().as_str(), Stage::Index, done, total_bytes);
    }
    producer.await.map_err(|_| IngestError::Worker)?;
    Ok(staged)
}

async fn write_segment(
    commit: &Commit,
    schema: &Arc<TableSchema>,
    indexes: &Arc<[IndexChoice]>,
    label: &BatchLabel,
    rows: RecordBatch,
) -> Result<StagedSegment, IngestError> {
    let indexing = {
        let (schema, indexes, rows) = (Arc::clone(schema), Arc::clone(indexes), rows.clone());
        spawn_blocking(move || martlet_index::build(&schema, &rows, &indexes))
    };
    let mut staged = commit.stage_segment(schema, label, std::slice::from_ref(&rows)).await?;
    let built = indexing.await.map_err(|_| IngestError::Worker)??;
    commit.attach(&mut staged, built.bytes, built.descriptor.encode()).await?;
    Ok(staged)
}

/// `done` parts of `all`, of a total.
fn share(total: u64, done: u64, all: u64) -> u64 {
    let part = u128::from(total) * u128::from(done) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(total)
}
