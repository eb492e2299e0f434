//! The leaf of every plan: a table's permitted rows, masked while they are read.
//!
//! Receives: a grant, a projection and the leak-proof conditions, from `secured_table`.
//! Hands on: record batches of visible rows and masked values, to the user's own operators.
//!
//! It is the barrier: per segment the order is row rule on raw values, then the user's
//! leak-proof conditions, those on masked columns of what the masks leave, then masks. Nothing the user wrote runs below it; of the physical
//! optimizer's filters it takes only what joins and sorts have learned of columns that are granted
//! as stored, as a hint; and it reports statistics only to a grant that covers everything they
//! were made from.

mod as_set;
pub(crate) mod dynamic_filter;
pub(crate) mod key_filter;
mod mask;
mod masked_codes;
mod probe;
mod records;
mod rows;
mod segments;
mod shown;
pub(crate) mod statistics;
pub(crate) mod top_rows;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt};
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableSchema};
use martlet_index::grouping::{Counted, Order};
use martlet_index::{IndexKind, key_of_value};
use martlet_policy::{Access, Grant, RowRule};

use crate::error::QueryError;
use crate::indexed_table::{IndexedSegment, IndexedTable};
use crate::leak_proof::Wanted;
use crate::scan::as_set::as_set;
use crate::scan::dynamic_filter::DynamicFilter;
use crate::scan::key_filter::{Keep, KeyFilter};
use crate::scan::shown::ShownCondition;
use crate::scan::statistics::scan_statistics;
use crate::scan::top_rows::{Among, TopRows};
use crate::secured_table::Rows;
use crate::shared::Shared;

pub(crate) use mask::MaskedProjection;
pub(crate) use segments::SegmentScan;

/// The physical leaf.
#[derive(Debug)]
pub(crate) struct SecuredScan {
    scan: Arc<SegmentScan>,
    rows: Rows,
    projection: MaskedProjection,
    properties: Arc<PlanProperties>,
}

