//! Rows in the order of the table's cluster key, in bounded memory.
//!
//! Receives: checked rows from `check`, chunk by chunk and on any thread, each row with its
//! origin. Hands on: sorted segments to `write`, to be put together there, several at once.
//! Every chunk is sorted and packed where it was decoded; what does not fit in memory waits in
//! an unnamed file. One merge then tells the order of all rows without moving one of them.

mod dictionary;
mod merge;
mod order;
mod packed;
mod scratch;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use martlet_core::TableSchema;
use martlet_core::limits::SEGMENT_ROWS_MAX;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::IngestError;
use crate::origin::Origin;
use merge::{BLOCK_ROWS, Merge, Told};
use order::Order;
use packed::{Packing, Unpacking};
use scratch::{Place, Scratch};

/// Bytes of rows in one segment at most, before encoding: wide rows make shorter segments.
const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A chunk's rows, sorted and packed.
#[derive(Debug)]
enum Run {
    Held(RecordBatch),
    /// In portions of [`BLOCK_ROWS`].
    Spilled(Vec<Place>),
}

/// Collects a table's rows and sorts them. Chunks may be added by several threads at once.
#[derive(Debug)]
pub(crate) struct Sorter {
    order: Order,
    packing: Packing,
    stored: SchemaRef,
    scratch: Scratch,
    budget_bytes: u64,
    held_bytes: AtomicU64,
    runs: Mutex<Vec<Run>>,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Sorter {
    /// Holds about `budget_bytes` of packed rows in memory; what comes later waits in `scratch`.
    pub(crate) fn new(
        schema: &TableSchema,
        budget_bytes: usize,
        scratch: &Path,
    ) -> Result<Self, IngestError> {
        Ok(Self {
            order: Order::of(schema)?,
            packing: Packing::of(schema),
            stored: schema.arrow(),
            scratch: Scratch::within(scratch),
            budget_bytes: budget_bytes as u64,
            held_bytes: AtomicU64::new(0),
            runs: Mutex::new(Vec::new()),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// Adds the rows of one chunk, which stand as they arrived.
    pub(crate) fn add(&self, chunk: &RecordBatch) -> Result<(), IngestError> {
        if chunk.num_rows() == 0 {
            return Ok(());
        }
        self.rows.fetch_add(chunk.num_rows() as u64, Ordering::Relaxed);
        self.bytes.fetch_add(plain_bytes(chunk), Ordering::Relaxed);
        let sorted = self.order.sorted(chunk)?;
        let packed = take_record_batch(&self.packing.pack(chunk)?, &sorted)?;
        let packed_bytes = packed.get_array_memory_size() as u64;
        let held = self.held_bytes.fetch_add(packed_bytes, Ordering::Relaxed);
        let run = if held + packed_bytes <= self.budget_bytes {
            Run::Held(packed)
        } else {
            self.held_bytes.fetch_sub(packed_bytes, Ordering::Relaxed);
            Run::Spilled(self.scratch.write(&packed, BLOCK_ROWS)?)
        };
        self.runs.lock().map_err(|_| IngestError::Worker)?.push(run);
        Ok(())
    }

    /// All rows in order, without those whose origin is in `dropped`.
    pub(crate) fn finish(self, dropped: &[Origin]) -> Result<SortedRows, IngestError> {
        let dropped: HashSet<u64> = dropped.iter().map(|origin| origin.bits()).collect();
        let rows = self.rows.into_inner() - dropped.len() as u64;
        let bytes = self.bytes.into_inner();
        let runs = self.runs.into_inner().map_err(|_| IngestError::Worker)?;
        let unpacking = Arc::new(self.packing.close());
        let merge = Merge::open(self.order, Arc::clone(&unpacking), runs, self.scratch, dropped)?;
        let segment_rows = segment_rows(rows, bytes);
        Ok(SortedRows { merge, unpacking, stored: self.stored, rows, segment_rows, bytes })
    }
}

/// What the rows take without spare room, so that it depends on the rows alone.
fn plain_bytes(chunk: &RecordBatch) -> u64 {
    let of_column = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8 => {
            let offsets = column.as_string::<i32>().value_offsets();
            let texts = offsets.last().map_or(0, |end| end - offsets[0]);
            u64::try_from(texts).unwrap_or(0) + 4 * column.len() as u64
        }
        fixed => (fixed.primitive_width().unwrap_or(1) * column.len()) as u64,
    };
    chunk.columns().iter().map(of_column).sum()
}

/// Rows of each segment: as few segments as the bounds allow, all of one size.
fn segment_rows(rows: u64, bytes: u64) -> usize {
    let by_rows = rows.div_ceil(u64::from(SEGMENT_ROWS_MAX));
    let by_bytes = bytes.div_ceil(SEGMENT_BYTES_MAX);
    let segments = by_rows.max(by_bytes).max(1);
    let each = rows.div_ceil(segments).clamp(1, u64::from(SEGMENT_ROWS_MAX));
    usize::try_from(each).unwrap_or(1)
}

/// A table's rows, sorted.
#[derive(Debug)]
pub(crate) struct SortedRows {
    merge: Merge,
    unpacking: Arc<Unpacking>,
    stored: SchemaRef,
    rows: u64,
    segment_rows: usize,
    bytes: u64,
}

impl SortedRows {
    /// Rows in all.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// About how many bytes they take in memory.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next segment; `None` behind the last.
    pub(crate) fn next_segment(&mut self) -> Result<Option<SortedSegment>, IngestError> {
        let told = self.merge.next(self.segment_rows)?;
        let (unpacking, stored) = (&self.unpacking, &self.stored);
        Ok(told.map(|told| SortedSegment {
            told,
            unpacking: Arc::clone(unpacking),
            stored: Arc::clone(stored),
        }))
    }
}

/// The rows of one segment, not yet put together.
#[derive(Debug)]
pub(crate) struct SortedSegment {
    told: Told,
    unpacking: Arc<Unpacking>,
    stored: SchemaRef,
}

impl SortedSegment {
    /// The rows put together, in stored columns.
    pub(crate) fn into_rows(self) -> Result<RecordBatch, IngestError> {
        let columns: Vec<ArrayRef> = (0..self.stored.fields().len())
            .into_par_iter()
            .map(|at| self.unpacking.column(at, &self.told.batches, &self.told.slices))
            .collect::<Result<_, ArrowError>>()?;
        Ok(RecordBatch::try_new(self.stored, columns)?)
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
