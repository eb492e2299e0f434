//! Percentiles and medians: which values of which column are asked for, and the answer out of
//! the keys at their ranks.
//!
//! The answer is the plain operator's, to the last bit: values are cast to floats by the same
//! cast that the plan has, and interpolated by the same formula in the same order.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnType, Value};
use martlet_index::grouping::ranks::{AtRanks, KeyScale, Point, Wanted};
use martlet_index::{IndexKind, value_of_key};

use super::bucket::Bucket;
use super::condition::Slice;
use super::source::{Derived, Source};
use super::spec::{Function, Spec, Stage, has_values};
use crate::convert::array_of;
use crate::error::QueryError;

const SHAPE: QueryError = QueryError::Bug { promise: "values at ranks have their stage's type" };

/// Decimals of at most so many digits fit 64 bits whatever the digits are.
const NARROW_DIGITS: u8 = 18;

/// The plain operator's weight between two values has so many steps.
const STEPS: f64 = 1_000_000.0;

/// A column of which values at points of the order are wanted.
#[derive(Debug, Clone)]
pub(super) struct Ranked {
    /// Position of the slice.
    pub(super) slice: usize,
    pub(super) column: usize,
    pub(super) column_type: ColumnType,
    pub(super) scale: KeyScale,
    pub(super) points: Vec<Point>,
}

/// Whether the function is one of those that need all values in order.
pub(super) fn is_ranked(function: &AggregateFunctionExpr) -> bool {
    matches!(function.fun().name(), "percentile_cont" | "median")
}

impl Spec {
    /// Values at ranks join only where everything comes together.
    pub(super) fn at_rank(
        &mut self,
        function: &AggregateFunctionExpr,
        within: Slice,
        source: &Source<'_>,
    ) -> Option<Function> {
        if self.stage != Stage::Only || function.is_distinct() || function.is_reversed() {
            return None;
        }
        let arguments = function.expressions();
        let (argument, point) = match (function.fun().name(), arguments.as_slice()) {
            ("median", [argument]) => (argument, Point::Middle),
            ("percentile_cont", [argument, fraction]) => {
                (argument, Point::Fraction(fraction_of(function, fraction)?))
            }
            _ => return None,
        };
        let derived = source.derived(argument)?;
        let result = argument.data_type(&source.input_schema()).ok()?;
        let ranked = self.ranked(within, &derived, &result, point, source)?;
        let points = &mut self.ranked.get_mut(ranked)?.points;
        let known = points.iter().position(|known| *known == point);
        let at = known.unwrap_or_else(|| {
            points.push(point);
            points.len() - 1
        });
        (at < Wanted::POINTS_MAX).then_some(Function::AtRank(ranked, at))
    }

    /// The position of a column of a slice among the ranked ones, added if it is new.
    fn ranked(
        &mut self,
        within: Slice,
        derived: &Derived,
        result: &DataType,
        point: Point,
        source: &Source<'_>,
    ) -> Option<usize> {
        let column_type = source.stored(derived)?.column_type;
        let answers = derived.bucket == Bucket::Value
            && can_answer(column_type, derived.as_float, result, point)
            && has_keys(source, derived.column, column_type);
        if !answers {
            return None;
        }
        let slice = self.slice(within);
        let column = derived.column;
        let is_known = |known: &Ranked| known.slice == slice && known.column == column;
        if let Some(known) = self.ranked.iter().position(is_known) {
            return Some(known);
        }
        let (low, high) = source.scan().key_bounds(column);
        let scale = match column_type {
            ColumnType::Float64 => KeyScale::of_floats(low, high),
            _ => KeyScale::of_numbers(low, high),
        };
        self.ranked.push(Ranked { slice, column, column_type, scale, points: Vec::new() });
        Some(self.ranked.len() - 1)
    }
}

/// The fraction of a percentile, counted from the lowest value.
fn fraction_of(function: &AggregateFunctionExpr, fraction: &Arc<dyn PhysicalExpr>) -> Option<f64> {
    let fraction = match fraction.downcast_ref::<Literal>()?.value() {
        ScalarValue::Float64(Some(fraction)) => *fraction,
        ScalarValue::Float32(Some(fraction)) => f64::from(*fraction),
        _ => return None,
    };
    // The plain operator says what is wrong with any other.
    if !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    let first = function.order_bys().first();
    let is_descending = first.is_some_and(|order| order.options.descending);
    Some(if is_descending { 1.0 - fraction } else { fraction })
}

