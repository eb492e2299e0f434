//! Grouping by an expression over one stored column, or over columns of a joined plan.
//!
//! The rows are grouped by the column; only the values that occur in the rows that are left are
//! then given to the expression, and groups of which it makes the same become one. So it never
//! runs on a value of a row that its reader may not see, and an error of it is the plain
//! operator's. Takes only expressions that give the same for the same value.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr,
    Literal, NegativeExpr, NotExpr, TryCastExpr,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use foldhash::fast::RandomState;
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_index::grouping::KEY_COLUMNS_MAX;

use super::grouping::{Grouping, Place, Shown};
use super::merged::Merged;
use super::numbering::Numbering;
use super::source::{Origin, Source};
use super::spec::Spec;
use crate::convert::array_of;
use crate::error::QueryError;

const SHAPE: QueryError = QueryError::Bug { promise: "a group has a value for each expression" };

/// An expression, and what it is computed of.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    pub(super) of: Inputs,
    /// Its columns are positions in what it is computed of: 0 for a stored column, those of its
    /// output for a joined plan.
    pub(super) expression: Arc<dyn PhysicalExpr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inputs {
    /// The column at a position of the scan's table.
    Stored(usize),
    /// Columns of the joined plan at a position.
    Joined(usize),
}

impl Computed {
    /// `None` if the expression is over more than one stored column, or over other things than
    /// columns, or need not give the same for the same values.
    pub(super) fn of(expression: &Arc<dyn PhysicalExpr>, source: &Source<'_>) -> Option<Self> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return Self::of_column(column, source);
        }
        if !is_plain(expression) {
            return None;
        }
        let children = expression.children();
        let mut of = None;
        let mut rewritten = Vec::with_capacity(children.len());
        for child in children {
            if child.is::<Literal>() {
                rewritten.push(Arc::clone(child));
                continue;
            }
            let child = Self::of(child, source)?;
            if of.is_some_and(|known| known != child.of) {
                return None;
            }
            of = Some(child.of);
            rewritten.push(child.expression);
        }
        let expression = Arc::clone(expression).with_new_children(rewritten).ok()?;
        Some(Self { of: of?, expression })
    }

    /// The values of a stored column, cast to floats.
    pub(super) fn as_floats(column: usize) -> Self {
        let value = Arc::new(Column::new("value", 0));
        let expression = Arc::new(CastExpr::new(value, DataType::Float64, None));
        Self { of: Inputs::Stored(column), expression }
    }

    fn of_column(column: &Column, source: &Source<'_>) -> Option<Self> {
        let at = |position: usize| Arc::new(Column::new(column.name(), position));
        let schema = source.input_schema();
        // Where rows are numbered `-0.0` is `0.0`, which an expression can tell apart.
        if schema.fields().get(column.index())?.data_type().is_floating() {
            return None;
        }
        match source.column(column.index())? {
            Origin::Computed(computed) => Some(computed.clone()),
            Origin::Joined { join, output } => {
                Some(Self { of: Inputs::Joined(*join), expression: at(*output) })
            }
            Origin::Scan(_) => {
                let stored = source.stored_column(column.index())?;
                Some(Self { of: Inputs::Stored(stored), expression: at(0) })
            }
        }
    }

    /// The same expression with its columns at other positions.
    pub(super) fn moved(
        expression: &Arc<dyn PhysicalExpr>,
        position: &mut impl FnMut(usize) -> Option<usize>,
    ) -> Option<Arc<dyn PhysicalExpr>> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return Some(Arc::new(Column::new(column.name(), position(column.index())?)));
        }
        let children = expression.children();
        if children.is_empty() {
            return Some(Arc::clone(expression));
        }
        let moved = children
            .into_iter()
            .map(|child| Self::moved(child, position))
            .collect::<Option<_>>()?;
        Arc::clone(expression).with_new_children(moved).ok()
    }
}

/// Whether an operator's result depends on its inputs alone, and on nothing that is only known
/// where it stands.
fn is_plain(expression: &Arc<dyn PhysicalExpr>) -> bool {
    let is_known = expression.is::<BinaryExpr>()
        || expression.is::<CaseExpr>()
        || expression.is::<CastExpr>()
        || expression.is::<TryCastExpr>()
        || expression.is::<InListExpr>()
        || expression.is::<IsNullExpr>()
        || expression.is::<IsNotNullExpr>()
        || expression.is::<LikeExpr>()
        || expression.is::<NegativeExpr>()
        || expression.is::<NotExpr>()
        || expression.is::<ScalarFunctionExpr>();
    is_known && !expression.is_volatile_node()
}

/// Computes what is grouped by, and joins the groups that have become the same.
pub(super) fn shown(spec: &Spec, mut merged: Merged) -> DataFusionResult<Merged> {
    if merged.keys.is_empty() {
        return Ok(merged);
    }
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; spec.groupings.len()];
    let mut numbers: Vec<Option<Vec<u32>>> = vec![None; spec.slots()];
    for (slot, numbers) in numbers.iter_mut().enumerate() {
        let (places, groupings) = of_slot(spec, slot);
        if is_computed(&groupings) {
            let used = merged.used(slot);
            let computed = SlotValues::compute(spec, &merged, slot, &groupings, &used)?;
            places.iter().zip(computed.arrays).for_each(|(at, array)| arrays[*at] = Some(array));
            *numbers = Some(computed.numbers);
        } else {
            for (at, grouping) in places.iter().zip(groupings) {
                arrays[*at] = joined_column(&merged, grouping);
            }
        }
    }
    if numbers.iter().any(Option::is_some) {
        merged = merged.renumbered(&numbers);
    }
    merged.shown = arrays;
    Ok(merged)
}

