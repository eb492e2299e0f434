//! What was written to what it means: the load and its tables.
//!
//! Owns the rules that go beyond one column or one source.

use std::collections::HashSet;
use std::path::Path;

use martlet_core::{ColumnName, TableName, TableSchema};
use martlet_index::IndexChoice;
use toml::{Spanned, Value};

use super::column::{CheckedColumn, check_column};
use super::plan::{LoadMode, LoadPlan, RejectLimit, TablePlan};
use super::raw::{RawLoad, RawTable};
use super::source::check_source;
use super::written::Written;
use crate::error::IngestError;

/// Checks a load file's text.
pub(super) fn check(written: Written<'_>, input: &Path) -> Result<LoadPlan, IngestError> {
    let raw: RawLoad = toml::from_str(written.text).map_err(|error| {
        written.refuse(error.span().unwrap_or(0..0), error.message().replace('\n', ", "))
    })?;
    ColumnName::new(raw.name.get_ref())
        .map_err(|error| written.refuse(raw.name.span(), error.to_string()))?;
    if raw.table.is_empty() {
        return Err(written.refuse(raw.name.span(), "no table is loaded: add a [[table]]"));
    }
    let tables =
        raw.table.iter().map(|table| check_table(written, table)).collect::<Result<Vec<_>, _>>()?;
    let mut names = HashSet::new();
    for (table, raw) in tables.iter().zip(&raw.table) {
        if !names.insert(table.schema.name().clone()) {
            let problem = format!(
                "table `{}` stands twice: give one [[table]] several [[table.source]]",
                table.schema.name()
            );
            return Err(written.refuse(raw.get_ref().name.span(), problem));
        }
    }
    Ok(LoadPlan {
        path: written.path.to_path_buf(),
        input: input.to_path_buf(),
        text: written.text.to_string(),
        name: raw.name.get_ref().clone(),
        reject_limit: check_reject_limit(written, raw.reject_limit.as_ref())?,
        tables,
    })
}

fn check_reject_limit(
    written: Written<'_>,
    limit: Option<&Spanned<Value>>,
) -> Result<RejectLimit, IngestError> {
    let Some(limit) = limit else { return Ok(RejectLimit::Rows(0)) };
    let rows = limit.get_ref().as_integer().and_then(|rows| u64::try_from(rows).ok());
    match (rows, limit.get_ref().as_str()) {
        (Some(rows), _) => Ok(RejectLimit::Rows(rows)),
        (None, Some("unlimited")) => Ok(RejectLimit::Unlimited),
        _ => {
            Err(written.refuse(limit.span(), "`reject_limit` is a number of rows or \"unlimited\""))
        }
    }
}

fn check_table(written: Written<'_>, raw: &Spanned<RawTable>) -> Result<TablePlan, IngestError> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let name = TableName::new(raw.name.get_ref())
        .map_err(|error| written.refuse(raw.name.span(), error.to_string()))?;
    if name.is_system() {
        let problem = "tables of the schema `system` are Martlet's own and cannot be loaded";
        return Err(written.refuse(raw.name.span(), problem));
    }
    let mode = check_mode(written, &raw.mode)?;
    if raw.source.is_empty() {
        return Err(written.refuse(span, format!("table `{name}` has no [[table.source]]")));
    }
    let primary_key = check_key(written, raw, &raw.primary_key, "primary_key")?;
    let cluster_key = check_key(written, raw, &raw.cluster_key, "cluster_key")?;
    check_keys_of_mode(written, raw, mode)?;
    let columns = raw
        .column
        .iter()
        .map(|column| check_column(written, column, &primary_key))
        .collect::<Result<Vec<_>, _>>()?;
    let sources = raw
        .source
        .iter()
        .map(|source| check_source(written, source, &columns))
        .collect::<Result<Vec<_>, _>>()?;
    let indexes: Vec<IndexChoice> = columns.iter().map(|column| column.index.clone()).collect();
    let schema_columns = columns.into_iter().map(|column: CheckedColumn<'_>| column.schema);
    let schema = TableSchema::new(name, schema_columns.collect(), &primary_key, &cluster_key)
        .map_err(|error| written.refuse(raw.name.span(), error.to_string()))?;
    Ok(TablePlan { schema, mode, indexes, sources })
}

fn check_mode(written: Written<'_>, mode: &Spanned<String>) -> Result<LoadMode, IngestError> {
    const MODES: [LoadMode; 4] =
        [LoadMode::Replace, LoadMode::Append, LoadMode::Upsert, LoadMode::Delete];
    MODES.into_iter().find(|known| known.word() == mode.get_ref()).ok_or_else(|| {
        let problem = "`mode` is \"replace\", \"append\", \"upsert\" or \"delete\"";
        written.refuse(mode.span(), problem)
    })
}

/// Rows are found by their primary key, so there has to be one; and a row that goes is told by
/// its key alone.
fn check_keys_of_mode(
    written: Written<'_>,
    raw: &RawTable,
    mode: LoadMode,
) -> Result<(), IngestError> {
    if mode.supersedes() && raw.primary_key.is_empty() {
        let problem = format!("mode \"{}\" needs a `primary_key`", mode.word());
        return Err(written.refuse(raw.mode.span(), problem));
    }
    if mode != LoadMode::Delete {
        return Ok(());
    }
    if let Some(part) = raw.cluster_key.first() {
        let problem = "rows that are deleted are not stored, so there is no `cluster_key`";
        return Err(written.refuse(part.span(), problem));
    }
    let is_key = |name: &String| raw.primary_key.iter().any(|part| part.get_ref() == name);
    match raw
        .column
        .iter()
        .map(|column| &column.get_ref().name)
        .find(|name| !is_key(name.get_ref()))
    {
        Some(name) => {
            let problem = "mode \"delete\" reads the columns of the primary key and no others";
            Err(written.refuse(name.span(), problem))
        }
        None => Ok(()),
    }
}

fn check_key(
    written: Written<'_>,
    table: &RawTable,
    key: &[Spanned<String>],
    word: &str,
) -> Result<Vec<ColumnName>, IngestError> {
    let mut names = Vec::with_capacity(key.len());
    for part in key {
        let name = part.get_ref();
        if !table.column.iter().any(|column| column.get_ref().name.get_ref() == name) {
            let problem = format!("`{word}` names `{name}`, which is not a column of the table");
            return Err(written.refuse(part.span(), problem));
        }
        let name = ColumnName::new(name)
            .map_err(|error| written.refuse(part.span(), error.to_string()))?;
        if names.contains(&name) {
            let problem = format!("`{word}` names `{name}` twice");
            return Err(written.refuse(part.span(), problem));
        }
        names.push(name);
    }
    Ok(names)
}