/// Whether the answer of this type is that of values cast to floats, or of decimals as they are.
const fn can_answer(
    column_type: ColumnType,
    as_float: bool,
    result: &DataType,
    point: Point,
) -> bool {
    match (column_type, result) {
        (ColumnType::Float64, DataType::Float64) => !as_float,
        (ColumnType::Int32 | ColumnType::Int64 | ColumnType::Decimal { .. }, DataType::Float64) => {
            as_float
        }
        (ColumnType::Decimal { .. }, DataType::Decimal128(..)) => {
            !as_float && matches!(point, Point::Middle)
        }
        _ => false,
    }
}

/// Whether every segment knows each row's value as a 64-bit key, or, of a text, its place among
/// the segment's.
pub(super) fn has_keys(source: &Source<'_>, column: usize, column_type: ColumnType) -> bool {
    match column_type {
        ColumnType::Decimal { precision, .. } if precision > NARROW_DIGITS => {
            // Codes may stand for values that are wider; a vector's keys never do.
            source.scan().each_segment_has(column, &[IndexKind::Vector])
        }
        _ => has_values(source, column),
    }
}

/// The column of answers at one point, one row per group.
pub(super) fn column(
    ranked: &Ranked,
    point: usize,
    found: &AtRanks,
    as_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    let keys = found.keys.get(point).ok_or(SHAPE)?;
    let point = *ranked.points.get(point).ok_or(SHAPE)?;
    let groups = || found.present.iter().zip(keys);
    let values = |key: fn(&(i64, i64)) -> i64| {
        let value = |(present, keys): (&u64, &(i64, i64))| -> Option<Value> {
            if *present > 0 { value_of_key(key(keys), ranked.column_type) } else { None }
        };
        array_of(&groups().map(value).collect::<Vec<_>>(), ranked.column_type)
    };
    let (lower, upper) = (values(|keys| keys.0)?, values(|keys| keys.1)?);
    match as_type {
        DataType::Float64 => floats(&lower, &upper, point, &found.present),
        DataType::Decimal128(precision, scale) => {
            let middle = decimals(&lower, &upper)?;
            let typed = middle.with_precision_and_scale(*precision, *scale);
            Ok(Arc::new(typed.map_err(|_| SHAPE)?))
        }
        _ => Err(SHAPE),
    }
}

fn floats(
    lower: &ArrayRef,
    upper: &ArrayRef,
    point: Point,
    present: &[u64],
) -> Result<ArrayRef, QueryError> {
    let as_floats = |array: &ArrayRef| -> Result<Float64Array, QueryError> {
        let floats = cast(array, &DataType::Float64).map_err(|_| SHAPE)?;
        floats.as_primitive_opt::<Float64Type>().cloned().ok_or(SHAPE)
    };
    let (lower, upper) = (as_floats(lower)?, as_floats(upper)?);
    let pairs = lower.iter().zip(&upper).zip(present);
    let float = |((lower, upper), present): ((Option<f64>, Option<f64>), &u64)| {
        Some(between(lower?, upper?, point, *present))
    };
    Ok(Arc::new(pairs.map(float).collect::<Float64Array>()))
}

/// The float at a point, given the values at its two ranks.
fn between(lower: f64, upper: f64, point: Point, present: u64) -> f64 {
    let ranks = point.ranks(present);
    if ranks.0 == ranks.1 {
        return lower;
    }
    match point {
        Point::Middle => (lower + upper) / 2.0,
        Point::Fraction(fraction) => {
            let place = fraction * (present - 1) as f64;
            // Below the number of steps.
            let step = ((place - ranks.0 as f64) * STEPS) as u64;
            let weight = step as f64 / STEPS;
            lower + (upper - lower) * weight
        }
    }
}

/// The middle of two decimals of 64 bits, cut towards zero.
fn decimals(lower: &ArrayRef, upper: &ArrayRef) -> Result<Decimal128Array, QueryError> {
    let of = |array: &ArrayRef| array.as_primitive_opt::<Decimal128Type>().cloned().ok_or(SHAPE);
    let (lower, upper) = (of(lower)?, of(upper)?);
    let middle = |(lower, upper): (Option<i128>, Option<i128>)| Some((lower? + upper?) / 2);
    Ok(lower.iter().zip(&upper).map(middle).collect())
}

#[cfg(test)]
#[path = "ranked_tests.rs"]
mod tests;
