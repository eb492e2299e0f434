//! What DataFusion claims of rows where it is not true: of groups of several sets, of parts that
//! UNION ALL puts beside each other, and of what outer joins add.
//!
//! GROUPING SETS, CUBE and ROLLUP: below such an aggregation two columns may be equal, one may hold
//! a constant, rows may be sorted by a column or dealt out by it. Above it either column may be null
//! where the other is not, and DataFusion holds all of that for true as before: it drops the second
//! key of an order, takes windows of several parts for one, and may leave a group in pieces.
//! UNION ALL: a column that is constant in each part, and another constant in each, is dropped from
//! an order as constant, though the parts then find their first rows together, by what is left.
//! Outer joins: a constant of one side is null where that side has no partner, and is held for a
//! constant all the same. Either side may be the one: joins are turned around later.
//!
//! Owns the operator that hands rows on and claims nothing of them, and the rule that puts it there.
//! Must run before every rule that asks what holds of rows.

use std::fmt;
use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, SendableRecordBatchStream,
};

use crate::error::QueryError;

/// Puts [`UnclaimedExec`] over the first stage of aggregations by several sets, and over unions and
/// outer joins of parts of which some hold a constant.
#[derive(Debug)]
pub(super) struct ForgetUntrueClaims;

impl PhysicalOptimizerRule for ForgetUntrueClaims {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let over = |node: Arc<dyn ExecutionPlan>| {
            if !(makes_groups_of_sets(&node) || holds_constants_in_parts(&node)) {
                return Ok(Transformed::no(node));
            }
            let over: Arc<dyn ExecutionPlan> = Arc::new(UnclaimedExec::new(node));
            Ok(Transformed::yes(over))
        };
        Ok(plan.transform_up(over)?.data)
    }

    fn name(&self) -> &'static str {
        "forget_untrue_claims"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The second stage groups by the columns of the first and the number of the set alone.
fn makes_groups_of_sets(node: &Arc<dyn ExecutionPlan>) -> bool {
    let aggregate = node.downcast_ref::<AggregateExec>();
    aggregate.is_some_and(|aggregate| aggregate.group_expr().has_grouping_set())
}

fn holds_constants_in_parts(node: &Arc<dyn ExecutionPlan>) -> bool {
    let has_constants = |part: &&Arc<dyn ExecutionPlan>| {
        !part.properties().equivalence_properties().constants().is_empty()
    };
    let is_of_parts = node.is::<UnionExec>() || joins_outwards(node);
    is_of_parts && node.children().iter().any(has_constants)
}

/// Whether rows may come of it that have no partner, filled up with nulls.
fn joins_outwards(node: &Arc<dyn ExecutionPlan>) -> bool {
    let hashed = node.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    let looped = || node.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type());
    let merged = || node.downcast_ref::<SortMergeJoinExec>().map(|join| join.join_type());
    let join_type = hashed.or_else(looped).or_else(merged);
    join_type.is_some_and(|it| matches!(it, JoinType::Left | JoinType::Right | JoinType::Full))
}

/// Hands rows on as they are.
#[derive(Debug)]
struct UnclaimedExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl UnclaimedExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, properties: Arc::new(properties) }
    }
}

impl DisplayAs for UnclaimedExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unclaimed")
    }
}

impl ExecutionPlan for UnclaimedExec {
    fn name(&self) -> &'static str {
        "Unclaimed"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input))),
            _ => Err(QueryError::Bug { promise: "a plan has as many inputs as before" }.into()),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
