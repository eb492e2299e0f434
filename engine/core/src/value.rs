//! One scalar value, never null: null is the absence of a value.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::ids::BatchDate;
use crate::schema::ColumnType;

/// A value of a column. Two values of one column always have the same variant.
///
/// The order is total: within a variant the natural one (text by bytes, floats by
/// IEEE 754 `totalOrder`), between variants by variant, which only keeps sorting defined.
#[derive(Clone)]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// An `int32` or `int64`.
    Int(i64),
    /// A float.
    Float(f64),
    /// A decimal, as the unscaled number; its scale is the column's.
    Decimal(i128),
    /// A date, in days since 1970-01-01.
    Date(i32),
    /// A timestamp, in microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// A text.
    Text(Arc<str>),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// Whether the value can stand in a column of this type. A decimal's scale cannot be
    /// checked, since the value does not carry it.
    #[must_use]
    pub const fn fits(&self, column_type: ColumnType) -> bool {
        matches!(
            (self, column_type),
            (Self::Boolean(_), ColumnType::Boolean)
                | (Self::Int(_), ColumnType::Int32 | ColumnType::Int64)
                | (Self::Float(_), ColumnType::Float64)
                | (Self::Decimal(_), ColumnType::Decimal { .. })
                | (Self::Date(_), ColumnType::Date)
                | (Self::Timestamp(_), ColumnType::Timestamp)
                | (Self::Text(_), ColumnType::Text)
        )
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Int(_) => 1,
            Self::Float(_) => 2,
            Self::Decimal(_) => 3,
            Self::Date(_) => 4,
            Self::Timestamp(_) => 5,
            Self::Text(_) => 6,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Boolean(value) => value.hash(state),
            Self::Int(value) | Self::Timestamp(value) => value.hash(state),
            Self::Float(value) => value.to_bits().hash(state),
            Self::Decimal(value) => value.hash(state),
            Self::Date(value) => value.hash(state),
            Self::Text(value) => value.hash(state),
        }
    }
}

/// Prints the variant only: a value may be a customer's, and logs are read by many.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Boolean(_) => "Boolean(..)",
            Self::Int(_) => "Int(..)",
            Self::Float(_) => "Float(..)",
            Self::Decimal(_) => "Decimal(..)",
            Self::Date(_) => "Date(..)",
            Self::Timestamp(_) => "Timestamp(..)",
            Self::Text(_) => "Text(..)",
        })
    }
}

impl From<BatchDate> for Value {
    fn from(date: BatchDate) -> Self {
        Self::Date(date.days())
    }
}
