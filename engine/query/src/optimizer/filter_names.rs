//! DataFusion's rules that push filters towards scans, kept to plans in which names tell columns
//! apart.
//!
//! The rules find a filter's columns below an operator by their names. Where two columns have one
//! name (both sides of a join have an `id`), the filter of one is taken for the other's: rows are
//! left out that are wanted, and a column is compared with what was learned of another one, which
//! may not be shown. So no filter is pushed where an operator on its way has a name twice, or calls
//! a column by a name that another one has below it: the parts of a UNION ALL have names of their own,
//! and what a semi-join hides can be called as what it shows.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;

use super::Rule;

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
            is_unfit |= has_filters(node) && names_mislead_below(node)?;
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

fn names_mislead_below(node: &Arc<dyn ExecutionPlan>) -> DataFusionResult<bool> {
    let mut mislead = false;
    for child in node.children() {
        child.apply(|below| {
            mislead |= has_a_name_twice(&below.schema()) || renames(below);
            Ok(if mislead { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
    }
    Ok(mislead)
}

fn has_a_name_twice(schema: &Schema) -> bool {
    let mut names = HashSet::new();
    !schema.fields().iter().all(|field| names.insert(field.name()))
}

/// Whether a column of an operator may be found as another one below it. Projections know which is
/// which.
fn renames(node: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return hides_a_namesake(join);
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return groups_under_another_name(aggregate);
    }
    node.is::<UnionExec>() && !node.children().into_iter().all(|part| are_called_alike(node, part))
}

/// A filter on a key is for the side that is not shown as well, and is found there by its name, which
/// has to be that of the key's partner.
fn hides_a_namesake(join: &HashJoinExec) -> bool {
    if !matches!(join.join_type(), JoinType::LeftSemi | JoinType::RightSemi) {
        return false;
    }
    let are_partners = |name: &str| {
        join.on().iter().any(|(left, right)| is_called(left, name) && is_called(right, name))
    };
    let (left, right) = (join.left().schema(), join.right().schema());
    let shared = left.fields().iter().filter(|field| right.index_of(field.name()).is_ok());
    shared.into_iter().any(|field| !are_partners(field.name()))
}

fn groups_under_another_name(aggregate: &AggregateExec) -> bool {
    let input = aggregate.input().schema();
    let mut groups = aggregate.group_expr().expr().iter();
    groups.any(|(group, name)| input.index_of(name).is_ok() && !is_called(group, name))
}

fn is_called(expression: &Arc<dyn PhysicalExpr>, name: &str) -> bool {
    expression.downcast_ref::<Column>().is_some_and(|column| column.name() == name)
}

fn are_called_alike(one: &Arc<dyn ExecutionPlan>, other: &Arc<dyn ExecutionPlan>) -> bool {
    let (one, other) = (one.schema(), other.schema());
    one.fields()
        .iter()
        .map(|field| field.name())
        .eq(other.fields().iter().map(|field| field.name()))
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
