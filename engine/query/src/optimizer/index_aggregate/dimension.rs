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
use tokio::sync::OnceCell;

use super::partners::{Collector, Partners};
use crate::dealing::dealt;

/// See the module.
pub(super) struct Dimension {
    /// The position, in the scan's table, of the column that is joined by.
    pub(super) column: usize,
    plan: Arc<dyn ExecutionPlan>,
    /// Which column of the plan's output holds the keys.
    key: usize,
    /// Those that are grouped by: the columns of a tuple.
    grouped_by: Vec<usize>,
    partners: OnceCell<(Arc<Partners>, MemoryReservation)>,
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
        Self { column, plan, key, grouped_by, partners: OnceCell::new() }
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
        let (partners, _) = self.partners.get_or_try_init(|| self.collect(context)).await?;
        Ok(Arc::clone(partners))
    }

    async fn collect(
        &self,
        context: &Arc<TaskContext>,
    ) -> DataFusionResult<(Arc<Partners>, MemoryReservation)> {
        let memory = MemoryConsumer::new("JoinedRows").register(context.memory_pool());
        let mut collector = Collector::new(&self.plan.schema(), self.key, &self.grouped_by)?;
        let mut batches = execute_stream(Arc::clone(&self.plan), Arc::clone(context))?;
        while let Some(batch) = batches.try_next().await? {
            collector.add(&batch)?;
            memory.try_resize(collector.memory_bytes())?;
        }
        let partners = collector.finish()?;
        memory.try_resize(partners.memory_bytes())?;
        Ok((Arc::new(partners), memory))
    }
}

/// The plan below operators that only deal its rows out to a join.
fn undealt(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    dealt(plan).map_or(plan, undealt)
}
