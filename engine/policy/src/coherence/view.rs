//! What is shown together: the columns of one table, and those of two that a key joins.
//!
//! Columns of one row count as those of one person, and so do those of two rows with the same
//! key. Owns which tables are put together, and what roles say of them; never how much that tells.

use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{ClassName, ColumnName, ColumnSchema, TableName, TableSchema};

use super::kind::Kind;
use crate::access::{Access, Sight};
use crate::check::Tables;
use crate::checked::{Class, Role};
use crate::decide::column_sight;
use crate::mask::Mask;
use crate::names::RoleName;

/// A class of a table's columns that can tell, or be told.
#[derive(Debug)]
pub(super) struct Telling<'a> {
    pub(super) class: &'a ClassName,
    pub(super) kind: Kind,
    table: &'a TableSchema,
    /// The first of the columns, and with its table for people.
    column: &'a ColumnSchema,
    pub(super) place: String,
}

/// A column that two tables have in common, of the key of one of them.
#[derive(Debug)]
pub(super) struct Key<'a> {
    pub(super) column: &'a ColumnName,
    /// The column in each table.
    columns: [&'a ColumnSchema; 2],
}

/// What can be seen together.
#[derive(Debug)]
pub(super) struct View<'a> {
    tables: Vec<&'a TableSchema>,
    pub(super) joined_by: Option<Key<'a>>,
    pub(super) telling: Vec<Telling<'a>>,
}

/// What a role says of a view: which of its tables it grants, and its word for each telling class
/// and then for the key in each table. Silence of a role that does not grant the table is no word.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    grants: BTreeSet<usize>,
    words: Vec<Option<Sight>>,
}

/// Roles by what they say: those that say the same are one.
pub(super) type Words<'a> = BTreeMap<Said, Vec<&'a Role>>;

/// Every table in which something could tell of something else, and then every two of them.
pub(super) fn views<'a>(
    tables: &Tables<'a>,
    classes: &'a BTreeMap<ClassName, Class>,
) -> Vec<View<'a>> {
    let tables: Vec<&'a TableSchema> = tables.values().copied().collect();
    let alone = tables.iter().map(|table| View {
        tables: vec![*table],
        joined_by: None,
        telling: telling(table, classes),
    });
    let mut views: Vec<View<'a>> = alone.filter(|view| view.telling.len() > 1).collect();
    for (at, one) in tables.iter().enumerate() {
        for other in &tables[..at] {
            views.extend(joined(other, one, classes));
        }
    }
    views
}

fn telling<'a>(
    table: &'a TableSchema,
    classes: &'a BTreeMap<ClassName, Class>,
) -> Vec<Telling<'a>> {
    let mut found: Vec<Telling<'a>> = Vec::new();
    for column in table.columns() {
        let class = column.class.as_ref().and_then(|name| classes.get_key_value(name));
        let Some((class, Class { about: Some(kind), .. })) = class else { continue };
        if found.iter().all(|telling| telling.class != class) {
            let place = format!("{}.{}", table.name(), column.name);
            found.push(Telling { class, kind: *kind, table, column, place });
        }
    }
    found
}

/// Two tables by each key that they share, if the second has something new to tell of the first.
fn joined<'a>(
    one: &'a TableSchema,
    other: &'a TableSchema,
    classes: &'a BTreeMap<ClassName, Class>,
) -> Vec<View<'a>> {
    let is_new = |telling: &Telling<'_>, known: &[Telling<'_>]| {
        known.iter().all(|known| known.class != telling.class)
    };
    let view = |key: Key<'a>| {
        let mut telling_of_both = telling(one, classes);
        let (known, mut more) = (telling_of_both.len(), telling(other, classes));
        more.retain(|telling| is_new(telling, &telling_of_both[..known]));
        let related = more.iter().any(|new| {
            telling_of_both.iter().any(|known| known.kind.subject() == new.kind.subject())
        });
        telling_of_both.extend(more);
        related.then(|| View {
            tables: vec![one, other],
            joined_by: Some(key),
            telling: telling_of_both,
        })
    };
    keys(one, other).into_iter().filter_map(view).collect()
}

/// Columns of one name and class that are of the key of one of the tables.
fn keys<'a>(one: &'a TableSchema, other: &'a TableSchema) -> Vec<Key<'a>> {
    let is_key = |table: &TableSchema, name: &ColumnName| {
        table.primary_key().iter().any(|at| table.columns()[*at].name == *name)
    };
    let shared = one.columns().iter().filter_map(|column| {
        let same = other.column(column.name.as_str())?;
        let is_shared = column.class.is_some() && column.class == same.class;
        let name = &column.name;
        (is_shared && (is_key(one, name) || is_key(other, name)))
            .then_some(Key { column: name, columns: [column, same] })
    });
    shared.collect()
}

/// What every role says of a view that says anything.
pub(super) fn words<'a>(view: &View<'_>, roles: &'a BTreeMap<RoleName, Role>) -> Words<'a> {
    let mut words = Words::new();
    for role in roles.values() {
        let granted = |table: &TableSchema| role.tables.contains(table.name());
        let grants: BTreeSet<usize> =
            (0..view.tables.len()).filter(|at| granted(view.tables[*at])).collect();
        let word = |table: &TableSchema, column: &ColumnSchema| {
            let class = column.class.as_ref()?;
            (granted(table) || role.sights.contains_key(class))
                .then(|| column_sight(table, column, &[role]))
        };
        let mut said: Vec<Option<Sight>> =
            view.telling.iter().map(|telling| word(telling.table, telling.column)).collect();
        if let Some(key) = &view.joined_by {
            said.extend(view.tables.iter().zip(key.columns).map(|(table, key)| word(table, key)));
        }
        if !grants.is_empty() || said.iter().any(Option::is_some) {
            words.entry(Said { grants, words: said }).or_default().push(role);
        }
    }
    words
}

impl View<'_> {
    /// Every column of these classes.
    pub(super) fn columns_of(
        &self,
        classes: &BTreeSet<ClassName>,
    ) -> BTreeSet<(TableName, ColumnName)> {
        let is_one = |column: &&ColumnSchema| {
            column.class.as_ref().is_some_and(|class| classes.contains(class))
        };
        let of = |table: &&TableSchema| -> Vec<_> {
            let columns = table.columns().iter().filter(is_one);
            columns.map(|column| (table.name().clone(), column.name.clone())).collect()
        };
        self.tables.iter().flat_map(of).collect()
    }

    /// What holders of both see of each telling class; of one role, what it says. `None` if not
    /// every table is granted, or they cannot be joined.
    pub(super) fn together(&self, one: &Said, other: &Said) -> Option<Vec<Sight>> {
        let granted = one.grants.union(&other.grants).count();
        if granted < self.tables.len() {
            return None;
        }
        let both = |(one, other): (&Option<Sight>, &Option<Sight>)| {
            Sight::strictest(one.iter().chain(other).cloned())
        };
        let mut seen: Vec<Sight> = one.words.iter().zip(&other.words).map(both).collect();
        let keys = seen.split_off(self.telling.len());
        let joins = keys.iter().all(|key| joins(key) && Some(key) == keys.first());
        joins.then_some(seen)
    }
}

/// Whether a column shown so has equal values where the stored ones are equal, and only there.
const fn joins(sight: &Sight) -> bool {
    matches!(sight, Sight::Shown(Access::Clear | Access::Unshown | Access::Masked(Mask::Token(_))))
}
