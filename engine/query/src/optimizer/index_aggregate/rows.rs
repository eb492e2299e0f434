//! Totals by reading the rows: the plain version, for a segment without sound indexes.
//!
//! Delivers into the same groups as the indexes do. Reads selected rows only.

use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt;
use martlet_core::{Selection, Value};
use martlet_index::grouping::KEY_COLUMNS_MAX;
use martlet_index::{key_of_value, value_at};

use super::merged::Merged;
use super::spec::Spec;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::scan::SegmentScan;

/// Adds the totals of the rows of each slice.
pub(super) async fn add_rows(
    scan: &SegmentScan,
    spec: &Spec,
    segment: &IndexedSegment,
    slices: &[Selection],
    into: &mut Merged,
) -> Result<(), QueryError> {
    let keys = spec.keys.iter().chain(&spec.distincts).map(|key| key.column);
    let joined = spec.dimensions.iter().map(|dimension| dimension.column);
    let measured = spec.measures.iter().filter_map(|measure| Some(measure.column?.0));
    let ranked = spec.ranked.iter().map(|ranked| ranked.column);
    let mut columns: Vec<usize> = keys.chain(joined).chain(measured).chain(ranked).collect();
    columns.sort_unstable();
    columns.dedup();
    for (slice, rows) in slices.iter().enumerate() {
        let mut batches = scan.clear_rows(segment, &columns, rows).await?;
        while let Some(batch) = batches.try_next().await? {
            let row = Row { spec, slice, columns: &columns, batch: &batch };
            for at in 0..batch.num_rows() {
                row.add(at, into)?;
            }
        }
    }
    Ok(())
}

/// The rows of one batch of a slice.
struct Row<'a> {
    spec: &'a Spec,
    slice: usize,
    columns: &'a [usize],
    batch: &'a RecordBatch,
}

impl Row<'_> {
    fn cell(&self, row: usize, column: usize) -> Result<Option<Value>, QueryError> {
        let at = self.columns.binary_search(&column).ok();
        let array = at
            .and_then(|at| self.batch.columns().get(at))
            .ok_or(QueryError::Bug { promise: "totals read the columns they need" })?;
        Ok(value_at(array.as_ref(), row))
    }

    /// What the row is joined to in each joined plan; `None` if nowhere.
    fn combinations(
        &self,
        row: usize,
        into: &Merged,
    ) -> Result<Option<[u32; KEY_COLUMNS_MAX]>, QueryError> {
        let mut combinations = [0; KEY_COLUMNS_MAX];
        let joined = self.spec.dimensions.iter().zip(&into.joined);
        for (slot, (dimension, partners)) in combinations.iter_mut().zip(joined) {
            let value = self.cell(row, dimension.column)?;
            let combination = value.and_then(|value| partners.combination(&value));
            let Some(combination) = combination else { return Ok(None) };
            *slot = combination;
        }
        Ok(Some(combinations))
    }

    fn add(&self, row: usize, into: &mut Merged) -> Result<(), QueryError> {
        let Some(combinations) = self.combinations(row, into)? else { return Ok(()) };
        let mut numbers = [0; KEY_COLUMNS_MAX];
        for (at, key) in self.spec.keys.iter().enumerate() {
            let value = self.cell(row, key.column)?.map(|value| key.bucket.of_value(&value));
            numbers[at] = into.number(at, value);
        }
        let mut places = Vec::with_capacity(1);
        into.places(numbers, &combinations, &mut places);
        places.into_iter().try_for_each(|(group, times)| self.add_to(row, group, times, into))
    }

    fn add_to(
        &self,
        row: usize,
        group: usize,
        times: u64,
        into: &mut Merged,
    ) -> Result<(), QueryError> {
        if self.slice == 0 {
            into.counts[group] += times;
            for (at, distinct) in self.spec.distincts.iter().enumerate() {
                if let Some(value) = self.cell(row, distinct.column)? {
                    let prepared = into.distincts[at].prepared(&value);
                    into.distincts[at].add(group, &prepared);
                }
            }
        }
        let measures = self.spec.measures.iter().enumerate();
        for (at, measure) in measures.filter(|(_, measure)| measure.slice == self.slice) {
            let total = &mut into.totals[at][group];
            let Some((column, _)) = measure.column else {
                total.present += times;
                continue;
            };
            if let Some(value) = self.cell(row, column)? {
                total.take(value, times, measure.wanted.extremes);
            }
        }
        self.add_ranks(row, group, into)
    }

    /// Adds a row's keys of all ranked columns to its group.
    fn add_ranks(&self, row: usize, group: usize, into: &mut Merged) -> Result<(), QueryError> {
        const NARROW: QueryError = QueryError::Bug { promise: "ranked values have keys" };
        let ranked = self.spec.ranked.iter().enumerate();
        for (at, ranked) in ranked.filter(|(_, ranked)| ranked.slice == self.slice) {
            if let Some(value) = self.cell(row, ranked.column)? {
                let key = key_of_value(&value).ok_or(NARROW)?;
                // Groups are bounded by memory, far below 2^32.
                into.ranks[at].add(&[group as u32], &[key]);
            }
        }
        Ok(())
    }
}
