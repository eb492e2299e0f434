//! One `[[table.source]]`: its files, their form, and how each column is read from them.
//!
//! Owns the joining of what a column says with what its source says: the column wins.

use encoding_rs::{Encoding, UTF_8};
use martlet_core::ColumnType;
use toml::Spanned;

use super::column::{CheckedColumn, check_field};
use super::plan::{
    ColumnRule, Derived, Dialect, Empty, FileFormat, Header, Input, Newlines, NullMarks,
    NumberStyle, Parse, SourcePlan, Trim,
};
use super::raw::RawSource;
use super::written::Written;
use crate::error::IngestError;

const PLACEHOLDERS: [&str; 2] = ["{date}", "{yyyymmdd}"];

pub(super) fn check_source(
    written: Written<'_>,
    source: &Spanned<RawSource>,
    columns: &[CheckedColumn<'_>],
) -> Result<SourcePlan, IngestError> {
    let (span, raw) = (source.span(), source.get_ref());
    if raw.files.is_empty() {
        return Err(written.refuse(span, "a source names its `files`"));
    }
    for pattern in &raw.files {
        check_pattern(written, pattern)?;
    }
    let is_parquet = match raw.format.as_ref().map(|format| format.get_ref().as_str()) {
        None | Some("delimited") => false,
        Some("parquet") => true,
        Some(_) => {
            let span = raw.format.as_ref().map_or(span, Spanned::span);
            return Err(written.refuse(span, "`format` is \"delimited\" or \"parquet\""));
        }
    };
    let inputs = check_inputs(written, raw, columns)?;
    let (format, inputs) = if is_parquet {
        refuse_text_keys(written, raw)?;
        (FileFormat::Parquet, by_name(columns, inputs))
    } else {
        let (dialect, inputs) = check_dialect(written, raw, columns, inputs)?;
        (FileFormat::Delimited(dialect), inputs)
    };
    let rules = columns
        .iter()
        .zip(inputs)
        .map(|(column, input)| check_rule(written, raw, column, input, is_parquet))
        .collect::<Result<Vec<_>, _>>()?;
    refuse_nameless_system(written, &span, raw, columns, &rules)?;
    Ok(SourcePlan {
        system: raw.system.as_ref().map(|system| system.get_ref().clone()),
        patterns: raw.files.iter().map(|pattern| pattern.get_ref().clone()).collect(),
        format,
        rules,
    })
}

fn check_pattern(written: Written<'_>, pattern: &Spanned<String>) -> Result<(), IngestError> {
    let mut plain = pattern.get_ref().clone();
    for placeholder in PLACEHOLDERS {
        plain = plain.replace(placeholder, "");
    }
    if plain.contains(['{', '}']) {
        let problem = format!("a pattern knows only {} in braces", PLACEHOLDERS.join(" and "));
        return Err(written.refuse(pattern.span(), problem));
    }
    glob::Pattern::new(&plain)
        .map(|_| ())
        .map_err(|error| written.refuse(pattern.span(), format!("not a pattern: {}", error.msg)))
}

/// Where each column's values come from, as the source's `fields` or the column itself says.
fn check_inputs(
    written: Written<'_>,
    raw: &RawSource,
    columns: &[CheckedColumn<'_>],
) -> Result<Vec<Option<Input>>, IngestError> {
    for name in raw.fields.keys() {
        let column = columns.iter().find(|column| column.schema.name.as_str() == name.get_ref());
        let problem = match column.map(|column| &column.input) {
            Some(Some(Input::Derived(_))) => {
                "this column has a `value`, so no field can be given for it"
            }
            Some(_) => continue,
            None => "`fields` names something that is not a column of the table",
        };
        return Err(written.refuse(name.span(), problem));
    }
    let input = |column: &CheckedColumn<'_>| {
        let name = column.schema.name.as_str();
        let own = raw.fields.iter().find(|(key, _)| key.get_ref() == name);
        match own {
            Some((_, field)) => check_field(written, field).map(Some),
            None => Ok(column.input.clone()),
        }
    };
    columns.iter().map(input).collect()
}

/// Columns that say nothing are found by their own names.
fn by_name(columns: &[CheckedColumn<'_>], inputs: Vec<Option<Input>>) -> Vec<Input> {
    let named = |(column, input): (&CheckedColumn<'_>, Option<Input>)| {
        input.unwrap_or_else(|| Input::Named(column.schema.name.to_string()))
    };
    columns.iter().zip(inputs).map(named).collect()
}

/// Without a header, columns that say nothing stand in the order of the columns.
fn by_position(inputs: Vec<Option<Input>>) -> Vec<Input> {
    let mut next = 0;
    inputs
        .into_iter()
        .map(|input| {
            let is_derived = matches!(input, Some(Input::Derived(_)));
            let position = next;
            next += usize::from(!is_derived);
            input.unwrap_or(Input::Position(position))
        })
        .collect()
}

fn refuse_text_keys(written: Written<'_>, raw: &RawSource) -> Result<(), IngestError> {
    let spans = [
        raw.delimiter.as_ref().map(Spanned::span),
        raw.quote.as_ref().map(Spanned::span),
        raw.header.as_ref().map(Spanned::span),
        raw.encoding.as_ref().map(Spanned::span),
        raw.quoted_empty.as_ref().map(Spanned::span),
        raw.newlines_in_values.as_ref().map(Spanned::span),
        raw.field_count.as_ref().map(Spanned::span),
    ];
    match spans.into_iter().flatten().next() {
        Some(span) => Err(written.refuse(span, "a Parquet source has no such key")),
        None => Ok(()),
    }
}

fn check_dialect(
    written: Written<'_>,
    raw: &RawSource,
    columns: &[CheckedColumn<'_>],
    inputs: Vec<Option<Input>>,
) -> Result<(Dialect, Vec<Input>), IngestError> {
    let has_header = raw.header.as_ref().is_none_or(|header| *header.get_ref());
    let (header, inputs) = if has_header {
        if let Some(count) = &raw.field_count {
            let problem = "the header tells how many fields there are: leave `field_count` out";
            return Err(written.refuse(count.span(), problem));
        }
        (Header::Named, by_name(columns, inputs))
    } else {
        let inputs = by_position(inputs);
        (check_headless(written, raw, &inputs)?, inputs)
    };
    let delimiter = match &raw.delimiter {
        Some(delimiter) => written.character(delimiter, "delimiter")?,
        None => ',',
    };
    let quote = match &raw.quote {
        Some(quote) if quote.get_ref().is_empty() => None,
        Some(quote) => Some(written.character(quote, "quote")?),
        None => Some('"'),
    };
    refuse_odd_marks(written, raw, delimiter, quote)?;
    let newlines = match &raw.newlines_in_values {
        Some(newlines) if *newlines.get_ref() => Newlines::InValues,
        _ => Newlines::EndRecords,
    };
    let encoding = check_encoding(written, raw)?;
    Ok((Dialect { delimiter, quote, header, encoding, newlines }, inputs))
}

fn refuse_odd_marks(
    written: Written<'_>,
    raw: &RawSource,
    delimiter: char,
    quote: Option<char>,
) -> Result<(), IngestError> {
    let is_line_end = |mark: char| matches!(mark, '\n' | '\r');
    let span = |key: &Option<Spanned<String>>| key.as_ref().map_or(0..0, Spanned::span);
    if is_line_end(delimiter) {
        return Err(written.refuse(span(&raw.delimiter), "a line end cannot be the delimiter"));
    }
    if quote.is_some_and(is_line_end) {
        return Err(written.refuse(span(&raw.quote), "a line end cannot be the quote"));
    }
    if quote == Some(delimiter) {
        let problem = "delimiter and quote cannot be the same character";
        return Err(written.refuse(span(&raw.delimiter), problem));
    }
    Ok(())
}

fn check_headless(
    written: Written<'_>,
    raw: &RawSource,
    inputs: &[Input],
) -> Result<Header, IngestError> {
    let header_span = || raw.header.as_ref().map_or(0..0, Spanned::span);
    let mut needed = 0;
    for input in inputs {
        match input {
            Input::Named(name) => {
                let problem = format!(
                    "without a header there is no field `{name}`: give its position, `field = 3`"
                );
                return Err(written.refuse(header_span(), problem));
            }
            Input::Position(position) => needed = needed.max(position.saturating_add(1)),
            Input::Derived(_) => {}
        }
    }
    let Some(count) = &raw.field_count else { return Ok(Header::Absent { fields: needed }) };
    match usize::try_from(*count.get_ref()) {
        Ok(fields) if fields >= needed => Ok(Header::Absent { fields }),
        _ => Err(written.refuse(
            count.span(),
            format!("`field_count` is at least {needed}, the last position that is read"),
        )),
    }
}

fn check_encoding(written: Written<'_>, raw: &RawSource) -> Result<&'static Encoding, IngestError> {
    let Some(label) = &raw.encoding else { return Ok(UTF_8) };
    let encoding = Encoding::for_label(label.get_ref().as_bytes()).ok_or_else(|| {
        written.refuse(
            label.span(),
            "not the name of an encoding: try utf-8, gb18030, gbk, big5, windows-1250 or iso-8859-2",
        )
    })?;
    if encoding.is_ascii_compatible() {
        Ok(encoding)
    } else {
        let problem = format!(
            "line ends cannot be found in {} text: have it delivered as utf-8 or gb18030",
            encoding.name()
        );
        Err(written.refuse(label.span(), problem))
    }
}

/// How one column is read from the files of one source.
fn check_rule(
    written: Written<'_>,
    raw: &RawSource,
    column: &CheckedColumn<'_>,
    input: Input,
    is_parquet: bool,
) -> Result<ColumnRule, IngestError> {
    let own = column.raw;
    let style = check_number_style(written, raw, column)?;
    let parse = match (column.schema.column_type, &column.formats) {
        (ColumnType::Boolean, _) => Parse::Boolean,
        (ColumnType::Int32, _) => Parse::Int32(style),
        (ColumnType::Int64, _) => Parse::Int64(style),
        (ColumnType::Float64, _) => Parse::Float64(style),
        (ColumnType::Decimal { precision, scale }, _) => {
            Parse::Decimal { precision, scale: scale.unsigned_abs(), style }
        }
        (ColumnType::Date, Some(formats)) => Parse::Date(formats.clone()),
        (ColumnType::Timestamp, Some(formats)) => Parse::Timestamp(formats.clone()),
        (ColumnType::Date | ColumnType::Timestamp | ColumnType::Text, _) => Parse::Text,
    };
    let trim = if own.trim.or(raw.trim).unwrap_or(false) { Trim::Spaces } else { Trim::Keep };
    let marks = match own.null.as_ref().or(raw.null.as_ref()) {
        Some(null) => written.texts(null, "null")?,
        // Parquet has a null of its own.
        None if is_parquet => Vec::new(),
        None => vec![String::new()],
    };
    let quoted_empty_is_null = match &raw.quoted_empty {
        None => true,
        Some(word) => match word.get_ref().as_str() {
            "null" => true,
            "empty" => false,
            _ => {
                let problem = "`quoted_empty` is \"null\" or \"empty\"";
                return Err(written.refuse(word.span(), problem));
            }
        },
    };
    let empty = match (marks.iter().any(String::is_empty), quoted_empty_is_null) {
        (true, true) => Empty::Null,
        (true, false) => Empty::NullUnlessQuoted,
        (false, _) => Empty::Value,
    };
    let words = marks.into_iter().filter(|mark| !mark.is_empty()).collect();
    Ok(ColumnRule { input, parse, nulls: NullMarks { empty, words }, trim })
}

fn check_number_style(
    written: Written<'_>,
    raw: &RawSource,
    column: &CheckedColumn<'_>,
) -> Result<NumberStyle, IngestError> {
    let point = column.raw.decimal_point.as_ref().or(raw.decimal_point.as_ref());
    let thousands = column.raw.thousands.as_ref().or(raw.thousands.as_ref());
    let style = NumberStyle {
        decimal_point: match point {
            Some(point) => written.separator(point, "decimal_point")?,
            None => b'.',
        },
        thousands: thousands.map(|mark| written.separator(mark, "thousands")).transpose()?,
    };
    match thousands {
        Some(mark) if style.thousands == Some(style.decimal_point) => Err(written
            .refuse(mark.span(), "`thousands` and `decimal_point` cannot be the same character")),
        _ => Ok(style),
    }
}

/// A column that is never null and holds the system's name needs the source to have one.
fn refuse_nameless_system(
    written: Written<'_>,
    span: &std::ops::Range<usize>,
    raw: &RawSource,
    columns: &[CheckedColumn<'_>],
    rules: &[ColumnRule],
) -> Result<(), IngestError> {
    let needs_system = columns.iter().zip(rules).any(|(column, rule)| {
        rule.input == Input::Derived(Derived::SourceSystem) && !column.schema.nullable
    });
    if needs_system && raw.system.is_none() {
        let problem = "a column holds the source's name: give the source a `system`";
        return Err(written.refuse(span.clone(), problem));
    }
    Ok(())
}
