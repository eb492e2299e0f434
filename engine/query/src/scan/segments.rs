//! One segment: its selected rows, exactly, and their visible columns.
//!
//! selection = granted ∧ wanted. An index that answers exactly decides alone; otherwise the
//! condition's own columns are read for the rows that may match and evaluated. The row rule
//! always comes first: a user's condition is only ever evaluated on granted rows.

use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{Predicate, Selection, TableSchema};
use martlet_index::{Index, IndexKind, evaluate, sections_wanted};
use martlet_policy::{Grant, RowRule, TokenKeys};
use martlet_store::SegmentRef;

use crate::error::QueryError;
use crate::scan::probe::{probe_segment, sections_of};
use crate::scan::{MaskedProjection, descriptor};
use crate::shared::Shared;
use crate::system::{self, Source};

/// What is the same for every segment of a scan.
#[derive(Debug)]
pub(crate) struct SegmentScan {
    shared: Arc<Shared>,
    grant: Arc<Grant>,
    table: Arc<TableSchema>,
    wanted: Predicate,
}

impl SegmentScan {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        grant: &Arc<Grant>,
        table: &Arc<TableSchema>,
        wanted: Predicate,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            grant: Arc::clone(grant),
            table: Arc::clone(table),
            wanted,
        }
    }

    pub(crate) fn table(&self) -> &TableSchema {
        &self.table
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(crate) const fn wanted(&self) -> &Predicate {
        &self.wanted
    }

    pub(crate) fn keys(&self) -> &TokenKeys {
        &self.shared.keys
    }

    /// The rows of a segment that are granted and wanted: exact.
    pub(crate) async fn selection(&self, segment: &SegmentRef) -> Result<Selection, QueryError> {
        let granted = match self.grant.rows() {
            RowRule::All => Selection::all(segment.rows()),
            RowRule::None => Selection::none(segment.rows()),
            RowRule::Where(rule) => {
                self.restrict(segment, Selection::all(segment.rows()), rule).await?
            }
        };
        self.restrict(segment, granted, &self.wanted).await
    }

    /// The rows among `candidates` for which the predicate holds.
    async fn restrict(
        &self,
        segment: &SegmentRef,
        candidates: Selection,
        predicate: &Predicate,
    ) -> Result<Selection, QueryError> {
        if candidates.is_none() || *predicate == Predicate::Constant(true) {
            return Ok(candidates);
        }
        let truth = probe_segment(&self.shared, &self.table, segment, predicate).await;
        let candidates = candidates.and(&truth.holds);
        if truth.exact || candidates.is_none() {
            return Ok(candidates);
        }
        self.evaluated(segment, &candidates, predicate).await
    }

    /// Reads the predicate's columns of the candidates and evaluates it on them.
    async fn evaluated(
        &self,
        segment: &SegmentRef,
        candidates: &Selection,
        predicate: &Predicate,
    ) -> Result<Selection, QueryError> {
        let mut columns: Vec<usize> = predicate
            .columns()
            .iter()
            .filter_map(|column| self.table.position(column.as_str()))
            .collect();
        columns.sort_unstable();
        let mut batches = self.raw(segment, &columns, candidates).await?;
        let mut rows = candidates.iter();
        let mut kept = roaring::RoaringBitmap::new();
        while let Some(batch) = batches.try_next().await? {
            let holds = exactly(predicate, &self.table, &batch)?;
            let numbers: Vec<u32> = rows.by_ref().take(batch.num_rows()).collect();
            kept.extend(holds.iter().filter_map(|at| numbers.get(at as usize).copied()));
        }
        Ok(Selection::from_bitmap(segment.rows(), kept))
    }

    /// The raw columns of selected rows. Private to the scan: what leaves is masked first.
    async fn raw(
        &self,
        segment: &SegmentRef,
        columns: &[usize],
        rows: &Selection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        let reader = self.shared.store.open_segment(&self.table, segment).await?;
        Ok(reader.read(columns, rows, BATCH_ROWS_MAX).map_err(QueryError::from).boxed())
    }

    /// The visible rows of a segment.
    pub(crate) async fn read(
        self: Arc<Self>,
        segment: &SegmentRef,
        projection: MaskedProjection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        let selection = self.selection(segment).await?;
        if selection.is_none() {
            return Ok(futures::stream::empty().boxed());
        }
        let raw = self.raw(segment, projection.stored(), &selection).await?;
        Ok(raw.map(move |batch| projection.apply(&batch?, self.keys())).boxed())
    }

    /// The visible rows of one of Martlet's own tables, with every stored column.
    pub(crate) fn visible_records(&self, source: &Source) -> Result<RecordBatch, QueryError> {
        let rows = &system::rows(&self.table, source, self.shared.records.as_ref())?;
        let rule = match self.grant.rows() {
            RowRule::All => Predicate::Constant(true),
            RowRule::None => Predicate::Constant(false),
            RowRule::Where(rule) => rule.clone(),
        };
        let granted = kept(rows, &rule, &self.table)?;
        kept(&granted, &self.wanted, &self.table)
    }

    /// The column and kind of each index section that the conditions need.
    pub(crate) fn sections_wanted(&self, segment: &SegmentRef) -> Vec<(usize, IndexKind)> {
        if self.shared.options.indexes == crate::IndexUse::Forbidden {
            return Vec::new();
        }
        let rule = match self.grant.rows() {
            RowRule::Where(rule) => Some(rule),
            RowRule::All | RowRule::None => None,
        };
        segment
            .attachments()
            .iter()
            .filter_map(|attachment| descriptor(attachment.descriptor()))
            .flat_map(|descriptor| {
                rule.into_iter()
                    .chain(std::iter::once(&self.wanted))
                    .flat_map(|predicate| sections_wanted(predicate, &self.table, &descriptor))
                    .map(|section| (section.column, section.kind))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// An index of a column, opened, if the segment has it and it is sound.
    pub(crate) async fn index(
        &self,
        segment: &SegmentRef,
        column: usize,
        kind: IndexKind,
    ) -> Option<Arc<Index>> {
        let (attachment, section) = sections_of(segment)
            .into_iter()
            .find(|(_, section)| section.column == column && section.kind == kind)?;
        self.shared.indexes.section(&self.shared.store, attachment, &section, segment.rows()).await
    }

    /// The raw values of granted columns, for counting where an index failed.
    pub(crate) async fn clear_rows(
        &self,
        segment: &SegmentRef,
        columns: &[usize],
        rows: &Selection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        self.raw(segment, columns, rows).await
    }
}

/// The rows that satisfy the predicate. Bounds are refused: a rule answered too widely would
/// show rows that nobody granted.
fn exactly(
    predicate: &Predicate,
    table: &TableSchema,
    rows: &RecordBatch,
) -> Result<Selection, QueryError> {
    let truth = evaluate(predicate, table, rows);
    if truth.exact {
        Ok(truth.holds)
    } else {
        Err(QueryError::Bug { promise: "a condition fits the table that it is evaluated on" })
    }
}

fn kept(
    rows: &RecordBatch,
    predicate: &Predicate,
    table: &TableSchema,
) -> Result<RecordBatch, QueryError> {
    let holds = exactly(predicate, table, rows)?;
    let flags: BooleanArray = (0..holds.rows()).map(|row| Some(holds.contains(row))).collect();
    filter_record_batch(rows, &flags)
        .map_err(|_| QueryError::Bug { promise: "a filter is as long as its rows" })
}
