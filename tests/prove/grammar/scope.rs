//! The columns that an expression may speak of, by type.

use martlet_core::ColumnType;

use crate::random::Random;
use crate::worlds::cell::Cell;
use crate::worlds::{SeenColumn, SeenTable};

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Float,
    Money,
    Text,
    Truth,
    Day,
    Moment,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Number, Self::Float, Self::Money, Self::Text, Self::Truth, Self::Day, Self::Moment];

    /// What a column of that type gives.
    #[must_use]
    pub const fn of(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Boolean => Self::Truth,
            ColumnType::Int32 | ColumnType::Int64 => Self::Number,
            ColumnType::Float64 => Self::Float,
            ColumnType::Decimal { .. } => Self::Money,
            ColumnType::Date => Self::Day,
            ColumnType::Timestamp => Self::Moment,
            ColumnType::Text => Self::Text,
        }
    }

    /// A constant of the kind.
    #[must_use]
    pub const fn constant(self) -> &'static str {
        match self {
            Self::Number => "1",
            Self::Float => "1.5",
            Self::Money => "CAST(2.50 AS decimal(12,2))",
            Self::Text => "'a'",
            Self::Truth => "true",
            Self::Day => "DATE '2024-02-29'",
            Self::Moment => "TIMESTAMP '2024-02-29 12:00:00'",
        }
    }
}

/// A column that may be named.
#[derive(Debug, Clone)]
pub struct Named {
    /// How it is named: with its table's alias.
    pub sql: String,
    pub kind: Kind,
    pub column_type: ColumnType,
    pub values: Vec<Cell>,
}

/// Columns in reach.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub columns: Vec<Named>,
    /// Columns that together tell every row from every other; empty where there are none.
    pub keys: Vec<String>,
}

impl Scope {
    /// A table's columns under an alias.
    #[must_use]
    pub fn of_table(table: &SeenTable, alias: &str) -> Self {
        let columns = table.columns.iter().map(|column| Named::of(column, alias));
        let key = match table.name {
            "customer" => "customer_id",
            "entry" => "entry_id",
            "product" => "product_id",
            "vault" => "vault_id",
            "limbo" => "limbo_id",
            "loan" => "loan_id",
            "guarantee" => "guarantee_id",
            _ => "code",
        };
        Self { columns: columns.collect(), keys: vec![format!("{alias}.{key}")] }
    }

    /// What of a table may stand in conditions only.
    #[must_use]
    pub fn for_conditions(table: &SeenTable, alias: &str) -> Self {
        let columns = table.for_conditions.iter().map(|column| Named::of(column, alias));
        Self { columns: columns.collect(), keys: Vec::new() }
    }

    /// Both, side by side.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.columns.extend(other.columns);
        self.keys.extend(other.keys);
        self
    }

    /// A column of the kind, if there is one.
    pub fn pick(&self, kind: Kind, random: &mut Random) -> Option<&Named> {
        let of_kind: Vec<&Named> =
            self.columns.iter().filter(|column| column.kind == kind).collect();
        (!of_kind.is_empty()).then(|| random.draw(&of_kind))
    }

    /// Any column.
    pub fn any(&self, random: &mut Random) -> &Named {
        random.pick(&self.columns)
    }
}

impl Named {
    fn of(column: &SeenColumn, alias: &str) -> Self {
        Self {
            sql: format!("{alias}.{}", column.name),
            kind: Kind::of(column.column_type),
            column_type: column.column_type,
            values: column.values.clone(),
        }
    }

    /// A value that stands in the column, or one that does not.
    pub fn value(&self, random: &mut Random) -> String {
        if self.values.is_empty() || random.chance(12) {
            return beyond(self.kind, random).to_owned();
        }
        random.pick(&self.values).sql(self.column_type)
    }
}

/// A constant that visible rows seldom hold, and hidden ones may.
fn beyond(kind: Kind, random: &mut Random) -> &'static str {
    let all: &[&str] = match kind {
        Kind::Number => &["0", "-1", "9", "4", "1000000000", "9223372036854775807", "NULL"],
        Kind::Float => &["0.0", "-1e300", "1e300", "0.125"],
        Kind::Money => &["0.00", "-77777.77", "9000000000000000.00"],
        Kind::Text => {
            &["'o21'", "'o31'", "'private'", "'gold'", "'***'", "''", "'Z'", "'a'", "'1'"]
        }
        Kind::Truth => &["true", "false"],
        Kind::Day => &["DATE '1900-01-01'", "DATE '2024-06-30'", "DATE '2199-12-31'"],
        Kind::Moment => &["TIMESTAMP '1901-01-01 00:00:00'", "TIMESTAMP '2150-01-01 00:00:00'"],
    };
    random.draw(all)
}
