//! The operator: totals per group from indexes, segment by segment.
//!
//! Receives: the same scan that would have read the rows, so the same row rule and the same
//! conditions. Hands on: the first aggregation stage's output, from each partition one batch.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};

use tokio::task::JoinSet;

use martlet_index::IndexKind;

use super::merged::Merged;
use super::segment::add_segment;
use super::spec::{Spec, Stage, can_show};
use super::states;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::scan::{SecuredScan, SegmentScan, properties};

/// See the module.
#[derive(Debug)]
pub(super) struct IndexAggregateExec {
    scan_plan: Arc<dyn ExecutionPlan>,
    spec: Arc<Spec>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl IndexAggregateExec {
    /// `None` if the plan is not a scan over segments, or a group could not be shown.
    pub(super) fn new(
        scan_plan: &Arc<dyn ExecutionPlan>,
        spec: Spec,
        schema: SchemaRef,
    ) -> Option<Self> {
        let scan = scan_plan.downcast_ref::<SecuredScan>()?;
        scan.segments_of(0)?;
        let shown = |(key, field): (_, &Arc<datafusion::arrow::datatypes::Field>)| {
            can_show(key, field.data_type())
        };
        if !spec.keys.iter().zip(schema.fields()).all(shown) {
            return None;
        }
        let partitions = match spec.stage {
            Stage::First => scan.partitions(),
            Stage::Only => 1,
        };
        let properties = Arc::new(properties(Arc::clone(&schema), partitions));
        Some(Self { scan_plan: Arc::clone(scan_plan), spec: Arc::new(spec), schema, properties })
    }

    fn scan(&self) -> DataFusionResult<&SecuredScan> {
        self.scan_plan
            .downcast_ref::<SecuredScan>()
            .ok_or_else(|| QueryError::Bug { promise: "index totals stand on a scan" }.into())
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
        let grouped: Vec<usize> =
            spec.keys.iter().chain(&spec.distincts).map(|key| key.column).collect();
        let mut indexes = scan.indexes_used();
        indexes.extend(grouped.iter().filter_map(|column| {
            let kind = scan.first_kind(*column, [IndexKind::Codes, IndexKind::Vector])?;
            Some(format!("{}: {}", name(*column)?, kind.name()))
        }));
        indexes.extend(measured.iter().filter_map(|column| {
            let kind = scan.first_kind(*column, [IndexKind::Vector, IndexKind::Codes])?;
            Some(format!("{}: {}", name(*column)?, kind.name()))
        }));
        indexes.sort_unstable();
        indexes.dedup();
        write!(
            formatter,
            "IndexAggregate: table={}, groups=[{}], distinct=[{}], totals=[{}], slices={}, indexes=[{}]",
            table.name(),
            list(&mut spec.keys.iter().map(|key| key.column)),
            list(&mut spec.distincts.iter().map(|key| key.column)),
            list(&mut measured.iter().copied()),
            spec.slices.len(),
            indexes.join(", ")
        )
    }
}

impl ExecutionPlan for IndexAggregateExec {
    fn name(&self) -> &'static str {
        "IndexAggregate"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// A leaf: the scan inside is not run, only asked what it may show.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
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
        let part = |partition: usize| PartitionTotals {
            segments: scan.segments_of(partition).unwrap_or_default(),
            scan: Arc::clone(scan.segment_scan()),
            spec: Arc::clone(&self.spec),
            memory: MemoryConsumer::new("IndexAggregate").register(context.memory_pool()),
            context: Arc::clone(&context),
        };
        let parts: Vec<PartitionTotals> = parts.into_iter().map(part).collect();
        let (spec, schema) = (Arc::clone(&self.spec), Arc::clone(&self.schema));
        let batch = futures::stream::once(async move {
            let merged = totals(&spec, parts).await?;
            states::batch(&spec, &merged, &schema).map_err(DataFusionError::from)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batch)))
    }
}

/// The totals of several partitions, which work at the same time.
async fn totals(spec: &Spec, mut parts: Vec<PartitionTotals>) -> DataFusionResult<Merged> {
    let Some(own) = parts.pop() else {
        return Ok(Merged::new(spec));
    };
    let mut others = JoinSet::new();
    for part in parts {
        others.spawn(part.run());
    }
    let mut merged = own.run().await?;
    while let Some(other) = others.join_next().await {
        let other = other.map_err(|error| DataFusionError::External(Box::new(error)))?;
        merged.absorb(other?);
    }
    Ok(merged)
}

/// One partition's work.
struct PartitionTotals {
    segments: Vec<Arc<IndexedSegment>>,
    scan: Arc<SegmentScan>,
    spec: Arc<Spec>,
    context: Arc<TaskContext>,
    memory: MemoryReservation,
}

impl PartitionTotals {
    async fn run(self) -> DataFusionResult<Merged> {
        let mut merged = Merged::new(&self.spec);
        for segment in &self.segments {
            let rows = self.scan.selection(segment, &self.context).await?;
            add_segment(&self.scan, &self.spec, segment, &rows, &mut merged).await?;
            self.memory.try_resize(merged.memory_bytes())?;
            // A statement that was cancelled ends between two segments.
            tokio::task::yield_now().await;
        }
        Ok(merged)
    }
}
