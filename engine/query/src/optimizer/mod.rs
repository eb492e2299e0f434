//! Physical optimizer rules that answer from indexes what would otherwise read rows.

pub(crate) mod index_aggregate;
mod semi_join;
mod top_rows;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::sort::SortExec;

/// Puts the ways through indexes into a plan, from the scans upwards: semi-joins become
/// conditions of scans, aggregations over scans become totals from indexes.
#[derive(Debug)]
pub(crate) struct IndexPaths;

impl PhysicalOptimizerRule for IndexPaths {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match through_indexes(&node) {
                Some(replaced) => Transformed::yes(replaced),
                None => Transformed::no(node),
            })
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "index_paths"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn through_indexes(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return index_aggregate::from_indexes(aggregate);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return semi_join::as_key_filter(join);
    }
    if let Some(sort) = node.downcast_ref::<SortExec>() {
        return top_rows::over_top_rows(node, sort);
    }
    None
}
