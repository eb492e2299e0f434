//! Writes `night.toml`, the load file that describes every table of the feed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::entity::{Column, Dialect, ENTITIES, Encoding, Entity, Mode, Origin, Presence, Quoting};
use crate::error::BankError;

const HEAD: &str = "\
# The night's load of the synthetic bank: three source systems, ten tables.
name = \"night\"
reject_limit = 0
";

pub(crate) fn write(dir: &Path) -> Result<PathBuf, BankError> {
    let path = dir.join("night.toml");
    fs::write(&path, text()).map_err(BankError::at(&path))?;
    Ok(path)
}

fn text() -> String {
    let mut text = HEAD.to_owned();
    for entity in ENTITIES {
        text.push_str(&table(entity));
    }
    text
}

fn table(entity: &Entity) -> String {
    let mode = match entity.mode {
        Mode::Replace => "replace",
        Mode::Append => "append",
    };
    let mut text = format!(
        "\n[[table]]\nname = \"{}\"\nmode = \"{mode}\"\nprimary_key = {:?}\ncluster_key = {:?}\n",
        entity.table, entity.primary_key, entity.cluster_key
    );
    for column in entity.columns {
        text.push_str(&column_text(column, entity.system.dialect()));
    }
    text.push_str(&source(entity));
    text
}

fn column_text(column: &Column, dialect: Dialect) -> String {
    let mut text = format!(
        "\n  [[table.column]]\n  name = \"{}\"\n  type = \"{}\"\n  class = \"{}\"\n",
        column.name, column.column_type, column.class
    );
    // Writing to a string cannot fail.
    if column.presence == Presence::Required {
        text.push_str("  nullable = false\n");
    }
    match column.origin {
        Origin::Field(field) if field == column.name => {}
        Origin::Field(field) => {
            let _ = writeln!(text, "  field = \"{field}\"");
        }
        Origin::BatchDate => text.push_str("  value = \"batch_date\"\n"),
    }
    if let Some(format) = date_format(column, dialect) {
        let _ = writeln!(text, "  format = \"{format}\"");
    }
    text
}

/// The pattern of a column's dates, where it is not the load's own default.
fn date_format(column: &Column, dialect: Dialect) -> Option<String> {
    if column.origin == Origin::BatchDate || dialect.date_separator == Some(b'-') {
        return None;
    }
    let separator = dialect.date_separator.map(char::from).map(String::from).unwrap_or_default();
    let date = format!("%Y{separator}%m{separator}%d");
    match column.column_type {
        "date" => Some(date),
        "timestamp" => Some(format!("{date} %H:%M:%S")),
        _ => None,
    }
}

fn source(entity: &Entity) -> String {
    let dialect = entity.system.dialect();
    let system = entity.system.name();
    let quote = match dialect.quoting {
        Quoting::Bare => "",
        Quoting::Text => "\\\"",
    };
    let encoding = match dialect.encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Gb18030 => "gb18030",
    };
    let nulls: &[&str] = if dialect.null.is_empty() { &[""] } else { &["", dialect.null] };
    let mut text = format!(
        "\n  [[table.source]]\n  system = \"{system}\"\n  files = [\"feed/{system}/{}_{{yyyymmdd}}_*.csv\"]\n  \
         format = \"delimited\"\n  delimiter = \"{}\"\n  quote = \"{quote}\"\n  header = true\n  \
         encoding = \"{encoding}\"\n  null = {nulls:?}\n",
        entity.table,
        char::from(dialect.delimiter),
    );
    if dialect.decimal_point != b'.' {
        let _ = writeln!(text, "  decimal_point = \"{}\"", char::from(dialect.decimal_point));
    }
    text
}

#[cfg(test)]
#[path = "load_file_tests.rs"]
mod tests;
