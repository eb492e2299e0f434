//! The first rows of each value (rank, row_number or dense_rank of a window, limited from above)
//! over a secured scan -> a scan of the rows that can be among them.
//!
//! The window stays where it is and numbers the rows that are left, and what limits its numbers
//! decides; the scan below reads far fewer rows. Applies to windows by one column that has codes
//! and is granted as stored, ordered first by one that is a number, a date or a time. Where rows are
//! hidden from the reader nothing may be computed on the way ([`super::top_rows`] tells why).

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::partitioned_topk::PartitionedTopKExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use martlet_index::grouping::{Counted, Order};

use super::fallible::{Computed, has_always_a_value};
use super::top_rows::{ROWS_MAX, order_of};
use crate::dealing::dealt;
use crate::scan::SecuredScan;

/// The operator that keeps the first rows of each value, over a narrower scan, if there is one.
pub(super) fn over_top_rows(
    node: &Arc<dyn ExecutionPlan>,
    top: &PartitionedTopKExec,
) -> Option<Arc<dyn ExecutionPlan>> {
    let expressions: Vec<&PhysicalSortExpr> = top.expr().iter().collect();
    let ([each], [first, ..]) = expressions.split_at_checked(top.partition_prefix_len())? else {
        return None;
    };
    let computed = Computed::of(expressions.iter().map(|key| &key.expr));
    let wanted = Wanted::of(&each.expr, first, top.fetch(), Counted::Each)?;
    let input = narrowed(top.input(), &Wanted { computed, ..wanted })?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).ok()
}

/// The filter over a narrower scan, if it limits what a window numbers.
pub(super) fn under_filter(
    node: &Arc<dyn ExecutionPlan>,
    filter: &FilterExec,
) -> Option<Arc<dyn ExecutionPlan>> {
    let conditions = split_conjunction(filter.predicate());
    let compares = conditions.iter().all(|condition| compares(condition));
    let computed = if compares { Computed::Nothing } else { Computed::Something };
    let limits = conditions.into_iter().filter_map(limit);
    let input = limits
        .filter(|(_, rows)| (1..=ROWS_MAX).contains(rows))
        .find_map(|(column, rows)| over_window(filter.input(), column, rows, computed))?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).ok()
}

/// Whether a condition compares what has a value for every row.
fn compares(condition: &Arc<dyn PhysicalExpr>) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    condition.downcast_ref::<BinaryExpr>().is_some_and(|both| {
        matches!(both.op(), Eq | NotEq | Lt | LtEq | Gt | GtEq)
            && has_always_a_value(both.left())
            && has_always_a_value(both.right())
    })
}

/// A column that a condition holds at or below a number: both.
fn limit(condition: &Arc<dyn PhysicalExpr>) -> Option<(usize, usize)> {
    let comparison = condition.downcast_ref::<BinaryExpr>()?;
    let sides = (comparison.left(), comparison.right());
    let (column, number, operator) = match sides.0.downcast_ref::<Column>() {
        Some(column) => (column, sides.1, *comparison.op()),
        None => (sides.1.downcast_ref::<Column>()?, sides.0, comparison.op().swap()?),
    };
    let number = match number.downcast_ref::<Literal>()?.value() {
        ScalarValue::UInt64(Some(number)) => usize::try_from(*number).ok()?,
        ScalarValue::Int64(Some(number)) => usize::try_from(*number).ok()?,
        _ => return None,
    };
    match operator {
        Operator::LtEq | Operator::Eq => Some((column.index(), number)),
        Operator::Lt => Some((column.index(), number.checked_sub(1)?)),
        _ => None,
    }
}

