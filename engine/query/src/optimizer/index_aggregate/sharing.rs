//! When it is worth finding out what a table's segments share of a column whose distinct values
//! are counted.
//!
//! Owns when; how many values were brought together so far is counted for the table, over all
//! statements. Where it is not worth it, or cannot be found out, values go on being brought
//! together: the count is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::execution::TaskContext;
use martlet_index::IndexKind;

use super::merged::Merged;
use super::spec::Spec;
use crate::indexed_table::{IndexedSegment, IndexedTable};
use crate::overlap::ColumnOverlap;
use crate::scan::SegmentScan;

/// Finding out costs, for each value of each segment's dictionary, about what bringing together
/// one value costs. It serves every later statement over the same table, so a statement need not
/// have lost as much by not knowing: one of so many. A statement over few of many segments never
/// does, nor does one over a single segment, of which nothing was brought together before.
const CODES_PER_ADDED_VALUE: u64 = 8;

/// What is shared of each column whose distinct values a statement counts.
#[derive(Debug)]
pub(super) struct Sharing {
    table: Option<Arc<IndexedTable>>,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    position: usize,
    /// Values of all segments' dictionaries; `None` if one of them has no codes.
    codes: Option<u64>,
    cannot_be_known: AtomicBool,
}

impl Sharing {
    pub(super) fn of(spec: &Spec, table: Option<&Arc<IndexedTable>>) -> Self {
        let column = |position: usize| Column {
            position,
            codes: table.and_then(|table| codes(table, position)),
            cannot_be_known: AtomicBool::new(false),
        };
        Self {
            table: table.cloned(),
            columns: spec.distincts.iter().map(|key| column(key.column)).collect(),
        }
    }

    /// For each column, what is shared of it: where it is known, or worth finding out.
    pub(super) async fn overlaps(
        &self,
        scan: &SegmentScan,
        context: &TaskContext,
    ) -> Vec<Option<ColumnOverlap>> {
        let Some(table) = &self.table else { return Vec::new() };
        let mut overlaps = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            overlaps.push(column.overlap(table, scan, context).await);
        }
        overlaps
    }

    /// Takes note of what a partition added since this was last called.
    pub(super) fn note(&self, merged: &mut Merged) {
        let Some(table) = &self.table else { return };
        for (column, values) in self.columns.iter().zip(&mut merged.distincts) {
            table.overlaps().note_added(column.position, values.take_added());
        }
    }
}

impl Column {
    async fn overlap(
        &self,
        table: &IndexedTable,
        scan: &SegmentScan,
        context: &TaskContext,
    ) -> Option<ColumnOverlap> {
        if let Some(known) = table.overlaps().known(self.position) {
            return Some(known);
        }
        let is_worth_it = is_worth_it(table.overlaps().added(self.position), self.codes?);
        if !is_worth_it || self.cannot_be_known.load(Ordering::Relaxed) {
            return None;
        }
        let found = table.overlaps().of(self.position, table.segments(), scan, context).await;
        if found.is_none() {
            self.cannot_be_known.store(true, Ordering::Relaxed);
        }
        found
    }
}

const fn is_worth_it(added: u64, codes: u64) -> bool {
    added > 0 && added.saturating_mul(CODES_PER_ADDED_VALUE) >= codes
}

/// The values of all segments' dictionaries of a column, as their descriptors tell.
fn codes(table: &IndexedTable, column: usize) -> Option<u64> {
    let of_segment = |segment: &Arc<IndexedSegment>| {
        let (_, section) = segment.section(column, IndexKind::Codes)?;
        Some(u64::from(section.distinct))
    };
    table.segments().iter().map(of_segment).sum()
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
