//! A merge of runs gives what a sort in memory gives.

use std::sync::Arc;

use arrow::array::{Array, Int32Array, StringArray, UInt64Array};
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName};
use proptest::prelude::*;

use super::*;
use crate::origin::schema_with_origin;

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
        vec![column("number", ColumnType::Int32), column("text", ColumnType::Text)],
        &[],
        &[name("text"), name("number")],
    )
    .unwrap()
}

type Row = (Option<i32>, Option<String>);

fn batch(schema: &TableSchema, rows: &[Row], first_origin: u64) -> RecordBatch {
    let origins = first_origin..first_origin + rows.len() as u64;
    RecordBatch::try_new(
        schema_with_origin(schema),
        vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<Int32Array>()),
            Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>()),
            Arc::new(origins.collect::<UInt64Array>()),
        ],
    )
    .unwrap()
}

/// Adds the rows in batches of `batch_rows` and gives what comes out, with the segments' sizes.
fn sorted(
    rows: &[Row],
    batch_rows: usize,
    budget: usize,
    dropped: &[u64],
) -> (Vec<Row>, Vec<usize>, usize) {
    let scratch = tempfile::tempdir().unwrap();
    let schema = schema();
    let sorter = Sorter::new(&schema, budget, scratch.path()).unwrap();
    for (at, part) in rows.chunks(batch_rows).enumerate() {
        sorter.add(&batch(&schema, part, (at * batch_rows) as u64)).unwrap();
    }
    let runs = sorter.runs.lock().unwrap();
    let spilled = runs.iter().filter(|run| matches!(run, Run::Spilled(_))).count();
    drop(runs);
    let dropped: Vec<Origin> = dropped.iter().map(|bits| Origin::from_bits(*bits)).collect();
    let mut out = sorter.finish(&dropped).unwrap();
    out.segment_rows = out.segment_rows.min(7);
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    while let Some(segment) = out.next_segment().unwrap() {
        let segment = segment.into_rows().unwrap();
        assert_eq!(segment.schema(), schema.arrow());
        sizes.push(segment.num_rows());
        let numbers = segment.column(0).as_primitive::<arrow::datatypes::Int32Type>();
        let texts = segment.column(1).as_string::<i32>();
        found.extend((0..segment.num_rows()).map(|row| {
            let number = numbers.is_valid(row).then(|| numbers.value(row));
            let text = texts.is_valid(row).then(|| texts.value(row).to_string());
            (number, text)
        }));
    }
    assert_eq!(found.len() as u64, out.rows());
    assert_eq!(
        std::fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "the working file has no name"
    );
    (found, sizes, spilled)
}

proptest! {
    /// Merged runs, a sort in memory and the plain way give the same rows, nulls first.
    #[test]
    fn runs_and_memory_agree_with_the_plain_sort(
        rows in prop::collection::vec((prop::option::of(-3_i32..3), prop::option::of("[ab]{0,12}")), 0..120),
        batch_rows in 1_usize..20,
        dropped in prop::collection::btree_set(0_u64..120, 0..20),
    ) {
        let dropped: Vec<u64> = dropped.into_iter().filter(|at| *at < rows.len() as u64).collect();
        let mut expected: Vec<Row> = rows
            .iter()
            .enumerate()
            .filter(|(at, _)| !dropped.contains(&(*at as u64)))
            .map(|(_, row)| row.clone())
            .collect();
        expected.sort_by(|left, right| (&left.1, left.0).cmp(&(&right.1, right.0)));
        let (in_memory, sizes, runs) = sorted(&rows, batch_rows, usize::MAX, &dropped);
        prop_assert_eq!(runs, 0);
        prop_assert_eq!(&in_memory, &expected);
        prop_assert!(sizes.iter().rev().skip(1).all(|size| *size == sizes[0]));
        let (merged, merged_sizes, runs) = sorted(&rows, batch_rows, 1, &dropped);
        prop_assert_eq!(runs, rows.len().div_ceil(batch_rows));
        prop_assert_eq!(merged, expected);
        prop_assert_eq!(merged_sizes, sizes);
    }
}

#[test]
fn segments_are_few_and_even() {
    let most = u64::from(SEGMENT_ROWS_MAX);
    assert_eq!(segment_rows(0, 0), 1);
    assert_eq!(segment_rows(10, 100), 10);
    assert_eq!(segment_rows(most, most), usize::try_from(most).unwrap());
    assert_eq!(segment_rows(most + 2, most), usize::try_from(most / 2 + 1).unwrap());
    assert_eq!(segment_rows(1_000, 4 * SEGMENT_BYTES_MAX), 250);
    assert_eq!(segment_rows(1, 4 * SEGMENT_BYTES_MAX), 1);
}