/// The same operators, down to a window over fewer rows, given the output that is limited.
fn over_window(
    plan: &Arc<dyn ExecutionPlan>,
    output: usize,
    rows: usize,
    computed: Computed,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(window) = plan.downcast_ref::<BoundedWindowAggExec>() {
        let wanted = Wanted::of_window(window, output, rows)?;
        let computed = computed.and(wanted.computed);
        let input = narrowed(window.input(), &Wanted { computed, ..wanted })?;
        return replace_children_if_necessary(Arc::clone(plan), vec![input]).ok();
    }
    let (below, computed) = match plan.downcast_ref::<ProjectionExec>() {
        Some(projection) => {
            let below = column(&projection.expr().get(output)?.expr)?;
            (below, computed.and(Computed::by(projection)))
        }
        None if plan.is::<RepartitionExec>() => (output, computed),
        None => return None,
    };
    let input = over_window(plan.children().first().copied()?, below, rows, computed)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// What numbers rows by nothing but the rows before them; the rows that are not among the first
/// may then be missing.
pub(super) fn ranking(window: &Arc<dyn WindowExpr>) -> Option<Counted> {
    let standard = window.as_any().downcast_ref::<StandardWindowExpr>()?;
    let function = standard.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
    match function.fun().name() {
        "row_number" | "rank" => Some(Counted::Each),
        "dense_rank" => Some(Counted::Different),
        _ => None,
    }
}

/// The rows that are wanted of each value: columns by their positions in a plan's output.
struct Wanted {
    each: usize,
    by: usize,
    order: Order,
    rows: usize,
    counted: Counted,
    /// On the way to where they are wanted.
    computed: Computed,
}

impl Wanted {
    fn of(
        each: &Arc<dyn PhysicalExpr>,
        first: &PhysicalSortExpr,
        rows: usize,
        counted: Counted,
    ) -> Option<Self> {
        let (each, by) = (column(each)?, column(&first.expr)?);
        (1..=ROWS_MAX).contains(&rows).then(|| Self {
            each,
            by,
            order: order_of(first.options),
            rows,
            counted,
            computed: Computed::Nothing,
        })
    }

    /// Of a window whose output at a position is at most that number. `None` where one of its
    /// functions could tell that rows are missing.
    fn of_window(window: &BoundedWindowAggExec, output: usize, rows: usize) -> Option<Self> {
        let inputs = window.input().schema().fields().len();
        let limited = window.window_expr().get(output.checked_sub(inputs)?)?;
        let is_alike = |other: &Arc<dyn WindowExpr>| {
            let same_rows = other.partition_by().iter().eq(limited.partition_by().iter());
            ranking(other).is_some() && same_rows && other.order_by() == limited.order_by()
        };
        if !window.window_expr().iter().all(is_alike) {
            return None;
        }
        let ([each], [first, ..]) = (limited.partition_by(), limited.order_by()) else {
            return None;
        };
        let computed = Computed::of(limited.order_by().iter().map(|key| &key.expr));
        Some(Self { computed, ..Self::of(each, first, rows, ranking(limited)?)? })
    }
}

fn column(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expression.downcast_ref::<Column>().map(Column::index)
}

/// The same operators over a scan of fewer rows.
fn narrowed(plan: &Arc<dyn ExecutionPlan>, wanted: &Wanted) -> Option<Arc<dyn ExecutionPlan>> {
    let Wanted { each, by, order, rows, counted, computed } = *wanted;
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        let narrower = || scan.with_top_rows_of_each((each, counted), by, order, rows);
        return Some(Arc::new(computed.may_be_missed(scan).then(narrower).flatten()?));
    }
    let input = match plan.downcast_ref::<ProjectionExec>() {
        Some(projection) => {
            let below = |output: usize| column(&projection.expr().get(output)?.expr);
            let computed = computed.and(Computed::by(projection));
            let wanted = Wanted { each: below(each)?, by: below(by)?, computed, ..*wanted };
            narrowed(projection.input(), &wanted)?
        }
        None if only_orders(plan) => {
            let sort = plan.downcast_ref::<SortExec>();
            let keys = sort.into_iter().flat_map(|sort| sort.expr().iter());
            let computed = computed.and(Computed::of(keys.map(|key| &key.expr)));
            narrowed(plan.children().first().copied()?, &Wanted { computed, ..*wanted })?
        }
        None => return None,
    };
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// Whether all rows come through.
fn only_orders(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let sorts_all = |sort: &SortExec| sort.fetch().is_none();
    plan.downcast_ref::<SortExec>().is_some_and(sorts_all) || dealt(plan).is_some()
}
