//! Sorting by eight bytes at a time gives the order of the whole keys.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName};
use proptest::prelude::*;

use super::*;

fn schema() -> TableSchema {
    let name = |name| ColumnName::new(name).unwrap();
    let column = |text, column_type| ColumnSchema {
        name: name(text),
        column_type,
        nullable: true,
        class: None,
    };
    TableSchema::new(
        TableName::new("t").unwrap(),
        vec![column("text", ColumnType::Text), column("number", ColumnType::Int64)],
        &[],
        &[name("text"), name("number")],
    )
    .unwrap()
}

proptest! {
    #[test]
    fn rows_come_by_key_and_then_as_they_stood(
        rows in prop::collection::vec(
            (prop::option::of("(a{0,9}|[ab\u{0}]{0,3}|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[ab]{1,9})"), prop::option::of(-2_i64..2)),
            0..200,
        ),
    ) {
        let schema = schema();
        let batch = RecordBatch::try_new(
            schema.arrow(),
            vec![
                Arc::new(rows.iter().map(|row| row.0.clone()).collect::<StringArray>()),
                Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
            ],
        )
        .unwrap();
        let sorted = Order::of(&schema).unwrap().sorted(&batch).unwrap();
        let mut expected: Vec<u32> = (0..number(rows.len())).collect();
        expected.sort_by_key(|row| &rows[*row as usize]);
        prop_assert_eq!(sorted.values().as_ref(), &expected[..]);
    }
}
