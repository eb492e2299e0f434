//! Rows in the order of the table's cluster key, in bounded memory.
//!
//! Receives: checked rows from `check`, each with its origin. Hands on: sorted rows to `write`,
//! in segments of one size. What does not fit in memory goes to sorted runs in unnamed files,
//! which vanish with the process, and is merged from there. Ties are broken by origin, so the
//! same files always give the same segments.

mod merge;
mod run;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use martlet_core::TableSchema;
use martlet_core::limits::SEGMENT_ROWS_MAX;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::error::IngestError;
use crate::origin::{Origin, schema_with_origin};
use merge::Merge;
use run::Run;

/// Bytes of rows in one segment at most, before encoding: wide rows make shorter segments.
const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The order of one table.
#[derive(Debug)]
struct Order {
    /// Positions of the cluster key's columns, then the origin's.
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl Order {
    fn of(schema: &TableSchema) -> Self {
        let mut columns = schema.cluster_key().to_vec();
        columns.push(schema.columns().len());
        Self { columns, schema: schema_with_origin(schema) }
    }

    /// The sort keys of a batch: comparable as bytes, also between batches.
    fn keys(&self, batch: &RecordBatch) -> Result<Rows, ArrowError> {
        let values: Vec<ArrayRef> =
            self.columns.iter().map(|at| batch.column(*at).clone()).collect();
        let fields = values.iter().map(|values| SortField::new(values.data_type().clone()));
        RowConverter::new(fields.collect())?.convert_columns(&values)
    }

    fn origin_column(&self) -> usize {
        self.schema.fields().len() - 1
    }
}

/// Collects a table's rows and sorts them.
#[derive(Debug)]
pub(crate) struct Sorter {
    order: Order,
    budget_bytes: usize,
    scratch: PathBuf,
    held: Vec<RecordBatch>,
    held_bytes: usize,
    runs: Vec<Run>,
    rows: u64,
    bytes: u64,
}

impl Sorter {
    /// Holds about `budget_bytes` of rows in memory, and spills to `scratch` beyond that.
    pub(crate) fn new(schema: &TableSchema, budget_bytes: usize, scratch: &Path) -> Self {
        Self {
            order: Order::of(schema),
            budget_bytes,
            scratch: scratch.to_path_buf(),
            held: Vec::new(),
            held_bytes: 0,
            runs: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Adds the rows of one chunk.
    pub(crate) fn add(&mut self, batch: RecordBatch) -> Result<(), IngestError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let bytes = batch.get_array_memory_size();
        if self.held_bytes > 0 && self.held_bytes + bytes > self.budget_bytes {
            self.spill()?;
        }
        self.rows += batch.num_rows() as u64;
        self.bytes += bytes as u64;
        self.held_bytes += bytes;
        self.held.push(batch);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), IngestError> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let sorted = SortedBatches::sort(&self.order, held, &HashSet::new())?;
        self.runs.push(Run::write(&self.order.schema, sorted, &self.scratch)?);
        Ok(())
    }

    /// All rows in order, without those whose origin is in `dropped`.
    pub(crate) fn finish(mut self, dropped: &[Origin]) -> Result<SortedRows, IngestError> {
        let dropped: HashSet<u64> = dropped.iter().map(|origin| origin.bits()).collect();
        let rows = self.rows - dropped.len() as u64;
        let bytes = self.bytes;
        let source = if self.runs.is_empty() {
            Source::Memory(SortedBatches::sort(&self.order, self.held, &dropped)?)
        } else {
            self.spill()?;
            Source::Runs(Box::new(Merge::open(self.order, self.runs, dropped)?))
        };
        Ok(SortedRows { source, rows, segment_rows: segment_rows(rows, bytes), bytes })
    }
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
    source: Source,
    rows: u64,
    segment_rows: usize,
    bytes: u64,
}

#[derive(Debug)]
enum Source {
    Memory(SortedBatches),
    Runs(Box<Merge>),
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

    /// The rows of the next segment, in stored columns; `None` behind the last.
    pub(crate) fn next_segment(&mut self) -> Result<Option<RecordBatch>, IngestError> {
        let rows = match &mut self.source {
            Source::Memory(sorted) => sorted.next(self.segment_rows)?,
            Source::Runs(merge) => merge.next(self.segment_rows)?,
        };
        Ok(rows.map(without_origin).transpose()?)
    }
}

fn without_origin(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let stored: Vec<usize> = (0..batch.num_columns() - 1).collect();
    batch.project(&stored)
}

/// Where a row stands among the batches, with the beginning of its key, which decides most
/// comparisons without a look at the key itself.
#[derive(Debug, Clone, Copy)]
struct Place {
    prefix: u64,
    batch: u32,
    row: u32,
}

/// Batches in memory and the order of their rows.
#[derive(Debug)]
struct SortedBatches {
    batches: Vec<RecordBatch>,
    places: Vec<Place>,
    next: usize,
}

impl SortedBatches {
    fn sort(
        order: &Order,
        batches: Vec<RecordBatch>,
        dropped: &HashSet<u64>,
    ) -> Result<Self, IngestError> {
        let keys: Vec<Rows> =
            batches.par_iter().map(|batch| order.keys(batch)).collect::<Result<_, _>>()?;
        let mut places = Vec::with_capacity(keys.iter().map(Rows::num_rows).sum());
        for (at, batch) in batches.iter().enumerate() {
            let origins = batch.column(order.origin_column()).as_primitive::<UInt64Type>();
            for (row, origin) in origins.values().iter().enumerate() {
                if !dropped.contains(origin) {
                    let prefix = prefix(keys[at].row(row).data());
                    places.push(Place { prefix, batch: number(at), row: number(row) });
                }
            }
        }
        let key = |place: &Place| keys[place.batch as usize].row(place.row as usize).data();
        places.par_sort_unstable_by(|left, right| {
            left.prefix.cmp(&right.prefix).then_with(|| key(left).cmp(key(right)))
        });
        Ok(Self { batches, places, next: 0 })
    }

    /// The next rows, at most so many; `None` behind the last.
    fn next(&mut self, rows: usize) -> Result<Option<RecordBatch>, IngestError> {
        let end = self.places.len().min(self.next + rows);
        let taken: Vec<(usize, usize)> = self.places[self.next..end]
            .iter()
            .map(|place| (place.batch as usize, place.row as usize))
            .collect();
        self.next = end;
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        Ok(Some(interleave_record_batch(&batches, &taken)?))
    }
}

/// Batches and rows in memory are bounded by the budget, far below 2^32.
fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The first eight bytes of a key, in the order of the keys.
fn prefix(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = key.len().min(8);
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
