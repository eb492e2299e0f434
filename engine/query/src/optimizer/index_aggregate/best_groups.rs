//! ORDER BY a total … LIMIT over an aggregation -> only the groups that can be among the first.
//!
//! A group whose key occurs in one segment alone is complete there: if its total is behind the
//! last of the best so far, it need not leave the segment. Groups that other segments may have
//! too, and groups that tie with the last of the best, are handed on as ever; the aggregation
//! and the sort above decide. Applies where nothing but columns stands between the sort and the
//! aggregation, and the first column of the order is a total that compares exactly.
//!
//! Only where no row is hidden from the reader: what segments share is made of every row's values, and
//! the order of groups that tie would tell of it.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary,
};
use martlet_core::{ColumnType, Selection};
use martlet_index::IndexKind;
use martlet_index::grouping::{Best, Counted, Leaders, Order, Rank};

use super::super::fallible::Computed;
use super::super::top_rows::order_of;
use super::bucket::Bucket;
use super::exec::IndexAggregateExec;
use super::spec::{Function, Part, Spec, Stage};
use crate::dealing::dealt;
use crate::indexed_table::{IndexedSegment, IndexedTable};
use crate::overlap::ColumnOverlap;
use crate::scan::{SecuredScan, SegmentScan};

/// Beyond this many groups the best are no longer few.
const GROUPS_MAX: usize = 10_000;

/// What segments share of a key is found out, which takes the dictionaries of all of them, by a
/// statement that has selected one row of so many of the table: not for the slice of one outlet.
const ONE_ROW_OF: u64 = 1_024;

/// Selected rows of a segment from which on it is worth finding out what segments share.
const FROM_ROWS: u64 = 1 << 13;

/// Decimals of at most so many digits are numbers of 64 bits in every index.
const NARROW_DIGITS: u8 = 18;

/// The same sort over fewer groups, if there is one.
pub(in crate::optimizer) fn under_sort(
    node: &Arc<dyn ExecutionPlan>,
    sort: &SortExec,
) -> Option<Arc<dyn ExecutionPlan>> {
    // Of partitions that are sorted one by one, more may be wanted than the first of them all.
    let is_whole =
        !sort.preserve_partitioning() || sort.input().output_partitioning().partition_count() == 1;
    let (column, asked) = Asked::of(sort.fetch()?, sort.expr().first())?;
    if is_whole { over_sort(node, column, &asked) } else { None }
}

/// The same for partitions that are sorted one by one, of which the first of all are wanted.
pub(in crate::optimizer) fn under_merge(
    node: &Arc<dyn ExecutionPlan>,
    merge: &SortPreservingMergeExec,
) -> Option<Arc<dyn ExecutionPlan>> {
    let (column, asked) = Asked::of(merge.fetch()?, merge.expr().first())?;
    let input = over_sort(merge.input(), column, &asked)?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).ok()
}

/// What a sort asks for.
struct Asked<'a> {
    wanted: usize,
    options: SortOptions,
    /// What is sorted by, as the statement names it.
    name: &'a str,
}

impl<'a> Asked<'a> {
    /// With the column that is sorted by.
    fn of(wanted: usize, first: &'a PhysicalSortExpr) -> Option<(usize, Self)> {
        let column = first.expr.downcast_ref::<Column>()?;
        let asked = Self { wanted, options: first.options, name: column.name() };
        (1..=GROUPS_MAX).contains(&wanted).then_some((column.index(), asked))
    }
}

