//! The awkward columns that every kind is tried on: shapes of numbers, and what they stand for.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use martlet_core::ColumnType;

/// What the numbers of a shape stand for in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Whether the number is odd.
    Boolean,
    /// The number, of 32 bits.
    Int32,
    /// A multiple of it.
    Int64,
    /// Half of it.
    Float,
    /// An amount that fits 64 bits.
    Decimal,
    /// An amount that does not, whatever the number is.
    WideDecimal,
    /// So many days.
    Date,
    /// So many stretches of seven hours.
    Timestamp,
    /// A prefix and digits, all of one length.
    DigitText,
    /// A text that is no number.
    Text,
}

impl Content {
    /// Every content.
    pub const ALL: [Self; 10] = [
        Self::Boolean,
        Self::Int32,
        Self::Int64,
        Self::Float,
        Self::Decimal,
        Self::WideDecimal,
        Self::Date,
        Self::Timestamp,
        Self::DigitText,
        Self::Text,
    ];

    /// The type of a column of it.
    #[must_use]
    pub const fn column_type(self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Boolean,
            Self::Int32 => ColumnType::Int32,
            Self::Int64 => ColumnType::Int64,
            Self::Float => ColumnType::Float64,
            Self::Decimal | Self::WideDecimal => ColumnType::Decimal { precision: 38, scale: 2 },
            Self::Date => ColumnType::Date,
            Self::Timestamp => ColumnType::Timestamp,
            Self::DigitText | Self::Text => ColumnType::Text,
        }
    }

    /// The column that the numbers stand for.
    #[must_use]
    pub fn array(self, numbers: &[Option<i64>]) -> ArrayRef {
        const SEVEN_HOURS: i64 = 7 * 3_600_000_000;
        let numbers = numbers.iter().copied();
        match self {
            Self::Boolean => Arc::new(
                numbers
                    .map(|number| number.map(|number| number % 2 != 0))
                    .collect::<BooleanArray>(),
            ),
            Self::Int32 => {
                Arc::new(numbers.map(|number| number.map(narrow)).collect::<Int32Array>())
            }
            Self::Int64 => Arc::new(
                numbers
                    .map(|number| number.map(|number| number.wrapping_mul(3_000_000_019)))
                    .collect::<Int64Array>(),
            ),
            // Half of zero is a negative zero here.
            Self::Float => Arc::new(
                numbers
                    .map(|number| number.map(|number| -(number as f64) / 2.0))
                    .collect::<Float64Array>(),
            ),
            Self::Decimal => decimals(numbers, |number| i128::from(number) * 101),
            Self::WideDecimal => {
                decimals(numbers, |number| (i128::from(number) * 2 + 1) * 10_i128.pow(25))
            }
            Self::Date => {
                Arc::new(numbers.map(|number| number.map(narrow)).collect::<Date32Array>())
            }
            Self::Timestamp => Arc::new(
                numbers
                    .map(|number| number.map(|number| number.wrapping_mul(SEVEN_HOURS)))
                    .collect::<TimestampMicrosecondArray>(),
            ),
            Self::DigitText => {
                texts(numbers, |number| format!("C{:08}", number.unsigned_abs() % 100_000_000))
            }
            Self::Text => texts(numbers, |number| match number % 4 {
                0 => String::new(),
                1 => format!("{number}a"),
                2 => format!("ab{number}č"),
                _ => format!("{number}李𠮷"),
            }),
        }
    }
}

fn narrow(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn decimals(numbers: impl Iterator<Item = Option<i64>>, value: impl Fn(i64) -> i128) -> ArrayRef {
    let array: Decimal128Array = numbers.map(|number| number.map(&value)).collect();
    Arc::new(array.with_data_type(Content::Decimal.column_type().arrow()))
}

fn texts(numbers: impl Iterator<Item = Option<i64>>, text: impl Fn(i64) -> String) -> ArrayRef {
    Arc::new(numbers.map(|number| number.map(&text)).collect::<StringArray>())
}

/// One column's numbers, and what is awkward about them.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What is awkward.
    pub name: &'static str,
    /// One per row.
    pub numbers: Vec<Option<i64>>,
}

/// The shapes to try with this content: long ones, over several roaring containers, with one of
/// them only.
#[must_use]
pub fn shapes(content: Content) -> Vec<Shape> {
    let rows = if content == Content::Int32 { 70_000 } else { 3_000 };
    let shape = |name, numbers| Shape { name, numbers };
    let each = |number: &dyn Fn(i64) -> Option<i64>| (0..rows).map(number).collect::<Vec<_>>();
    vec![
        shape("all rows one value", each(&|_| Some(7))),
        shape("alternating", each(&|row| Some(row % 2))),
        shape("runs", each(&|row| Some(row / 1_000))),
        shape("sparse", each(&|row| Some(i64::from(row % 997 == 0)))),
        shape("ascending", each(&|row| Some(row - 500))),
        shape("empty", Vec::new()),
        shape("one row", vec![Some(-1)]),
        shape("one null", vec![None]),
        shape("all null", each(&|_| None)),
        shape("nulls between", each(&|row| (row % 3 == 0).then_some(row % 11))),
        shape("nulls in runs", each(&|row| (row / 500 % 2 == 0).then_some(row / 900))),
        shape("a block of nulls", each(&|row| (row / 1_024 != 1).then_some(row % 50))),
        shape("only the last differs", each(&|row| Some(i64::from(row == rows - 1)))),
        shape("one block of 128 exactly", (0..128).map(|row| Some(row % 100)).collect()),
        shape("one row over a block of 128", (0..129).map(|row| Some(129 - row)).collect()),
        shape("one block of 1,024 exactly", (0..1_024).map(|row| Some(row % 100)).collect()),
        shape("one row over a block of 1,024", (0..1_025).map(|row| Some(1_025 - row)).collect()),
        shape(
            "far apart",
            [i64::from(i32::MIN), -1, 0, 1, i64::from(i32::MAX)].into_iter().map(Some).collect(),
        ),
    ]
}
