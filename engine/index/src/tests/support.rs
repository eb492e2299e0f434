//! Random tables of every stored type and random predicates over them, and the slowest,
//! most obvious evaluation of a predicate.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, DatePart, LikePattern, Predicate, Selection,
    TableName, TableSchema, Truth, Value,
};
use proptest::prelude::*;

use crate::build::{Built, build};
use crate::choose::IndexChoice;
use crate::kind::{Index, IndexKind};
use crate::values::value_at;

/// The columns of the random tables. The last is of texts that are numbers of one width.
pub(super) const TYPES: [ColumnType; 10] = [
    ColumnType::Boolean,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Float64,
    ColumnType::Decimal { precision: 18, scale: 2 },
    ColumnType::Decimal { precision: 38, scale: 0 },
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::Text,
    ColumnType::Text,
];

/// Positions in [`TYPES`].
const DATE: usize = 6;
const TIMESTAMP: usize = 7;
const TEXT: usize = 8;
const DIGIT_TEXT: usize = 9;

pub(super) fn schema() -> TableSchema {
    let column = |(position, column_type): (usize, &ColumnType)| ColumnSchema {
        name: ColumnName::new(&format!("c{position}")).unwrap(),
        column_type: *column_type,
        nullable: true,
        class: None,
    };
    let columns = TYPES.iter().enumerate().map(column).collect();
    TableSchema::new(TableName::new("t").unwrap(), columns, &[], &[]).unwrap()
}

/// The awkward values of each type, to which a small number is mapped, the low ones most often.
pub(super) fn value(column: usize, pick: u8) -> Value {
    let at = usize::from(pick);
    match TYPES[column] {
        ColumnType::Boolean => Value::Boolean(pick % 2 == 1),
        ColumnType::Int32 => {
            Value::Int([0, 1, -1, i64::from(i32::MAX), i64::from(i32::MIN), 7][at % 6])
        }
        ColumnType::Int64 => Value::Int([0, 1, -5, i64::MAX, i64::MIN, 1 << 40][at % 6]),
        ColumnType::Float64 => Value::Float(
            [0.0, -0.0, 1.5, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324][at % 8],
        ),
        ColumnType::Decimal { precision: 18, .. } => {
            Value::Decimal([0, 1, -100, 999_999_999_999_999_999][at % 4])
        }
        ColumnType::Decimal { .. } => {
            Value::Decimal([0, -1, 1 << 100, -(1 << 90), i128::from(i64::MAX) + 1][at % 5])
        }
        ColumnType::Date => Value::Date([0, 20_000, -1, i32::MAX, i32::MIN][at % 5]),
        ColumnType::Timestamp => Value::Timestamp([0, 1, -1, i64::MAX, i64::MIN][at % 5]),
        ColumnType::Text if column == DIGIT_TEXT => Value::text(&format!("C{:04}", 1 << pick)),
        ColumnType::Text => Value::text(TEXTS[at % TEXTS.len()]),
    }
}

/// Two of them differ only beyond the bytes that a zone map keeps.
const TEXTS: [&str; 7] = [
    "",
    "a",
    "李明",
    "ab",
    "a text that is longer than what the zone map of a page or of a column keeps of it, one",
    "a text that is longer than what the zone map of a page or of a column keeps of it, two",
    "\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}",
];

/// A constant to compare a column with: one of its values, or a text of another shape.
fn constant(column: usize, pick: u8) -> Value {
    match pick {
        5.. if column == DIGIT_TEXT => {
            Value::text(["C", "C00040", "C001", "D"][usize::from(pick) % 4])
        }
        _ => value(column, pick),
    }
}

fn array(column: usize, picks: &[Option<u8>]) -> ArrayRef {
    let column_type = TYPES[column];
    let values: Vec<Option<Value>> =
        picks.iter().map(|pick| pick.map(|pick| value(column, pick))).collect();
    macro_rules! of {
        ($array:ty, $variant:path, $convert:expr) => {
            values
                .iter()
                .map(|value| match value {
                    Some($variant(value)) => Some($convert(value)),
                    _ => None,
                })
                .collect::<$array>()
        };
    }
    match column_type {
        ColumnType::Boolean => Arc::new(of!(BooleanArray, Value::Boolean, |v: &bool| *v)),
        ColumnType::Int32 => {
            Arc::new(of!(Int32Array, Value::Int, |v: &i64| i32::try_from(*v).unwrap()))
        }
        ColumnType::Int64 => Arc::new(of!(Int64Array, Value::Int, |v: &i64| *v)),
        ColumnType::Float64 => Arc::new(of!(Float64Array, Value::Float, |v: &f64| *v)),
        ColumnType::Decimal { precision, scale } => Arc::new(
            of!(Decimal128Array, Value::Decimal, |v: &i128| *v)
                .with_precision_and_scale(precision, scale)
                .unwrap(),
        ),
        ColumnType::Date => Arc::new(of!(Date32Array, Value::Date, |v: &i32| *v)),
        ColumnType::Timestamp => {
            Arc::new(of!(TimestampMicrosecondArray, Value::Timestamp, |v: &i64| *v))
        }
        ColumnType::Text => Arc::new(of!(StringArray, Value::Text, |v: &Arc<str>| v.to_string())),
    }
}

/// A table of all types: short, over several pages or several windows, in runs or mixed, with and without nulls.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) schema: TableSchema,
    pub(super) rows: RecordBatch,
}

