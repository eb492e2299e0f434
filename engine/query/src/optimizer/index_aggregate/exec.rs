//! The operator: totals per group from indexes, segment by segment.
//!
//! Receives: the same scan that would have read the rows, so the same row rule and the same
//! conditions, and the plans that it is joined to. Hands on: the first aggregation stage's
//! output, from each partition one batch, or several where groups are many.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, PlanProperties,
    SendableRecordBatchStream, replace_children_if_necessary,
};
use futures::{Stream, TryStreamExt};
use martlet_index::IndexKind;
use tokio::task::JoinSet;

use super::best_groups::{BestGroups, BestOfPartition};
use super::computed;
use super::merged::Merged;
use super::partition::{PartitionTotals, Totalled};
use super::rank_passes::{FirstPass, second_pass};
use super::sharing::Sharing;
use super::spec::{Spec, Stage};
use super::states;
use crate::error::QueryError;
use crate::scan::{SecuredScan, properties};

/// So many groups of a partition are handed on before further segments are looked at.
const HANDED_ON_FROM: usize = 1 << 15;

/// See the module.
#[derive(Debug)]
pub(super) struct IndexAggregateExec {
    scan_plan: Arc<dyn ExecutionPlan>,
    spec: Arc<Spec>,
    /// Which groups are wanted, if not all.
    best: Option<Arc<BestGroups>>,
    /// The operator whose place it took, while that would be better at all groups.
    plain: Option<Arc<dyn ExecutionPlan>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl IndexAggregateExec {
    /// `None` if the plan is not a scan over segments.
    pub(super) fn new(
        scan_plan: &Arc<dyn ExecutionPlan>,
        spec: Spec,
        schema: SchemaRef,
    ) -> Option<Self> {
        let scan = scan_plan.downcast_ref::<SecuredScan>()?;
        scan.segments_of(0)?;
        let partitions = match spec.stage {
            Stage::First => scan.partitions(),
            Stage::Only => 1,
        };
        let properties = Arc::new(properties(Arc::clone(&schema), partitions));
        let (scan_plan, spec) = (Arc::clone(scan_plan), Arc::new(spec));
        Some(Self { scan_plan, spec, best: None, plain: None, schema, properties })
    }

    /// The same, in the place of an operator that is better at all of so many groups.
    pub(super) fn instead_of(self, plain: Arc<dyn ExecutionPlan>) -> Self {
        Self { plain: Some(plain), ..self }
    }

    /// The operator that is better, now that nobody asked for the best groups only.
    pub(super) const fn better(&self) -> Option<&Arc<dyn ExecutionPlan>> {
        self.plain.as_ref()
    }

    /// The same of which only the best groups are wanted.
    pub(super) fn with_best(&self, best: BestGroups) -> Self {
        Self {
            scan_plan: Arc::clone(&self.scan_plan),
            spec: Arc::clone(&self.spec),
            best: Some(Arc::new(best)),
            plain: None,
            schema: Arc::clone(&self.schema),
            properties: Arc::clone(&self.properties),
        }
    }

    pub(super) fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(super) fn scan(&self) -> DataFusionResult<&SecuredScan> {
        self.scan_plan
            .downcast_ref::<SecuredScan>()
            .ok_or_else(|| QueryError::Bug { promise: "index totals stand on a scan" }.into())
    }

    /// The same, not run yet, over another scan and joined to these plans.
    fn over(
        &self,
        scan_plan: Arc<dyn ExecutionPlan>,
        plans: &[Arc<dyn ExecutionPlan>],
    ) -> Arc<dyn ExecutionPlan> {
        let dimensions = self.spec.dimensions.iter().zip(plans);
        let dimensions = dimensions.map(|(dimension, plan)| Arc::new(dimension.over(plan)));
        let spec = Spec { dimensions: dimensions.collect(), ..Spec::clone(&self.spec) };
        Arc::new(Self {
            scan_plan,
            spec: Arc::new(spec),
            best: self.best.as_ref().map(|best| Arc::new(best.anew())),
            plain: None,
            schema: Arc::clone(&self.schema),
            properties: Arc::clone(&self.properties),
        })
    }

    /// The plans that the scan is joined to.
    fn joined(&self) -> impl Iterator<Item = &Arc<dyn ExecutionPlan>> {
        self.spec.dimensions.iter().map(|dimension| dimension.plan())
    }
}

impl DisplayAs for IndexAggregateExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(scan) = self.scan() else { return Err(fmt::Error) };
        let table = scan.segment_scan().table();
        let name =
            |position: usize| table.columns().get(position).map(|column| column.name.to_string());
        let list = |columns: &mut dyn Iterator<Item = usize>| -> String {
            let names: Vec<String> = columns.filter_map(name).collect();
            names.join(", ")
        };
        let spec = &self.spec;
        let measured: Vec<usize> =
            spec.measures.iter().filter_map(|measure| Some(measure.column?.0)).collect();
        let joined: Vec<usize> = spec.dimensions.iter().map(|join| join.column).collect();
        let ranked: Vec<usize> = spec.ranked.iter().map(|ranked| ranked.column).collect();
        let keys = spec.keys.iter().chain(&spec.distincts).map(|key| key.column);
        let grouped: Vec<usize> = keys.chain(joined.iter().copied()).collect();
        let mut indexes = scan.indexes_used();
        let told = |column: usize, kinds: [IndexKind; 2]| {
            let name = table.columns().get(column).map(|column| &column.name)?;
            let kind = scan.first_kind(column, kinds).filter(|_| scan.shows_as_stored(name))?;
            Some(format!("{name}: {}", kind.name()))
        };
        let by_code = [IndexKind::Codes, IndexKind::Vector];
        indexes.extend(grouped.iter().filter_map(|column| told(*column, by_code)));
        let by_value = [IndexKind::Vector, IndexKind::Codes];
        indexes.extend(measured.iter().chain(&ranked).filter_map(|at| told(*at, by_value)));
        indexes.sort_unstable();
        indexes.dedup();
        write!(
            formatter,
            "IndexAggregate: table={}, groups=[{}], joined by=[{}], distinct=[{}], totals=[{}], percentiles=[{}], slices={}, indexes=[{}]",
            table.name(),
            spec.grouping_names(table).join(", "),
            list(&mut joined.iter().copied()),
            list(&mut spec.distincts.iter().map(|key| key.column)),
            list(&mut measured.iter().copied()),
            list(&mut ranked.iter().copied()),
            spec.slices.len(),
            indexes.join(", ")
        )?;
        self.best.iter().try_for_each(|best| write!(formatter, ", {}", best.described()))
    }
}

