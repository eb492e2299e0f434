//! The scan below an aggregation, seen through operators that only rename or deal out rows,
//! and through joins that give each of its rows columns of another plan.

use std::cmp::Reverse;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnSchema, ColumnType, Predicate};
use martlet_index::IndexKind;

use super::super::fallible::only_hands_on;
use super::bucket::Bucket;
use super::computed::Computed;
use super::condition::predicate;
use crate::scan::SecuredScan;

/// A scan, and what each column of the aggregation's input is of it.
pub(super) struct Source<'a> {
    scan: &'a SecuredScan,
    scan_plan: &'a Arc<dyn ExecutionPlan>,
    joined: Vec<Joined<'a>>,
    columns: Vec<Option<Origin>>,
    /// Those columns that tell whether a leak-proof condition holds, as what several aggregates
    /// ask for is computed once below them.
    conditions: Vec<Option<Predicate>>,
    schema: SchemaRef,
}

/// The other side of a join with the scan.
#[derive(Clone, Copy)]
pub(super) struct Joined<'a> {
    /// The position, in the scan's table, of the column that is joined by.
    pub(super) column: usize,
    pub(super) plan: &'a Arc<dyn ExecutionPlan>,
    /// The position of the key in the plan's output.
    pub(super) key: usize,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The scan's table.
    Scan(Derived),
    /// A column of another plan's output, both by their positions.
    Joined { join: usize, output: usize },
    /// An expression over one of both.
    Computed(Computed),
}

/// A stored column, or a coarser value computed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Derived {
    /// The column's position in the table.
    pub(super) column: usize,
    /// What of its values is meant.
    pub(super) bucket: Bucket,
    /// Whether the stored value was cast to a float.
    pub(super) as_float: bool,
}

impl Derived {
    /// A column's own values.
    pub(super) const fn stored(column: usize) -> Self {
        Self { column, bucket: Bucket::Value, as_float: false }
    }

    /// Whether it is a column's own values, perhaps in a wider type.
    pub(super) fn is_stored(&self) -> bool {
        *self == Self::stored(self.column)
    }
}

