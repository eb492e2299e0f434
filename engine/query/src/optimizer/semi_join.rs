//! A semi- or anti-join against a secured scan -> the scan under a key filter.
//!
//! The join keeps rows of one side by the keys of the other and shows nothing of that other
//! side, so the keys can select rows before they are read. The scan's selection is exact, which
//! makes the join itself superfluous. Applies to joins on one column that is granted as stored.

use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use crate::scan::SecuredScan;
use crate::scan::key_filter::Keep;

/// The plan that takes the join's place, if there is one.
pub(super) fn as_key_filter(join: &HashJoinExec) -> Option<Arc<dyn ExecutionPlan>> {
    let (kept, keys, keep, kept_is_left) = match join.join_type() {
        JoinType::LeftSemi => (join.left(), join.right(), Keep::Members, true),
        JoinType::RightSemi => (join.right(), join.left(), Keep::Members, false),
        JoinType::LeftAnti => (join.left(), join.right(), Keep::Others, true),
        JoinType::RightAnti => (join.right(), join.left(), Keep::Others, false),
        _ => return None,
    };
    // `NOT IN` of a set with a null holds for no row: only the join itself knows that. One that
    // stops after some rows must go on doing so.
    let plain = join.filter().is_none()
        && join.fetch().is_none()
        && !join.null_aware
        && join.null_equality() == NullEquality::NullEqualsNothing;
    let [(left, right)] = join.on() else { return None };
    let (kept_key, key) = if kept_is_left { (left, right) } else { (right, left) };
    if !plain {
        return None;
    }
    let filtered = filtered(kept, column(kept_key)?, keep, keys, column(key)?)?;
    match &join.projection {
        None => Some(filtered),
        Some(projection) => projected(filtered, projection),
    }
}

/// The same operators over a scan under the key filter.
fn filtered(
    plan: &Arc<dyn ExecutionPlan>,
    output: usize,
    keep: Keep,
    keys: &Arc<dyn ExecutionPlan>,
    key: usize,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        let scan = scan.with_key_filter(output, keep, Arc::clone(keys), key)?;
        return Some(Arc::new(scan));
    }
    let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        column(&projection.expr().get(output)?.expr)?
    } else if plan.is::<RepartitionExec>() {
        output
    } else if let Some(gathered) = plan.downcast_ref::<CoalescePartitionsExec>()
        && gathered.fetch().is_none()
    {
        // The build side of a join is gathered; what only selects need not be.
        return filtered(gathered.input(), output, keep, keys, key);
    } else {
        return None;
    };
    let input = plan.children().first().copied()?;
    let input = filtered(input, below, keep, keys, key)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

fn projected(plan: Arc<dyn ExecutionPlan>, columns: &[usize]) -> Option<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let item = |at: &usize| {
        let name = schema.fields().get(*at)?.name().clone();
        let expr: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, *at));
        Some(ProjectionExpr { expr, alias: name })
    };
    let items = columns.iter().map(item).collect::<Option<Vec<_>>>()?;
    ProjectionExec::try_new(items, plan).ok().map(|plan| Arc::new(plan) as Arc<dyn ExecutionPlan>)
}

fn column(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expression.downcast_ref::<Column>().map(Column::index)
}