impl ExecutionPlan for IndexAggregateExec {
    fn name(&self) -> &'static str {
        "IndexAggregate"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The plans that the scan is joined to, then those that give its keys; all are run once.
    /// The scan inside is not run, only asked what it may show.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.joined().chain(self.scan_plan.children()).collect()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::UnspecifiedDistribution; self.children().len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
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
        let (joined, keys) = children
            .split_at_checked(self.spec.dimensions.len())
            .ok_or(QueryError::Bug { promise: "a plan has as many inputs as before" })?;
        let scan_plan = replace_children_if_necessary(Arc::clone(&self.scan_plan), keys.to_vec())?;
        Ok(self.over(scan_plan, joined))
    }

    /// What a recursive query runs again may give other rows.
    fn reset_state(self: Arc<Self>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let plans: Vec<_> = self.joined().cloned().collect();
        Ok(self.over(Arc::clone(&self.scan_plan).reset_state()?, &plans))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let scan = self.scan()?;
        let parts = match self.spec.stage {
            Stage::First => vec![partition],
            Stage::Only => (0..scan.partitions()).collect(),
        };
        let sharing = Arc::new(Sharing::of(&self.spec, scan.indexed_table()));
        let part = |partition: usize| PartitionTotals {
            segments: scan.segments_of(partition).unwrap_or_default().into(),
            scan: Arc::clone(scan.segment_scan()),
            spec: Arc::clone(&self.spec),
            best: self.best.as_ref().map(BestOfPartition::new),
            table: scan.indexed_table().cloned(),
            memory: MemoryConsumer::new("IndexAggregate").register(context.memory_pool()),
            sharing: Arc::clone(&sharing),
            context: Arc::clone(&context),
        };
        let mut parts: Vec<PartitionTotals> = parts.into_iter().map(part).collect();
        let (spec, schema) = (Arc::clone(&self.spec), Arc::clone(&self.schema));
        if spec.may_come_in_parts()
            && let Some(part) = parts.pop()
        {
            let batches = handed_on(part, spec, Arc::clone(&schema));
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)));
        }
        let batch = futures::stream::once(async move {
            let (merged, parts) = totals(&spec, parts).await?;
            // Groups that ranks are wanted of never become one here: the second pass finds them
            // where the first one left them.
            let merged = Arc::new(computed::shown(&spec, merged)?);
            let at_ranks = second_pass(&spec, Arc::clone(&merged), parts).await?;
            states::batch(&spec, &merged, &at_ranks, &schema).map_err(DataFusionError::from)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batch)))
    }
}

