//! Checks what the bundle says of columns: that each is named once, with a class that there is.
//!
//! Tables and columns that are not loaded are no finding: officers can say what they are before.

use std::collections::BTreeMap;

use martlet_core::{ClassName, ColumnName, TableName};

use super::{check_duplicates, named};
use crate::checked::Class;
use crate::classification::{Classification, ColumnClasses};
use crate::finding::Finding;
use crate::parse::{RawColumns, Word};

/// Makes the classification. Without the file, load files say what columns are.
pub(super) fn check(
    raw: Option<&[RawColumns]>,
    classes: &BTreeMap<ClassName, Class>,
    findings: &mut Vec<Finding>,
) -> Classification {
    let Some(raw) = raw else { return Classification::AsLoaded };
    check_duplicates("table", raw.iter().map(|table| &table.table), findings);
    let mut tables = ColumnClasses::new();
    for table in raw {
        let Some(name) = check_name(table, findings) else { continue };
        let columns = table.columns.iter();
        let columns =
            columns.filter_map(|(column, class)| check_column(column, class, classes, findings));
        tables.insert(name, columns.collect());
    }
    Classification::Named { classes: tables, withheld: BTreeMap::new() }
}

fn check_name(raw: &RawColumns, findings: &mut Vec<Finding>) -> Option<TableName> {
    let place = raw.table.place;
    let name = named(&raw.table, TableName::new, findings)?;
    if name.is_system() {
        let message = format!("`{name}` is Martlet's own, and what it holds is known; remove it");
        findings.push(place.finding(message));
    }
    if raw.columns.is_empty() {
        let message = format!("`columns` says of no column of `{name}` what it is; name one");
        findings.push(place.finding(message));
    }
    Some(name)
}

fn check_column(
    column: &Word,
    class: &Word,
    classes: &BTreeMap<ClassName, Class>,
    findings: &mut Vec<Finding>,
) -> Option<(ColumnName, ClassName)> {
    let name = named(column, ColumnName::new, findings);
    let class_name = named(class, ClassName::new, findings)?;
    if !classes.contains_key(&class_name) {
        findings.push(class.place.finding(format!("there is no class `{class_name}`")));
        return None;
    }
    Some((name?, class_name))
}
