//! Estimates over two segments whose zone maps are known.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use martlet_core::{ColumnSchema, TableName};
use martlet_index::{IndexChoice, build};

use super::*;

fn table() -> TableSchema {
    let column = |name: &str, column_type| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: true,
        class: None,
    };
    let columns = vec![column("number", ColumnType::Int64), column("kind", ColumnType::Text)];
    TableSchema::new(TableName::new("fact").unwrap(), columns, &[], &[]).unwrap()
}

fn descriptor(numbers: std::ops::Range<i64>) -> Descriptor {
    let kinds = ["a", "b", "c", "d"];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(numbers.clone().map(Some).collect::<Int64Array>()),
        Arc::new(numbers.map(|n| Some(kinds[(n % 4) as usize])).collect::<StringArray>()),
    ];
    let rows = RecordBatch::try_new(table().arrow(), columns).unwrap();
    build(&table(), &rows, &[IndexChoice::Auto, IndexChoice::Auto]).unwrap().descriptor
}

fn summary() -> TableSummary {
    let parts = [descriptor(0..600), descriptor(600..1_000)];
    let facts = parts
        .iter()
        .map(|descriptor| SegmentFacts { live: descriptor.rows(), descriptor: Some(descriptor) });
    TableSummary::of(&table(), facts)
}

fn share(predicate: &Predicate) -> f64 {
    share_of(predicate, &table(), &summary())
}

fn number(comparison: Comparison, value: i64) -> Predicate {
    let column = ColumnName::new("number").unwrap();
    Predicate::Compare { column, comparison, value: Value::Int(value) }
}

#[test]
fn bounds_nulls_and_distinct_values_come_from_every_segment() {
    let summary = summary();
    let column = summary.columns[0].as_ref().unwrap();
    assert_eq!((summary.rows, column.nulls, column.distinct), (1_000, 0, 1_000));
    assert_eq!(
        (column.min.clone(), column.max.clone()),
        (Some(Value::Int(0)), Some(Value::Int(999)))
    );
    assert_eq!(summary.columns[1].as_ref().unwrap().distinct, 4, "the same four in both");
}

#[test]
fn both_ends_of_a_range_are_one_condition() {
    let within = Predicate::And(vec![
        number(Comparison::GreaterOrEqual, 500),
        Predicate::And(vec![number(Comparison::Less, 510)]),
    ]);
    assert!((share(&within) - 0.01).abs() < 0.001, "{}", share(&within));
    let none =
        Predicate::And(vec![number(Comparison::Greater, 600), number(Comparison::Less, 500)]);
    assert!(share(&none) < 1e-9);
    assert!((share(&number(Comparison::Equal, 7)) - 0.001).abs() < 1e-9);
    assert!(share(&number(Comparison::Equal, 70_000)) < 1e-9);
}

#[test]
fn nothing_is_exact_so_that_no_answer_is_taken_from_it() {
    let summary = summary();
    let column = column_statistics(summary.columns[0].as_ref().unwrap(), ColumnType::Int64, 9);
    assert_eq!(column.min_value, Precision::Inexact(ScalarValue::Int64(Some(0))));
    assert_eq!(column.null_count, Precision::Inexact(0));
    assert_eq!(column.distinct_count, Precision::Inexact(9), "no more than there are rows");
}

#[test]
fn a_segment_without_zone_maps_leaves_its_columns_unknown() {
    let whole = descriptor(0..10);
    let facts = [
        SegmentFacts { live: 10, descriptor: Some(&whole) },
        SegmentFacts { live: 5, descriptor: None },
    ];
    let summary = TableSummary::of(&table(), facts.into_iter());
    assert_eq!(summary.rows, 15);
    assert!(summary.columns.iter().all(Option::is_none));
    assert!(
        (share_of(&number(Comparison::Less, 5), &table(), &summary) - UNKNOWN_SHARE).abs() < 1e-9
    );
}

#[test]
fn bounds_are_moved_outward_to_whole_numbers_and_days() {
    let money = ColumnType::Decimal { precision: 4, scale: 2 };
    let day = i64::try_from(MICROSECONDS_PER_DAY).unwrap();
    let cases = [
        (Value::Float(-0.5), ColumnType::Float64, Value::Float(-1.0), Value::Float(-0.0)),
        (Value::Float(3.0), ColumnType::Float64, Value::Float(3.0), Value::Float(3.0)),
        (Value::Decimal(-150), money, Value::Decimal(-200), Value::Decimal(-100)),
        (Value::Decimal(200), money, Value::Decimal(200), Value::Decimal(200)),
        (Value::Timestamp(-1), ColumnType::Timestamp, Value::Timestamp(-day), Value::Timestamp(0)),
        (Value::Int(7), ColumnType::Int64, Value::Int(7), Value::Int(7)),
    ];
    for (value, kind, low, high) in cases {
        assert_eq!(whole(&value, kind, End::Low), Some(low), "below {value:?}");
        assert_eq!(whole(&value, kind, End::High), Some(high), "above {value:?}");
    }
    assert_eq!(whole(&Value::Decimal(9_950), money, End::High), None, "100.00 has five digits");
    assert_eq!(whole(&Value::Timestamp(i64::MAX), ColumnType::Timestamp, End::High), None);
    assert_eq!(whole(&Value::Float(f64::NAN), ColumnType::Float64, End::Low), None);
}
