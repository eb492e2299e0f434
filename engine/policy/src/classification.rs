//! The classification of columns: which class of a loaded column counts.
//!
//! A load file names the class of each column, and whoever loads writes it alone. So a bundle can
//! say itself what each column is, and is approved with it. Owns the comparison of the two. Must
//! never give a column a class with which it was not loaded: it can only take one away, and a
//! column without a class is hidden from everyone.
//!
//! Receives: schemas as they were loaded. Hands on: schemas with the classes that count, to the
//! decision and the check.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use martlet_core::{ClassName, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};

/// What the columns of each table are.
pub(crate) type ColumnClasses = BTreeMap<TableName, BTreeMap<ColumnName, ClassName>>;

/// What a bundle says of what columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Classification {
    /// Nothing: every column is what its load file says.
    AsLoaded,
    /// Which class each column has; every other class, and every other column, counts for nothing.
    Named(BTreeMap<TableName, BTreeMap<ColumnName, ClassName>>),
}

/// A column that was loaded with a class and is hidden, because the bundle does not say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenColumn {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// The class with which it was loaded.
    pub loaded: ClassName,
    /// The class that the bundle names, if it names the column.
    pub named: Option<ClassName>,
}

impl Classification {
    /// The table as it is decided about: a column keeps its class only if it counts. Martlet's own
    /// tables are as they are.
    #[must_use]
    pub fn in_force<'a>(&self, table: &'a TableSchema) -> Cow<'a, TableSchema> {
        if table.columns().iter().all(|column| self.hides(table, column).is_none()) {
            return Cow::Borrowed(table);
        }
        let counts = |column: &ColumnSchema| {
            column.class.clone().filter(|_| self.hides(table, column).is_none())
        };
        Cow::Owned(table.with_classes(counts))
    }

    /// The table as officers expect it: what they name is there, and is what they name it, loaded
    /// or not. So no load makes good what they wrote, and none makes it wrong.
    pub(crate) fn expected<'a>(&self, table: &'a TableSchema) -> Cow<'a, TableSchema> {
        let Self::Named(tables) = self else { return Cow::Borrowed(table) };
        if table.name().is_system() {
            return Cow::Borrowed(table);
        }
        let nothing = BTreeMap::new();
        let named = tables.get(table.name()).unwrap_or(&nothing);
        let loaded = table.with_classes(|column| named.get(&column.name).cloned());
        Cow::Owned(with_columns_to_come(&loaded, named).unwrap_or(loaded))
    }

    /// Why the class with which a column was loaded does not count; `None` if it does, or if there
    /// is none.
    #[must_use]
    pub fn hides(&self, table: &TableSchema, column: &ColumnSchema) -> Option<HiddenColumn> {
        let Self::Named(tables) = self else { return None };
        if table.name().is_system() {
            return None;
        }
        let loaded = column.class.as_ref()?;
        let named = tables.get(table.name()).and_then(|columns| columns.get(&column.name));
        (named != Some(loaded)).then(|| HiddenColumn {
            table: table.name().clone(),
            column: column.name.clone(),
            loaded: loaded.clone(),
            named: named.cloned(),
        })
    }

    /// Every column of these tables whose class does not count, in their order.
    pub fn hidden_columns<'a>(
        &'a self,
        tables: &'a [TableSchema],
    ) -> impl Iterator<Item = HiddenColumn> + 'a {
        let of = move |table: &'a TableSchema| {
            table.columns().iter().filter_map(move |column| self.hides(table, column))
        };
        tables.iter().flat_map(of)
    }
}

/// The table with the columns that are named and not there yet. Of what type they will be is not
/// known. `None` if a table cannot be so wide: then they cannot come.
fn with_columns_to_come(
    table: &TableSchema,
    named: &BTreeMap<ColumnName, ClassName>,
) -> Option<TableSchema> {
    let to_come = named.iter().filter(|(name, _)| table.column(name.as_str()).is_none());
    let to_come = to_come.map(|(name, class)| ColumnSchema {
        name: name.clone(),
        column_type: ColumnType::Text,
        nullable: true,
        class: Some(class.clone()),
    });
    let columns = table.columns().iter().cloned().chain(to_come).collect();
    let names = |positions: &[usize]| -> Vec<ColumnName> {
        positions.iter().map(|at| table.columns()[*at].name.clone()).collect()
    };
    let keys = (names(table.primary_key()), names(table.cluster_key()));
    TableSchema::new(table.name().clone(), columns, &keys.0, &keys.1).ok()
}

impl HiddenColumn {
    /// Why it is hidden, for officers.
    #[must_use]
    pub fn reason(&self) -> String {
        let loaded = &self.loaded;
        match &self.named {
            Some(named) => format!("it was loaded as `{loaded}`, and columns.toml says `{named}`"),
            None => format!("it was loaded as `{loaded}`, and columns.toml does not name it"),
        }
    }
}

/// `customer.note is hidden from everyone: it was loaded as …`.
impl fmt::Display for HiddenColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, .. } = self;
        write!(formatter, "`{table}.{column}` is hidden from everyone: {}", self.reason())
    }
}

/// For officers: who says what columns are, and of how many.
impl fmt::Display for Classification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsLoaded => formatter.write_str("by load files alone"),
            Self::Named(tables) => {
                let columns: usize = tables.values().map(BTreeMap::len).sum();
                write!(formatter, "by columns.toml, which names {columns}")
            }
        }
    }
}

#[cfg(test)]
#[path = "classification_tests.rs"]
mod tests;