impl<'a> Source<'a> {
    /// The scans that an aggregation over the plan may be answered from, the one of more rows
    /// first; without a join there is one at most.
    pub(super) fn below(plan: &'a Arc<dyn ExecutionPlan>) -> Vec<Self> {
        if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
            return vec![Self::of_scan(scan, plan)];
        }
        if let Some(dealt) = plan.downcast_ref::<RepartitionExec>() {
            return Self::below(dealt.input());
        }
        if let Some(gathered) = plan.downcast_ref::<CoalescePartitionsExec>() {
            // One that stops after some rows does more than gather.
            let is_whole = gathered.fetch().is_none();
            return if is_whole { Self::below(gathered.input()) } else { Vec::new() };
        }
        if let Some(input) = sorted_input(plan) {
            return Self::below(input);
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            return Self::of_join(join);
        }
        let Some(projection) = plan.downcast_ref::<ProjectionExec>() else { return Vec::new() };
        let projected = |below: Self| {
            let items = || projection.expr().iter().map(|item| &item.expr);
            let columns = items().map(|item| below.origin(item)).collect();
            let conditions = items().map(|item| below.condition_of(item)).collect();
            Self { columns, conditions, schema: plan.schema(), ..below }
        };
        Self::below(projection.input()).into_iter().map(projected).collect()
    }

    fn of_scan(scan: &'a SecuredScan, scan_plan: &'a Arc<dyn ExecutionPlan>) -> Self {
        let schema = scan_plan.schema();
        let columns = (0..schema.fields().len()).map(|output| {
            let (column, _) = scan.clear_column(output)?;
            Some(Origin::Scan(Derived::stored(column)))
        });
        let (joined, conditions) = (Vec::new(), Vec::new());
        Self { scan, scan_plan, joined, columns: columns.collect(), conditions, schema }
    }

    /// Either side of an inner join may be the scan, the other one is then looked up by key.
    fn of_join(join: &'a HashJoinExec) -> Vec<Self> {
        let Some((left, right)) = equality(join) else { return Vec::new() };
        if !hides_no_row_or_computes_nothing(join) {
            return Vec::new();
        }
        let from_left = Self::below(join.left()).into_iter().filter_map(|source| {
            let (source, others) = source.with_joined(left, join.right(), right)?;
            let columns = source.columns.iter().cloned().chain(others).collect();
            Some(Self { columns, ..source })
        });
        let from_right = Self::below(join.right()).into_iter().filter_map(|source| {
            let (source, others) = source.with_joined(right, join.left(), left)?;
            let columns = others.into_iter().chain(source.columns.iter().cloned()).collect();
            Some(Self { columns, ..source })
        });
        let shown = |source: Self| {
            let columns = match &join.projection {
                None => source.columns,
                Some(shown) => {
                    shown.iter().map(|at| source.columns.get(*at).cloned().flatten()).collect()
                }
            };
            Self { columns, conditions: Vec::new(), schema: join.schema(), ..source }
        };
        let mut sources: Vec<Self> = from_left.chain(from_right).map(shown).collect();
        sources.sort_by_key(|source| Reverse(source.stored_rows()));
        sources
    }

    /// The same scan, joined to another plan, and what the plan's columns are to it. `None`
    /// if the scan's key cannot be looked up as the join would compare it.
    fn with_joined(
        mut self,
        own_key: usize,
        plan: &'a Arc<dyn ExecutionPlan>,
        key: usize,
    ) -> Option<(Self, Vec<Option<Origin>>)> {
        let stored = self.stored_column(own_key)?;
        let column_type = self.table_column(stored)?.column_type;
        let schema = plan.schema();
        // Floats are equal in more ways than one.
        let is_exact = column_type != ColumnType::Float64
            && *schema.fields().get(key)?.data_type() == column_type.arrow();
        let kinds = [IndexKind::Codes, IndexKind::Vector];
        if !is_exact || !self.scan.each_segment_has(stored, &kinds) {
            return None;
        }
        let join = self.joined.len();
        self.joined.push(Joined { column: stored, plan, key });
        let origin = |output: usize| {
            // Both sides' keys are equal in every row of the join.
            Some(if output == key {
                Origin::Scan(Derived::stored(stored))
            } else {
                Origin::Joined { join, output }
            })
        };
        let others = (0..schema.fields().len()).map(origin).collect();
        Some((self, others))
    }

    pub(super) const fn scan(&self) -> &SecuredScan {
        self.scan
    }

    pub(super) const fn scan_plan(&self) -> &'a Arc<dyn ExecutionPlan> {
        self.scan_plan
    }

    /// The joins with the scan.
    pub(super) fn joined(&self) -> &[Joined<'a>] {
        &self.joined
    }

    /// The schema of the aggregation's input.
    pub(super) fn input_schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows of all segments, whoever may see them: only tells which scan is the larger.
    fn stored_rows(&self) -> u64 {
        let segments =
            (0..self.scan.partitions()).filter_map(|partition| self.scan.segments_of(partition));
        segments.flatten().map(|segment| u64::from(segment.rows())).sum()
    }

    /// The stored column behind a derived one.
    pub(super) fn stored(&self, derived: &Derived) -> Option<&ColumnSchema> {
        self.table_column(derived.column)
    }

    fn table_column(&self, position: usize) -> Option<&ColumnSchema> {
        self.scan.segment_scan().table().columns().get(position)
    }

    /// The stored column that an input column is, in its own type.
    pub(super) fn stored_column(&self, input: usize) -> Option<usize> {
        let Origin::Scan(derived) = self.column(input)? else { return None };
        let stored = self.stored(derived)?;
        let is_own_type =
            *self.schema.fields().get(input)?.data_type() == stored.column_type.arrow();
        (derived.is_stored() && is_own_type).then_some(derived.column)
    }

    /// Where an input column comes from.
    pub(super) fn column(&self, input: usize) -> Option<&Origin> {
        self.columns.get(input)?.as_ref()
    }

    /// The condition of which an input column tells whether it holds.
    pub(super) fn condition(&self, input: usize) -> Option<&Predicate> {
        self.conditions.get(input)?.as_ref()
    }

    /// A leak-proof condition that an expression is.
    fn condition_of(&self, expression: &Arc<dyn PhysicalExpr>) -> Option<Predicate> {
        let is_condition = expression.data_type(&self.schema).ok()? == DataType::Boolean;
        is_condition.then(|| predicate(expression, self)).flatten()
    }

    /// Where an expression's values come from.
    pub(super) fn origin(&self, expression: &Arc<dyn PhysicalExpr>) -> Option<Origin> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return self.column(column.index()).cloned();
        }
        match self.derived(expression) {
            Some(derived) => Some(Origin::Scan(derived)),
            None => Computed::of(expression, self).map(Origin::Computed),
        }
    }

    /// What an expression is of the scan's stored columns; `None` if it is anything else.
    pub(super) fn derived(&self, expression: &Arc<dyn PhysicalExpr>) -> Option<Derived> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return match self.column(column.index())? {
                Origin::Scan(derived) => Some(derived.clone()),
                Origin::Joined { .. } | Origin::Computed(_) => None,
            };
        }
        if let Some(cast) = expression.downcast_ref::<CastExpr>() {
            return self.cast(cast);
        }
        let function = expression.downcast_ref::<ScalarFunctionExpr>()?;
        let [part, argument] = function.args() else { return None };
        let part = part.downcast_ref::<Literal>()?;
        let (ScalarValue::Utf8(Some(part)) | ScalarValue::Utf8View(Some(part))) = part.value()
        else {
            return None;
        };
        let derived = self.derived(argument)?;
        let bucket = Bucket::parse(function.name(), part)?;
        let column_type = self.stored(&derived)?.column_type;
        (derived.is_stored() && bucket.applies_to(column_type))
            .then_some(Derived { bucket, ..derived })
    }

    /// Casts that change no value: to a wider integer, from a date to a timestamp below a date
    /// function; and to a float, which changes no order (for sums of integers, averages and
    /// values at ranks).
    fn cast(&self, cast: &CastExpr) -> Option<Derived> {
        // A float was rounded already: what it is cast to is not the stored value.
        let derived = self.derived(cast.expr()).filter(|derived| !derived.as_float)?;
        let stored = self.stored(&derived)?.column_type.arrow();
        match (&stored, cast.cast_type()) {
            (DataType::Int32, DataType::Int64) => Some(derived),
            (DataType::Decimal128(narrow, scale), DataType::Decimal128(wide, same))
                if wide >= narrow && same == scale =>
            {
                Some(derived)
            }
            (DataType::Int32 | DataType::Int64 | DataType::Decimal128(..), DataType::Float64)
                if derived.bucket == Bucket::Value =>
            {
                Some(Derived { as_float: true, ..derived })
            }
            (DataType::Date32, DataType::Timestamp(_, None)) => Some(derived),
            (DataType::Timestamp(from, _), DataType::Timestamp(to, None))
                if is_as_fine(*to, *from) =>
            {
                Some(derived)
            }
            (DataType::Date32 | DataType::Timestamp(..), DataType::Date32) if matches!(derived.bucket, Bucket::Trunc(unit) if unit.is_of_days()) => {
                Some(derived)
            }
            _ => None,
        }
    }
}

