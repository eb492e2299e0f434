//! Operators that only bring rows together or apart: which rows there are is as below them.
//!
//! Owns the question, so that every look through a plan answers it alike. One that stops after
//! some rows is none of them.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;

/// The plan below, if this operator only deals its rows out or gathers them.
pub(crate) fn dealt(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    if let Some(dealt) = plan.downcast_ref::<RepartitionExec>() {
        return Some(dealt.input());
    }
    gathered(plan)
}

/// The plan below, if this operator only gathers its rows into one partition.
pub(crate) fn gathered(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    let gathered = plan.downcast_ref::<CoalescePartitionsExec>()?;
    gathered.fetch().is_none().then(|| gathered.input())
}
