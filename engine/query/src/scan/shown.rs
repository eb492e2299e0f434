//! Conditions on what is shown, where some of it is masked, and the masked columns of the rows.
//!
//! Such conditions are leak-proof like those on stored values ([`crate::leak_proof`]), but speak of
//! masked values: of a masked column they know the mask's type and nothing else, and they are
//! answered by codes over masked values or by masking the rows that are left. Never asks anything
//! of a raw value of a masked column: nothing that is stored beside a segment is about what they
//! ask. Works on rows that are granted.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{ColumnSchema, Predicate, Selection, TableSchema};
use martlet_index::{Index, IndexKind, Narrowed, described, evaluate, narrow};
use martlet_policy::{Access, Grant, GrantedColumn, TokenKeys};

use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::masked_cache::MaskedColumn;
use crate::scan::mask::MaskedProjection;
use crate::scan::masked_codes::{masked_codes, masked_column};
use crate::scan::segments::SegmentScan;

/// A condition on columns as a grant shows them.
#[derive(Debug, Clone)]
pub(crate) struct ShownCondition {
    predicate: Predicate,
    /// The columns that it speaks of, as they are shown.
    schema: TableSchema,
    /// The same columns, in the same order.
    columns: MaskedProjection,
}

impl ShownCondition {
    /// `None` if the condition says nothing.
    pub(crate) fn new(
        predicate: Predicate,
        grant: &Arc<Grant>,
        table: &TableSchema,
    ) -> Result<Option<Self>, QueryError> {
        if predicate == Predicate::Constant(true) {
            return Ok(None);
        }
        let named = predicate.columns();
        let outputs: Vec<usize> = grant
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, granted)| named.contains(&granted.name))
            .map(|(output, _)| output)
            .collect();
        let columns = MaskedProjection::new(grant, &outputs)?;
        let schema = schema_as_shown(table, columns.columns())?;
        Ok(Some(Self { predicate, schema, columns }))
    }

    pub(crate) const fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// The columns that it speaks of.
    pub(super) fn columns(&self) -> &[GrantedColumn] {
        self.columns.columns()
    }

    /// The stored columns that have to be read to ask it of rows.
    pub(super) fn stored(&self) -> &[usize] {
        self.columns.stored()
    }

    /// What codes over masked columns tell of it, one or none for each of [`Self::columns`].
    fn narrowed(&self, codes: &[Option<Arc<Index>>], among: &Selection) -> Narrowed {
        narrowed(&self.predicate, &self.schema, codes, among)
    }

    /// The rows of a batch of [`Self::stored`] for which what is left open of it holds.
    pub(super) fn holding(
        &self,
        open: &Predicate,
        rows: &RecordBatch,
        keys: &TokenKeys,
    ) -> Result<Selection, QueryError> {
        let truth = evaluate(open, &self.schema, &self.columns.apply(rows, keys)?);
        if truth.exact {
            Ok(truth.holds)
        } else {
            Err(QueryError::Bug { promise: "a condition fits the columns that it is asked of" })
        }
    }
}

/// What codes tell of a condition, one or none for each column of the schema. Nothing else is
/// known of these columns: zone maps and indexes beside the segment are of stored values.
fn narrowed(
    predicate: &Predicate,
    schema: &TableSchema,
    codes: &[Option<Arc<Index>>],
    among: &Selection,
) -> Narrowed {
    let known = codes.iter().enumerate();
    let known: Vec<(usize, &Index)> =
        known.filter_map(|(at, index)| Some((at, index.as_deref()?))).collect();
    let descriptor = described(among.rows(), &known);
    let at_hand = |column: usize, kind: IndexKind| {
        codes.get(column).cloned().flatten().filter(|index| index.kind() == kind)
    };
    narrow(predicate, schema, &descriptor, &at_hand, among)
}

