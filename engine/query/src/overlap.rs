//! Which values of a column several segments of a table hold.
//!
//! Owns, for each column that was asked for, one set of codes per segment, made once for a table
//! of a snapshot. It is made of every row's values, but only says which way a count is computed,
//! never what it is: nothing of it is told. Never too few values: a value that is taken for
//! shared costs time only.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use martlet_index::IndexKind;
use martlet_index::grouping::{SharedCodes, shared_codes, value_numbers};
use tokio::sync::Mutex;

use crate::indexed_table::IndexedSegment;
use crate::scan::SegmentScan;

/// Of one column: one entry per segment, by its position in the table.
pub(crate) type ColumnOverlap = Arc<Vec<SharedCodes>>;

/// What is known of a table's columns.
#[derive(Debug, Default)]
pub(crate) struct Overlaps {
    columns: RwLock<BTreeMap<usize, ColumnOverlap>>,
    /// Values of a column that statements brought together one by one for want of knowing.
    added: RwLock<BTreeMap<usize, u64>>,
    finding_out: Mutex<()>,
}

impl Overlaps {
    /// What segments share of a column, if somebody has found it out.
    pub(crate) fn known(&self, column: usize) -> Option<ColumnOverlap> {
        self.columns.read().unwrap_or_else(PoisonError::into_inner).get(&column).cloned()
    }

    /// How many values of a column statements have brought together one by one so far.
    pub(crate) fn added(&self, column: usize) -> u64 {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        added.get(&column).copied().unwrap_or(0)
    }

    /// Takes note of values that were brought together one by one.
    pub(crate) fn note_added(&self, column: usize, values: u64) {
        if values > 0 {
            let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
            let so_far = added.entry(column).or_default();
            *so_far = so_far.saturating_add(values);
        }
    }

    /// What segments share of a column. `None` if a segment has no sound codes of it, or memory
    /// does not suffice to find out.
    pub(crate) async fn of(
        &self,
        column: usize,
        segments: &[Arc<IndexedSegment>],
        scan: &SegmentScan,
        context: &TaskContext,
    ) -> Option<ColumnOverlap> {
        // Held while it is found out: whoever asks meanwhile needs the same.
        let _only_one = self.finding_out.lock().await;
        if let Some(known) = self.known(column) {
            return Some(known);
        }
        let found = self.find_out(column, segments, scan, context).await;
        if found.is_none() {
            // Not before as much was lost once more.
            let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
            added.remove(&column);
        }
        found
    }

    async fn find_out(
        &self,
        column: usize,
        segments: &[Arc<IndexedSegment>],
        scan: &SegmentScan,
        context: &TaskContext,
    ) -> Option<ColumnOverlap> {
        let memory = MemoryConsumer::new("Overlaps").register(context.memory_pool());
        let mut numbers = Vec::with_capacity(segments.len());
        for segment in segments {
            let index = scan.index(segment, column, IndexKind::Codes).await?;
            let of_segment = value_numbers(index.as_codes()?);
            // The numbers, and once more to be sorted.
            memory.try_grow(2 * size_of_val(of_segment.as_slice())).ok()?;
            numbers.push(of_segment);
            tokio::task::yield_now().await;
        }
        let overlap = Arc::new(shared_codes(&numbers));
        let mut columns = self.columns.write().unwrap_or_else(PoisonError::into_inner);
        columns.insert(column, Arc::clone(&overlap));
        Some(overlap)
    }
}
