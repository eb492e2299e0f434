//! O2 and O3: whether two answers are the same, as exactly as a statement determines them.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;

use crate::doors::{Answer, Outcome};
use crate::grammar::{Closeness, Statement};

/// How far two sums of floats may be apart that were added up in different orders.
const TOLERANCE: f64 = 1e-6;

/// How two answers are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Two worlds: every byte, every word of a refusal, everything beside.
    Worlds,
    /// A world and the reference: rows, types, and whether it is refused.
    Reference,
}

/// What differs, if anything does.
#[must_use]
pub fn difference(
    first: &Answer,
    second: &Answer,
    statement: &Statement,
    between: Between,
) -> Option<String> {
    if between == Between::Worlds && first.beside != second.beside {
        return Some(format!("beside: {:?} and {:?}", first.beside, second.beside));
    }
    match (&first.told, &second.told) {
        (Outcome::Refused { sort: a, words: x }, Outcome::Refused { sort: b, words: y }) => {
            let same = a == b && (between == Between::Reference || x == y);
            (!same).then(|| format!("refused: {a}, {x} and {b}, {y}"))
        }
        (Outcome::Refused { words, .. }, Outcome::Rows { .. }) => {
            Some(format!("only the first is refused: {words}"))
        }
        (Outcome::Rows { .. }, Outcome::Refused { words, .. }) => {
            Some(format!("only the second is refused: {words}"))
        }
        (
            Outcome::Rows { schema: a, batches: x, messages: sent },
            Outcome::Rows { schema: b, batches: y, messages: other },
        ) => {
            if a != b {
                return Some(format!("types: {a:?} and {b:?}"));
            }
            let in_order = statement.is_ordered();
            let differs = match statement.closeness {
                Closeness::Exact => exactly(a, x, y, in_order),
                Closeness::Close => closely(x, y),
            };
            let is_bytewise =
                in_order && between == Between::Worlds && statement.closeness == Closeness::Exact;
            differs.or_else(|| {
                (is_bytewise && sent != other).then(|| "equal rows in unequal bytes".into())
            })
        }
    }
}

/// The first row that is not the same, bit by bit; rows without an order as a multiset.
fn exactly(
    schema: &SchemaRef,
    first: &[RecordBatch],
    second: &[RecordBatch],
    in_order: bool,
) -> Option<String> {
    let (mut first_rows, mut second_rows) = (encoded(schema, first), encoded(schema, second));
    if !in_order {
        first_rows.sort_unstable();
        second_rows.sort_unstable();
    }
    if first_rows == second_rows {
        return None;
    }
    Some(told(&written(first), &written(second), in_order))
}

/// Rows as bytes that are equal exactly where the rows are.
fn encoded(schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<Vec<u8>> {
    let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
    let Ok(converter) = RowConverter::new(fields.collect()) else { return written_bytes(batches) };
    let mut rows = Vec::new();
    for batch in batches {
        match converter.convert_columns(batch.columns()) {
            Ok(converted) => rows.extend(converted.iter().map(|row| row.as_ref().to_vec())),
            Err(_) => return written_bytes(batches),
        }
        if batch.num_columns() == 0 {
            rows.extend((0..batch.num_rows()).map(|_| Vec::new()));
        }
    }
    rows
}

fn written_bytes(batches: &[RecordBatch]) -> Vec<Vec<u8>> {
    written(batches).into_iter().map(String::into_bytes).collect()
}

/// Rows as a person reads them.
fn written(batches: &[RecordBatch]) -> Vec<String> {
    let row = |batch: &RecordBatch, row: usize| {
        let cells = batch.columns().iter().map(|column| match column.is_null(row) {
            true => "NULL".into(),
            false => array_value_to_string(column, row).unwrap_or_default(),
        });
        cells.collect::<Vec<String>>().join(" | ")
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| row(batch, at))).collect()
}

fn told(first: &[String], second: &[String], in_order: bool) -> String {
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    if !in_order {
        first.sort_unstable();
        second.sort_unstable();
    }
    let at = first
        .iter()
        .zip(&second)
        .position(|(a, b)| a != b)
        .unwrap_or(first.len().min(second.len()));
    let shown = |rows: &[String]| {
        let row = rows.get(at).cloned().unwrap_or_else(|| "nothing".into());
        row.chars().take(400).collect::<String>()
    };
    format!(
        "{} and {} rows; at {at}: {} and {}",
        first.len(),
        second.len(),
        shown(&first),
        shown(&second)
    )
}

/// A row whose floats are told apart from the rest.
struct Loose {
    rest: String,
    floats: Vec<Option<f64>>,
}

fn closely(first: &[RecordBatch], second: &[RecordBatch]) -> Option<String> {
    let (first_rows, second_rows) = (loose(first), loose(second));
    let same = first_rows.len() == second_rows.len()
        && first_rows.iter().zip(&second_rows).all(|(a, b)| {
            a.rest == b.rest && a.floats.iter().zip(&b.floats).all(|(x, y)| are_close(*x, *y))
        });
    (!same).then(|| told(&written(first), &written(second), false))
}

fn loose(batches: &[RecordBatch]) -> Vec<Loose> {
    let row = |batch: &RecordBatch, row: usize| {
        let mut found = Loose { rest: String::new(), floats: Vec::new() };
        for column in batch.columns() {
            if column.data_type() == &DataType::Float64 {
                let floats = column.as_primitive::<Float64Type>();
                found.floats.push(floats.is_valid(row).then(|| floats.value(row)));
            } else if column.is_null(row) {
                found.rest.push_str("NULL|");
            } else {
                found.rest.push_str(&array_value_to_string(column, row).unwrap_or_default());
                found.rest.push('|');
            }
        }
        found
    };
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| row(batch, at)));
    let mut rows: Vec<Loose> = rows.collect();
    rows.sort_by(|a, b| a.rest.cmp(&b.rest).then_with(|| in_floats(&a.floats, &b.floats)));
    rows
}

fn in_floats(first: &[Option<f64>], second: &[Option<f64>]) -> Ordering {
    let place = |float: &Option<f64>| float.unwrap_or(f64::NEG_INFINITY);
    let pairs = first.iter().zip(second).map(|(a, b)| place(a).total_cmp(&place(b)));
    pairs.fold(Ordering::Equal, Ordering::then)
}

fn are_close(first: Option<f64>, second: Option<f64>) -> bool {
    match (first, second) {
        (Some(a), Some(b)) => {
            a.to_bits() == b.to_bits() || (a - b).abs() <= TOLERANCE * (1.0 + a.abs().max(b.abs()))
        }
        (None, None) => true,
        _ => false,
    }
}
