//! A row stands whole or not at all.

use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt64Type;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName};

use super::*;
use crate::config::plan::{Empty, Input, NullMarks, NumberStyle, Trim};

fn name(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn schema() -> TableSchema {
    let column = |text, column_type, nullable| ColumnSchema {
        name: name(text),
        column_type,
        nullable,
        class: None,
    };
    TableSchema::new(
        TableName::new("t").unwrap(),
        vec![
            column("id", ColumnType::Int32, false),
            column("note", ColumnType::Text, true),
            column("amount", ColumnType::Decimal { precision: 6, scale: 2 }, true),
        ],
        &[name("id")],
        &[],
    )
    .unwrap()
}

fn rule(parse: Parse, empty: Empty) -> ColumnRule {
    let words = vec!["NULL".to_string()];
    ColumnRule {
        input: Input::Position(0),
        parse,
        nulls: NullMarks { empty, words },
        trim: Trim::Keep,
    }
}

fn rules(empty: Empty) -> Vec<ColumnRule> {
    let style = NumberStyle::PLAIN;
    vec![
        rule(Parse::Int32(style), empty),
        rule(Parse::Text, empty),
        rule(Parse::Decimal { precision: 6, scale: 2, style }, empty),
    ]
}

const BOUND: [Bound; 3] = [Bound::Field(0), Bound::Field(1), Bound::Field(2)];

/// A text in quotes is a quoted field.
fn cell(text: &str) -> Cell<'_> {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    Cell::Field(Field { text: inner.unwrap_or(text), quoted: inner.is_some() })
}

fn check_rows(empty: Empty, rows: &[[&str; 3]]) -> (CheckedRows, Vec<Option<Refused>>) {
    let (schema, rules) = (schema(), rules(empty));
    let mut checker = RowChecker::new(&schema, &rules, &BOUND, 1);
    let refused = rows
        .iter()
        .enumerate()
        .map(|(at, row)| checker.add_row(Origin::new(0, at as u64), |field| cell(row[field])).err())
        .collect();
    (checker.finish().unwrap(), refused)
}

#[test]
fn a_refused_row_leaves_nothing_behind() {
    let (rows, refused) = check_rows(
        Empty::Null,
        &[
            ["1", "a", "1.5"],
            ["2", "torn", "x"],
            ["", "b", "1"],
            ["70000000000", "", ""],
            ["3", "c", ""],
        ],
    );
    let reasons: Vec<_> = refused.into_iter().flatten().collect();
    assert_eq!(
        reasons,
        [
            Refused { column: 2, reason: Reason::NotNumber },
            Refused { column: 0, reason: Reason::Null },
            Refused { column: 0, reason: Reason::OutOfRange { type_name: "int32" } },
        ]
    );
    assert_eq!(rows.batch.num_rows(), 2);
    assert_eq!(rows.keys.len(), 2);
    let notes: Vec<_> = rows.batch.column(1).as_string::<i32>().iter().flatten().collect();
    assert_eq!(notes, ["a", "c"]);
    assert_eq!(rows.batch.column(2).null_count(), 1);
    assert_eq!(rows.batch.column(3).as_primitive::<UInt64Type>().values(), &[0, 4]);
}

#[test]
fn null_marks() {
    let notes = |empty, texts: [&str; 3]| {
        let rows: Vec<[&str; 3]> = texts.iter().map(|text| ["1", text, ""]).collect();
        let (checked, refused) = check_rows(empty, &rows);
        let refused = refused.iter().filter(|refused| refused.is_some()).count();
        let texts = checked.batch.column(1).as_string::<i32>();
        (texts.iter().map(|text| text.map(str::to_string)).collect::<Vec<_>>(), refused)
    };
    let empty = Some(String::new());
    let texts = ["", "''", "NULL"];
    assert_eq!(notes(Empty::Null, texts).0, [None, None, None]);
    assert_eq!(notes(Empty::NullUnlessQuoted, texts).0, [None, empty, None]);
    // An empty decimal is not null now, and no number either: every row is refused for it.
    assert_eq!(notes(Empty::Value, texts), (Vec::new(), 3));
}

#[test]
fn equal_keys_have_equal_digests() {
    let (rows, _) = check_rows(Empty::Null, &[["1", "a", ""], ["01", "b", ""], ["2", "a", ""]]);
    assert_eq!(rows.keys[0], rows.keys[1]);
    assert_ne!(rows.keys[0], rows.keys[2]);
}
