//! Merged groups to the columns that the stage above expects.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    UInt32Array, UInt64Array, new_empty_array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use martlet_core::Value;
use martlet_index::grouping::ranks::AtRanks;

use super::grouping::Place;
use super::merged::{Merged, Total};
use super::ranked;
use super::spec::{Function, Key, Part, Rows, Spec, Stage};
use crate::convert::array_of;
use crate::error::QueryError;

const SHAPE: QueryError = QueryError::Bug { promise: "index totals have their stage's schema" };
const TOO_LARGE: QueryError =
    QueryError::Running { reason: "a number became too large for its type" };

/// One row per group.
pub(super) fn batch(
    spec: &Spec,
    merged: &Merged,
    at_ranks: &[AtRanks],
    schema: &SchemaRef,
) -> Result<RecordBatch, QueryError> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for at in 0..spec.groupings.len() {
        let field = schema.fields().get(at).ok_or(SHAPE)?;
        columns.push(group_array(spec, merged, at, field.data_type())?);
    }
    for function in &spec.functions {
        let next =
            |at: usize| schema.fields().get(at).map(|field| field.data_type().clone()).ok_or(SHAPE);
        let at = columns.len();
        match function {
            Function::CountRows => columns.push(counts(merged.counts.iter().copied())?),
            Function::Count(parts) => columns.push(counts(present(merged, parts))?),
            Function::Sum(parts) => {
                columns.push(sums(&summed(spec, merged, parts), &next(at)?)?);
            }
            Function::Average(parts) => {
                let totals = summed(spec, merged, parts);
                match spec.stage {
                    Stage::First => {
                        // Of a group without a value the count is null, as the sum is: the next
                        // stage divides by every count that is there.
                        let some = |count: u64| (count > 0).then_some(count);
                        let counts: UInt64Array = present(merged, parts).map(some).collect();
                        columns.push(Arc::new(counts));
                        columns.push(sums(&totals, &next(at + 1)?)?);
                    }
                    Stage::Only => {
                        let measured =
                            parts.iter().find_map(|part| spec.measures[part.measure].column);
                        let (_, stored) = measured.ok_or(SHAPE)?;
                        columns.push(averages(&totals, &stored.arrow(), &next(at)?)?);
                    }
                }
            }
            Function::CountDistinct(distinct) => {
                let values = merged.distincts.get(*distinct).ok_or(SHAPE)?;
                columns.push(counts((0..merged.keys.len()).map(|group| values.count(group)))?);
            }
            Function::AtRank(ranked, point) => {
                let asked = spec.ranked.get(*ranked).ok_or(SHAPE)?;
                let found = at_ranks.get(*ranked).ok_or(SHAPE)?;
                columns.push(ranked::column(asked, *point, found, &next(at)?)?);
            }
            Function::Lowest(measure) | Function::Highest(measure) => {
                let extreme = |total: &Total| match function {
                    Function::Lowest(_) => total.lowest.clone(),
                    _ => total.highest.clone(),
                };
                let values: Vec<Option<Value>> =
                    merged.totals[*measure].iter().map(extreme).collect();
                let measured = spec.measures.get(*measure).and_then(|measure| measure.column);
                let (_, column_type) = measured.ok_or(SHAPE)?;
                columns.push(in_type(array_of(&values, column_type)?, &next(at)?)?);
            }
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(merged.keys.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|_| SHAPE)
}

/// What is shown of one grouping.
fn group_array(
    spec: &Spec,
    merged: &Merged,
    at: usize,
    as_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    let place = spec.groupings.get(at).ok_or(SHAPE)?.place;
    let slot = spec.slot(place);
    match (merged.shown.get(at).and_then(Option::as_ref), place) {
        (Some(by_number), _) => {
            let numbers: UInt32Array = merged.keys.iter().map(|key| key[slot]).collect();
            take(by_number.as_ref(), &numbers, None).map_err(|_| SHAPE)
        }
        (None, _) if merged.keys.is_empty() => Ok(new_empty_array(as_type)),
        (None, Place::Key(key)) => key_array(&spec.keys[key], &merged.values(slot), as_type),
        (None, Place::Joined(_)) => Err(SHAPE),
    }
}

fn key_array(
    key: &Key,
    values: &[Option<Value>],
    as_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    in_type(array_of(values, key.bucket.column_type(key.column_type))?, as_type)
}

/// Only types that mean the same are asked for: a date as the timestamp of its midnight, a
/// number in another width.
fn in_type(array: ArrayRef, as_type: &DataType) -> Result<ArrayRef, QueryError> {
    if array.data_type() == as_type {
        return Ok(array);
    }
    let shown = cast(&array, as_type).map_err(|_| TOO_LARGE)?;
    if shown.null_count() == array.null_count() { Ok(shown) } else { Err(TOO_LARGE) }
}

/// For each group, how many rows hold a value.
fn present(merged: &Merged, parts: &[Part]) -> impl Iterator<Item = u64> {
    let present = |group: usize, part: &Part| merged.totals[part.measure][group].present;
    (0..merged.keys.len()).map(move |group| counted(parts, |part| present(group, part)))
}

/// The rows of all parts, less those that are taken away again.
fn counted(parts: &[Part], present: impl Fn(&Part) -> u64) -> u64 {
    let of = |rows: Rows| {
        let parts = parts.iter().filter(move |part| part.rows == rows);
        parts.map(&present).sum::<u64>()
    };
    // What is taken away was added with the part that it belongs to.
    of(Rows::Added).saturating_sub(of(Rows::TakenAway))
}

/// For each group, the sum of all parts.
fn summed(spec: &Spec, merged: &Merged, parts: &[Part]) -> Vec<Total> {
    let add = |group: usize| {
        let present = counted(parts, |part| merged.totals[part.measure][group].present);
        let mut sum = Total { present, ..Total::default() };
        for part in parts {
            let total = &merged.totals[part.measure][group];
            if spec.measures[part.measure].column.is_some() {
                // Parts that are taken away again may be larger than what is left: modulo
                // 2^128 that is the same.
                sum.sum = sum.sum.wrapping_add(part.times.wrapping_mul(total.sum));
                sum.float_sum += part.times as f64 * total.float_sum;
            } else {
                let added = part.times.wrapping_mul(i128::from(total.present));
                sum.sum = sum.sum.wrapping_add(added);
            }
        }
        sum
    };
    (0..merged.keys.len()).map(add).collect()
}

fn counts(counts: impl Iterator<Item = u64>) -> Result<ArrayRef, QueryError> {
    let counts: Result<Int64Array, _> =
        counts.map(|count| i64::try_from(count).map(Some)).collect::<Result<_, _>>();
    Ok(Arc::new(counts.map_err(|_| TOO_LARGE)?))
}

/// The sum of no value is null.
fn sums(totals: &[Total], as_type: &DataType) -> Result<ArrayRef, QueryError> {
    let some = |total: &Total| total.present > 0;
    Ok(match as_type {
        // A sum that is too large for 64 bits wraps around, as the plain operator's does.
        DataType::Int64 => Arc::new(
            totals
                .iter()
                .map(|total| some(total).then_some(total.sum as i64))
                .collect::<Int64Array>(),
        ),
        DataType::Float64 => Arc::new(
            totals
                .iter()
                .map(|total| some(total).then_some(total.float_sum + total.sum as f64))
                .collect::<Float64Array>(),
        ),
        DataType::Decimal128(precision, scale) => Arc::new(
            totals
                .iter()
                .map(|total| some(total).then_some(total.sum))
                .collect::<Decimal128Array>()
                .with_precision_and_scale(*precision, *scale)
                .map_err(|_| SHAPE)?,
        ),
        _ => return Err(SHAPE),
    })
}

fn averages(
    totals: &[Total],
    stored: &DataType,
    as_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    match (stored, as_type) {
        (_, DataType::Float64) => {
            let average = |total: &Total| {
                let sum = total.float_sum + total.sum as f64;
                (total.present > 0).then(|| sum / total.present as f64)
            };
            Ok(Arc::new(totals.iter().map(average).collect::<Float64Array>()))
        }
        (DataType::Decimal128(_, from), DataType::Decimal128(precision, to)) => {
            let power = u32::try_from(to - from).map_err(|_| SHAPE)?;
            let average = |total: &Total| -> Result<Option<i128>, QueryError> {
                if total.present == 0 {
                    return Ok(None);
                }
                let scaled = total.sum.checked_mul(10_i128.pow(power)).ok_or(TOO_LARGE)?;
                Ok(Some(scaled / i128::from(total.present)))
            };
            let values = totals.iter().map(average).collect::<Result<Decimal128Array, _>>()?;
            let typed = values.with_precision_and_scale(*precision, *to).map_err(|_| SHAPE)?;
            typed.validate_decimal_precision(*precision).map_err(|_| TOO_LARGE)?;
            Ok(Arc::new(typed))
        }
        _ => Err(SHAPE),
    }
}
