//! The plain way: a predicate over the rows themselves, column by column, with no index.
//!
//! Used where an index is missing or broken, and as what the probe is tested against.
//! Comparisons are Arrow's own kernels, so that an index answers what the SQL engine would.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Datum, Decimal128Array, Float64Array,
    Int32Array, Int64Array, RecordBatch, Scalar, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use martlet_core::{Comparison, Predicate, Selection, TableSchema, Truth, Value};
use roaring::RoaringBitmap;

use crate::logic::{Leaf, truth_of};
use crate::values::{ColumnKeys, Keys, narrow_key, sql_float, value_at};

/// Where the predicate holds and fails in these rows.
///
/// The rows have the stored types; columns are found by name, and only those that the
/// predicate reads need be there. The answer is exact unless a column is missing from the
/// schema or the rows, has another type than stored, or a constant does not fit its column:
/// that part is then unknown, and whoever guards rows must refuse rather than use the bounds.
#[must_use]
pub fn evaluate(predicate: &Predicate, schema: &TableSchema, rows: &RecordBatch) -> Truth {
    let row_count = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
    truth_of(predicate, schema, row_count, &mut |position, leaf| {
        let column = &schema.columns()[position];
        rows.column_by_name(column.name.as_str())
            .filter(|array| *array.data_type() == column.column_type.arrow())
            .and_then(|array| leaf_truth(leaf, array, row_count))
            .unwrap_or_else(|| Truth::unknown(row_count))
    })
}

fn leaf_truth(leaf: &Leaf<'_>, array: &ArrayRef, rows: u32) -> Option<Truth> {
    let valid = array.nulls().map(NullBuffer::inner);
    let flags = match leaf {
        Leaf::IsNull => {
            let present =
                valid.map_or_else(|| Selection::all(rows), |valid| selection(valid, rows));
            return Some(Truth::exact(present.complement(), present));
        }
        Leaf::Compare(comparison, value) => compare(*comparison, array, value)?,
        Leaf::In(values) => is_in(array, values.iter())?,
        Leaf::Like(pattern) => {
            let texts = array.as_string_opt::<i32>()?;
            // A null's slot may hold no text at all, but its offsets are always sound.
            let matcher = pattern.matcher();
            BooleanBuffer::collect_bool(texts.len(), |row| {
                matcher.matches(texts.value(row).as_bytes())
            })
        }
        Leaf::Part(..) | Leaf::Between(..) => BooleanBuffer::collect_bool(array.len(), |row| {
            value_at(array, row).is_some_and(|value| leaf.holds_for(&value))
        }),
    };
    let (holds, fails) = match valid {
        Some(valid) => (&flags & valid, &!&flags & valid),
        None => (flags.clone(), !&flags),
    };
    Some(Truth::exact(selection(&holds, rows), selection(&fails, rows)))
}

fn selection(flags: &BooleanBuffer, rows: u32) -> Selection {
    let bytes = flags.sliced();
    Selection::from_bitmap(rows, RoaringBitmap::from_lsb0_bytes(0, &bytes))
}

/// Whether the comparison holds at each row; arbitrary where the column is null.
fn compare(comparison: Comparison, array: &ArrayRef, value: &Value) -> Option<BooleanBuffer> {
    let constant: ArrayRef = match (value, array.data_type()) {
        (Value::Boolean(value), _) => Arc::new(BooleanArray::from(vec![*value])),
        (Value::Int(value), DataType::Int32) => match i32::try_from(*value) {
            Ok(value) => Arc::new(Int32Array::from(vec![value])),
            Err(_) => return Some(against_beyond(comparison, *value, array.len())),
        },
        (Value::Int(value), _) => Arc::new(Int64Array::from(vec![*value])),
        (Value::Float(value), _) => Arc::new(Float64Array::from(vec![*value])),
        (Value::Decimal(value), data_type) => {
            Arc::new(Decimal128Array::from(vec![*value]).with_data_type(data_type.clone()))
        }
        (Value::Date(value), _) => Arc::new(Date32Array::from(vec![*value])),
        (Value::Timestamp(value), _) => Arc::new(TimestampMicrosecondArray::from(vec![*value])),
        (Value::Text(value), _) => Arc::new(StringArray::from(vec![&**value])),
    };
    let flags = kernel(comparison)(&sql_floats(array), &Scalar::new(constant)).ok()?;
    Some(flags.values().clone())
}

/// Every 32-bit integer against a constant that lies below or above all of them.
fn against_beyond(comparison: Comparison, value: i64, rows: usize) -> BooleanBuffer {
    let answer = comparison.holds(0.cmp(&value));
    if answer { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) }
}

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

fn kernel(comparison: Comparison) -> Kernel {
    match comparison {
        Comparison::Equal => cmp::eq,
        Comparison::NotEqual => cmp::neq,
        Comparison::Less => cmp::lt,
        Comparison::LessOrEqual => cmp::lt_eq,
        Comparison::Greater => cmp::gt,
        Comparison::GreaterOrEqual => cmp::gt_eq,
    }
}

/// Arrow's kernels hold `-0.0` to be less than `0.0`, SQL does not.
fn sql_floats(array: &ArrayRef) -> ArrayRef {
    let is_negative_zero = |value: &f64| value.to_bits() == (-0.0_f64).to_bits();
    match array.as_primitive_opt::<Float64Type>() {
        Some(floats) if floats.values().iter().any(is_negative_zero) => {
            Arc::new(floats.unary::<_, Float64Type>(sql_float))
        }
        _ => Arc::clone(array),
    }
}

/// Whether each row is one of the values; arbitrary where the column is null.
fn is_in<'a>(array: &ArrayRef, values: impl Iterator<Item = &'a Value>) -> Option<BooleanBuffer> {
    let column = ColumnKeys::of(array)?;
    let rows = column.rows();
    Some(match &column.keys {
        Keys::Narrow { keys, .. } => {
            let wanted: HashSet<i64> = values.filter_map(narrow_key).collect();
            BooleanBuffer::collect_bool(rows, |row| wanted.contains(&keys[row]))
        }
        Keys::Wide(keys) => {
            let wanted: HashSet<i128> = values
                .filter_map(|value| match value {
                    Value::Decimal(value) => Some(*value),
                    _ => None,
                })
                .collect();
            BooleanBuffer::collect_bool(rows, |row| wanted.contains(&keys[row]))
        }
        Keys::Text(array) => {
            let wanted: HashSet<&str> = values
                .filter_map(|value| match value {
                    Value::Text(value) => Some(&**value),
                    _ => None,
                })
                .collect();
            // A null's slot may hold no text at all, but its offsets are always sound.
            BooleanBuffer::collect_bool(rows, |row| wanted.contains(array.value(row)))
        }
    })
}
