//! The operator: counts per group from indexes, segment by segment.
//!
//! Receives: the same scan that would have read the rows, so the same row rule and the same
//! conditions. Hands on: the first aggregation stage's output, one batch per partition.
//! Where an index turns out damaged, the segment's rows are read and counted instead.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use futures::TryStreamExt;
use martlet_core::{Selection, Value};
use martlet_index::{CodesIndex, Index, IndexKind, count_values, group_counts, value_at};
use martlet_store::SegmentRef;

use crate::convert::array_of;
use crate::error::QueryError;
use crate::scan::{SecuredScan, SegmentScan, properties};

/// What one output column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// `COUNT(*)`, or a column that is never null.
    Rows,
    /// The rows where the stored column is not null.
    NonNull(usize),
}

/// Counts of one partition: per group, one number per output column.
type Counts = HashMap<Vec<Option<Value>>, Vec<i64>>;

/// See the module.
#[derive(Debug)]
pub(super) struct IndexCountExec {
    scan_plan: Arc<dyn ExecutionPlan>,
    groups: Vec<usize>,
    counted: Vec<Counted>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl IndexCountExec {
    /// `None` if the plan is not a scan over segments.
    pub(super) fn new(
        scan_plan: &Arc<dyn ExecutionPlan>,
        groups: Vec<usize>,
        counted: Vec<Counted>,
        schema: SchemaRef,
    ) -> Option<Self> {
        let scan = scan_plan.downcast_ref::<SecuredScan>()?;
        scan.segments_of(0)?;
        let properties = Arc::new(properties(Arc::clone(&schema), scan.partitions()));
        Some(Self { scan_plan: Arc::clone(scan_plan), groups, counted, schema, properties })
    }

    fn scan(&self) -> DataFusionResult<&SecuredScan> {
        self.scan_plan
            .downcast_ref::<SecuredScan>()
            .ok_or_else(|| QueryError::Bug { promise: "an index count stands on a scan" }.into())
    }
}

impl DisplayAs for IndexCountExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(scan) = self.scan() else { return Err(fmt::Error) };
        let table = scan.segment_scan().table();
        let name =
            |position: &usize| table.columns().get(*position).map(|column| column.name.to_string());
        let groups: Vec<String> = self.groups.iter().filter_map(name).collect();
        let mut indexes = scan.indexes_used();
        indexes.extend(groups.iter().map(|group| format!("{group}: codes")));
        indexes.sort_unstable();
        indexes.dedup();
        write!(
            formatter,
            "IndexCount: table={}, groups=[{}], counts={}, indexes=[{}]",
            table.name(),
            groups.join(", "),
            self.counted.len(),
            indexes.join(", ")
        )
    }
}

impl ExecutionPlan for IndexCountExec {
    fn name(&self) -> &'static str {
        "IndexCount"
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
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let scan = self.scan()?;
        let count = Count {
            segments: scan.segments_of(partition).unwrap_or_default(),
            scan: Arc::clone(scan.segment_scan()),
            groups: self.groups.clone(),
            counted: self.counted.clone(),
            schema: Arc::clone(&self.schema),
        };
        let batch =
            futures::stream::once(async move { count.run().await.map_err(DataFusionError::from) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batch)))
    }
}

/// One partition's work.
struct Count {
    segments: Vec<Arc<SegmentRef>>,
    scan: Arc<SegmentScan>,
    groups: Vec<usize>,
    counted: Vec<Counted>,
    schema: SchemaRef,
}

impl Count {
    async fn run(self) -> Result<RecordBatch, QueryError> {
        let mut counts = Counts::new();
        if self.groups.is_empty() {
            counts.insert(Vec::new(), vec![0; self.counted.len()]);
        }
        for segment in &self.segments {
            let selection = self.scan.selection(segment).await?;
            if selection.is_none() {
                continue;
            }
            if !self.counted_by_indexes(segment, &selection, &mut counts).await? {
                self.counted_by_rows(segment, &selection, &mut counts).await?;
            }
        }
        self.batch(&counts)
    }

    /// Adds the segment's counts; says `false`, with nothing added, if an index is missing.
    async fn counted_by_indexes(
        &self,
        segment: &SegmentRef,
        selection: &Selection,
        counts: &mut Counts,
    ) -> Result<bool, QueryError> {
        if self.groups.is_empty() {
            return self.totals(segment, selection, counts).await;
        }
        let mut opened = Vec::with_capacity(self.groups.len());
        for column in &self.groups {
            match self.scan.index(segment, *column, IndexKind::Codes).await {
                Some(index) => opened.push(index),
                None => return Ok(false),
            }
        }
        let codes: Option<Vec<&CodesIndex>> = opened.iter().map(|index| index.as_codes()).collect();
        let Some(Ok(groups)) = codes.map(|codes| group_counts(&codes, selection)) else {
            return Ok(false);
        };
        for (group, rows) in groups {
            self.add(counts, group, &vec![as_count(rows)?; self.counted.len()]);
        }
        Ok(true)
    }

