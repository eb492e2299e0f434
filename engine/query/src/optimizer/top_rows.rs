//! ORDER BY … LIMIT over a secured scan -> a scan of the rows that can be among the first.
//!
//! The sort stays where it is and decides; the scan below it reads far fewer rows. Applies when
//! the first column of the order is granted as stored and is a number, a date or a time. Where rows
//! are hidden from the reader, nothing may be computed of rows on the way: an expression could fail
//! on a row that is left out, and which rows are depends on what others hold, hidden ones among them.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use martlet_index::grouping::{Best, Nulls, Order};

use super::fallible::Computed;
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
    let on_the_way = Computed::of(sort.expr().iter().map(|key| &key.expr));
    let column = first.expr.downcast_ref::<Column>()?.index();
    let input = narrowed(sort.input(), column, (order_of(first.options), rows), on_the_way)?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).ok()
}

/// The order that SQL asks for, in the index's words.
pub(super) const fn order_of(options: SortOptions) -> Order {
    let best = if options.descending { Best::Highest } else { Best::Lowest };
    let nulls = if options.nulls_first { Nulls::First } else { Nulls::Last };
    Order { best, nulls }
}

fn narrowed(
    plan: &Arc<dyn ExecutionPlan>,
    output: usize,
    (order, rows): (Order, usize),
    computed: Computed,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        let narrower = || scan.with_top_rows(output, order, rows);
        return Some(Arc::new(computed.may_be_missed(scan).then(narrower).flatten()?));
    }
    let mut computed = computed;
    let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        computed = computed.and(Computed::by(projection));
        projection.expr().get(output)?.expr.downcast_ref::<Column>()?.index()
    } else if plan.is::<RepartitionExec>() {
        output
    } else {
        return None;
    };
    let input = plan.children().first().copied()?;
    let input = narrowed(input, below, (order, rows), computed)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}
