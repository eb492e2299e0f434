//! One segment: its selected rows, exactly, and their visible columns.
//!
//! selection = granted ∧ wanted. An index that answers exactly decides alone; what it leaves
//! open of a condition is evaluated on the rows that may match: on their texts where those lie
//! beside the segment, else on the segment's own columns. Conditions on what is masked come last
//! and are asked of masked values (`shown`). The row rule always comes first: a user's condition is
//! only ever evaluated on granted rows.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use martlet_core::{Predicate, Selection, TableSchema};
use martlet_index::{Index, IndexKind, Narrowed, evaluate, sections_wanted, value_at};
use martlet_policy::{Grant, RowRule, RowsDigest, TokenKeys};

use crate::access_path::AccessPath;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::scan::MaskedProjection;
use crate::scan::dynamic_filter::DynamicFilter;
use crate::scan::key_filter::{KeyFilter, MEMBER_KINDS};
use crate::scan::probe::{narrow_segment, settle_by_texts};
use crate::scan::rows::stored_rows;
use crate::scan::shown::ShownCondition;
use crate::scan::top_rows::{KEY_KINDS, TopRows};
use crate::shared::Shared;

/// Fewer rows are handed on as they are where only their values are wanted.
const REPEATS_DROPPED_FROM: u64 = 1_024;

/// What is the same for every segment of a scan.
#[derive(Debug)]
pub(crate) struct SegmentScan {
    shared: Arc<Shared>,
    grant: Arc<Grant>,
    table: Arc<TableSchema>,
    /// Of the row rule; made when it is asked for.
    rows_digest: Arc<OnceLock<RowsDigest>>,
    wanted: Predicate,
    shown: Option<ShownCondition>,
    key_filters: Vec<Arc<KeyFilter>>,
    dynamic_filters: Vec<Arc<DynamicFilter>>,
    top: Option<TopRows>,
    /// The column of which only the values are wanted, not how often each is there.
    values_of: Option<usize>,
}