/// Columns with the types that their masks give them.
fn schema_as_shown(
    table: &TableSchema,
    columns: &[GrantedColumn],
) -> Result<TableSchema, QueryError> {
    const FITS: QueryError = QueryError::Bug { promise: "a condition is about granted columns" };
    let shown = columns
        .iter()
        .map(|granted| {
            let stored = table.columns().get(granted.position)?;
            let (column_type, nullable) = match &granted.access {
                Access::Clear | Access::Unshown => (stored.column_type, stored.nullable),
                Access::Masked(mask) => (mask.output_type(stored.column_type), true),
            };
            Some(ColumnSchema { column_type, nullable, ..stored.clone() })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(FITS)?;
    TableSchema::new(table.name().clone(), shown, &[], &[]).map_err(|_| FITS)
}

impl SegmentScan {
    /// The rows among granted ones for which the conditions on what is shown hold.
    pub(super) async fn among_shown(
        &self,
        segment: &IndexedSegment,
        candidates: Selection,
    ) -> Result<Selection, QueryError> {
        let Some(condition) = self.shown().filter(|_| !candidates.is_none()) else {
            return Ok(candidates);
        };
        let mut codes = Vec::with_capacity(condition.columns().len());
        for granted in condition.columns() {
            codes.push(match masked_column(self.table(), segment, granted) {
                Some(column) => self.codes(segment, &column, candidates.count()).await,
                None => None,
            });
        }
        let Narrowed { rows, open } = condition.narrowed(&codes, &candidates);
        if open == Predicate::Constant(true) {
            return Ok(rows);
        }
        let holding = |batch: &RecordBatch| condition.holding(&open, batch, self.keys());
        self.where_rows(segment, condition.stored(), &rows, holding).await
    }

    /// The visible columns of selected rows, in batches.
    pub(super) async fn visible(
        self: Arc<Self>,
        segment: &IndexedSegment,
        projection: MaskedProjection,
        rows: Selection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        let (codes, one_by_one) = self.codes_to_show(segment, &projection).await;
        if codes.iter().all(Option::is_none) {
            let read = self.raw(segment, projection.stored(), &rows).await?;
            let batch = move |read: Result<RecordBatch, QueryError>| {
                let read = read?;
                self.note_masked(&one_by_one, read.num_rows());
                projection.apply(&read, self.keys())
            };
            return Ok(read.map(batch).boxed());
        }
        let shown = projection.with_codes(codes);
        let chunks = stream::iter(rows.clone().chunks(BATCH_ROWS_MAX));
        if shown.stored().is_empty() {
            let batch = move |rows: Selection| shown.apply(&rows, None, self.keys());
            return Ok(chunks.map(batch).boxed());
        }
        let read = self.raw(segment, shown.stored(), &rows).await?;
        let batch = move |(read, rows): (Result<RecordBatch, QueryError>, Selection)| {
            let read = read?;
            self.note_masked(&one_by_one, read.num_rows());
            shown.apply(&rows, Some(&read), self.keys())
        };
        Ok(read.zip(chunks).map(batch).boxed())
    }

    /// The codes that hold masked columns of a projection, one or none for each column, and those
    /// masked columns that have none. How many rows will be asked for is known when they are.
    async fn codes_to_show(
        &self,
        segment: &IndexedSegment,
        projection: &MaskedProjection,
    ) -> (Vec<Option<Arc<Index>>>, Vec<MaskedColumn>) {
        let mut found = Vec::with_capacity(projection.columns().len());
        let mut one_by_one = Vec::new();
        for granted in projection.columns() {
            let Some(column) = masked_column(self.table(), segment, granted) else {
                found.push(None);
                continue;
            };
            let codes = self.codes(segment, &column, 0).await;
            if codes.is_none() {
                one_by_one.push(column);
            }
            found.push(codes);
        }
        (found, one_by_one)
    }

    async fn codes(
        &self,
        segment: &IndexedSegment,
        column: &MaskedColumn,
        asked: u64,
    ) -> Option<Arc<Index>> {
        masked_codes(self.shared(), self.table(), segment, column, asked).await
    }

    fn note_masked(&self, columns: &[MaskedColumn], values: usize) {
        if self.path().reads_indexes() {
            let note = |column| self.shared().masked.note_masked(column, values as u64);
            columns.iter().for_each(note);
        }
    }
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
