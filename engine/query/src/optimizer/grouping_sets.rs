//! GROUPING SETS, CUBE and ROLLUP: what holds of rows does not hold of groups of all but some columns.
//!
//! Below such an aggregation two columns may be equal, one may hold a constant, rows may be sorted
//! by a column or dealt out by it. Above it either column may be null where the other is not, and
//! DataFusion holds all of that for true as before: it drops the second key of an order, takes
//! windows of several parts for one, and may leave a group in pieces. Owns the operator that hands
//! groups on and claims nothing of them, and the rule that puts it over the first stage of each such
//! aggregation. Must run before every rule that asks what holds of rows.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, SendableRecordBatchStream,
};

use crate::error::QueryError;

/// Puts [`GroupsOfSetsExec`] where groups of several sets are made.
#[derive(Debug)]
pub(super) struct ForgetBelowGroupingSets;

impl PhysicalOptimizerRule for ForgetBelowGroupingSets {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let over_groups = |node: Arc<dyn ExecutionPlan>| {
            let aggregate = node.downcast_ref::<AggregateExec>();
            // The second stage groups by the columns of the first and the number of the set alone.
            if !aggregate.is_some_and(|aggregate| aggregate.group_expr().has_grouping_set()) {
                return Ok(Transformed::no(node));
            }
            let over: Arc<dyn ExecutionPlan> = Arc::new(GroupsOfSetsExec::new(node));
            Ok(Transformed::yes(over))
        };
        Ok(plan.transform_up(over_groups)?.data)
    }

    fn name(&self) -> &'static str {
        "forget_below_grouping_sets"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Receives groups of several sets; hands them on as they are.
#[derive(Debug)]
struct GroupsOfSetsExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl GroupsOfSetsExec {
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

impl DisplayAs for GroupsOfSetsExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GroupsOfSets")
    }
}

impl ExecutionPlan for GroupsOfSetsExec {
    fn name(&self) -> &'static str {
        "GroupsOfSets"
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
