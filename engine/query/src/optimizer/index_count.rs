//! `COUNT` and `COUNT … GROUP BY` over a secured scan -> counted from indexes alone.
//!
//! Replaces the first stage of an aggregation (which reads rows) by [`IndexCountExec`], whose
//! output is that stage's: the stages above stay as they are. Applies only when every group
//! and every counted column is granted as stored and every segment has the index for it.

mod exec;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use martlet_index::IndexKind;

use crate::scan::SecuredScan;
use exec::{Counted, IndexCountExec};

/// Groups that are counted at once at most: they stand in memory beside the pool.
const GROUPS_MAX: u64 = 1 << 20;

/// The rule.
#[derive(Debug)]
pub(crate) struct IndexCount;

impl PhysicalOptimizerRule for IndexCount {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match node.downcast_ref::<AggregateExec>().and_then(from_indexes) {
                Some(counted) => Transformed::yes(Arc::new(counted) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "index_count"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn from_indexes(aggregate: &AggregateExec) -> Option<IndexCountExec> {
    let first_stage = match aggregate.mode() {
        AggregateMode::Partial => true,
        AggregateMode::Single => aggregate.input().properties().partitioning.partition_count() == 1,
        _ => false,
    };
    let plain =
        aggregate.group_expr().is_single() && aggregate.filter_expr().iter().all(Option::is_none);
    if !first_stage || !plain {
        return None;
    }
    let source = Source::below(aggregate.input())?;
    let groups = aggregate
        .group_expr()
        .expr()
        .iter()
        .map(|(expression, _)| source.stored(expression))
        .collect::<Option<Vec<usize>>>()?;
    let counted = aggregate
        .aggr_expr()
        .iter()
        .map(|function| counted(function, &source, groups.is_empty()))
        .collect::<Option<Vec<Counted>>>()?;
    let indexed = groups.iter().all(|column| source.scan.indexed(*column, IndexKind::Codes));
    let pays = !counted.is_empty() && indexed && source.scan.groups_at_most(&groups) <= GROUPS_MAX;
    pays.then(|| IndexCountExec::new(source.scan_plan, groups, counted, aggregate.schema()))
        .flatten()
}

/// The scan below an aggregation, seen through operators that only rename or deal out rows.
struct Source<'a> {
    scan: &'a SecuredScan,
    scan_plan: &'a Arc<dyn ExecutionPlan>,
    /// The scan's output column behind each column of the aggregation's input.
    columns: Vec<usize>,
}

impl<'a> Source<'a> {
    fn below(plan: &'a Arc<dyn ExecutionPlan>) -> Option<Self> {
        if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
            let columns = (0..plan.schema().fields().len()).collect();
            return Some(Self { scan, scan_plan: plan, columns });
        }
        if let Some(deal) = plan.downcast_ref::<RepartitionExec>() {
            return match deal.partitioning() {
                Partitioning::RoundRobinBatch(_) => Self::below(deal.input()),
                _ => None,
            };
        }
        let projection = plan.downcast_ref::<ProjectionExec>()?;
        let below = Self::below(projection.input())?;
        let columns = projection
            .expr()
            .iter()
            .map(|item| below.columns.get(column(&item.expr)?).copied())
            .collect::<Option<Vec<_>>>()?;
        Some(Self { columns, ..below })
    }

    /// The stored position of a column that is granted as stored.
    fn stored(&self, expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
        let output = *self.columns.get(column(expression)?)?;
        self.scan.clear_column(output).map(|(position, _)| position)
    }
}

fn column(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expression.downcast_ref::<Column>().map(Column::index)
}

fn counted(
    function: &AggregateFunctionExpr,
    source: &Source<'_>,
    ungrouped: bool,
) -> Option<Counted> {
    let plain = function.fun().name() == "count"
        && !function.is_distinct()
        && function.order_bys().is_empty();
    let arguments = function.expressions();
    let [argument] = arguments.as_slice() else { return None };
    if !plain {
        return None;
    }
    if argument.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null()) {
        return Some(Counted::Rows);
    }
    let position = source.stored(argument)?;
    if !source.scan.segment_scan().table().columns().get(position)?.nullable {
        return Some(Counted::Rows);
    }
    let indexed = source.scan.indexed(position, IndexKind::Bitmap)
        || source.scan.indexed(position, IndexKind::Codes);
    (ungrouped && indexed).then_some(Counted::NonNull(position))
}
