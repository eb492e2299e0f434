//! The battery that every index kind must pass, whatever is inside it.
//!
//! Builds a kind over one column of each awkward shape, opens it again, and compares each
//! answer with a plain scan of the rows; then damages it in every way that fits a small file.
//! For tests only (feature `test-support`); reports the first promise broken as a text.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, Predicate, Selection, TableName, TableSchema,
    Value,
};

use crate::build::{Built, build};
use crate::choose::IndexChoice;
use crate::descriptor::{Descriptor, SectionRef};
use crate::evaluate::evaluate;
use crate::kind::{Index, IndexKind};
use crate::logic::Leaf;
use crate::probe::probe;
use crate::values::value_at;
use crate::{count_values, value_counts};

const COLUMN: &str = "value";

/// Runs the battery over a kind.
///
/// # Errors
/// Which case of which shape went wrong, and how.
pub fn check(kind: IndexKind) -> Result<(), String> {
    for (shape, array) in shapes() {
        if kind == IndexKind::Vector && array.data_type() == &arrow::datatypes::DataType::Utf8 {
            continue;
        }
        let case = Case::new(kind, array).map_err(|error| format!("{shape}: {error}"))?;
        case.check_answers().map_err(|error| format!("{shape}: {error}"))?;
        case.check_lengths().map_err(|error| format!("{shape}: {error}"))?;
    }
    check_damage(kind, numbers((0..40).map(|row| (row % 7 != 0).then_some(row % 5))))?;
    if kind == IndexKind::Vector {
        return Ok(());
    }
    check_damage(kind, texts((0..40).map(|row| Some(["ab", "č", "", "李"][row % 4]))))
}

/// One column per awkward shape, with its name.
#[must_use]
pub fn shapes() -> Vec<(&'static str, ArrayRef)> {
    const ROWS: i32 = 70_000;
    vec![
        ("all rows one value", numbers((0..ROWS).map(|_| Some(7)))),
        ("alternating", numbers((0..ROWS).map(|row| Some(row % 2)))),
        ("runs", numbers((0..ROWS).map(|row| Some(row / 1_000)))),
        ("sparse", numbers((0..ROWS).map(|row| Some(i32::from(row % 9_973 == 0))))),
        ("empty", numbers(std::iter::empty())),
        ("one row", numbers(std::iter::once(Some(-1)))),
        ("one null", numbers(std::iter::once(None))),
        ("all null", numbers((0..ROWS).map(|_| None))),
        ("nulls between", numbers((0..ROWS).map(|row| (row % 3 == 0).then_some(row % 11)))),
        (
            "nulls in runs",
            numbers((0..ROWS).map(|row| (row / 500 % 2 == 0).then_some(row / 9_000))),
        ),
        ("only the last differs", numbers((0..ROWS).map(|row| Some(i32::from(row == ROWS - 1))))),
        ("one block exactly", numbers((0..128).map(|row| Some(row % 100)))),
        ("one row over a block", numbers((0..129).map(|row| Some(129 - row)))),
        ("wide integers", numbers([i32::MIN, -1, 0, 1, i32::MAX].into_iter().map(Some))),
        (
            "texts",
            texts(
                (0..2_000).map(|row| {
                    (row % 10 != 3).then_some(["", "a", "aa", "ž", "李", "𠮷"][row % 6])
                }),
            ),
        ),
    ]
}

fn numbers(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.collect::<Int32Array>())
}

