//! What an operator learns while it runs, kept from scans where it would decide what is computed.
//!
//! A sort that keeps the first rows tells the scan below it, by and by, which rows it no longer
//! needs. An expression between them could fail on one of those; whether it is asked about that row
//! then depends on which segments were read before, and so on how many hidden rows lie between
//! visible ones. So such a scan is told nothing where it hides rows from its reader. A hash join has
//! learned all before it asks for the first row, and may tell.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::fallible::{Computed, only_hands_on};
use crate::scan::SecuredScan;

/// See the module. Comes after the rules that tell scans.
#[derive(Debug)]
pub(super) struct ForgetWhatDecides;

impl PhysicalOptimizerRule for ForgetWhatDecides {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let mut decides = HashSet::new();
        plan.apply(|node| {
            if !node.is::<HashJoinExec>() && would_decide(node) {
                let learned = node.dynamic_expressions_produced();
                decides.extend(learned.iter().filter_map(|filter| filter.expression_id()));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        if decides.is_empty() {
            return Ok(plan);
        }
        let forgetful = |node: Arc<dyn ExecutionPlan>| match node.downcast_ref::<SecuredScan>() {
            Some(scan) => {
                let scan: Arc<dyn ExecutionPlan> = Arc::new(scan.without_learned(&decides));
                Ok(Transformed::yes(scan))
            }
            None => Ok(Transformed::no(node)),
        };
        Ok(plan.transform_up(forgetful)?.data)
    }

    fn name(&self) -> &'static str {
        "forget_what_decides"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether something is computed between an operator and a scan that hides rows.
fn would_decide(node: &Arc<dyn ExecutionPlan>) -> bool {
    let keys = node.downcast_ref::<SortExec>().into_iter().flat_map(SortExec::expr);
    let computed = Computed::of(keys.map(|key| &key.expr));
    node.children().into_iter().any(|below| decides_below(below, computed))
}

fn decides_below(plan: &Arc<dyn ExecutionPlan>, computed: Computed) -> bool {
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        return !computed.may_be_missed(scan);
    }
    let here = if only_hands_on(plan) { Computed::Nothing } else { Computed::Something };
    plan.children().into_iter().any(|below| decides_below(below, computed.and(here)))
}