impl SegmentScan {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        grant: &Arc<Grant>,
        table: &Arc<TableSchema>,
        wanted: Predicate,
        shown: Option<ShownCondition>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            grant: Arc::clone(grant),
            table: Arc::clone(table),
            rows_digest: Arc::default(),
            wanted,
            shown,
            key_filters: Vec::new(),
            dynamic_filters: Vec::new(),
            top: None,
            values_of: None,
        }
    }

    /// The same scan under one more condition.
    pub(crate) fn with_key_filter(&self, filter: Arc<KeyFilter>) -> Self {
        let mut key_filters = self.key_filters.clone();
        key_filters.push(filter);
        Self { key_filters, ..self.anew() }
    }

    /// The same scan with its key filters over these plans, in their order.
    pub(crate) fn with_key_plans(&self, plans: Vec<Arc<dyn ExecutionPlan>>) -> Self {
        let filters = self.key_filters.iter().zip(plans);
        let key_filters = filters.map(|(filter, plan)| Arc::new(filter.over(plan))).collect();
        Self { key_filters, ..self.anew() }
    }

    /// The same scan without anything that was learned while it ran.
    pub(crate) fn forgotten(&self) -> Self {
        let plans = self.key_filters.iter().map(|filter| Arc::clone(filter.plan())).collect();
        Self { dynamic_filters: Vec::new(), ..self.with_key_plans(plans) }
    }

    /// The same scan, of whose rows operators above may need fewer.
    pub(crate) fn with_dynamic_filters(
        &self,
        filters: impl Iterator<Item = Arc<DynamicFilter>>,
    ) -> Self {
        let dynamic_filters = self.dynamic_filters.iter().cloned().chain(filters).collect();
        Self { dynamic_filters, ..self.anew() }
    }

    /// The same scan without what operators of these filters will learn.
    pub(crate) fn without_learned(&self, filters: &HashSet<u64>) -> Self {
        let stays = |filter: &&Arc<DynamicFilter>| {
            filter.expression().expression_id().is_none_or(|id| !filters.contains(&id))
        };
        let dynamic_filters = self.dynamic_filters.iter().filter(stays).cloned().collect();
        Self { dynamic_filters, ..self.anew() }
    }

    /// The same scan of which only the first rows in some order are wanted.
    pub(crate) fn with_top(&self, top: TopRows) -> Self {
        Self { top: Some(top), ..self.anew() }
    }

    /// The same scan, of which only the values of a column are wanted, whichever rows have them.
    pub(crate) fn with_values_of(&self, column: usize) -> Self {
        Self { values_of: Some(column), ..self.anew() }
    }

    /// Whether only the values of a column are wanted.
    pub(crate) const fn is_of_values(&self) -> bool {
        self.values_of.is_some()
    }

    /// The same scan, not run yet.
    fn anew(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            grant: Arc::clone(&self.grant),
            table: Arc::clone(&self.table),
            rows_digest: Arc::clone(&self.rows_digest),
            wanted: self.wanted.clone(),
            shown: self.shown.clone(),
            key_filters: self.key_filters.clone(),
            dynamic_filters: self.dynamic_filters.clone(),
            top: self.top.as_ref().map(TopRows::anew),
            values_of: self.values_of,
        }
    }

    pub(crate) const fn top(&self) -> Option<&TopRows> {
        self.top.as_ref()
    }

    pub(crate) fn key_filters(&self) -> &[Arc<KeyFilter>] {
        &self.key_filters
    }

    pub(crate) fn dynamic_filters(&self) -> &[Arc<DynamicFilter>] {
        &self.dynamic_filters
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

    /// The conditions on what is shown, where some of it is masked.
    pub(crate) const fn shown(&self) -> Option<&ShownCondition> {
        self.shown.as_ref()
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn keys(&self) -> &TokenKeys {
        &self.shared.keys
    }

    /// The way that the engine's operator has set.
    pub(crate) fn path(&self) -> AccessPath {
        self.shared.options.path
    }

    /// The rows of a segment that are live, granted and wanted: exact.
    pub(crate) async fn selection(
        &self,
        segment: &IndexedSegment,
        context: &Arc<TaskContext>,
    ) -> Result<Selection, QueryError> {
        let granted = match self.grant.rows() {
            RowRule::None => Selection::none(segment.rows()),
            RowRule::All => self.shared.store.live(segment.segment()).await?,
            RowRule::Where(rule) => self.ruled(segment, rule).await?,
        };
        let mut rows = self.restrict(segment, granted, &self.wanted).await?;
        for filter in &self.key_filters {
            rows = self.among_keys(segment, rows, filter, context).await?;
        }
        self.among_shown(segment, rows).await
    }

    /// The live rows that the row rule leaves. It is asked of a sealed segment once: each statement
    /// of everybody in an outlet asks the same.
    async fn ruled(
        &self,
        segment: &IndexedSegment,
        rule: &Predicate,
    ) -> Result<Selection, QueryError> {
        let live = self.shared.store.live(segment.segment()).await?;
        if !self.path().reads_indexes() {
            return self.restrict(segment, live, rule).await;
        }
        let digest = *self.rows_digest.get_or_init(|| self.grant.rows_digest(&self.table));
        if let Some(rows) = self.shared.granted_rows.known(digest, segment.segment()) {
            return Ok(rows.and(&live));
        }
        let rows = self.restrict(segment, Selection::all(segment.rows()), rule).await?;
        self.shared.granted_rows.remember(digest, segment.segment(), &rows);
        Ok(rows.and(&live))
    }

    /// The part of the selected rows where one condition is true and none of the others is.
    pub(crate) async fn slice(
        &self,
        segment: &IndexedSegment,
        rows: &Selection,
        when: &Predicate,
        unless: &[Predicate],
    ) -> Result<Selection, QueryError> {
        let mut slice = self.restrict(segment, rows.clone(), when).await?;
        for condition in unless {
            let others = self.restrict(segment, slice.clone(), condition).await?;
            slice = slice.minus(&others);
        }
        Ok(slice)
    }

    /// The rows among `candidates` that a key filter keeps.
    async fn among_keys(
        &self,
        segment: &IndexedSegment,
        candidates: Selection,
        filter: &KeyFilter,
        context: &Arc<TaskContext>,
    ) -> Result<Selection, QueryError> {
        if candidates.is_none() {
            return Ok(candidates);
        }
        let keys = filter.keys(context).await?;
        for kind in MEMBER_KINDS {
            let index = self.index(segment, filter.column, kind).await;
            if let Some(members) = index.and_then(|index| keys.rows_among(&index, &candidates)) {
                return Ok(filter.kept(&candidates, &members));
            }
        }
        let column = filter.column;
        let members = self
            .where_rows(segment, &[column], &candidates, |batch| {
                let array = batch.columns().first().map(AsRef::as_ref);
                let is_member = |row| {
                    let value = array.and_then(|array| value_at(array, row));
                    value.is_some_and(|value| keys.contains(&value))
                };
                Ok(Selection::from_flags((0..batch.num_rows()).map(is_member)))
            })
            .await?;
        Ok(filter.kept(&candidates, &members))
    }

    /// The rows among `candidates` for which the predicate holds.
    async fn restrict(
        &self,
        segment: &IndexedSegment,
        candidates: Selection,
        predicate: &Predicate,
    ) -> Result<Selection, QueryError> {
        if candidates.is_none() || *predicate == Predicate::Constant(true) {
            return Ok(candidates);
        }
        let narrowed =
            narrow_segment(&self.shared, &self.table, segment, predicate, candidates).await;
        if narrowed.is_exact() {
            return Ok(narrowed.rows);
        }
        let Narrowed { rows, open } = narrowed;
        match settle_by_texts(&self.shared, &self.table, segment, &open, &rows).await {
            Some(settled) => Ok(settled),
            None => self.evaluated(segment, &rows, &open).await,
        }
    }

    /// The selected rows that may be among the first; all of them where no index tells.
    async fn among_top(
        &self,
        segment: &IndexedSegment,
        rows: Selection,
        top: &TopRows,
    ) -> Selection {
        if rows.is_none() {
            return rows;
        }
        let each = match top.each() {
            Some(column) => self.index(segment, column, IndexKind::Codes).await,
            None => None,
        };
        for kind in KEY_KINDS {
            let index = self.index(segment, top.column, kind).await;
            let narrowed = index.and_then(|index| top.narrowed(&index, each.as_deref(), &rows));
            if let Some(narrowed) = narrowed {
                return narrowed;
            }
        }
        rows
    }

    /// One row of each value that the selected rows have in a column; all rows where that is not
    /// cheaper.
    async fn one_of_each_value(
        &self,
        segment: &IndexedSegment,
        rows: Selection,
        column: usize,
    ) -> Selection {
        if rows.count() < REPEATS_DROPPED_FROM {
            return rows;
        }
        match self.index(segment, column, IndexKind::Codes).await.as_deref() {
            Some(Index::Codes(codes)) => codes.first_rows(&rows),
            _ => rows,
        }
    }

    /// The selected rows that an operator above may need.
    async fn among_needed(
        &self,
        segment: &IndexedSegment,
        rows: Selection,
        filter: &DynamicFilter,
    ) -> Result<Selection, QueryError> {
        if rows.is_none() || !filter.is_worth_asking() {
            return Ok(rows);
        }
        let asked = rows.count();
        let mut rows = rows;
        let conditions = filter.conditions(&self.table);
        let mut settled = 0;
        for condition in &conditions {
            // Neither leaves out a row that may be needed.
            let narrowed =
                narrow_segment(&self.shared, &self.table, segment, condition, rows).await;
            settled += usize::from(narrowed.is_exact());
            rows = narrowed.rows;
        }
        if !rows.is_none() && settled < filter.columns().len() {
            let kept = |batch: &RecordBatch| filter.kept(batch);
            rows = self.where_rows(segment, filter.columns(), &rows, kept).await?;
        }
        filter.note(asked, rows.count());
        Ok(rows)
    }

    /// Reads the predicate's columns of the candidates and evaluates it on them.
    async fn evaluated(
        &self,
        segment: &IndexedSegment,
        candidates: &Selection,
        predicate: &Predicate,
    ) -> Result<Selection, QueryError> {
        let mut columns: Vec<usize> = predicate
            .columns()
            .iter()
            .filter_map(|column| self.table.position(column.as_str()))
            .collect();
        columns.sort_unstable();
        self.where_rows(segment, &columns, candidates, |batch| {
            exactly(predicate, &self.table, batch)
        })
        .await
    }

    /// Reads columns of the candidates, and keeps those that `holds` says of each batch.
    pub(super) async fn where_rows(
        &self,
        segment: &IndexedSegment,
        columns: &[usize],
        candidates: &Selection,
        holds: impl Fn(&RecordBatch) -> Result<Selection, QueryError>,
    ) -> Result<Selection, QueryError> {
        let mut batches = self.raw(segment, columns, candidates).await?;
        let mut rows = candidates.iter();
        let mut kept = Vec::new();
        while let Some(batch) = batches.try_next().await? {
            let holds = holds(&batch)?;
            let numbers: Vec<u32> = rows.by_ref().take(batch.num_rows()).collect();
            kept.extend(holds.iter().filter_map(|at| numbers.get(at as usize).copied()));
        }
        Ok(Selection::from_ascending(segment.rows(), kept))
    }

    /// The raw columns of selected rows. Private to the scan: what leaves is masked first.
    pub(super) async fn raw(
        &self,
        segment: &IndexedSegment,
        columns: &[usize],
        rows: &Selection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        stored_rows(&self.shared, &self.table, segment, columns, rows).await
    }

    /// The visible rows of a segment.
    pub(crate) async fn read(
        self: Arc<Self>,
        segment: &IndexedSegment,
        projection: MaskedProjection,
        context: &Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        if self.top.as_ref().is_some_and(|top| !top.may_be_in(segment)) {
            return Ok(futures::stream::empty().boxed());
        }
        let mut selection = self.selection(segment, context).await?;
        if let Some(top) = &self.top {
            selection = self.among_top(segment, selection, top).await;
        }
        for filter in &self.dynamic_filters {
            selection = self.among_needed(segment, selection, filter).await?;
        }
        if let Some(column) = self.values_of {
            selection = self.one_of_each_value(segment, selection, column).await;
        }
        if selection.is_none() {
            return Ok(futures::stream::empty().boxed());
        }
        self.visible(segment, projection, selection).await
    }

    /// The column and kind of each index section that the conditions need.
    pub(crate) fn sections_wanted(&self, segment: &IndexedSegment) -> Vec<(usize, IndexKind)> {
        if !self.path().reads_indexes() {
            return Vec::new();
        }
        let rule = match self.grant.rows() {
            RowRule::Where(rule) => Some(rule),
            RowRule::All | RowRule::None => None,
        };
        segment
            .indexes()
            .iter()
            .flat_map(|(_, descriptor)| {
                rule.into_iter()
                    .chain(std::iter::once(&self.wanted))
                    .flat_map(|predicate| sections_wanted(predicate, &self.table, descriptor))
                    .map(|section| (section.column, section.kind))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// An index of a column, opened, if the segment has it and it is sound.
    pub(crate) async fn index(
        &self,
        segment: &IndexedSegment,
        column: usize,
        kind: IndexKind,
    ) -> Option<Arc<Index>> {
        if !self.path().reads_indexes() {
            return None;
        }
        let (attachment, section) = segment.section(column, kind)?;
        self.shared.indexes.section(&self.shared.store, attachment, section, segment.rows()).await
    }

    /// The raw values of granted columns, for counting where an index failed.
    pub(crate) async fn clear_rows(
        &self,
        segment: &IndexedSegment,
        columns: &[usize],
        rows: &Selection,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        self.raw(segment, columns, rows).await
    }
}

/// The rows that satisfy the predicate. Bounds are refused: a rule answered too widely would
/// show rows that nobody granted.
pub(super) fn exactly(
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