impl SecuredScan {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        grant: &Arc<Grant>,
        table: &Arc<TableSchema>,
        rows: &Rows,
        projection: &[usize],
        wanted: Wanted,
    ) -> Result<Self, QueryError> {
        let projection = MaskedProjection::new(grant, projection)?;
        let partitions = match rows {
            Rows::Segments(table) => table.segments().len().clamp(1, shared.options.threads.max(1)),
            Rows::System(_) => 1,
        };
        let properties = Arc::new(properties(projection.schema(), partitions));
        shared.masked.begin_scan();
        let shown = ShownCondition::new(wanted.of_shown, grant, table)?;
        let scan = Arc::new(SegmentScan::new(shared, grant, table, wanted.of_stored, shown));
        Ok(Self { scan, rows: rows.clone(), projection, properties })
    }

    /// The same scan under one more condition: `output` is (or is not) among the keys of a plan.
    /// `None` if the column is not granted as stored or the rows are not in segments.
    pub(crate) fn with_key_filter(
        &self,
        output: usize,
        keep: Keep,
        keys: Arc<dyn ExecutionPlan>,
        key_output: usize,
    ) -> Option<Self> {
        let (column, stored) = self.clear_column(output)?;
        let key_type = keys.schema().fields().get(key_output)?.data_type().clone();
        let Rows::Segments(_) = &self.rows else { return None };
        if key_type != stored.column_type.arrow() {
            return None;
        }
        let keys = as_set(&keys);
        let filter = Arc::new(KeyFilter::new(column, keep, keys, key_output));
        Some(self.over(self.scan.with_key_filter(filter)))
    }

    /// The same leaf over another scan of the same rows.
    fn over(&self, scan: SegmentScan) -> Self {
        Self {
            scan: Arc::new(scan),
            rows: self.rows.clone(),
            projection: self.projection.clone(),
            properties: Arc::clone(&self.properties),
        }
    }

    /// The same scan of which only the first `rows` rows by a column are wanted. `None` if the
    /// column is not granted as stored, or its order is not that of its keys.
    pub(crate) fn with_top_rows(&self, output: usize, order: Order, rows: usize) -> Option<Self> {
        self.with_top(output, order, rows, Among::All)
    }

    /// The same of which only the first rows of each value of another column are wanted. `None`
    /// also where that column is not granted as stored, or has no codes.
    pub(crate) fn with_top_rows_of_each(
        &self,
        (each, counted): (usize, Counted),
        output: usize,
        order: Order,
        rows: usize,
    ) -> Option<Self> {
        let (column, stored) = self.clear_column(each)?;
        // Floats are equal in more ways than one.
        let is_coded = stored.column_type != ColumnType::Float64
            && self.each_segment_has(column, &[IndexKind::Codes]);
        let among = Among::Each(column, counted);
        is_coded.then(|| self.with_top(output, order, rows, among)).flatten()
    }

    fn with_top(&self, output: usize, order: Order, rows: usize, among: Among) -> Option<Self> {
        let (column, stored) = self.clear_column(output)?;
        let Rows::Segments(_) = &self.rows else { return None };
        let applies = TopRows::applies_to(stored.column_type) && self.scan.top().is_none();
        applies.then(|| self.over(self.scan.with_top(TopRows::new(column, order, rows, among))))
    }

    /// The per-segment part, which totals from indexes share.
    pub(crate) const fn segment_scan(&self) -> &Arc<SegmentScan> {
        &self.scan
    }

    /// The stored column behind an output column, if it is granted as stored.
    pub(crate) fn clear_column(&self, output: usize) -> Option<(usize, &ColumnSchema)> {
        let granted = self.projection.granted(output)?;
        match granted.access {
            Access::Clear | Access::Unshown => {
                Some((granted.position, self.scan.table().columns().get(granted.position)?))
            }
            Access::Masked(_) => None,
        }
    }

    /// The same, if it is shown: what operators tell scans is found by names, which may mislead.
    fn shown_column(&self, output: usize) -> Option<usize> {
        let granted = self.projection.granted(output)?;
        (granted.access == Access::Clear).then_some(granted.position)
    }

    /// The same scan without what operators of these filters will learn.
    pub(crate) fn without_learned(&self, filters: &HashSet<u64>) -> Self {
        self.over(self.scan.without_learned(filters))
    }

    /// Whether every row of the table may be seen: then nothing that is made of all rows tells
    /// more of those columns than may be known anyway.
    pub(crate) fn hides_no_row(&self) -> bool {
        *self.scan.grant().rows() == RowRule::All
    }

    /// How many partitions read at the same time.
    pub(crate) fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// The segments of one partition, if the table is stored in segments.
    pub(crate) fn segments_of(&self, partition: usize) -> Option<Vec<Arc<IndexedSegment>>> {
        match &self.rows {
            Rows::Segments(table) => Some(
                table
                    .segments()
                    .iter()
                    .skip(partition)
                    .step_by(self.partitions())
                    .cloned()
                    .collect(),
            ),
            Rows::System(_) => None,
        }
    }

    /// The whole table, if it is stored in segments.
    pub(crate) const fn indexed_table(&self) -> Option<&Arc<IndexedTable>> {
        match &self.rows {
            Rows::Segments(table) => Some(table),
            Rows::System(_) => None,
        }
    }

    /// Whether every segment has an index of one of these kinds on the column.
    pub(crate) fn each_segment_has(&self, column: usize, kinds: &[IndexKind]) -> bool {
        match &self.rows {
            Rows::Segments(table) => table
                .segments()
                .iter()
                .all(|segment| kinds.iter().any(|kind| segment.section(column, *kind).is_some())),
            Rows::System(_) => false,
        }
    }

    /// Bounds of a column's keys (see [`martlet_index::key_of_value`]) over all segments: no key
    /// is beyond them. They come from hidden rows as well, so they may decide how much is done,
    /// never what is shown.
    pub(crate) fn key_bounds(&self, column: usize) -> (i64, i64) {
        let Rows::Segments(table) = &self.rows else { return (i64::MIN, i64::MAX) };
        let zones = table.segments().iter().map(|segment| {
            segment.indexes().iter().find_map(|(_, descriptor)| descriptor.zone_map(column))
        });
        let bounds = zones.map(|zone| match zone {
            Some(zone) if zone.values() == 0 => (i64::MAX, i64::MIN),
            Some(zone) => (
                zone.min.as_ref().and_then(key_of_value).unwrap_or(i64::MIN),
                zone.max.as_ref().and_then(key_of_value).unwrap_or(i64::MAX),
            ),
            None => (i64::MIN, i64::MAX),
        });
        let widest = bounds.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        widest.filter(|(low, high)| low <= high).unwrap_or((0, 0))
    }

    /// The columns that the conditions speak of, as EXPLAIN shows them: never their constants.
    fn condition_names(&self) -> Vec<String> {
        let mut columns = self.scan.wanted().columns();
        columns.extend(self.scan.shown().into_iter().flat_map(|shown| shown.predicate().columns()));
        columns.iter().map(ColumnName::to_string).collect()
    }

    /// The columns of the key filters, as EXPLAIN shows them.
    fn key_filter_names(&self) -> Vec<String> {
        let columns = self.scan.table().columns();
        let name = |filter: &Arc<KeyFilter>| Some(columns.get(filter.column)?.name.to_string());
        self.scan.key_filters().iter().filter_map(name).collect()
    }

    /// The columns of the dynamic filters, as EXPLAIN shows them.
    fn dynamic_filter_names(&self) -> Vec<String> {
        let columns = self.scan.table().columns();
        let filters = self.scan.dynamic_filters().iter();
        let name = |at: &usize| Some(columns.get(*at)?.name.to_string());
        filters.flat_map(|filter| filter.columns()).filter_map(name).collect()
    }

    /// The first of these kinds that every segment has on the column.
    pub(crate) fn first_kind(&self, column: usize, kinds: [IndexKind; 2]) -> Option<IndexKind> {
        kinds.into_iter().find(|kind| self.each_segment_has(column, &[*kind]))
    }

    /// Which rows are enough, as EXPLAIN shows it; empty where all are wanted.
    fn top_described(&self) -> String {
        let name = |at: usize| self.scan.table().columns().get(at).map(|column| &column.name);
        self.scan.top().map_or_else(String::new, |top| {
            let by = name(top.column).map_or_else(String::new, |name| format!(" by {name}"));
            let each = top.each().and_then(name);
            let each = each.map_or_else(String::new, |name| format!(" of each {name}"));
            format!(", top={}{by}{each}", top.rows)
        })
    }

    /// Whether a column is shown as it is stored: of others no plan tells how their values are kept.
    pub(crate) fn shows_as_stored(&self, name: &ColumnName) -> bool {
        let granted = self.scan.grant().columns().iter().find(|column| column.name == *name);
        granted.is_some_and(|column| column.access == Access::Clear)
    }

    /// Which indexes the conditions use, as EXPLAIN shows them: `column: kind`. Those of columns that
    /// are not shown as they are would tell what their values are like.
    pub(crate) fn indexes_used(&self) -> Vec<String> {
        let Rows::Segments(table) = &self.rows else { return Vec::new() };
        let mut used: Vec<String> = table
            .segments()
            .iter()
            .flat_map(|segment| self.scan.sections_wanted(segment))
            .filter_map(|(column, kind)| {
                let name = &self.scan.table().columns().get(column)?.name;
                self.shows_as_stored(name).then(|| format!("{name}: {}", kind.name()))
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}

pub(crate) fn properties(schema: SchemaRef, partitions: usize) -> PlanProperties {
    PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    )
    .with_scheduling_type(SchedulingType::Cooperative)
}

impl DisplayAs for SecuredScan {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.projection.schema();
        let columns: Vec<&str> =
            schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(
            formatter,
            "SecuredScan: table={}, {}=[{}], conditions=[{}], key filters=[{}], dynamic filters=[{}], row rule=[{}], indexes=[{}]{}",
            self.scan.table().name(),
            if self.scan.is_of_values() { "values of" } else { "columns" },
            columns.join(", "),
            self.condition_names().join(", "),
            self.key_filter_names().join(", "),
            self.dynamic_filter_names().join(", "),
            match self.scan.grant().rows() {
                RowRule::All => "all rows",
                RowRule::None => "no rows",
                RowRule::Where(_) => "some rows",
            },
            self.indexes_used().join(", "),
            self.top_described(),
        )
    }
}

