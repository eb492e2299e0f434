//! Aggregations over a secured scan -> totals from indexes alone.
//!
//! Replaces the first stage of an aggregation (which reads rows) by [`IndexAggregateExec`],
//! whose output is that stage's: the stages above stay as they are. Applies only when every
//! column involved is granted as stored, every segment has codes or a vector for it, and every
//! condition runs below the guard. The same query with the rule off gives the same answer.

mod bucket;
mod condition;
mod distinct;
mod exec;
mod merged;
mod segment;
mod source;
mod spec;
mod states;

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;

use exec::IndexAggregateExec;
use source::Source;
use spec::{Spec, Stage};

/// The operator that takes the aggregation's place, if there is one.
pub(super) fn from_indexes(aggregate: &AggregateExec) -> Option<Arc<dyn ExecutionPlan>> {
    match aggregate.mode() {
        AggregateMode::Partial => totals(aggregate, Stage::First, aggregate.schema()),
        AggregateMode::Single => totals(aggregate, Stage::Only, aggregate.schema()),
        AggregateMode::Final | AggregateMode::FinalPartitioned => both_stages(aggregate),
        _ => None,
    }
}

fn totals(
    aggregate: &AggregateExec,
    stage: Stage,
    schema: SchemaRef,
) -> Option<Arc<dyn ExecutionPlan>> {
    if !aggregate.group_expr().is_single() || aggregate.limit_options().is_some() {
        return None;
    }
    let source = Source::below(aggregate.input())?;
    let spec = Spec::of(aggregate, &source, stage)?;
    let totals = IndexAggregateExec::new(source.scan_plan(), spec, schema)?;
    Some(Arc::new(totals))
}

/// An aggregation whose first stage has no states that could be told from indexes, because it
/// counts distinct values: both stages at once.
fn both_stages(last: &AggregateExec) -> Option<Arc<dyn ExecutionPlan>> {
    let first = first_stage(last.input())?;
    let counts_distinct = first.aggr_expr().iter().any(|function| function.is_distinct());
    if !counts_distinct || last.limit_options().is_some() {
        return None;
    }
    let totals = totals(first, Stage::Only, last.schema())?;
    let dealt = last.properties().output_partitioning();
    if dealt.partition_count() == 1 {
        return Some(totals);
    }
    // Whoever stands above may rely on how the groups were dealt out.
    let dealt = RepartitionExec::try_new(totals, dealt.clone()).ok()?;
    Some(Arc::new(dealt))
}

fn first_stage(plan: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return (*aggregate.mode() == AggregateMode::Partial).then_some(aggregate);
    }
    let only_deals = plan.is::<RepartitionExec>() || plan.is::<CoalescePartitionsExec>();
    if only_deals { first_stage(plan.children().first().copied()?) } else { None }
}
