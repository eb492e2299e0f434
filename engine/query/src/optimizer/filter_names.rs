//! DataFusion's rules that push filters towards scans, kept to plans in which names tell columns
//! apart.
//!
//! The rules find a filter's columns below an operator by their names. Where two columns have one
//! name (both sides of a join have an `id`), the filter of one is taken for the other's: rows are
//! left out that are wanted, and a column is compared with what was learned of another one, which
//! may not be shown. So no filter is pushed where an operator on its way has a name twice.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::sort::SortExec;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The names of both phases begin so.
const PUSHES_FILTERS: &str = "FilterPushdown";

/// The rule, kept to where it is right if it is one of them.
pub(super) fn kept_in_bounds(rule: Rule) -> Rule {
    if rule.name().starts_with(PUSHES_FILTERS) { Arc::new(WhereNamesDiffer(rule)) } else { rule }
}

/// See the module.
#[derive(Debug)]
struct WhereNamesDiffer(Rule);

impl PhysicalOptimizerRule for WhereNamesDiffer {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let mut is_unfit = false;
        plan.apply(|node| {
            is_unfit |= has_filters(node) && has_a_name_twice_below(node)?;
            Ok(if is_unfit { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        if is_unfit { Ok(plan) } else { self.0.optimize(plan, config) }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Whether an operator has a filter, or will have learned one while it runs.
fn has_filters(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.is::<FilterExec>()
        || node.is::<HashJoinExec>()
        || node.is::<AggregateExec>()
        || node.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_some())
}

fn has_a_name_twice_below(node: &Arc<dyn ExecutionPlan>) -> DataFusionResult<bool> {
    let mut is_twice = false;
    for child in node.children() {
        child.apply(|below| {
            let schema = below.schema();
            let mut names = HashSet::new();
            is_twice |= !schema.fields().iter().all(|field| names.insert(field.name()));
            Ok(if is_twice { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
    }
    Ok(is_twice)
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::PUSHES_FILTERS;

    #[test]
    fn the_rules_that_are_kept_in_bounds_are_among_datafusions() {
        let all = rules();
        let found = all.iter().filter(|rule| rule.name().starts_with(PUSHES_FILTERS));
        let found: Vec<String> = found.map(|rule| format!("{rule:?}")).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|rule| rule.starts_with("WhereNamesDiffer")), "{found:?}");
    }
}
