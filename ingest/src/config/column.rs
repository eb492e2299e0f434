//! One `[[table.column]]`: its schema, where its values come from and how they are read.
//!
//! Owns the rules of a column alone. What a source adds (null marks, decimal point) is joined
//! in `source`.

use martlet_core::{ClassName, ColumnName, ColumnSchema, ColumnType};
use martlet_index::{IndexChoice, IndexKind};
use toml::{Spanned, Value};

use super::plan::{Derived, Input};
use super::raw::RawColumn;
use super::written::Written;
use crate::check::time::{TWO_DIGIT_YEAR_FROM_DEFAULT, TimeFormats};
use crate::error::IngestError;

/// A column, checked as far as it stands alone.
#[derive(Debug)]
pub(super) struct CheckedColumn<'a> {
    pub(super) schema: ColumnSchema,
    pub(super) index: IndexChoice,
    /// As the column itself says; a source may say otherwise.
    pub(super) input: Option<Input>,
    /// For dates and timestamps.
    pub(super) formats: Option<TimeFormats>,
    pub(super) raw: &'a RawColumn,
}

pub(super) fn check_column<'a>(
    written: Written<'_>,
    column: &'a Spanned<RawColumn>,
    primary_key: &[ColumnName],
) -> Result<CheckedColumn<'a>, IngestError> {
    let raw = column.get_ref();
    let name = ColumnName::new(raw.name.get_ref())
        .map_err(|error| written.refuse(raw.name.span(), error.to_string()))?;
    let column_type = ColumnType::parse(raw.column_type.get_ref()).ok_or_else(|| {
        written.refuse(
            raw.column_type.span(),
            "`type` is one of boolean, int32, int64, float64, decimal(18,2), date, timestamp, text",
        )
    })?;
    let class = raw
        .class
        .as_ref()
        .map(|class| {
            ClassName::new(class.get_ref())
                .map_err(|error| written.refuse(class.span(), error.to_string()))
        })
        .transpose()?;
    let nullable = check_nullable(written, raw, primary_key.contains(&name))?;
    let formats = check_formats(written, raw, column_type)?;
    let input = check_input(written, raw, column_type)?;
    check_number_keys(written, raw, column_type)?;
    let index = check_index(written, raw.index.as_ref())?;
    let schema = ColumnSchema { name, column_type, nullable, class };
    Ok(CheckedColumn { schema, index, input, formats, raw })
}

/// A primary key's columns are never null, said or not.
fn check_nullable(
    written: Written<'_>,
    raw: &RawColumn,
    is_key: bool,
) -> Result<bool, IngestError> {
    match &raw.nullable {
        Some(nullable) if is_key && *nullable.get_ref() => {
            Err(written.refuse(nullable.span(), "a column of the primary key cannot be nullable"))
        }
        Some(nullable) => Ok(*nullable.get_ref()),
        None => Ok(!is_key),
    }
}

fn check_formats(
    written: Written<'_>,
    raw: &RawColumn,
    column_type: ColumnType,
) -> Result<Option<TimeFormats>, IngestError> {
    let default = match column_type {
        ColumnType::Date => "%Y-%m-%d",
        ColumnType::Timestamp => "%Y-%m-%d %H:%M:%S%.f",
        _ => {
            let only_times = |span| {
                written.refuse(span, "only columns of type date and timestamp have a format")
            };
            return match (&raw.format, &raw.two_digit_year_from) {
                (Some(format), _) => Err(only_times(format.span())),
                (None, Some(from)) => Err(only_times(from.span())),
                (None, None) => Ok(None),
            };
        }
    };
    let year_from = match &raw.two_digit_year_from {
        None => TWO_DIGIT_YEAR_FROM_DEFAULT,
        Some(from) => i32::try_from(*from.get_ref())
            .ok()
            .filter(|year| (0..=9_900).contains(year))
            .ok_or_else(|| {
                written.refuse(from.span(), "`two_digit_year_from` is a year, such as 1950")
            })?,
    };
    let patterns = match &raw.format {
        Some(format) => written.texts(format, "format")?,
        None => vec![default.to_string()],
    };
    let span = raw.format.as_ref().map_or_else(|| raw.name.span(), Spanned::span);
    TimeFormats::compile(&patterns, year_from)
        .map(Some)
        .map_err(|problem| written.refuse(span, problem))
}

fn check_input(
    written: Written<'_>,
    raw: &RawColumn,
    column_type: ColumnType,
) -> Result<Option<Input>, IngestError> {
    match (&raw.field, &raw.value) {
        (None, None) => Ok(None),
        (Some(field), None) => check_field(written, field).map(Some),
        (Some(_), Some(value)) => {
            Err(written.refuse(value.span(), "a column has either a `field` or a `value`"))
        }
        (None, Some(value)) => {
            let derived = match value.get_ref().as_str() {
                "batch_date" => Derived::BatchDate,
                "source_system" => Derived::SourceSystem,
                "file_name" => Derived::FileName,
                _ => {
                    let problem = "`value` is batch_date, source_system or file_name";
                    return Err(written.refuse(value.span(), problem));
                }
            };
            let fits = column_type == ColumnType::Text
                || (derived == Derived::BatchDate && column_type == ColumnType::Date);
            if fits {
                Ok(Some(Input::Derived(derived)))
            } else {
                let problem = "a derived column has type text; batch_date may have type date";
                Err(written.refuse(value.span(), problem))
            }
        }
    }
}

/// A field by its header name, or by its position from 1.
pub(super) fn check_field(
    written: Written<'_>,
    field: &Spanned<Value>,
) -> Result<Input, IngestError> {
    match field.get_ref() {
        Value::String(name) => Ok(Input::Named(name.clone())),
        Value::Integer(position) if *position >= 1 => {
            let position = usize::try_from(position - 1).unwrap_or(usize::MAX);
            Ok(Input::Position(position))
        }
        _ => Err(written.refuse(
            field.span(),
            "a field is a name from the header, or a position that counts from 1",
        )),
    }
}

fn check_number_keys(
    written: Written<'_>,
    raw: &RawColumn,
    column_type: ColumnType,
) -> Result<(), IngestError> {
    let is_number = matches!(
        column_type,
        ColumnType::Int32 | ColumnType::Int64 | ColumnType::Float64 | ColumnType::Decimal { .. }
    );
    match raw.decimal_point.as_ref().or(raw.thousands.as_ref()) {
        Some(key) if !is_number => {
            Err(written.refuse(key.span(), "only columns of numbers have this key"))
        }
        _ => Ok(()),
    }
}

fn check_index(
    written: Written<'_>,
    index: Option<&Spanned<Value>>,
) -> Result<IndexChoice, IngestError> {
    let Some(index) = index else { return Ok(IndexChoice::Auto) };
    let wrong = || {
        let kinds = IndexKind::ALL.map(|kind| format!("\"{}\"", kind.name())).join(", ");
        written.refuse(
            index.span(),
            format!("`index` is \"auto\", \"none\" or a list of kinds out of {kinds}"),
        )
    };
    match index.get_ref() {
        Value::String(word) if word == "auto" => Ok(IndexChoice::Auto),
        Value::String(word) if word == "none" => Ok(IndexChoice::None),
        Value::Array(kinds) => kinds
            .iter()
            .map(|kind| kind.as_str().and_then(IndexKind::parse).ok_or_else(wrong))
            .collect::<Result<Vec<_>, _>>()
            .map(IndexChoice::Kinds),
        _ => Err(wrong()),
    }
}