/// One partition's groups, in parts: whenever many have come together they go to the stage
/// above, which puts the same groups of different parts together anyway. So neither they nor
/// the look-up among them outgrow the processor's caches.
fn handed_on(
    part: PartitionTotals,
    spec: Arc<Spec>,
    schema: SchemaRef,
) -> impl Stream<Item = DataFusionResult<RecordBatch>> {
    let groups = futures::stream::once(part.begun()).map_ok(|begun| {
        futures::stream::try_unfold(Some(begun), |begun| async move {
            let Some(mut part) = begun else { return Ok(None) };
            let is_last = part.go_on(HANDED_ON_FROM).await?;
            let groups = part.take_groups();
            Ok(Some((groups, (!is_last).then_some(part))))
        })
    });
    groups.try_flatten().and_then(move |groups| {
        let (spec, schema) = (Arc::clone(&spec), Arc::clone(&schema));
        async move {
            let shown = computed::shown(&spec, groups)?;
            states::batch(&spec, &shown, &[], &schema).map_err(DataFusionError::from)
        }
    })
}

/// The totals of several partitions, and what a second pass needs of each.
async fn totals(
    spec: &Spec,
    parts: Vec<PartitionTotals>,
) -> DataFusionResult<(Merged, Vec<FirstPass>)> {
    let parts = at_once(parts.into_iter().map(PartitionTotals::run).collect()).await?;
    let mut merged = Merged::new(spec, Vec::new());
    let mut passes = Vec::with_capacity(parts.len());
    for Totalled { part, merged: mut own, kept, .. } in parts {
        let ranks = std::mem::take(&mut own.ranks);
        let groups = if passes.is_empty() {
            merged = own;
            (0..merged.keys.len()).collect()
        } else {
            merged.absorb(own)
        };
        passes.push(FirstPass {
            scan: part.scan,
            kept,
            ranks,
            // Groups are bounded by memory, far below 2^32.
            group_of: groups.into_iter().map(|group| group as u32).collect(),
            memory: part.memory,
        });
    }
    Ok((merged, passes))
}

/// What several pieces of work give that are done at the same time, in any order.
pub(super) async fn at_once<T: Send + 'static>(
    mut works: Vec<impl Future<Output = DataFusionResult<T>> + Send + 'static>,
) -> DataFusionResult<Vec<T>> {
    let Some(own) = works.pop() else { return Ok(Vec::new()) };
    let mut others = JoinSet::new();
    for work in works {
        others.spawn(work);
    }
    let mut done = vec![own.await?];
    while let Some(other) = others.join_next().await {
        let other = other.map_err(|error| DataFusionError::External(Box::new(error)))?;
        done.push(other?);
    }
    Ok(done)
}
