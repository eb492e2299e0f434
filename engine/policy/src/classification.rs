//! The classification of columns: which class of a loaded column counts.
//!
//! A load file names the class of each column, and whoever loads writes it alone. So a bundle can
//! say itself what each column is, and is approved with it. Owns the comparison of the two, and
//! which columns are withheld because the rules in force cannot show them as what they are. Must
//! never give a column a class with which it was not loaded: it can only take one away, and a
//! column without a class is hidden from everyone.
//!
//! Receives: schemas as they were loaded. Hands on: schemas with the classes that count, to the
//! decision and the check.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use martlet_core::{ClassName, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};

use crate::finding::Finding;

/// What the columns of each table are.
pub(crate) type ColumnClasses = BTreeMap<TableName, BTreeMap<ColumnName, ClassName>>;

/// What a bundle says of what columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Classification {
    /// Nothing: every column is what its load file says.
    AsLoaded,
    /// Every other class, and every other column, counts for nothing.
    Named {
        /// Which class each column has.
        classes: BTreeMap<TableName, BTreeMap<ColumnName, ClassName>>,
        /// The columns that are hidden all the same, and why: the rules in force cannot show
        /// them as they were loaded.
        withheld: BTreeMap<TableName, BTreeMap<ColumnName, String>>,
    },
}

/// What speaks against showing columns as what they are.
#[derive(Debug)]
pub(crate) struct Objection {
    /// What officers are told.
    pub(crate) finding: Finding,
    /// What must not be shown because of it.
    pub(crate) columns: BTreeSet<(TableName, ColumnName)>,
}

/// A column that was loaded with a class and is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenColumn {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// The class with which it was loaded.
    pub loaded: ClassName,
    /// Why it is hidden.
    pub cause: Cause,
}

/// Why a column is hidden that was loaded with a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The bundle does not name it.
    NotNamed,
    /// The bundle names another class.
    NamedAs(ClassName),
    /// The rules cannot show it as it was loaded: what officers are told of it.
    Withheld(String),
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
        let Self::Named { classes, .. } = self else { return Cow::Borrowed(table) };
        if table.name().is_system() {
            return Cow::Borrowed(table);
        }
        let nothing = BTreeMap::new();
        let named = classes.get(table.name()).unwrap_or(&nothing);
        let loaded = table.with_classes(|column| named.get(&column.name).cloned());
        Cow::Owned(with_columns_to_come(&loaded, named).unwrap_or(loaded))
    }

    /// Why the class with which a column was loaded does not count; `None` if it does, or if there
    /// is none.
    #[must_use]
    pub fn hides(&self, table: &TableSchema, column: &ColumnSchema) -> Option<HiddenColumn> {
        let Self::Named { classes, withheld } = self else { return None };
        if table.name().is_system() {
            return None;
        }
        let loaded = column.class.as_ref()?;
        let named = classes.get(table.name()).and_then(|columns| columns.get(&column.name));
        let withheld = withheld.get(table.name()).and_then(|columns| columns.get(&column.name));
        let cause = match (named, withheld) {
            (None, _) => Cause::NotNamed,
            (Some(named), _) if named != loaded => Cause::NamedAs(named.clone()),
            (Some(_), Some(why)) => Cause::Withheld(why.clone()),
            (Some(_), None) => return None,
        };
        let (table, column) = (table.name().clone(), column.name.clone());
        Some(HiddenColumn { table, column, loaded: loaded.clone(), cause })
    }

    /// Hides the columns that something speaks against; whether there are any that were not
    /// hidden. Where load files say what columns are, nobody else does.
    pub(crate) fn withhold(&mut self, objections: &[Objection]) -> bool {
        let Self::Named { withheld, .. } = self else { return false };
        let mut is_more = false;
        for Objection { finding, columns } in objections {
            for (table, column) in columns.iter().filter(|(table, _)| !table.is_system()) {
                let of_table = withheld.entry(table.clone()).or_default();
                is_more |= !of_table.contains_key(column);
                of_table.entry(column.clone()).or_insert_with(|| finding.message.clone());
            }
        }
        is_more
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
        match &self.cause {
            Cause::NotNamed => {
                format!("it was loaded as `{loaded}`, and columns.toml does not name it")
            }
            Cause::NamedAs(named) => {
                format!("it was loaded as `{loaded}`, and columns.toml says `{named}`")
            }
            Cause::Withheld(why) => why.clone(),
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
            Self::Named { classes, .. } => {
                let columns: usize = classes.values().map(BTreeMap::len).sum();
                write!(formatter, "by columns.toml, which names {columns}")
            }
        }
    }
}

#[cfg(test)]
#[path = "classification_tests.rs"]
mod tests;
