//! The battery that every index kind must pass, whatever is inside it.
//!
//! Builds a kind over one column of each awkward shape, opens it again, and compares each
//! answer with a plain scan of the rows; then damages it in every way that fits a small file.
//! For tests only (feature `test-support`); reports the first promise broken as a text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, DatePart, LikePattern, Predicate, Selection,
    TableName, TableSchema, Truth, Value,
};

use crate::build::{Built, build};
use crate::choose::IndexChoice;
use crate::descriptor::{Descriptor, SectionRef};
use crate::error::IndexError;
use crate::evaluate::evaluate;
use crate::kind::{Answers, Index, IndexKind};
use crate::logic::{Leaf, checked_leaf};
use crate::probe::probe;
use crate::values::value_at;
use crate::{count_values, value_counts};

pub use shapes::{Content, Shape, shapes};

mod shapes;

const COLUMN: &str = "value";

/// Runs the battery over a kind.
///
/// # Errors
/// Which case of which shape went wrong, and how.
pub fn check(kind: IndexKind) -> Result<(), String> {
    for content in Content::ALL {
        for shape in shapes(content) {
            check_shape(kind, content, &shape)
                .map_err(|error| format!("{content:?}, {}: {error}", shape.name))?;
        }
        let small: Vec<Option<i64>> =
            (0..24).map(|row| (row % 7 != 0).then_some(row % 5 * 41)).collect();
        check_damage(kind, content, &small).map_err(|error| format!("{content:?}: {error}"))?;
    }
    Ok(())
}

fn check_shape(kind: IndexKind, content: Content, shape: &Shape) -> Result<(), String> {
    let array = content.array(&shape.numbers);
    let Some(case) = Case::new(kind, array)? else {
        return expect(!is_built(kind, content, shape), "no section was built");
    };
    expect(is_built(kind, content, shape), "a section was built that cannot be right")?;
    case.check_counts()?;
    case.check_answers()?;
    case.check_lengths()
}