impl ExecutionPlan for SecuredScan {
    fn name(&self) -> &'static str {
        "SecuredScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The plans that give keys; they are shown, and run by the filters themselves.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.scan.key_filters().iter().map(|filter| filter.plan()).collect()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::UnspecifiedDistribution; self.scan.key_filters().len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.scan.key_filters().len()]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false; self.scan.key_filters().len()]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        for filter in self.scan.dynamic_filters() {
            if visit(filter.expression())? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let same = self.children().iter().zip(&children).all(|(old, new)| Arc::ptr_eq(old, new));
        if same {
            return Ok(self);
        }
        Ok(Arc::new(self.over(self.scan.with_key_plans(children))))
    }

    /// What a recursive query runs again may give other keys, and operators above need other
    /// rows than they did.
    fn reset_state(self: Arc<Self>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.over(self.scan.forgotten())))
    }

    /// Takes what operators above will learn of stored columns; everything stays with them too.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        child_pushdown_result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> DataFusionResult<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let offered = &child_pushdown_result.parent_filters;
        let stored = |output| self.shown_column(output);
        let taken: Vec<Arc<DynamicFilter>> = match (phase, &self.rows) {
            (FilterPushdownPhase::Post, Rows::Segments(_)) => offered
                .iter()
                .filter_map(|offer| DynamicFilter::of(&offer.filter, stored))
                .map(Arc::new)
                .collect(),
            _ => Vec::new(),
        };
        let answer = FilterPushdownPropagation::with_parent_pushdown_result(vec![
            PushedDown::No;
            offered.len()
        ]);
        if taken.is_empty() {
            return Ok(answer);
        }
        let node = self.over(self.scan.with_dynamic_filters(taken.into_iter()));
        Ok(answer.with_updated_node(Arc::new(node)))
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> DataFusionResult<Arc<Statistics>> {
        Ok(Arc::new(self.statistics(arguments.partition())))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let schema = self.projection.schema();
        let stream = match &self.rows {
            Rows::System(source) => {
                let batch = self
                    .scan
                    .visible_records(source)
                    .and_then(|rows| self.projection.apply_whole(&rows, self.scan.keys()));
                futures::stream::iter(std::iter::once(batch)).boxed()
            }
            Rows::Segments(_) => self.segment_stream(partition, context),
        };
        let stream = stream.map_err(datafusion::error::DataFusionError::from);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

impl SecuredScan {
    /// Of all partitions together; of one alone nothing is known.
    fn statistics(&self, partition: Option<usize>) -> Statistics {
        let schema = self.projection.schema();
        let stored: Option<Vec<usize>> = (0..schema.fields().len())
            .map(|output| self.projection.granted(output).map(|column| column.position))
            .collect();
        match (&self.rows, partition, stored) {
            (Rows::Segments(table), None, Some(stored)) => scan_statistics(
                table.summary(),
                self.scan.table(),
                self.scan.grant(),
                (self.scan.wanted(), self.scan.key_filters().len()),
                &stored,
                &schema,
            ),
            _ => Statistics::new_unknown(&schema),
        }
    }

    fn segment_stream(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> futures::stream::BoxStream<'static, Result<RecordBatch, QueryError>> {
        let mut segments = self.segments_of(partition).unwrap_or_default();
        // Of rows that tie, those that are read first come first: their order must not be that of
        // what hidden rows hold.
        if let Some(top) = self.scan.top().filter(|_| self.hides_no_row()) {
            segments.sort_by_key(|segment| top.rank(segment));
        }
        let scan = Arc::clone(&self.scan);
        let projection = self.projection.clone();
        futures::stream::iter(segments)
            .then(move |segment| {
                let scan = Arc::clone(&scan);
                let projection = projection.clone();
                let context = Arc::clone(&context);
                async move { scan.read(&segment, projection, &context).await }
            })
            .try_flatten()
            .boxed()
    }
}

/// A schema of these fields.
pub(crate) fn schema_of(fields: Vec<datafusion::arrow::datatypes::FieldRef>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}
