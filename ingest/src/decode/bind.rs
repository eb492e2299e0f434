//! Joins a table's columns with the fields that one file really has.
//!
//! Owns the look-up by name. A column that the file does not have is the file's error, not a
//! thousand rows' one.

use std::collections::HashMap;
use std::path::Path;

use martlet_core::{BatchDate, ColumnType, TableSchema};

use crate::check::Bound;
use crate::config::plan::{ColumnRule, Derived, Input};
use crate::error::IngestError;

/// What a file is called and whose it is: the source of derived values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileFacts<'a> {
    pub(crate) path: &'a Path,
    pub(crate) system: Option<&'a str>,
    pub(crate) date: BatchDate,
}

/// The fields of one file.
#[derive(Debug, Clone)]
pub(crate) enum FileFields {
    /// As the header calls them.
    Named(Vec<String>),
    /// So many.
    Counted(usize),
}

impl FileFields {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Named(names) => names.len(),
            Self::Counted(count) => *count,
        }
    }

    /// What the reject file calls a field.
    pub(crate) fn label(&self, position: usize) -> String {
        match self {
            Self::Named(names) if position < names.len() => names[position].clone(),
            _ => format!("field {}", position + 1),
        }
    }
}

/// Finds every column's place in the file's records.
pub(crate) fn bind(
    schema: &TableSchema,
    rules: &[ColumnRule],
    fields: &FileFields,
    facts: FileFacts<'_>,
) -> Result<Vec<Bound>, IngestError> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    if let FileFields::Named(names) = fields {
        for (at, name) in names.iter().enumerate() {
            places.entry(name).or_default().push(at);
        }
    }
    let bind_one = |(at, rule): (usize, &ColumnRule)| {
        let column = &schema.columns()[at];
        match &rule.input {
            Input::Named(name) => named(name, &places, fields, facts),
            Input::Position(position) if *position < fields.len() => Ok(Bound::Field(*position)),
            Input::Position(position) => Err(IngestError::form(
                facts.path,
                format!(
                    "column `{}` is field {}, and the file has {} fields",
                    column.name,
                    position + 1,
                    fields.len()
                ),
            )),
            Input::Derived(derived) => Ok(derive(*derived, column.column_type, facts)),
        }
    };
    rules.iter().enumerate().map(bind_one).collect()
}

fn named(
    name: &str,
    places: &HashMap<&str, Vec<usize>>,
    fields: &FileFields,
    facts: FileFacts<'_>,
) -> Result<Bound, IngestError> {
    match places.get(name).map(Vec::as_slice) {
        Some([at]) => Ok(Bound::Field(*at)),
        Some(_) => {
            Err(IngestError::form(facts.path, format!("its header names `{name}` more than once")))
        }
        None => Err(IngestError::form(
            facts.path,
            format!("its header has no field `{name}`; it has {}", listed(fields)),
        )),
    }
}

fn listed(fields: &FileFields) -> String {
    const SHOWN_MAX: usize = 40;
    let FileFields::Named(names) = fields else { return "no names".into() };
    let mut shown: Vec<String> =
        names.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN_MAX {
        shown.push(format!("and {} more", names.len() - SHOWN_MAX));
    }
    shown.join(", ")
}

fn derive(derived: Derived, column_type: ColumnType, facts: FileFacts<'_>) -> Bound {
    match (derived, column_type) {
        (Derived::BatchDate, ColumnType::Date) => Bound::Date(facts.date.days()),
        (Derived::BatchDate, _) => Bound::Text(facts.date.to_string()),
        (Derived::SourceSystem, _) => {
            facts.system.map_or(Bound::Null, |system| Bound::Text(system.to_string()))
        }
        (Derived::FileName, _) => facts
            .path
            .file_name()
            .map_or(Bound::Null, |name| Bound::Text(name.to_string_lossy().into_owned())),
    }
}
