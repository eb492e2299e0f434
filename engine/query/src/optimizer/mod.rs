//! Physical optimizer rules: those that answer from indexes what would otherwise read rows, and
//! those that keep DataFusion's own to what is true.

mod claims;
mod fallible;
mod filter_names;
pub(crate) mod index_aggregate;
mod learned;
mod missing_order;
mod semi_join;
mod top_of_each;
mod top_rows;
mod window_top;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::partitioned_topk::PartitionedTopKExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;

use crate::access_path::AccessPath;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rules, each where it gives the right rows; [`IndexPaths`] comes after them.
pub(crate) fn rules() -> Vec<Rule> {
    let rules = window_top::rules().into_iter().map(filter_names::kept_in_bounds);
    let mut rules: Vec<Rule> = rules.flat_map(missing_order::before_checks).collect();
    rules.insert(0, Arc::new(claims::ForgetUntrueClaims));
    rules.push(Arc::new(learned::ForgetWhatDecides));
    rules
}

/// Puts the ways through indexes into a plan, from the scans upwards: semi-joins become
/// conditions of scans, aggregations over scans become totals from indexes.
#[derive(Debug)]
pub(crate) struct IndexPaths {
    path: AccessPath,
}

impl IndexPaths {
    /// `None` where no index may be read.
    pub(crate) fn of(path: AccessPath) -> Option<Self> {
        path.reads_indexes().then_some(Self { path })
    }
}

impl PhysicalOptimizerRule for IndexPaths {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        if !self.path.totals_from_indexes() {
            return Ok(plan.transform_up(|node| Ok(replaced(node, selecting)))?.data);
        }
        let plan = plan.transform_up(|node| Ok(replaced(node, through_indexes)))?.data;
        // Downwards: what takes a node's place has nodes of its own kind below it.
        let better = index_aggregate::better_plain;
        Ok(plan.transform_down(|node| Ok(replaced(node, better)))?.data)
    }

    fn name(&self) -> &'static str {
        "index_paths"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn replaced(
    node: Arc<dyn ExecutionPlan>,
    replacement: impl Fn(&Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>>,
) -> Transformed<Arc<dyn ExecutionPlan>> {
    match replacement(&node) {
        Some(replaced) => Transformed::yes(replaced),
        None => Transformed::no(node),
    }
}

/// What only selects rows by an index.
fn selecting(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    semi_join::as_key_filter(node.downcast_ref::<HashJoinExec>()?)
}

fn through_indexes(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return index_aggregate::from_indexes(aggregate);
    }
    if let Some(sort) = node.downcast_ref::<SortExec>() {
        return top_rows::over_top_rows(node, sort)
            .or_else(|| index_aggregate::under_sort(node, sort));
    }
    if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>() {
        return index_aggregate::under_merge(node, merge);
    }
    if let Some(top) = node.downcast_ref::<PartitionedTopKExec>() {
        return top_of_each::over_top_rows(node, top);
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        return top_of_each::under_filter(node, filter);
    }
    selecting(node)
}
