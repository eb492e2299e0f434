//! ORDER BY … LIMIT over a secured scan -> a scan of the rows that can be among the first.
//!
//! The sort stays where it is and decides; the scan below it reads far fewer rows. Applies when
//! the first column of the order is granted as stored and is a number, a date or a time, and nothing
//! is computed of rows on the way: an expression could fail on a row that is left out, and which
//! rows are depends on what others hold, hidden ones among them.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use martlet_index::grouping::{Best, Nulls, Order};

use crate::scan::SecuredScan;

/// Beyond this many rows the best keys are no longer few.
pub(super) const ROWS_MAX: usize = 10_000;

/// The sort over a narrower scan, if there is one.
pub(super) fn over_top_rows(
    node: &Arc<dyn ExecutionPlan>,
    sort: &SortExec,
) -> Option<Arc<dyn ExecutionPlan>> {
    let rows = sort.fetch().filter(|rows| *rows <= ROWS_MAX)?;
    let first = sort.expr().first();
    if !sort.expr().iter().all(|key| cannot_fail(&key.expr)) {
        return None;
    }
    let column = first.expr.downcast_ref::<Column>()?.index();
    let input = narrowed(sort.input(), column, order_of(first.options), rows)?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).ok()
}

/// The order that SQL asks for, in the index's words.
pub(super) const fn order_of(options: SortOptions) -> Order {
    let best = if options.descending { Best::Highest } else { Best::Lowest };
    let nulls = if options.nulls_first { Nulls::First } else { Nulls::Last };
    Order { best, nulls }
}

/// The input column behind an output of a projection that computes nothing.
pub(super) fn column_below(projection: &ProjectionExec, output: usize) -> Option<usize> {
    let items = projection.expr();
    let column = items.get(output)?.expr.downcast_ref::<Column>()?;
    items.iter().all(|item| cannot_fail(&item.expr)).then(|| column.index())
}

/// Whether an expression has a value for every row.
pub(super) fn cannot_fail(expression: &Arc<dyn PhysicalExpr>) -> bool {
    expression.is::<Column>() || expression.is::<Literal>()
}

fn narrowed(
    plan: &Arc<dyn ExecutionPlan>,
    output: usize,
    order: Order,
    rows: usize,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        return Some(Arc::new(scan.with_top_rows(output, order, rows)?));
    }
    let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        column_below(projection, output)?
    } else if plan.is::<RepartitionExec>() {
        output
    } else {
        return None;
    };
    let input = plan.children().first().copied()?;
    let input = narrowed(input, below, order, rows)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}
