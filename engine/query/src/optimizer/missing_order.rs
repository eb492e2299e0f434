//! Orders that DataFusion's rules rely on and that are not there in the end.
//!
//! A sort is pushed below a hash join without the columns that are constant there. Above the join
//! DataFusion no longer knows the constants of the side that is looked up, asks for them in the order
//! again, and its last check refuses the statement.
//!
//! Owns the rule that sorts where that check would fail. Must run right before it, and never takes a
//! sort out: where every order is there, the plan stays as it is.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::{LexOrdering, LexRequirement};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary,
};

use super::Rule;

/// The rule that refuses plans.
const CHECKS: &str = "SanityCheckPlan";

/// Puts [`SortWhereOrderIsMissing`] before every check of orders.
pub(super) fn before_checks(rule: Rule) -> Vec<Rule> {
    if rule.name() == CHECKS { vec![Arc::new(SortWhereOrderIsMissing), rule] } else { vec![rule] }
}

/// See the module.
#[derive(Debug)]
struct SortWhereOrderIsMissing;

impl PhysicalOptimizerRule for SortWhereOrderIsMissing {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(over_ordered_inputs)?.data)
    }

    fn name(&self) -> &'static str {
        "sort_where_order_is_missing"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn over_ordered_inputs(
    node: Arc<dyn ExecutionPlan>,
) -> DataFusionResult<Transformed<Arc<dyn ExecutionPlan>>> {
    let mut inputs = Vec::new();
    let mut is_missing = false;
    for (input, required) in node.children().into_iter().zip(node.required_input_ordering()) {
        let missing = match required {
            Some(required) => missing_order(input, required.into_single())?,
            None => None,
        };
        is_missing |= missing.is_some();
        inputs.push(match missing {
            Some(order) => sorted(input, order),
            None => Arc::clone(input),
        });
    }
    if is_missing {
        Ok(Transformed::yes(replace_children_if_necessary(node, inputs)?))
    } else {
        Ok(Transformed::no(node))
    }
}

/// The order that the rows of an input need and do not have, asked as the check asks.
fn missing_order(
    input: &Arc<dyn ExecutionPlan>,
    required: LexRequirement,
) -> DataFusionResult<Option<LexOrdering>> {
    let known = input.equivalence_properties();
    let is_there = known.ordering_satisfy_requirement(required.clone())?;
    Ok((!is_there).then(|| LexOrdering::from(required)))
}

/// Each part on its own, so that the rows stay dealt out as they are.
fn sorted(input: &Arc<dyn ExecutionPlan>, order: LexOrdering) -> Arc<dyn ExecutionPlan> {
    Arc::new(SortExec::new(order, Arc::clone(input)).with_preserve_partitioning(true))
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::CHECKS;

    #[test]
    fn orders_are_made_right_before_the_check_of_datafusion() {
        let all = rules();
        let names: Vec<&str> = all.iter().map(|rule| rule.name()).collect();
        let checks: Vec<usize> = (0..names.len()).filter(|at| names[*at] == CHECKS).collect();
        assert_eq!(checks.len(), 1, "{names:?}");
        assert_eq!(names[checks[0] - 1], "sort_where_order_is_missing", "{names:?}");
    }
}
