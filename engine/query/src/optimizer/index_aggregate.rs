//! Aggregations over a secured scan -> totals from indexes alone.
//!
//! Replaces the first stage of an aggregation (which reads rows) by [`IndexAggregateExec`],
//! whose output is that stage's: the stages above stay as they are. Applies only when every
//! column involved is granted as stored, every segment has codes or a vector for it, and every
//! condition runs below the guard. The same query with the rule off gives the same answer.
//!
//! The scan may stand below inner joins by one column each: the other sides are run once, and
//! each value of that column stands for the rows that it is joined to ([`dimension`]). What is
//! grouped by may be an expression over one column: it is computed for groups, not for rows
//! ([`computed`]). Values at ranks, such as medians, are found in two passes over the segments
//! ([`rank_passes`]), without joins and computed groups. Of groups that are sorted by a total
//! only the first may be wanted: others do not leave their segment ([`best_groups`]). Where nearly
//! every row is a group of its own and all are wanted, the plain operator does the work
//! ([`cardinality`]).

mod best_groups;
mod bucket;
mod cardinality;
mod computed;
mod condition;
mod dimension;
mod distinct;
mod exec;
mod grouping;
mod joins;
mod marked;
mod merged;
mod numbering;
mod partition;
mod partners;
mod rank_passes;
mod ranked;
mod rows;
mod segment;
mod sharing;
mod source;
mod spec;
mod states;

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

pub(super) use best_groups::{under_merge, under_sort};
use exec::IndexAggregateExec;
use ranked::is_ranked;
use source::Source;
use spec::{Spec, Stage};

use crate::dealing;

/// The operator that takes the aggregation's place, if there is one.
pub(super) fn from_indexes(aggregate: &AggregateExec) -> Option<Arc<dyn ExecutionPlan>> {
    if aggregate.properties().output_ordering().is_some() {
        // Somebody above may rely on it, and totals come in no order.
        return None;
    }
    let totals = match aggregate.mode() {
        AggregateMode::Partial => totals(aggregate, Stage::First, aggregate.schema()),
        AggregateMode::Single | AggregateMode::SinglePartitioned => {
            totals(aggregate, Stage::Only, aggregate.schema())
        }
        AggregateMode::Final | AggregateMode::FinalPartitioned => both_stages(aggregate),
        _ => None,
    };
    dealt(totals?, aggregate.properties().output_partitioning())
}

/// The plain operator, where it is better after all that was found to be done with totals.
pub(super) fn better_plain(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    node.downcast_ref::<IndexAggregateExec>()?.better().cloned()
}

fn totals(
    aggregate: &AggregateExec,
    stage: Stage,
    schema: SchemaRef,
) -> Option<Arc<dyn ExecutionPlan>> {
    let is_plain = aggregate.group_expr().is_single() && aggregate.limit_options().is_none();
    if !is_plain {
        return None;
    }
    let totals_of = |source: Source<'_>| -> Option<Arc<dyn ExecutionPlan>> {
        let spec = Spec::of(aggregate, &source, stage)?;
        let totals = IndexAggregateExec::new(source.scan_plan(), spec, Arc::clone(&schema))?;
        if cardinality::are_too_many(totals.spec(), totals.scan().ok()?) {
            return Some(Arc::new(totals.instead_of(Arc::new(aggregate.clone()))));
        }
        Some(Arc::new(totals))
    };
    Source::below(aggregate.input()).into_iter().find_map(totals_of)
}

/// An aggregation whose first stage has no states that could be told from indexes, because it
/// counts distinct values or orders values: both stages at once.
fn both_stages(last: &AggregateExec) -> Option<Arc<dyn ExecutionPlan>> {
    let first = first_stage(last.input())?;
    let functions = first.aggr_expr();
    let needs_both = functions.iter().any(|function| function.is_distinct() || is_ranked(function));
    if !needs_both || last.limit_options().is_some() {
        return None;
    }
    totals(first, Stage::Only, last.schema())
}

/// The totals in partitions as they were: whoever stands above may rely on how many there are
/// and on how groups were dealt out.
fn dealt(totals: Arc<dyn ExecutionPlan>, before: &Partitioning) -> Option<Arc<dyn ExecutionPlan>> {
    let partitions = totals.properties().output_partitioning().partition_count();
    match before {
        _ if before.partition_count() == 1 && partitions == 1 => Some(totals),
        _ if before.partition_count() == 1 => Some(Arc::new(CoalescePartitionsExec::new(totals))),
        Partitioning::Hash(by, _) if by.iter().all(|by| is_shown(by, &totals.schema())) => {
            let dealt = RepartitionExec::try_new(totals, before.clone()).ok()?;
            Some(Arc::new(dealt))
        }
        // By what is not shown any more: nobody above can know where a group is.
        Partitioning::Hash(..) => Some(totals),
        Partitioning::RoundRobinBatch(_) | Partitioning::UnknownPartitioning(_) => Some(totals),
        // An order of whole partitions would have to be made anew.
        Partitioning::Range(_) => None,
    }
}

/// Whether it is a column of that schema.
fn is_shown(expression: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> bool {
    expression.downcast_ref::<Column>().is_some_and(|column| {
        schema.fields().get(column.index()).is_some_and(|field| field.name() == column.name())
    })
}

fn first_stage(plan: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return (*aggregate.mode() == AggregateMode::Partial).then_some(aggregate);
    }
    first_stage(dealing::dealt(plan)?)
}