/// For each of these groups, the first of them that will be one with it: itself, where none is
/// before it. Computes nothing but what [`shown`] computes of these groups.
pub(super) fn united(
    spec: &Spec,
    merged: &Merged,
    groups: &[usize],
) -> DataFusionResult<Vec<usize>> {
    let mut keys: Vec<[u32; KEY_COLUMNS_MAX]> =
        groups.iter().map(|group| merged.keys[*group]).collect();
    for slot in 0..spec.slots() {
        let (_, groupings) = of_slot(spec, slot);
        if is_computed(&groupings) && !keys.is_empty() {
            let mut used: Vec<u32> = keys.iter().map(|key| key[slot]).collect();
            used.sort_unstable();
            used.dedup();
            let numbers = SlotValues::compute(spec, merged, slot, &groupings, &used)?.numbers;
            keys.iter_mut().for_each(|key| key[slot] = numbers[key[slot] as usize]);
        }
    }
    let mut firsts: HashMap<[u32; KEY_COLUMNS_MAX], usize, RandomState> = HashMap::default();
    let both = keys.into_iter().zip(groups);
    Ok(both.map(|(key, group)| *firsts.entry(key).or_insert(*group)).collect())
}

/// What is grouped by in a slot, with its places among the groupings.
fn of_slot(spec: &Spec, slot: usize) -> (Vec<usize>, Vec<&Grouping>) {
    let of_slot = |(_, grouping): &(usize, &Grouping)| spec.slot(grouping.place) == slot;
    spec.groupings.iter().enumerate().filter(of_slot).unzip()
}

fn is_computed(groupings: &[&Grouping]) -> bool {
    groupings.iter().any(|grouping| matches!(grouping.shows, Shown::Computed(_)))
}

/// A column of a joined plan's tuples.
fn joined_column(merged: &Merged, grouping: &Grouping) -> Option<ArrayRef> {
    match (grouping.place, &grouping.shows) {
        (Place::Joined(join), Shown::Column(column)) => {
            merged.joined.get(join)?.tuples().get(*column).cloned()
        }
        _ => None,
    }
}

/// What is shown of one slot, by new numbers.
struct SlotValues {
    /// For each old number, the new one; meaningless where it is not used.
    numbers: Vec<u32>,
    /// For each expression over the slot, its value by new number.
    arrays: Vec<ArrayRef>,
}

impl SlotValues {
    /// Of the numbers that are used, ascending.
    fn compute(
        spec: &Spec,
        merged: &Merged,
        slot: usize,
        groupings: &[&Grouping],
        used: &[u32],
    ) -> DataFusionResult<Self> {
        let inputs = inputs(spec, merged, slot, used)?;
        let types = groupings
            .iter()
            .map(|grouping| grouping.expression().data_type(&inputs.schema()))
            .collect::<DataFusionResult<Vec<_>>>()?;
        let mut numbering = Numbering::new(&types)?;
        let mut numbers = vec![0; used.last().map_or(0, |last| *last as usize + 1)];
        // No more rows at once than functions are given elsewhere: some bound what they
        // allocate by it.
        for (chunk, used) in used.chunks(BATCH_ROWS_MAX).enumerate() {
            let inputs = inputs.slice(chunk * BATCH_ROWS_MAX, used.len());
            let columns = groupings
                .iter()
                .map(|grouping| grouping.expression().evaluate(&inputs)?.into_array(used.len()))
                .collect::<DataFusionResult<Vec<_>>>()?;
            for (old, new) in used.iter().zip(numbering.number(&columns, used.len())?) {
                // Not more new numbers than old ones.
                numbers[*old as usize] = *new as u32;
            }
        }
        Ok(Self { numbers, arrays: numbering.finish()? })
    }
}

/// What the expressions over a slot are given: one row for each of the numbers.
fn inputs(
    spec: &Spec,
    merged: &Merged,
    slot: usize,
    used: &[u32],
) -> DataFusionResult<RecordBatch> {
    let (schema, columns) = match spec.keys.get(slot) {
        Some(key) => {
            let field = Field::new("value", key.column_type.arrow(), true);
            let values = merged.values_of(slot, used);
            (Arc::new(Schema::new(vec![field])), vec![array_of(&values, key.column_type)?])
        }
        None => {
            let join = slot - spec.keys.len();
            let dimension = spec.dimensions.get(join).ok_or(SHAPE)?;
            let tuples = merged.joined.get(join).ok_or(SHAPE)?.tuples();
            let used = UInt32Array::from(used.to_vec());
            let columns = tuples.iter().map(|array| take(array.as_ref(), &used, None));
            (dimension.tuple_schema()?, columns.collect::<Result<Vec<_>, _>>()?)
        }
    };
    let options = RecordBatchOptions::new().with_row_count(Some(used.len()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

#[cfg(test)]
#[path = "computed_tests.rs"]
mod tests;
