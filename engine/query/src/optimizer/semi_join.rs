//! A semi- or anti-join against a secured scan -> the scan under a key filter.
//!
//! The join keeps rows of one side by the keys of the other and shows nothing of that other
//! side, so the keys can select rows before they are read. The scan's selection is exact, which
//! makes the join itself superfluous. A filter goes down through inner joins to the side of its
//! column. Applies to joins on one column that is granted as stored.

use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use crate::dealing::gathered;
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
    let filter = Filter { keep, keys, key: column(key)? };
    let filtered = filter.over(kept, column(kept_key)?, Gathering::Dropped)?;
    match &join.projection {
        None => Some(filtered),
        Some(projection) => projected(filtered, projection),
    }
}

/// Whether rows that were gathered into one partition must be again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gathering {
    /// They were for the join that is replaced: what only selects need not gather.
    Dropped,
    /// They are for a join that stays.
    Kept,
}

/// Which rows to keep.
struct Filter<'a> {
    keep: Keep,
    keys: &'a Arc<dyn ExecutionPlan>,
    /// Which column of the keys' plan.
    key: usize,
}

impl Filter<'_> {
    /// The same operators over a scan under the key filter.
    fn over(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        output: usize,
        gathering: Gathering,
    ) -> Option<Arc<dyn ExecutionPlan>> {
        if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
            let scan = scan.with_key_filter(output, self.keep, Arc::clone(self.keys), self.key)?;
            return Some(Arc::new(scan));
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            return self.within_join(plan, join, output);
        }
        let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            column(&projection.expr().get(output)?.expr)?
        } else if plan.is::<RepartitionExec>() {
            output
        } else {
            let input = gathered(plan)?;
            if gathering == Gathering::Dropped {
                return self.over(input, output, gathering);
            }
            output
        };
        let input = plan.children().first().copied()?;
        let input = self.over(input, below, gathering)?;
        replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
    }

    /// The rows of an inner join that have such keys are the join of the rows that have them: the
    /// filter narrows one side before it is joined.
    fn within_join(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        join: &HashJoinExec,
        output: usize,
    ) -> Option<Arc<dyn ExecutionPlan>> {
        if *join.join_type() != JoinType::Inner || join.fetch().is_some() {
            return None;
        }
        let column = match &join.projection {
            Some(projection) => *projection.get(output)?,
            None => output,
        };
        let of_left = join.left().schema().fields().len();
        let mut sides = [Arc::clone(join.left()), Arc::clone(join.right())];
        let (side, column) = match column.checked_sub(of_left) {
            None => (&mut sides[0], column),
            Some(column) => (&mut sides[1], column),
        };
        *side = self.over(side, column, Gathering::Kept)?;
        replace_children_if_necessary(Arc::clone(plan), sides.to_vec()).ok()
    }
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