/// Whether a time in the one unit loses nothing of one in the other.
const fn is_as_fine(unit: TimeUnit, than: TimeUnit) -> bool {
    const fn fineness(unit: TimeUnit) -> u8 {
        match unit {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => 1,
            TimeUnit::Microsecond => 2,
            TimeUnit::Nanosecond => 3,
        }
    }
    fineness(unit) >= fineness(than)
}

/// What is computed below a join fails on rows without a partner or not, depending on which side is
/// looked up and whether an index is there; that depends on hidden rows, where there are some on either
/// side.
fn hides_no_row_or_computes_nothing(join: &HashJoinExec) -> bool {
    let (mut hides_rows, mut computes) = (false, false);
    let mut look = |node: &Arc<dyn ExecutionPlan>| {
        if let Some(scan) = node.downcast_ref::<SecuredScan>() {
            hides_rows |= !scan.hides_no_row();
        } else {
            computes |= !only_hands_on(node);
        }
        Ok(TreeNodeRecursion::Continue)
    };
    let looked = join.children().into_iter().all(|side| side.apply(&mut look).is_ok());
    looked && !(hides_rows && computes)
}

/// The columns, left and right, whose equality is all that an inner join asks for.
fn equality(join: &HashJoinExec) -> Option<(usize, usize)> {
    let is_plain = *join.join_type() == JoinType::Inner
        && join.filter().is_none()
        && !join.null_aware
        && join.null_equality() == NullEquality::NullEqualsNothing
        && join.fetch().is_none();
    let [(left, right)] = join.on() else { return None };
    let column =
        |expression: &Arc<dyn PhysicalExpr>| expression.downcast_ref::<Column>().map(Column::index);
    Some((column(left)?, column(right)?)).filter(|_| is_plain)
}

/// What a sort of all rows sorts: no total depends on the order of the rows.
fn sorted_input(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        return sort.fetch().is_none().then(|| sort.input());
    }
    let merge = plan.downcast_ref::<SortPreservingMergeExec>()?;
    merge.fetch().is_none().then(|| merge.input())
}