    async fn totals(
        &self,
        segment: &SegmentRef,
        selection: &Selection,
        counts: &mut Counts,
    ) -> Result<bool, QueryError> {
        let mut totals = Vec::with_capacity(self.counted.len());
        for counted in &self.counted {
            let rows = match counted {
                Counted::Rows => selection.count(),
                Counted::NonNull(column) => {
                    let index = self.any_index(segment, *column).await;
                    let Some(Ok(rows)) = index.map(|index| count_values(&index, selection)) else {
                        return Ok(false);
                    };
                    rows
                }
            };
            totals.push(as_count(rows)?);
        }
        self.add(counts, Vec::new(), &totals);
        Ok(true)
    }

    async fn any_index(&self, segment: &SegmentRef, column: usize) -> Option<Arc<Index>> {
        match self.scan.index(segment, column, IndexKind::Bitmap).await {
            Some(index) => Some(index),
            None => self.scan.index(segment, column, IndexKind::Codes).await,
        }
    }

    /// Counts by reading the rows: the plain version, for a segment without sound indexes.
    async fn counted_by_rows(
        &self,
        segment: &SegmentRef,
        selection: &Selection,
        counts: &mut Counts,
    ) -> Result<(), QueryError> {
        let mut columns = self.groups.clone();
        columns.extend(self.counted.iter().filter_map(|counted| match counted {
            Counted::NonNull(column) => Some(*column),
            Counted::Rows => None,
        }));
        columns.sort_unstable();
        columns.dedup();
        let mut batches = self.scan.clear_rows(segment, &columns, selection).await?;
        while let Some(batch) = batches.try_next().await? {
            self.add_rows(&batch, &columns, counts)?;
        }
        Ok(())
    }

    fn add_rows(
        &self,
        batch: &RecordBatch,
        columns: &[usize],
        counts: &mut Counts,
    ) -> Result<(), QueryError> {
        const READ: QueryError = QueryError::Bug { promise: "a count reads the columns it counts" };
        let array = |position: &usize| -> Result<&ArrayRef, QueryError> {
            let at = columns.binary_search(position).map_err(|_| READ)?;
            batch.columns().get(at).ok_or(READ)
        };
        let groups = self.groups.iter().map(array).collect::<Result<Vec<_>, _>>()?;
        let counted = self
            .counted
            .iter()
            .map(|counted| match counted {
                Counted::Rows => Ok(None),
                Counted::NonNull(position) => array(position).map(Some),
            })
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let group = groups.iter().map(|array| value_at(array.as_ref(), row)).collect();
            let ones: Vec<i64> = counted
                .iter()
                .map(|array| i64::from(array.is_none_or(|array| array.is_valid(row))))
                .collect();
            self.add(counts, group, &ones);
        }
        Ok(())
    }

    fn add(&self, counts: &mut Counts, group: Vec<Option<Value>>, more: &[i64]) {
        let totals = counts.entry(group).or_insert_with(|| vec![0; self.counted.len()]);
        for (total, more) in totals.iter_mut().zip(more) {
            *total += more;
        }
    }

    fn batch(&self, counts: &Counts) -> Result<RecordBatch, QueryError> {
        const SHAPE: QueryError =
            QueryError::Bug { promise: "an index count has its stage's schema" };
        let mut rows: Vec<_> = counts.iter().collect();
        rows.sort_unstable_by_key(|(group, _)| *group);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (at, position) in self.groups.iter().enumerate() {
            let column_type = self.scan.table().columns().get(*position).ok_or(SHAPE)?.column_type;
            let values: Vec<Option<Value>> =
                rows.iter().map(|(group, _)| group.get(at).cloned().flatten()).collect();
            columns.push(array_of(&values, column_type)?);
        }
        for at in 0..self.counted.len() {
            let totals = rows.iter().map(|(_, totals)| totals.get(at).copied());
            columns.push(Arc::new(totals.collect::<Int64Array>()));
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| SHAPE)
    }
}

fn as_count(rows: u64) -> Result<i64, QueryError> {
    i64::try_from(rows)
        .map_err(|_| QueryError::Running { reason: "a number became too large for its type" })
}