fn texts(values: impl Iterator<Item = Option<&'static str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

struct Case {
    array: ArrayRef,
    schema: TableSchema,
    rows: RecordBatch,
    built: Built,
    section: SectionRef,
    index: Arc<Index>,
}

impl Case {
    fn new(kind: IndexKind, array: ArrayRef) -> Result<Self, String> {
        let schema = schema_of(&array)?;
        let field = Field::new(COLUMN, array.data_type().clone(), true);
        let rows =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(&array)])
                .map_err(|error| error.to_string())?;
        let choices = [IndexChoice::Kinds(vec![kind])];
        let built = build(&schema, &rows, &choices).map_err(|error| error.to_string())?;
        let section = built.descriptor.section(0, kind).cloned().ok_or("no section was built")?;
        let index = Index::open(&section, &bytes_of(&built, &section)?, built.descriptor.rows())
            .map_err(|error| error.to_string())?;
        Ok(Self { array, schema, rows, built, section, index: Arc::new(index) })
    }

    /// Every answer about every value, and about values that are not there.
    fn check_answers(&self) -> Result<(), String> {
        let counts = counted(&self.array);
        let rows = self.built.descriptor.rows();
        let every = Selection::all(rows);
        let nulls = self.array.null_count() as u64;
        expect(
            self.index.reader().distinct().is_none()
                || self.index.values().iter().eq(counts.keys()),
            "its values are not those of the rows",
        )?;
        expect(u64::from(self.index.null_count()) == nulls, "its null count is wrong")?;
        let counted = value_counts(&self.index, &every).map_err(|error| error.to_string())?;
        expect(counted.into_iter().eq(counts.clone()), "its counts are wrong")?;
        for selection in [every, Selection::none(rows), thirds(rows)] {
            let valid = selection.iter().filter(|row| self.array.is_valid(*row as usize)).count();
            let count = count_values(&self.index, &selection).map_err(|error| error.to_string())?;
            expect(count == valid as u64, "its count inside a selection is wrong")?;
        }
        // Few values are asked for one by one, many by a sample.
        let step = counts.len() / 16 + 1;
        let asked = counts.keys().step_by(step).chain(counts.keys().next_back()).cloned();
        asked.chain(absent(&self.array)).try_for_each(|value| self.check_value(&value))
    }

    fn check_value(&self, value: &Value) -> Result<(), String> {
        let column = ColumnName::new(COLUMN).map_err(|error| error.to_string())?;
        let comparisons = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ];
        let mut predicates: Vec<Predicate> = comparisons
            .into_iter()
            .map(|comparison| Predicate::Compare {
                column: column.clone(),
                comparison,
                value: value.clone(),
            })
            .collect();
        let values = std::iter::once(value.clone()).collect();
        predicates.push(Predicate::In { column: column.clone(), values });
        predicates.push(Predicate::IsNull { column });
        // Without zone maps, so that the index itself has to answer.
        let descriptor = Descriptor::new(
            self.built.descriptor.rows(),
            Vec::new(),
            self.built.descriptor.sections().to_vec(),
        );
        predicates.into_iter().try_for_each(|predicate| {
            let answer = probe(&predicate, &self.schema, &descriptor, &|_, kind| {
                (kind == self.index.kind()).then(|| Arc::clone(&self.index))
            });
            let plain = evaluate(&predicate, &self.schema, &self.rows);
            expect(answer.exact, "its answer is not exact")?;
            expect(answer == plain, "its answer differs from that of the rows")
        })
    }

    /// An index opened for another number of rows, or for another length, is refused.
    fn check_lengths(&self) -> Result<(), String> {
        let rows = self.built.descriptor.rows();
        let bytes = bytes_of(&self.built, &self.section)?;
        let refused = |section: &SectionRef, bytes: &Bytes, rows: u32| {
            Index::open(section, bytes, rows).is_err()
        };
        expect(refused(&self.section, &bytes, rows + 1), "it opens for more rows")?;
        expect(rows == 0 || refused(&self.section, &bytes, rows - 1), "it opens for fewer rows")?;
        expect(refused(&self.section, &bytes.slice(1..), rows), "it opens without its first byte")?;
        expect(refused(&self.section, &bytes.slice(..bytes.len() - 1), rows), "it opens when cut")?;
        let other = Selection::all(rows + 1);
        expect(count_values(&self.index, &other).is_err(), "it counts rows it does not cover")
    }
}

/// Every single-bit flip is detected; where the digest is forged to match, opening and asking
/// may give an error or an answer, but never a panic.
fn check_damage(kind: IndexKind, array: ArrayRef) -> Result<(), String> {
    let case = Case::new(kind, array)?;
    let bytes = bytes_of(&case.built, &case.section)?.to_vec();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let damaged = Bytes::from(damaged);
        let rows = case.built.descriptor.rows();
        expect(
            Index::open(&case.section, &damaged, rows).is_err(),
            "a flipped bit is not detected",
        )?;
        let forged = SectionRef { digest: crate::file::digest(&damaged), ..case.section.clone() };
        if let Ok(index) = Index::open(&forged, &damaged, rows) {
            // Whatever it says: it must say it without a panic.
            let _ = value_counts(&index, &thirds(rows));
            let highest = Value::Int(i64::MAX);
            drop(index.reader().truth(&Leaf::Compare(Comparison::Less, highest)));
        }
    }
    Ok(())
}

fn bytes_of(built: &Built, section: &SectionRef) -> Result<Bytes, String> {
    let start = usize::try_from(section.offset).map_err(|error| error.to_string())?;
    let length = usize::try_from(section.length).map_err(|error| error.to_string())?;
    if start + length > built.bytes.len() {
        return Err("a section lies outside".to_owned());
    }
    Ok(built.bytes.slice(start..start + length))
}

fn schema_of(array: &ArrayRef) -> Result<TableSchema, String> {
    let column_type = [ColumnType::Int32, ColumnType::Text]
        .into_iter()
        .find(|column_type| column_type.arrow() == *array.data_type())
        .ok_or("the battery has no such type")?;
    let name = ColumnName::new(COLUMN).map_err(|error| error.to_string())?;
    let column = ColumnSchema { name, column_type, nullable: true, class: None };
    let table = TableName::new("battery").map_err(|error| error.to_string())?;
    TableSchema::new(table, vec![column], &[], &[]).map_err(|error| error.to_string())
}

fn counted(array: &ArrayRef) -> BTreeMap<Value, u64> {
    let mut counts = BTreeMap::new();
    for value in (0..array.len()).filter_map(|row| value_at(array, row)) {
        *counts.entry(value).or_insert(0) += 1;
    }
    counts
}

/// Values that no shape has: below, between and above.
fn absent(array: &ArrayRef) -> Vec<Value> {
    match array.data_type() {
        arrow::datatypes::DataType::Utf8 => {
            ["A", "ab", "\u{10FFFF}"].into_iter().map(Value::text).collect()
        }
        _ => [i64::MIN, -17, 50_000_000, i64::MAX].into_iter().map(Value::Int).collect(),
    }
}

fn thirds(rows: u32) -> Selection {
    Selection::from_flags((0..rows).map(|row| row % 3 == 1))
}

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
