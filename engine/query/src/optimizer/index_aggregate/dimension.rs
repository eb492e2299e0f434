//! The other side of a join with the scan: a plan of its own, run once for all segments.
//!
//! Receives: rows and masked values that its reader may see, out of that plan. Hands on: the
//! partners of each key. Whether the scan's own column may be joined by is decided before.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt;

use super::partners::{Collector, Partners};
use crate::dealing::dealt;
use crate::run_once::RunOnce;

/// See the module.
pub(super) struct Dimension {
    /// The position, in the scan's table, of the column that is joined by.
    pub(super) column: usize,
    plan: Arc<dyn ExecutionPlan>,
    /// Which column of the plan's output holds the keys.
    key: usize,
    /// Those that are grouped by: the columns of a tuple.
    grouped_by: Vec<usize>,
    partners: RunOnce<Collected>,
}

/// The partners, and the memory that they take of the statement's.
struct Collected {
    partners: Arc<Partners>,
    _memory: MemoryReservation,
}

impl fmt::Debug for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dimension(column {}, {:?})", self.column, self.grouped_by)
    }
}

impl Dimension {
    pub(super) fn new(
        column: usize,
        plan: &Arc<dyn ExecutionPlan>,
        key: usize,
        grouped_by: Vec<usize>,
    ) -> Self {
        let plan = Arc::clone(undealt(plan));
        Self { column, plan, key, grouped_by, partners: RunOnce::default() }
    }

    /// The same join with another plan, not run yet.
    pub(super) fn over(&self, plan: &Arc<dyn ExecutionPlan>) -> Self {
        Self::new(self.column, plan, self.key, self.grouped_by.clone())
    }

    /// The plan that gives the rows.
    pub(super) const fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// The schema of a tuple.
    pub(super) fn tuple_schema(&self) -> DataFusionResult<SchemaRef> {
        Ok(Arc::new(self.plan.schema().project(&self.grouped_by)?))
    }

    /// The partners; the first caller runs the plan, the others wait for it.
    pub(super) async fn partners(
        &self,
        context: &Arc<TaskContext>,
    ) -> DataFusionResult<Arc<Partners>> {
        let run = || {
            let plan = Arc::clone(&self.plan);
            collect(plan, self.key, self.grouped_by.clone(), Arc::clone(context))
        };
        Ok(Arc::clone(&self.partners.get(run).await?.partners))
    }
}

async fn collect(
    plan: Arc<dyn ExecutionPlan>,
    key: usize,
    grouped_by: Vec<usize>,
    context: Arc<TaskContext>,
) -> DataFusionResult<Collected> {
    let memory = MemoryConsumer::new("JoinedRows").register(context.memory_pool());
    let mut collector = Collector::new(&plan.schema(), key, &grouped_by)?;
    let mut batches = execute_stream(plan, context)?;
    while let Some(batch) = batches.try_next().await? {
        collector.add(&batch)?;
        memory.try_resize(collector.memory_bytes())?;
    }
    let partners = collector.finish()?;
    memory.try_resize(partners.memory_bytes())?;
    Ok(Collected { partners: Arc::new(partners), _memory: memory })
}

/// The plan below operators that only deal its rows out to a join.
fn undealt(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    dealt(plan).map_or(plan, undealt)
}
