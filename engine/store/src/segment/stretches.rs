//! Which rows to decode for a scattered selection, and how to drop the others.
//!
//! Parquet's decoders jump over rows one run at a time, and a jump costs about as much as
//! decoding a score of rows. So runs that lie close together are decoded as one stretch with
//! the rows between them, and those rows are dropped afterwards. Pages without a selected row
//! are still not touched, because a stretch begins and ends with one.
//! Never hands on a row that is not selected.

use std::collections::VecDeque;
use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::compute::BatchCoalescer;
use arrow::util::bit_util;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use martlet_core::Selection;
use parquet::arrow::arrow_reader::RowSelection;

use crate::error::StoreError;

/// Rows between two runs that are rather decoded than jumped over. Measured over columns of
/// every type and selections from each second to each 512th row: dearer jumps pay from 16 to 32
/// rows on.
const GAP_ROWS_DECODED: u32 = 24;

/// The selected rows of a segment, as stretches to be decoded.
#[derive(Debug)]
pub(super) struct Stretches {
    rows: u32,
    runs: Vec<Range<u32>>,
    stretches: Vec<Range<u32>>,
}

impl Stretches {
    pub(super) fn of(rows: &Selection) -> Self {
        let runs = rows.runs();
        let mut stretches: Vec<Range<u32>> = Vec::new();
        for run in &runs {
            match stretches.last_mut() {
                Some(last) if run.start - last.end < GAP_ROWS_DECODED => last.end = run.end,
                _ => stretches.push(run.clone()),
            }
        }
        Self { rows: rows.rows(), runs, stretches }
    }

    /// What the Parquet reader decodes.
    pub(super) fn row_selection(&self) -> RowSelection {
        let stretches =
            self.stretches.iter().map(|stretch| stretch.start as usize..stretch.end as usize);
        RowSelection::from_consecutive_ranges(stretches, self.rows as usize)
    }

    /// For each row that is decoded, whether it is selected; `None` if all of them are.
    pub(super) fn into_flags(self) -> Option<BooleanBuffer> {
        if self.stretches.len() == self.runs.len() {
            return None;
        }
        let decoded: usize = self.stretches.iter().map(ExactSizeIterator::len).sum();
        let mut bits = MutableBuffer::from_len_zeroed(decoded.div_ceil(8));
        let mut runs = self.runs.into_iter().peekable();
        let mut place = 0;
        for stretch in self.stretches {
            while let Some(run) = runs.next_if(|run| run.end <= stretch.end) {
                for row in run {
                    bit_util::set_bit(&mut bits, place + (row - stretch.start) as usize);
                }
            }
            place += stretch.len();
        }
        Some(BooleanBuffer::new(bits.into(), 0, decoded))
    }
}

/// What is left of decoded batches when only flagged rows are kept, in batches of `batch_rows`.
pub(super) fn keep<Decoded>(
    decoded: Decoded,
    flags: BooleanBuffer,
    batch_rows: usize,
) -> BoxStream<'static, Result<RecordBatch, StoreError>>
where
    Decoded: Stream<Item = Result<RecordBatch, StoreError>> + Send + Unpin + 'static,
{
    let keeping = Keeping { flags, seen: 0, batch_rows, kept: None, ready: VecDeque::new() };
    stream::try_unfold((decoded.fuse(), keeping), |(mut decoded, mut keeping)| async move {
        loop {
            if let Some(batch) = keeping.next_ready() {
                return Ok(Some((batch, (decoded, keeping))));
            }
            match decoded.next().await {
                Some(batch) => keeping.push(batch?)?,
                None if keeping.finish()? => {}
                None => return Ok(None),
            }
        }
    })
    .boxed()
}

struct Keeping {
    flags: BooleanBuffer,
    /// Decoded rows that were looked at.
    seen: usize,
    batch_rows: usize,
    /// Made when the first batch tells the schema.
    kept: Option<BatchCoalescer>,
    ready: VecDeque<RecordBatch>,
}

impl Keeping {
    fn next_ready(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    fn push(&mut self, batch: RecordBatch) -> Result<(), StoreError> {
        let wrong = || StoreError::misuse("decoded rows do not fit their selection");
        let rows = batch.num_rows();
        if self.seen + rows > self.flags.len() {
            return Err(wrong());
        }
        let flags = BooleanArray::new(self.flags.slice(self.seen, rows), None);
        self.seen += rows;
        let kept =
            self.kept.get_or_insert_with(|| BatchCoalescer::new(batch.schema(), self.batch_rows));
        kept.push_batch_with_filter(batch, &flags).map_err(|_| wrong())?;
        self.take_completed();
        Ok(())
    }

    /// Whether the end brought rows that were held back.
    fn finish(&mut self) -> Result<bool, StoreError> {
        if let Some(kept) = &mut self.kept {
            kept.finish_buffered_batch()
                .map_err(|_| StoreError::misuse("the last rows kept do not make a batch"))?;
        }
        self.take_completed();
        Ok(!self.ready.is_empty())
    }

    fn take_completed(&mut self) {
        let completed = std::iter::from_fn(|| self.kept.as_mut()?.next_completed_batch());
        self.ready.extend(completed);
    }
}

#[cfg(test)]
#[path = "stretches_tests.rs"]
mod tests;
