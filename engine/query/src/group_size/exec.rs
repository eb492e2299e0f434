//! The operator that leaves out groups of too few persons.
//!
//! Receives: all groups of an aggregation with their crowds. Hands on: the groups that may be told,
//! without the crowds. It waits for all of them, because what is told of one decides about others:
//! the largest come first, so totals stay and the smallest of their parts go.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::interleave_record_batch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, PlanProperties,
    SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt};
use roaring::RoaringBitmap;

use super::crowd::Crowd;
use super::memory::{Subject, Verdict};
use super::node::Terms;
use super::told::{Amounts, Asked, Persons};
use crate::error::QueryError;
use crate::scan::properties;

/// See the module.
#[derive(Debug)]
pub(super) struct EnoughPersonsExec {
    input: Arc<dyn ExecutionPlan>,
    terms: Terms,
    properties: Arc<PlanProperties>,
}

impl EnoughPersonsExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, terms: Terms) -> Self {
        let schema = input.schema();
        let columns = schema.fields().len().saturating_sub(1);
        let fields = schema.fields().iter().take(columns).cloned().collect::<Vec<_>>();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        Self { input, terms, properties: Arc::new(properties(schema, 1)) }
    }
}

impl DisplayAs for EnoughPersonsExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EnoughPersons: {} at least", self.terms.least)
    }
}

impl ExecutionPlan for EnoughPersonsExec {
    fn name(&self) -> &'static str {
        "EnoughPersons"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.terms.clone()))),
            _ => Err(QueryError::Bug { promise: "a plan has as many inputs as before" }.into()),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new("EnoughPersons").register(context.memory_pool());
        let mut groups = self.input.execute(partition, context)?;
        let (terms, schema) = (self.terms.clone(), self.schema());
        let of_stream = Arc::clone(&schema);
        let told = async move {
            let mut batches = Vec::new();
            while let Some(batch) = groups.try_next().await? {
                // The batch, the crowds that are read from it, and what of it is told.
                memory.try_grow(3 * batch.get_array_memory_size())?;
                batches.push(batch);
            }
            let told = told(&terms, &batches, &schema)?;
            Ok::<_, DataFusionError>(futures::stream::iter(told).map(Ok::<_, DataFusionError>))
        };
        let told = futures::stream::once(told).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(of_stream, told)))
    }
}

/// One group: where it stands, and who is in it.
struct Group {
    batch: usize,
    row: usize,
    crowd: Crowd,
    persons: RoaringBitmap,
    /// Its columns.
    shown: OwnedRow,
}

/// The groups that may be told, in their batches.
fn told(
    terms: &Terms,
    batches: &[RecordBatch],
    schema: &SchemaRef,
) -> Result<Vec<RecordBatch>, QueryError> {
    let mut shown = Vec::with_capacity(batches.len());
    for batch in batches {
        let columns = batch.columns().iter().take(schema.fields().len()).cloned().collect();
        shown.push(RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| BAD_GROUPS)?);
    }
    let told = decided(terms, groups(batches, &shown)?)?;
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let shown: Vec<&RecordBatch> = shown.iter().collect();
    Ok(vec![interleave_record_batch(&shown, &told).map_err(|_| BAD_GROUPS)?])
}

const BAD_GROUPS: QueryError = QueryError::Bug { promise: "groups come with who is in them" };

/// The groups of batches, whose last column tells who is in each; it is null where these are so few
/// that nothing will be told.
fn groups(batches: &[RecordBatch], shown: &[RecordBatch]) -> Result<Vec<Group>, QueryError> {
    let mut groups = Vec::new();
    for (at, (batch, shown)) in batches.iter().zip(shown).enumerate() {
        let crowds = batch.columns().last().and_then(|crowds| crowds.as_binary_opt::<i64>());
        let crowds = crowds.ok_or(BAD_GROUPS)?;
        let rows = sortable(shown)?;
        for row in (0..batch.num_rows()).filter(|row| crowds.is_valid(*row)) {
            let crowd = Crowd::from_bytes(crowds.value(row))?;
            let shown = rows.row(row).owned();
            groups.push(Group { batch: at, row, crowd, persons: RoaringBitmap::new(), shown });
        }
    }
    Ok(groups)
}

/// Rows in a form that has an order.
fn sortable(batch: &RecordBatch) -> Result<Rows, QueryError> {
    let fields = batch.schema();
    let fields = fields.fields().iter().map(|field| SortField::new(field.data_type().clone()));
    RowConverter::new(fields.collect())
        .and_then(|converter| converter.convert_columns(batch.columns()))
        .map_err(|_| BAD_GROUPS)
}

/// Where the groups are that may be told, in the order of what is shown: the order in which they were
/// made is that of single rows.
fn decided(terms: &Terms, mut groups: Vec<Group>) -> Result<Vec<(usize, usize)>, QueryError> {
    const BROKEN: QueryError = QueryError::Bug { promise: "what was told is remembered whole" };
    let least = terms.least.get() as usize;
    let mut memory = terms.memory.told.lock().map_err(|_| BROKEN)?;
    let mut told =
        terms.memory.names.with_persons(|of_rows| -> Result<Vec<Group>, QueryError> {
            let persons = Persons { of_rows, least };
            for group in &mut groups {
                group.persons = persons.in_rows(group.crowd.rows());
            }
            groups.retain(|group| group.persons.len() >= least as u64);
            let size = |group: &Group| (group.persons.len(), group.crowd.rows().len());
            groups.sort_by(|left, right| {
                size(right).cmp(&size(left)).then_with(|| left.shown.cmp(&right.shown))
            });
            let mut told = Vec::new();
            for group in groups {
                if memory.tell(&asked(terms, &group), persons)? == Verdict::Told {
                    told.push(group);
                }
            }
            Ok(told)
        })?;
    told.sort_by(|left, right| left.shown.cmp(&right.shown));
    Ok(told.into_iter().map(|group| (group.batch, group.row)).collect())
}

/// All that is told of a group.
fn asked<'a>(terms: &Terms, group: &'a Group) -> Vec<(Subject, Asked<'a>)> {
    let subjects =
        std::iter::once(Subject::Rows).chain(terms.sums.iter().copied().map(Subject::Sum));
    let rows = group.crowd.rows();
    let of_rows = subjects.zip(group.crowd.amounts()).map(|(subject, amounts)| {
        let parts = match subject {
            Subject::Rows => group.crowd.parts(),
            Subject::Sum(_) | Subject::Persons => vec![rows.clone()],
        };
        (subject, Asked { parts, amounts: Amounts::OfRows(amounts) })
    });
    let of_persons = terms.counts_persons.then(|| {
        let asked = Asked { parts: vec![group.persons.clone()], amounts: Amounts::Persons };
        (Subject::Persons, asked)
    });
    of_rows.chain(of_persons).collect()
}