/// Whether the kind serves a column of such content.
fn is_built(kind: IndexKind, content: Content, shape: &Shape) -> bool {
    let has_values = shape.numbers.iter().any(Option::is_some);
    match kind {
        IndexKind::Bitmap | IndexKind::Codes | IndexKind::Lookup => true,
        IndexKind::Vector => match content {
            Content::Boolean | Content::Text => false,
            Content::WideDecimal => !has_values,
            Content::DigitText => has_values,
            _ => true,
        },
        IndexKind::BitSliced | IndexKind::Binned => match content {
            Content::Boolean | Content::Text | Content::DigitText => false,
            Content::WideDecimal => !has_values,
            _ => true,
        },
        IndexKind::DatePart => matches!(content, Content::Date | Content::Timestamp),
        IndexKind::Ngram | IndexKind::Texts => {
            matches!(content, Content::Text | Content::DigitText)
        }
    }
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
    /// The column with its index, opened; `None` if the kind was not built.
    fn new(kind: IndexKind, array: ArrayRef) -> Result<Option<Self>, String> {
        let schema = schema_of(&array)?;
        let field = Field::new(COLUMN, array.data_type().clone(), true);
        let rows =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(&array)])
                .map_err(|error| error.to_string())?;
        let choices = [IndexChoice::Kinds(vec![kind])];
        let built = build(&schema, &rows, &choices).map_err(|error| error.to_string())?;
        let Some(section) = built.descriptor.section(0, kind).cloned() else {
            return Ok(None);
        };
        let index = Index::open(&section, &bytes_of(&built, &section)?, built.descriptor.rows())
            .map_err(|error| error.to_string())?;
        Ok(Some(Self { array, schema, rows, built, section, index: Arc::new(index) }))
    }

    fn check_counts(&self) -> Result<(), String> {
        let counts = counted(&self.array);
        let rows = self.built.descriptor.rows();
        let every = Selection::all(rows);
        let nulls = self.array.null_count() as u64;
        expect(u64::from(self.index.null_count()) == nulls, "its null count is wrong")?;
        if let Some(dictionary) = self.index.dictionary() {
            let is_same = dictionary.iter().eq(counts.keys().cloned());
            expect(is_same, "its values are not the rows'")?;
        }
        match value_counts(&self.index, &every) {
            Ok(counted) => expect(counted.into_iter().eq(counts), "its counts are wrong")?,
            Err(IndexError::Unanswered { .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
        for selection in [every, Selection::none(rows), thirds(rows)] {
            let valid = selection.iter().filter(|row| self.array.is_valid(*row as usize)).count();
            let count = count_values(&self.index, &selection).map_err(|error| error.to_string())?;
            expect(count == valid as u64, "its count inside a selection is wrong")?;
        }
        Ok(())
    }

    /// Every answer about values of the rows, and about values that are not there.
    fn check_answers(&self) -> Result<(), String> {
        let values: Vec<Value> = counted(&self.array).into_keys().collect();
        // Few values are asked for one by one, many by a sample.
        let samples = if self.array.len() > 10_000 { 1 } else { 5 };
        let step = values.len() / samples + 1;
        let asked = values.iter().step_by(step).chain(values.last()).cloned();
        let asked: Vec<Value> = asked.chain(absent(&self.array)).collect();
        asked.iter().try_for_each(|value| {
            self.predicates(value, &asked)?.iter().try_for_each(|asked| self.check_answer(asked))
        })
    }

    /// The conditions that can be asked of a value, and of it among others.
    fn predicates(&self, value: &Value, others: &[Value]) -> Result<Vec<Predicate>, String> {
        let column = ColumnName::new(COLUMN).map_err(|error| error.to_string())?;
        let compare = |comparison| Predicate::Compare {
            column: column.clone(),
            comparison,
            value: value.clone(),
        };
        let among = |values: BTreeSet<Value>| Predicate::In { column: column.clone(), values };
        let mut predicates: Vec<Predicate> = COMPARISONS.into_iter().map(compare).collect();
        predicates.push(among(std::iter::once(value.clone()).collect()));
        predicates.push(among(others.iter().filter(|other| *other <= value).cloned().collect()));
        predicates.push(Predicate::IsNull { column: column.clone() });
        if let Value::Text(text) = value {
            for pattern in [format!("{text}%"), format!("%{text}%"), format!("_{text}")] {
                let pattern = LikePattern::new(&pattern);
                predicates.push(Predicate::Like { column: column.clone(), pattern });
            }
        }
        for part in DatePart::ALL {
            let Some(value) = part.of(value) else { continue };
            predicates.extend(COMPARISONS.into_iter().map(|comparison| Predicate::Part {
                column: column.clone(),
                part,
                comparison,
                value,
            }));
        }
        Ok(predicates)
    }

    /// What is promised exactly is exact, what is promised as a bound is no narrower than the
    /// truth, and where nothing is promised nothing is said.
    fn check_answer(&self, predicate: &Predicate) -> Result<(), String> {
        let column_type = self.schema.columns()[0].column_type;
        let promised = match checked_leaf(predicate, &self.schema) {
            Some((_, leaf)) => self.index.kind().answers(&leaf, column_type),
            None => Answers::Not,
        };
        // Without zone maps, so that the index itself has to answer.
        let descriptor = Descriptor::new(
            self.built.descriptor.rows(),
            Vec::new(),
            self.built.descriptor.sections().to_vec(),
        );
        let answer = probe(predicate, &self.schema, &descriptor, &|_, kind| {
            (kind == self.index.kind()).then(|| Arc::clone(&self.index))
        });
        let plain = evaluate(predicate, &self.schema, &self.rows);
        let is_exact = answer.exact && answer == plain;
        match promised {
            Answers::Exactly => expect(is_exact, "its answer is not that of the rows"),
            Answers::AtMost if answer.exact => expect(is_exact, "it is wrong and says exact"),
            Answers::AtMost => {
                let holds = plain.holds.is_within(&answer.holds);
                expect(holds && plain.fails().is_within(&answer.fails()), "it is too narrow")
            }
            Answers::Not => {
                let unknown = Truth::unknown(self.built.descriptor.rows());
                expect(self.array.is_empty() || answer == unknown, "it tells what it cannot know")
            }
        }
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

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

/// Every single-bit flip is detected; where the digest is forged to match, opening and asking
/// may give an error or an answer, but never a panic.
fn check_damage(kind: IndexKind, content: Content, small: &[Option<i64>]) -> Result<(), String> {
    let Some(case) = Case::new(kind, content.array(small))? else { return Ok(()) };
    let asked = counted(&case.array).into_keys().next_back().ok_or("no value to ask for")?;
    let predicates = case.predicates(&asked, &absent(&case.array))?;
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
            let leaves = predicates.iter().filter_map(|asked| checked_leaf(asked, &case.schema));
            use_it(&index, leaves.map(|(_, leaf)| leaf), case.schema.columns()[0].column_type);
        }
    }
    Ok(())
}

/// Asks an index everything that its kind can be asked.
fn use_it<'a>(index: &Index, leaves: impl Iterator<Item = Leaf<'a>>, column_type: ColumnType) {
    let rows = thirds(index.rows());
    let _ = value_counts(index, &rows);
    leaves.for_each(|leaf| {
        drop(index.reader().truth(&leaf));
        drop(index.as_texts().map(|texts| texts.matching(&leaf, &rows)));
    });
    match index {
        Index::Bitmap(_) | Index::Binned(_) | Index::Lookup(_) | Index::Ngram(_) => {}
        Index::Codes(codes) => drop(codes.array(&rows, column_type)),
        Index::Texts(texts) => drop(texts.array(&rows)),
        Index::Vector(vector) => drop(vector.array(&rows, column_type)),
        Index::BitSliced(slices) => {
            let _ = (slices.sum(&rows), slices.min(&rows), slices.max(&rows));
        }
        Index::DatePart(parts) => {
            drop(parts.month_counts(&rows));
            DatePart::ALL.into_iter().for_each(|part| drop(parts.part_counts(part, &rows)));
        }
    }
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
    let column_type = Content::ALL
        .into_iter()
        .map(Content::column_type)
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

/// Values of the column's type that few shapes have: below, between and above, and such as end
/// where something else does.
fn absent(array: &ArrayRef) -> Vec<Value> {
    use arrow::datatypes::DataType;
    const INTEGERS: [i64; 4] = [i64::MIN, -17, 50_000_000, i64::MAX];
    match array.data_type() {
        DataType::Boolean => vec![Value::Boolean(true)],
        DataType::Float64 => [f64::NEG_INFINITY, -0.0, 0.25, f64::NAN].map(Value::Float).into(),
        DataType::Decimal128(..) => {
            let wide = [i128::MIN, i128::from(i64::MAX) + 1, i128::MAX].map(Value::Decimal);
            INTEGERS.map(|number| Value::Decimal(number.into())).into_iter().chain(wide).collect()
        }
        // 1970-02-01 is the first of a month, 1969-12-31 the last of one.
        DataType::Date32 => [i32::MIN, -1, 31, 100, i32::MAX].map(Value::Date).into(),
        DataType::Timestamp(..) => {
            let month = 31 * 86_400_000_000;
            [i64::MIN, -1, month, month - 1, i64::MAX].map(Value::Timestamp).into()
        }
        DataType::Utf8 => ["A", "C", "C00000004", "C0000000010", "ab", "\u{10FFFF}"]
            .into_iter()
            .map(Value::text)
            .collect(),
        _ => INTEGERS.map(Value::Int).into(),
    }
}

fn thirds(rows: u32) -> Selection {
    Selection::from_flags((0..rows).map(|row| row % 3 == 1))
}

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