pub(super) fn table() -> impl Strategy<Value = Table> {
    let cell = prop_oneof![
        1 => Just(None),
        5 => (0_u8..2).prop_map(Some),
        3 => (0_u8..8).prop_map(Some),
    ];
    let column = prop_oneof![
        4 => proptest::collection::vec(cell.clone(), 1..12),
        1 => proptest::collection::vec((0_u8..8).prop_map(Some), 1..4),
        1 => Just(vec![None]),
    ];
    let length = prop_oneof![6 => 0_usize..300, 1 => Just(128), 1 => 16_000_usize..26_000, 1 => 65_530_usize..140_000];
    let columns = proptest::collection::vec((column, any::<bool>()), TYPES.len());
    (length, columns).prop_map(|(length, columns)| {
        let arrays = columns
            .iter()
            .enumerate()
            .map(|(column, (pattern, in_runs))| {
                let pick = |row: usize| match in_runs {
                    true => pattern[row * pattern.len() / length],
                    false => pattern[row % pattern.len()],
                };
                array(column, &(0..length).map(pick).collect::<Vec<_>>())
            })
            .collect();
        let schema = schema();
        let rows = RecordBatch::try_new(schema.arrow(), arrays).unwrap();
        Table { schema, rows }
    })
}

pub(super) fn predicate() -> impl Strategy<Value = Predicate> {
    let column = 0..TYPES.len();
    let name = |column: usize| ColumnName::new(&format!("c{column}")).unwrap();
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Predicate::Constant),
        6 => (column.clone(), comparison(), 0_u8..8).prop_map(move |(column, comparison, pick)| {
            Predicate::Compare { column: name(column), comparison, value: constant(column, pick) }
        }),
        2 => (column.clone(), proptest::collection::vec(0_u8..8, 0..4)).prop_map(move |(column, picks)| {
            let values = picks.into_iter().map(|pick| constant(column, pick)).collect();
            Predicate::In { column: name(column), values }
        }),
        1 => column.prop_map(move |column| Predicate::IsNull { column: name(column) }),
        2 => (TEXT..=DIGIT_TEXT, "[aC0%_李ž]{0,3}").prop_map(move |(column, pattern)| {
            Predicate::Like { column: name(column), pattern: LikePattern::new(&pattern) }
        }),
        2 => (DATE..=TIMESTAMP, 0..DatePart::ALL.len(), comparison(), 0_i64..13).prop_map(
            move |(column, part, comparison, value)| Predicate::Part {
                column: name(column), part: DatePart::ALL[part], comparison, value,
            }
        ),
    ];
    leaf.prop_recursive(3, 16, 3, |part| {
        prop_oneof![
            proptest::collection::vec(part.clone(), 0..4).prop_map(Predicate::And),
            proptest::collection::vec(part.clone(), 0..4).prop_map(Predicate::Or),
            part.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
    ]
}

/// SQL's truth, row by row, from the definition.
pub(super) fn reference(predicate: &Predicate, rows: &RecordBatch) -> Truth {
    let truths: Vec<Option<bool>> =
        (0..rows.num_rows()).map(|row| truth_at(predicate, rows, row)).collect();
    let are =
        |wanted: bool| Selection::from_flags(truths.iter().map(|truth| *truth == Some(wanted)));
    Truth::exact(are(true), are(false))
}

fn truth_at(predicate: &Predicate, rows: &RecordBatch, row: usize) -> Option<bool> {
    let cell = |column: &ColumnName| value_at(rows.column_by_name(column.as_str()).unwrap(), row);
    let equal = |left: &Value, right: &Value| match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            (*left == 0.0 && *right == 0.0) || left.to_bits() == right.to_bits()
        }
        _ => left == right,
    };
    match predicate {
        Predicate::Constant(value) => Some(*value),
        Predicate::Compare { column, comparison, value } => {
            let cell = cell(column)?;
            let ordering =
                if equal(&cell, value) { std::cmp::Ordering::Equal } else { cell.cmp(value) };
            Some(comparison.holds(ordering))
        }
        Predicate::In { values, .. } if values.is_empty() => Some(false),
        Predicate::In { column, values } => {
            let cell = cell(column)?;
            Some(values.iter().any(|value| equal(&cell, value)))
        }
        Predicate::IsNull { column } => Some(cell(column).is_none()),
        Predicate::Like { column, pattern } => match cell(column)? {
            Value::Text(text) => Some(pattern.matches(&text)),
            _ => None,
        },
        Predicate::Part { column, part, comparison, value } => {
            Some(comparison.holds(part.of(&cell(column)?)?.cmp(value)))
        }
        Predicate::Not(part) => truth_at(part, rows, row).map(|truth| !truth),
        Predicate::And(parts) => {
            parts.iter().map(|part| truth_at(part, rows, row)).fold(Some(true), and)
        }
        Predicate::Or(parts) => {
            let not = |truth: Option<bool>| truth.map(|truth| !truth);
            not(parts.iter().map(|part| not(truth_at(part, rows, row))).fold(Some(true), and))
        }
    }
}

const fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

pub(super) fn built(table: &Table, choice: &IndexChoice) -> Built {
    build(&table.schema, &table.rows, &vec![choice.clone(); TYPES.len()]).unwrap()
}

pub(super) fn opened(built: &Built, column: usize, kind: IndexKind) -> Option<Arc<Index>> {
    let section = built.descriptor.section(column, kind)?;
    let start = usize::try_from(section.offset).unwrap();
    let bytes = built.bytes.slice(start..start + usize::try_from(section.length).unwrap());
    Some(Arc::new(Index::open(section, &bytes, built.descriptor.rows()).unwrap()))
}