/// The same sort, below what only shows other columns, over fewer groups. It must be of the
/// same order and keep at least as many.
fn over_sort(
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
    asked: &Asked<'_>,
) -> Option<Arc<dyn ExecutionPlan>> {
    let input = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let below = projection.expr().get(column)?.expr.downcast_ref::<Column>()?.index();
        over_sort(projection.input(), below, asked)?
    } else {
        let sort = plan.downcast_ref::<SortExec>()?;
        let first = sort.expr().first();
        let is_asked = first.expr.downcast_ref::<Column>()?.index() == column
            && first.options == asked.options
            && sort.fetch().is_some_and(|fetch| fetch >= asked.wanted);
        if !is_asked {
            return None;
        }
        over_fewer(sort.input(), column, asked)?
    };
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// The same operators, down to totals of fewer groups, given the column that is sorted by.
fn over_fewer(
    plan: &Arc<dyn ExecutionPlan>,
    output: usize,
    asked: &Asked<'_>,
) -> Option<Arc<dyn ExecutionPlan>> {
    if plan.is::<IndexAggregateExec>() {
        return of_totals(plan, Stage::Only, &SortedBy::of(plan, output)?, asked);
    }
    if let Some(last) = plan.downcast_ref::<AggregateExec>() {
        let is_last = matches!(last.mode(), AggregateMode::Final | AggregateMode::FinalPartitioned);
        let is_plain = last.group_expr().is_single() && last.limit_options().is_none();
        if !is_last || !is_plain {
            return None;
        }
        let input = of_totals(last.input(), Stage::First, &SortedBy::of(plan, output)?, asked)?;
        return replace_children_if_necessary(Arc::clone(plan), vec![input]).ok();
    }
    let below = match plan.downcast_ref::<ProjectionExec>() {
        // An expression could fail on a group that is left out.
        Some(projection) if Computed::by(projection) == Computed::Nothing => {
            projection.expr().get(output)?.expr.downcast_ref::<Column>()?.index()
        }
        Some(_) => return None,
        None if dealt(plan).is_some() => output,
        None => return None,
    };
    let input = over_fewer(plan.children().first().copied()?, below, asked)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// The total that is sorted by, as the aggregation shows it.
struct SortedBy {
    output: usize,
    shown: DataType,
    /// How many columns there are.
    outputs: usize,
}

impl SortedBy {
    fn of(plan: &Arc<dyn ExecutionPlan>, output: usize) -> Option<Self> {
        let schema = plan.schema();
        let shown = schema.fields().get(output)?.data_type().clone();
        Some(Self { output, shown, outputs: schema.fields().len() })
    }
}

/// The totals of that stage, perhaps dealt out anew, of fewer groups.
fn of_totals(
    plan: &Arc<dyn ExecutionPlan>,
    stage: Stage,
    sorted_by: &SortedBy,
    asked: &Asked<'_>,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(totals) = plan.downcast_ref::<IndexAggregateExec>() {
        let (spec, scan) = (totals.spec(), totals.scan().ok()?);
        if spec.stage != stage || spec.groupings.len() + spec.functions.len() != sorted_by.outputs {
            return None;
        }
        // Groups that are complete leave before those that other segments may have too, so the order
        // of groups that tie would tell whether hidden rows have the same keys; so would metrics.
        if !scan.hides_no_row() {
            return None;
        }
        let best = BestGroups::of(spec, scan, sorted_by, asked)?;
        return Some(Arc::new(totals.with_best(best)));
    }
    let input = of_totals(dealt(plan)?, stage, sorted_by, asked)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// Which groups are wanted, and what is known of the best while they are looked for.
#[derive(Debug)]
pub(super) struct BestGroups {
    pub(super) leading: Leading,
    wanted: usize,
    order: Order,
    name: String,
    /// The keys whose values may occur in one segment alone: positions among the keys.
    slots: Vec<usize>,
    /// No group below is wanted, as far as partitions have found out. Each of them says what it
    /// knows alone, so that one that runs twice says nothing wrong.
    bound: Mutex<Option<Rank>>,
}

/// The total that groups are first ordered by.
#[derive(Debug, Clone)]
pub(super) struct Leading {
    pub(super) function: Function,
    /// The type of the total as it is sorted.
    pub(super) shown: DataType,
}

impl BestGroups {
    fn of(
        spec: &Spec,
        scan: &SecuredScan,
        sorted_by: &SortedBy,
        asked: &Asked<'_>,
    ) -> Option<Self> {
        let leading = Leading::of(spec, sorted_by).filter(|_| are_told_apart(spec))?;
        let is_apt = |slot: &usize| {
            let key = &spec.keys[*slot];
            key.bucket == Bucket::Value && scan.each_segment_has(key.column, &[IndexKind::Codes])
        };
        let slots: Vec<usize> = (0..spec.keys.len()).filter(is_apt).collect();
        (!slots.is_empty()).then(|| Self {
            leading,
            wanted: asked.wanted,
            order: order_of(asked.options),
            name: asked.name.to_owned(),
            slots,
            bound: Mutex::new(None),
        })
    }

    /// The same for another run of the same plan.
    pub(super) fn anew(&self) -> Self {
        Self {
            leading: self.leading.clone(),
            wanted: self.wanted,
            order: self.order,
            name: self.name.clone(),
            slots: self.slots.clone(),
            bound: Mutex::new(None),
        }
    }

    /// As EXPLAIN shows it.
    pub(super) fn described(&self) -> String {
        let direction = if self.order.best == Best::Highest { "desc" } else { "asc" };
        format!("best={} by {} {direction}", self.wanted, self.name)
    }

    /// What all partitions know after one of them has said its last of the best.
    fn agreed(&self, last: Option<Rank>) -> Option<Rank> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        *bound = (*bound).max(last);
        *bound
    }
}

/// Whether what a segment tells as one group is one group to the end, and everything that is
/// told of it is in its totals.
fn are_told_apart(spec: &Spec) -> bool {
    // Rows of a join are multiplied, an expression makes groups one, a slice has groups of its
    // own; distinct values and ranks are told apart from the totals. Floats are equal in more
    // ways than one.
    let is_float = |column_type| matches!(column_type, ColumnType::Float64);
    spec.dimensions.is_empty()
        && !spec.computes_groups()
        && spec.slices.len() == 1
        && spec.distincts.is_empty()
        && spec.ranked.is_empty()
        && !spec.keys.iter().any(|key| is_float(key.column_type))
}

