//! DataFusion's physical rules, of which one is kept to where it gives the right rows.
//!
//! Rows that a limit on a window's ranks makes superfluous are dropped below the window. What
//! else the same operator computes of them must not notice: `lead` looks at rows that come
//! later, a running sum at all rows of one rank. And there has to be an order: one by what the rows
//! are parted by leaves none. The rule does not ask; this does.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::BoundedWindowAggExec;

use super::Rule;
use super::top_of_each::ranking;

const DROPS_ROWS: &str = "WindowTopN";

/// DataFusion's rules in their order.
pub(super) fn rules() -> Vec<Rule> {
    let kept_in_bounds = |rule: Rule| match rule.name() {
        DROPS_ROWS => Arc::new(OfRanksAlone(rule)) as Arc<_>,
        _ => rule,
    };
    PhysicalOptimizer::new().rules.into_iter().map(kept_in_bounds).collect()
}

/// The rule, for plans in which nothing stands beside ranks, and all of these have an order.
#[derive(Debug)]
struct OfRanksAlone(Rule);

impl PhysicalOptimizerRule for OfRanksAlone {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let mut is_unfit = false;
        plan.apply(|node| {
            let window = node.downcast_ref::<BoundedWindowAggExec>();
            is_unfit |= window.is_some_and(|window| mixes(window) || lacks_order(window));
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

/// Whether other functions are computed beside ranks.
fn mixes(window: &BoundedWindowAggExec) -> bool {
    let is_rank = |expression| ranking(expression).is_some();
    let ranks = window.window_expr().iter().filter(|expression| is_rank(expression)).count();
    ranks > 0 && ranks < window.window_expr().len()
}

/// Whether some rank is by nothing but what its rows are parted by, or these are named twice: the
/// operator sorts by both lists together without repeats, and tells them apart by their lengths.
fn lacks_order(window: &BoundedWindowAggExec) -> bool {
    let ranks = window.window_expr().iter().filter(|expression| ranking(expression).is_some());
    ranks.into_iter().any(|rank| {
        let parts = rank.partition_by();
        let is_repeated = parts.iter().enumerate().any(|(at, part)| parts[..at].contains(part));
        let orders = rank.order_by().iter().any(|order| !parts.contains(&order.expr));
        !parts.is_empty() && (is_repeated || !orders)
    })
}

#[cfg(test)]
mod tests {
    use super::{DROPS_ROWS, rules};

    #[test]
    fn the_rule_that_is_kept_in_bounds_is_among_datafusions() {
        let all = rules();
        let found = all.iter().filter(|rule| rule.name() == DROPS_ROWS);
        let found: Vec<String> = found.map(|rule| format!("{rule:?}")).collect();
        assert!(matches!(found.as_slice(), [one] if one.starts_with("OfRanksAlone")), "{found:?}");
    }
}
