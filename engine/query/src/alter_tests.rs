//! That only the one statement is understood, however it is spelled.

use martlet_core::{ErrorKind, Kinded};
use proptest::prelude::*;

use super::*;

fn alter(table: &str, deed: AlterDeed, kinds: &[IndexKind], column: &str) -> AlterIndex {
    AlterIndex {
        table: TableName::new(table).unwrap(),
        column: ColumnName::new(column).unwrap(),
        deed,
        kinds: kinds.to_vec(),
    }
}

#[test]
fn both_deeds_are_understood() {
    let cases = [
        (
            "ALTER TABLE customer ADD INDEX bitmap (outlet)",
            alter("customer", AlterDeed::Add, &[IndexKind::Bitmap], "outlet"),
        ),
        (
            "alter table mart.Customer drop\n index BITMAP, codes (\"outlet\"); -- done",
            alter("customer", AlterDeed::Drop, &[IndexKind::Bitmap, IndexKind::Codes], "outlet"),
        ),
    ];
    for (sql, expected) in cases {
        assert!(is_alter(sql));
        assert_eq!(parse_alter_index(sql).unwrap(), expected, "{sql}");
    }
}

#[test]
fn all_else_is_refused_with_the_grammar() {
    for sql in [
        "ALTER TABLE customer ADD COLUMN a int",
        "ALTER TABLE customer ADD INDEX hash (a)",
        "ALTER TABLE customer ADD INDEX bitmap (a, b)",
        "ALTER TABLE customer ADD INDEX bitmap (a); SELECT 1",
        "ALTER TABLE customer ADD INDEX bitmap (a); ALTER TABLE customer DROP INDEX bitmap (a)",
        "ALTER TABLE customer ADD INDEX (a)",
        "ALTER TABLE customer ADD INDEX bitmap",
        "ALTER TABLE 'customer' ADD INDEX bitmap (a)",
        "ALTER",
    ] {
        let error = parse_alter_index(sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}");
        assert!(error.to_string().contains("ADD INDEX kind (column)"), "{sql}: {error}");
    }
    assert!(!is_alter("SELECT 'alter table'"));
    assert!(!is_alter("\"alter\" table"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(alter|table|add|drop|index|bitmap|[(),;.'\"a ]){0,12}") {
        let _ = parse_alter_index(&text);
        let _ = is_alter(&text);
    }
}
