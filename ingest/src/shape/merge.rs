//! Sorted runs to one sorted sequence of rows.
//!
//! Owns the merge: a heap of runs by the key of their next row. Holds one batch of every run,
//! and those that the rows being put together still point into.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::UInt64Type;
use arrow::row::Rows;

use super::run::{Run, RunReader};
use super::{Order, prefix};
use crate::error::IngestError;

/// Rows that are put together at a time.
const PIECE_ROWS: usize = 32 * 1024;

/// Runs that are being merged.
pub(super) struct Merge {
    order: Order,
    heads: Vec<Head>,
    /// A binary heap of positions in `heads`, the least key first.
    heap: Vec<usize>,
    dropped: HashSet<u64>,
    /// Batches that rows of the current piece point into.
    batches: Vec<RecordBatch>,
    /// The current piece: batch and row.
    piece: Vec<(usize, usize)>,
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Merge").field("runs", &self.heads.len()).finish_non_exhaustive()
    }
}

/// A run and its next row.
struct Head {
    reader: RunReader,
    batch: RecordBatch,
    keys: Rows,
    row: usize,
    prefix: u64,
    /// The batch's place among those of the current piece, if a row points into it.
    in_piece: Option<usize>,
}

impl Head {
    fn open(order: &Order, run: Run) -> Result<Option<Self>, IngestError> {
        let mut reader = run.read()?;
        let Some(batch) = reader.next().transpose()? else { return Ok(None) };
        let keys = order.keys(&batch)?;
        let prefix = prefix(keys.row(0).data());
        Ok(Some(Self { reader, batch, keys, row: 0, prefix, in_piece: None }))
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.prefix
            .cmp(&other.prefix)
            .then_with(|| self.keys.row(self.row).data().cmp(other.keys.row(other.row).data()))
    }

    /// Goes to the next row; false behind the last.
    fn advance(&mut self, order: &Order) -> Result<bool, IngestError> {
        self.row += 1;
        if self.row == self.batch.num_rows() {
            let Some(batch) = self.reader.next().transpose()? else { return Ok(false) };
            self.keys = order.keys(&batch)?;
            self.batch = batch;
            self.row = 0;
            self.in_piece = None;
        }
        self.prefix = prefix(self.keys.row(self.row).data());
        Ok(true)
    }
}

impl Merge {
    pub(super) fn open(
        order: Order,
        runs: Vec<Run>,
        dropped: HashSet<u64>,
    ) -> Result<Self, IngestError> {
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            heads.extend(Head::open(&order, run)?);
        }
        let heap: Vec<usize> = (0..heads.len()).collect();
        let mut merge =
            Self { order, heads, heap, dropped, batches: Vec::new(), piece: Vec::new() };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    /// The next rows, at most so many; `None` behind the last.
    pub(super) fn next(&mut self, rows: usize) -> Result<Option<RecordBatch>, IngestError> {
        let mut pieces = Vec::new();
        let mut missing = rows;
        while missing > 0 {
            let Some(piece) = self.next_piece(missing.min(PIECE_ROWS))? else { break };
            missing -= piece.num_rows();
            pieces.push(piece);
        }
        Ok(match pieces.as_slice() {
            [] => None,
            pieces => Some(concat_batches(&self.order.schema, pieces)?),
        })
    }

    fn next_piece(&mut self, rows: usize) -> Result<Option<RecordBatch>, IngestError> {
        while self.piece.len() < rows {
            let Some(&least) = self.heap.first() else { break };
            self.take_row(least);
            if !self.heads[least].advance(&self.order)? {
                self.heap.swap_remove(0);
            }
            self.sift_down(0);
        }
        if self.piece.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let piece = interleave_record_batch(&batches, &self.piece)?;
        self.piece.clear();
        self.batches.clear();
        self.heads.iter_mut().for_each(|head| head.in_piece = None);
        Ok(Some(piece))
    }

    fn take_row(&mut self, run: usize) {
        let head = &mut self.heads[run];
        let origins = head.batch.column(self.order.origin_column()).as_primitive::<UInt64Type>();
        if self.dropped.contains(&origins.value(head.row)) {
            return;
        }
        let batch = *head.in_piece.get_or_insert_with(|| {
            self.batches.push(head.batch.clone());
            self.batches.len() - 1
        });
        self.piece.push((batch, head.row));
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let least = [2 * at + 1, 2 * at + 2]
                .into_iter()
                .filter(|child| *child < self.heap.len())
                .fold(at, |least, child| if self.is_less(child, least) { child } else { least });
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn is_less(&self, left: usize, right: usize) -> bool {
        self.heads[self.heap[left]].cmp(&self.heads[self.heap[right]]).is_lt()
    }
}
