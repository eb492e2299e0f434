//! How a logical plan is optimized: with every rule where tables meet, with few where one table
//! is asked.
//!
//! Owns the choice only; the rules are DataFusion's, but for one that mends another
//! ([`crate::contradictions`]). A question to one table, the commonest,
//! gets the same plan either way (the tests hold the two against each other): the rules that are
//! left out rewrite joins, set operations and subqueries, and one or two passes find everything.
//! Planning such a statement costs as much as answering it from an index.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use datafusion::common::alias::AliasGenerator;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

use crate::contradictions::KeepUnknown;

/// Rules that do nothing where there is no join, set operation or subquery.
const OF_SEVERAL_TABLES: [&str; 11] = [
    "rewrite_set_comparison",
    "optimize_unions",
    "unions_to_filter",
    "eliminate_join",
    "decorrelate_predicate_subquery",
    "scalar_subquery_to_join",
    "decorrelate_lateral_join",
    "extract_equijoin_predicate",
    "eliminate_cross_join",
    "filter_null_join_keys",
    "eliminate_outer_join",
];

/// Distinct values are counted in one operator, from indexes where it can; this rule would make
/// two aggregations of it, the first with a group for every value.
const SPLITS_DISTINCT_COUNTS: &str = "single_distinct_aggregation_to_group_by";

static OF_ONE_TABLE: LazyLock<Optimizer> = LazyLock::new(|| {
    let mut rules = of_any_tables();
    rules.retain(|rule| !OF_SEVERAL_TABLES.contains(&rule.name()));
    Optimizer::with_rules(rules)
});

/// The rules for a statement of any kind.
pub(crate) fn of_any_tables() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != SPLITS_DISTINCT_COUNTS);
    rules.insert(0, Arc::new(KeepUnknown));
    rules
}

/// The plan, analyzed and optimized.
///
/// # Errors
/// As the analyzer and the rules: types that do not fit, for example.
pub(crate) fn optimized(plan: LogicalPlan, state: &SessionState) -> DataFusionResult<LogicalPlan> {
    if !asks_one_table(&plan)? {
        return state.optimize(&plan);
    }
    // Where a limit moves into a sort, a second pass takes away what is left of it.
    let passes = if matches!(plan, LogicalPlan::Limit(_)) { 2 } else { 1 };
    let analyzed = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
    OF_ONE_TABLE.optimize(analyzed, &FewPasses::of(state, passes), |_, _| {})
}

/// Whether the plan is a chain of simple operators over at most one table, without subqueries.
fn asks_one_table(plan: &LogicalPlan) -> DataFusionResult<bool> {
    let mut nodes = 0_usize;
    let mut simple = true;
    plan.apply(|node| {
        nodes += 1;
        simple &= match node {
            // Further down it takes a second pass to find it in the sort below.
            LogicalPlan::Limit(_) => nodes == 1,
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::TableScan(_) => true,
            _ => false,
        };
        Ok(if simple { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    if !simple {
        return Ok(false);
    }
    let mut with_subqueries = 0_usize;
    plan.apply_with_subqueries(|_| {
        with_subqueries += 1;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(nodes == with_subqueries)
}

/// The session's configuration, but so many passes over the rules at most.
struct FewPasses<'a> {
    state: &'a SessionState,
    options: Arc<ConfigOptions>,
}

impl<'a> FewPasses<'a> {
    fn of(state: &'a SessionState, passes: usize) -> Self {
        let mut options = ConfigOptions::clone(state.config_options());
        options.optimizer.max_passes = passes;
        Self { state, options: Arc::new(options) }
    }
}

impl OptimizerConfig for FewPasses<'_> {
    fn query_execution_start_time(&self) -> Option<DateTime<Utc>> {
        self.state.query_execution_start_time()
    }

    fn alias_generator(&self) -> &Arc<AliasGenerator> {
        self.state.alias_generator()
    }

    fn options(&self) -> Arc<ConfigOptions> {
        Arc::clone(&self.options)
    }

    fn function_registry(&self) -> Option<&dyn FunctionRegistry> {
        Some(self.state)
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
