//! The leaf of every plan: a table's permitted rows, masked while they are read.
//!
//! Receives: a grant, a projection and the leak-proof conditions, from `secured_table`.
//! Hands on: record batches of visible rows and masked values, to the user's own operators.
//!
//! It is the barrier: per segment the order is row rule on raw values, then the user's
//! leak-proof conditions, then masks. Nothing the user wrote runs below it, it accepts no
//! filter from the physical optimizer, and it reports no statistics.

mod mask;
mod probe;
mod segments;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt};
use martlet_core::{ColumnSchema, Predicate, TableSchema};
use martlet_index::{Descriptor, IndexKind};
use martlet_policy::{Access, Grant, RowRule};
use martlet_store::SegmentRef;

use crate::error::QueryError;
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
        wanted: Predicate,
    ) -> Result<Self, QueryError> {
        let projection = MaskedProjection::new(grant, projection)?;
        let partitions = match rows {
            Rows::Segments(version) => {
                version.segments().len().clamp(1, shared.options.threads.max(1))
            }
            Rows::System(_) => 1,
        };
        let properties = Arc::new(properties(projection.schema(), partitions));
        let scan = Arc::new(SegmentScan::new(shared, grant, table, wanted));
        Ok(Self { scan, rows: rows.clone(), projection, properties })
    }

    /// The per-segment part, which index-only counting shares.
    pub(crate) const fn segment_scan(&self) -> &Arc<SegmentScan> {
        &self.scan
    }

    /// The stored column behind an output column, if it is granted as stored.
    pub(crate) fn clear_column(&self, output: usize) -> Option<(usize, &ColumnSchema)> {
        let granted = self.projection.granted(output)?;
        match granted.access {
            Access::Clear => {
                Some((granted.position, self.scan.table().columns().get(granted.position)?))
            }
            Access::Masked(_) => None,
        }
    }

    /// How many partitions read at the same time.
    pub(crate) fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// The segments of one partition, if the table is stored in segments.
    pub(crate) fn segments_of(&self, partition: usize) -> Option<Vec<Arc<SegmentRef>>> {
        match &self.rows {
            Rows::Segments(version) => Some(
                version
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

    /// Whether every segment has an index of this kind on the column.
    pub(crate) fn indexed(&self, column: usize, kind: IndexKind) -> bool {
        match &self.rows {
            Rows::Segments(version) => version.segments().iter().all(|segment| {
                probe::sections_of(segment)
                    .iter()
                    .any(|(_, section)| section.column == column && section.kind == kind)
            }),
            Rows::System(_) => false,
        }
    }

    /// How many groups the columns can make at most, from their dictionaries; null is one more.
    pub(crate) fn groups_at_most(&self, columns: &[usize]) -> u64 {
        let Rows::Segments(version) = &self.rows else { return u64::MAX };
        let of_segment = |segment: &Arc<SegmentRef>| {
            let sections = probe::sections_of(segment);
            columns.iter().fold(1_u64, |groups, column| {
                let codes = sections.iter().find(|(_, section)| {
                    section.column == *column && section.kind == IndexKind::Codes
                });
                let values = codes.map_or(u64::MAX, |(_, section)| u64::from(section.distinct) + 1);
                groups.saturating_mul(values)
            })
        };
        version.segments().iter().map(of_segment).fold(0, u64::saturating_add)
    }

    /// Which indexes the conditions use, as EXPLAIN shows them: `column: kind`.
    pub(crate) fn indexes_used(&self) -> Vec<String> {
        let Rows::Segments(version) = &self.rows else { return Vec::new() };
        let mut used: Vec<String> = version
            .segments()
            .iter()
            .flat_map(|segment| self.scan.sections_wanted(segment))
            .filter_map(|(column, kind)| {
                let name = &self.scan.table().columns().get(column)?.name;
                Some(format!("{name}: {}", kind.name()))
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
            "SecuredScan: table={}, columns=[{}], conditions=[{}], row rule=[{}], indexes=[{}]",
            self.scan.table().name(),
            columns.join(", "),
            joined(self.scan.wanted()),
            match self.scan.grant().rows() {
                RowRule::All => "all rows",
                RowRule::None => "no rows",
                RowRule::Where(_) => "some rows",
            },
            self.indexes_used().join(", "),
        )
    }
}

/// The columns that a predicate speaks of, never its constants.
fn joined(predicate: &Predicate) -> String {
    predicate.columns().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl ExecutionPlan for SecuredScan {
    fn name(&self) -> &'static str {
        "SecuredScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

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
        _context: Arc<TaskContext>,
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
            Rows::Segments(_) => self.segment_stream(partition),
        };
        let stream = stream.map_err(datafusion::error::DataFusionError::from);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

impl SecuredScan {
    fn segment_stream(
        &self,
        partition: usize,
    ) -> futures::stream::BoxStream<'static, Result<RecordBatch, QueryError>> {
        let segments = self.segments_of(partition).unwrap_or_default();
        let scan = Arc::clone(&self.scan);
        let projection = self.projection.clone();
        futures::stream::iter(segments)
            .then(move |segment| {
                let scan = Arc::clone(&scan);
                let projection = projection.clone();
                async move { scan.read(&segment, projection).await }
            })
            .try_flatten()
            .boxed()
    }
}

/// A schema of these fields.
pub(crate) fn schema_of(fields: Vec<datafusion::arrow::datatypes::FieldRef>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

/// The descriptor of an attachment, if it can be understood.
pub(crate) fn descriptor(bytes: &[u8]) -> Option<Descriptor> {
    Descriptor::decode(bytes).ok()
}
