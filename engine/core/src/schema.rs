//! The logical table: columns, their types and classes, its keys.
//!
//! A class says what a column *is* (`mobile`, `balance`, …); what a reader may see of a class
//! is the policy's business. A column without a class is secret.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::ids::{ColumnName, IdError, TableName};
use crate::limits::TABLE_COLUMNS_MAX;

/// The types that a mart's column can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 64-bit floating point, for rates and scores; money is a decimal.
    Float64,
    /// Exact decimal of at most 38 digits, `scale` of them behind the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: i8,
    },
    /// Calendar date, in days since 1970-01-01.
    Date,
    /// Wall-clock time in microseconds since 1970-01-01 00:00, without a time zone.
    Timestamp,
    /// UTF-8 text.
    Text,
}

impl ColumnType {
    /// The Arrow type that stores it: plain layouts, never views or dictionaries, because
    /// those carry more bytes than the rows that are left.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Text => DataType::Utf8,
        }
    }

    /// The name as load files write it and `table show` prints it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Boolean => "boolean".into(),
            Self::Int32 => "int32".into(),
            Self::Int64 => "int64".into(),
            Self::Float64 => "float64".into(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Self::Date => "date".into(),
            Self::Timestamp => "timestamp".into(),
            Self::Text => "text".into(),
        }
    }

    /// Reads a type's name; `None` if it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" => Self::Boolean,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "text" => Self::Text,
            _ => return Self::parse_decimal(name),
        })
    }

    fn parse_decimal(name: &str) -> Option<Self> {
        let (precision, scale) =
            name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
        let precision: u8 = precision.trim().parse().ok()?;
        let scale: i8 = scale.trim().parse().ok()?;
        let fits = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
        fits.then_some(Self::Decimal { precision, scale })
    }
}

/// The name of a column class, such as `mobile` or `balance`; the policy bundle defines it.
pub type ClassName = ColumnName;

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name, unique in the table.
    pub name: ColumnName,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its class; a column without one is secret.
    pub class: Option<ClassName>,
}

/// Why a table's schema was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A name is not well formed.
    #[error(transparent)]
    Name(#[from] IdError),
    /// Two columns share a name.
    #[error("table `{table}`: column `{column}` is named twice")]
    Twice {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
    },
    /// A key names a column that the table does not have.
    #[error("table `{table}`: its {key} names `{column}`, which is not one of its columns")]
    UnknownKey {
        /// The table.
        table: TableName,
        /// `primary key` or `cluster key`.
        key: &'static str,
        /// The column.
        column: ColumnName,
    },
    /// No column, or too many.
    #[error("table `{table}`: has {columns} columns; from 1 to {TABLE_COLUMNS_MAX} are possible")]
    Width {
        /// The table.
        table: TableName,
        /// How many.
        columns: usize,
    },
}

/// One table: its columns in order, and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    name: TableName,
    columns: Vec<ColumnSchema>,
    primary_key: Vec<usize>,
    cluster_key: Vec<usize>,
}

impl TableSchema {
    /// Checks and makes a schema. Keys are column names in key order; either may be empty.
    ///
    /// # Errors
    /// [`SchemaError`] when a column is named twice, a key names no column, or the table has
    /// no column or too many.
    pub fn new(
        name: TableName,
        columns: Vec<ColumnSchema>,
        primary_key: &[ColumnName],
        cluster_key: &[ColumnName],
    ) -> Result<Self, SchemaError> {
        if columns.is_empty() || columns.len() > TABLE_COLUMNS_MAX {
            return Err(SchemaError::Width { table: name, columns: columns.len() });
        }
        let mut seen = HashSet::new();
        if let Some(column) = columns.iter().find(|column| !seen.insert(&column.name)) {
            return Err(SchemaError::Twice { table: name, column: column.name.clone() });
        }
        let positions = |key: &'static str, names: &[ColumnName]| {
            names
                .iter()
                .map(|wanted| {
                    columns.iter().position(|column| column.name == *wanted).ok_or_else(|| {
                        SchemaError::UnknownKey { table: name.clone(), key, column: wanted.clone() }
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let primary_key = positions("primary key", primary_key)?;
        let cluster_key = positions("cluster key", cluster_key)?;
        Ok(Self { name, columns, primary_key, cluster_key })
    }

    /// The same table with other classes: those that `class_of` gives its columns.
    #[must_use]
    pub fn with_classes(&self, class_of: impl Fn(&ColumnSchema) -> Option<ClassName>) -> Self {
        let mut table = self.clone();
        for column in &mut table.columns {
            column.class = class_of(column);
        }
        table
    }

    /// The table's name.
    #[must_use]
    pub const fn name(&self) -> &TableName {
        &self.name
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[ColumnSchema] {
        &self.columns
    }

    /// Positions of the primary key's columns, in key order.
    #[must_use]
    pub fn primary_key(&self) -> &[usize] {
        &self.primary_key
    }

    /// Positions of the cluster key's columns, in sort order.
    #[must_use]
    pub fn cluster_key(&self) -> &[usize] {
        &self.cluster_key
    }

    /// The position of a column.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.as_str() == name)
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The Arrow schema of the stored rows: raw values, every column.
    #[must_use]
    pub fn arrow(&self) -> SchemaRef {
        let field = |column: &ColumnSchema| {
            Field::new(column.name.as_str(), column.column_type.arrow(), column.nullable)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }
}
