//! One value of a table, and columns of them as Arrow arrays and as SQL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use martlet_core::{BatchDate, ColumnType};

/// A value, or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number of either width.
    Number(i64),
    /// A float.
    Float(f64),
    /// A decimal, unscaled.
    Decimal(i128),
    /// Days since 1970.
    Day(i32),
    /// Microseconds since 1970.
    Moment(i64),
    /// A text.
    Text(String),
}

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

impl Cell {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The value as a SQL literal of its column's type.
    #[must_use]
    pub fn sql(&self, column_type: ColumnType) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Float(float) => format!("{float:?}"),
            Self::Decimal(unscaled) => decimal(*unscaled, column_type),
            Self::Day(days) => format!("DATE '{}'", date(*days)),
            Self::Moment(micros) => {
                let (days, rest) = (
                    micros.div_euclid(MICROSECONDS_PER_DAY),
                    micros.rem_euclid(MICROSECONDS_PER_DAY),
                );
                let seconds = rest / 1_000_000;
                let time =
                    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
                format!("TIMESTAMP '{} {time}'", date(i32::try_from(days).unwrap_or(0)))
            }
            Self::Text(text) => quoted(text),
        }
    }

    /// The order in which a cluster key sorts: nulls first, texts by bytes.
    pub(crate) fn sort_key(&self) -> (u8, i128, String) {
        match self {
            Self::Null => (0, 0, String::new()),
            Self::Flag(flag) => (1, i128::from(*flag), String::new()),
            Self::Number(number) | Self::Moment(number) => (1, i128::from(*number), String::new()),
            Self::Decimal(number) => (1, *number, String::new()),
            Self::Day(days) => (1, i128::from(*days), String::new()),
            Self::Float(_) => (1, 0, String::new()),
            Self::Text(text) => (1, 0, text.clone()),
        }
    }
}

/// A text as SQL writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn date(days: i32) -> String {
    BatchDate::from_days(days).map_or_else(|| "1970-01-01".into(), |date| date.to_string())
}

fn decimal(unscaled: i128, column_type: ColumnType) -> String {
    let scale = match column_type {
        ColumnType::Decimal { scale, .. } => u32::try_from(scale).unwrap_or(0),
        _ => 0,
    };
    let unit = 10_i128.pow(scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let (whole, rest) = (unscaled.abs() / unit, unscaled.abs() % unit);
    match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:0width$}", width = scale as usize),
    }
}

/// One column of rows as it is stored.
#[must_use]
pub fn array(rows: &[Vec<Cell>], at: usize, column_type: ColumnType) -> ArrayRef {
    let cells = rows.iter().map(|row| &row[at]);
    let number = |cell: &Cell| match cell {
        Cell::Number(number) | Cell::Moment(number) => Some(*number),
        _ => None,
    };
    match column_type {
        ColumnType::Boolean => Arc::new(
            cells
                .map(|cell| if let Cell::Flag(flag) = cell { Some(*flag) } else { None })
                .collect::<BooleanArray>(),
        ),
        ColumnType::Int32 => Arc::new(
            cells
                .map(|cell| number(cell).and_then(|n| i32::try_from(n).ok()))
                .collect::<Int32Array>(),
        ),
        ColumnType::Int64 => Arc::new(cells.map(number).collect::<Int64Array>()),
        ColumnType::Float64 => Arc::new(
            cells
                .map(|cell| if let Cell::Float(float) = cell { Some(*float) } else { None })
                .collect::<Float64Array>(),
        ),
        ColumnType::Decimal { precision, scale } => {
            let unscaled = |cell: &Cell| if let Cell::Decimal(n) = cell { Some(*n) } else { None };
            let plain: Decimal128Array = cells.map(unscaled).collect();
            Arc::new(plain.with_precision_and_scale(precision, scale).expect("a decimal's digits"))
        }
        ColumnType::Date => Arc::new(
            cells
                .map(|cell| if let Cell::Day(days) = cell { Some(*days) } else { None })
                .collect::<Date32Array>(),
        ),
        ColumnType::Timestamp => Arc::new(cells.map(number).collect::<TimestampMicrosecondArray>()),
        ColumnType::Text => Arc::new(
            cells
                .map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None })
                .collect::<StringArray>(),
        ),
    }
}