impl Leading {
    fn of(spec: &Spec, sorted_by: &SortedBy) -> Option<Self> {
        let function = spec.functions.get(sorted_by.output.checked_sub(spec.groupings.len())?)?;
        let measured = |measure: usize| spec.measures.get(measure)?.column;
        let column_of = |part: &Part| measured(part.measure);
        let are_narrow = |parts: &[Part]| {
            parts.iter().filter_map(column_of).all(|(_, column_type)| is_narrow(column_type))
        };
        let compares = match (function, &sorted_by.shown) {
            (Function::CountRows | Function::Count(_), shown) => *shown == DataType::Int64,
            (
                Function::Sum(parts),
                DataType::Int64 | DataType::Float64 | DataType::Decimal128(..),
            )
            | (Function::Average(parts), DataType::Float64) => are_narrow(parts),
            (Function::Average(parts), DataType::Decimal128(_, to)) => {
                let is_finer = |column_type: ColumnType| matches!(column_type.arrow(), DataType::Decimal128(_, from) if from <= *to);
                let first = parts.iter().find_map(column_of);
                are_narrow(parts) && first.is_some_and(|(_, column_type)| is_finer(column_type))
            }
            (Function::Lowest(measure) | Function::Highest(measure), shown) => {
                let has_keys = |column_type: ColumnType| {
                    !matches!(column_type, ColumnType::Text | ColumnType::Boolean)
                        && is_narrow(column_type)
                        && column_type.arrow() == *shown
                };
                measured(*measure).is_some_and(|(_, column_type)| has_keys(column_type))
            }
            _ => false,
        };
        compares.then(|| Self { function: function.clone(), shown: sorted_by.shown.clone() })
    }
}

const fn is_narrow(column_type: ColumnType) -> bool {
    !matches!(column_type, ColumnType::Decimal { precision, .. } if precision > NARROW_DIGITS)
}

/// The best groups of one partition, segment by segment.
pub(super) struct BestOfPartition {
    best: Arc<BestGroups>,
    leaders: Leaders<Rank>,
    bound: Option<Rank>,
    /// Keys of which it is not known what segments share are not asked about again.
    slots: Vec<usize>,
    /// Rows selected so far.
    rows: u64,
    /// Of the segment at hand: the keys by whose values groups may be in no other segment.
    shared: Vec<SharedKey>,
}

/// What segments share of a key's values.
pub(super) struct SharedKey {
    /// The position among the keys.
    pub(super) slot: usize,
    pub(super) overlap: ColumnOverlap,
    /// The position of the segment at hand.
    pub(super) segment: usize,
}

impl BestOfPartition {
    pub(super) fn new(best: &Arc<BestGroups>) -> Self {
        let leaders = Leaders::new(best.wanted, Counted::Each);
        let slots = best.slots.clone();
        Self { best: Arc::clone(best), leaders, bound: None, slots, rows: 0, shared: Vec::new() }
    }

    /// Goes on to a segment of which these rows are selected.
    pub(super) async fn go_on(
        &mut self,
        spec: &Spec,
        segment: &IndexedSegment,
        rows: &Selection,
        table: Option<&Arc<IndexedTable>>,
        (scan, context): (&SegmentScan, &TaskContext),
    ) {
        self.shared.clear();
        self.rows += rows.count();
        let Some(table) = table.filter(|_| rows.count() >= FROM_ROWS) else { return };
        let of_table: u64 = table.segments().iter().map(|segment| u64::from(segment.rows())).sum();
        let is_worth_finding_out = self.rows >= of_table / ONE_ROW_OF;
        for slot in std::mem::take(&mut self.slots) {
            let column = spec.keys[slot].column;
            if !is_worth_finding_out && table.overlaps().known(column).is_none() {
                self.slots.push(slot);
                continue;
            }
            let known = table.overlaps().of(column, table.segments(), scan, context).await;
            if let Some(overlap) = known {
                self.slots.push(slot);
                self.shared.push(SharedKey { slot, overlap, segment: segment.position() });
            }
        }
        self.bound = self.best.agreed(self.leaders.last());
    }

    pub(super) fn leading(&self) -> &Leading {
        &self.best.leading
    }

    /// Nothing where every group must be handed on.
    pub(super) fn take_shared(&mut self) -> Vec<SharedKey> {
        std::mem::take(&mut self.shared)
    }

    /// The rank of a total; `None` is null.
    pub(super) fn rank(&self, total: Option<i128>) -> Rank {
        self.best.order.rank(total)
    }

    /// Notes a complete group's rank; says whether it can be among the best. A group may be
    /// noted once only.
    pub(super) fn offer(&mut self, rank: Rank) -> bool {
        self.bound.is_none_or(|bound| rank >= bound) && self.leaders.offer(rank)
    }

    /// What no complete group is below that can be among the best.
    pub(super) fn bound(&self) -> Option<Rank> {
        self.best.agreed(self.leaders.last())
    }
}

#[cfg(test)]
#[path = "best_groups_tests.rs"]
mod tests;
