//! What is measured of a column, and that encoding is given up early only where it must be.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::*;
use crate::zone;

const ROWS: i64 = 1 << 19;
const MAX: usize = 65_536;

fn numbers(value: impl Fn(i64) -> Option<i64>) -> ArrayRef {
    Arc::new((0..ROWS).map(value).collect::<Int64Array>())
}

/// Numbers that look drawn at random below an end.
fn mixed(row: i64, end: i64) -> i64 {
    let bits = (row as u64 ^ 0x5851_f42d).wrapping_mul(0xff51_afd7_ed55_8ccd);
    ((bits ^ (bits >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> 20) as i64 % end
}

fn gives_up(array: &ArrayRef) -> bool {
    has_surely_more(&ColumnKeys::of(array).unwrap(), MAX)
}

#[test]
fn only_a_column_of_far_too_many_values_is_given_up_early() {
    assert!(gives_up(&numbers(Some)));
    assert!(gives_up(&numbers(|row| Some(mixed(row, 1 << 40)))));
    assert!(gives_up(&numbers(|row| (row % 3 == 0).then_some(row))));
    // As many as may be, drawn at random, in runs, and in interleaved runs.
    assert!(!gives_up(&numbers(|row| Some(mixed(row, MAX as i64)))));
    assert!(!gives_up(&numbers(|row| Some(row / 8))));
    assert!(!gives_up(&numbers(|row| Some(row / 16 * 2 + mixed(row, 2)))));
    // Too few values in the sample to tell.
    assert!(!gives_up(&numbers(|row| (row % 50 == 0).then_some(row))));
    let few: ArrayRef = Arc::new((0..100_000).map(Some).collect::<Int64Array>());
    assert!(!gives_up(&few));
}

fn measured(array: &ArrayRef, column_type: ColumnType) -> ColumnStatistics {
    let keys = ColumnKeys::of(array).unwrap();
    let zones = zone::measure(&keys, None);
    ColumnStatistics::measure(column_type, Role::Property, &keys, &zones, None)
}

#[test]
fn numbers_are_measured_by_their_span_and_their_pages() {
    let sorted = measured(&numbers(Some), ColumnType::Int64);
    assert_eq!(sorted.number_bits, Some(19));
    assert_eq!(sorted.spread, Spread::Together);
    assert_eq!(sorted.texts, None);
    let mixed = measured(&numbers(|row| Some(mixed(row, 1_000))), ColumnType::Int64);
    assert_eq!(mixed.number_bits, Some(10));
    assert_eq!(mixed.spread, Spread::Scattered);
}

#[test]
fn texts_are_measured_by_a_sample() {
    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new((0..5_000).map(|row| (row % 9 != 0).then(|| text(row))).collect::<StringArray>())
    };
    let customers = measured(&texts(&|row| format!("C{row:09}")), ColumnType::Text);
    assert_eq!(customers.number_bits, Some(13));
    let sampled = customers.texts.unwrap();
    assert_eq!(sampled, TextStatistics { mean_bytes: 10, digits_percent: 90, words_percent: 100 });
    assert_eq!(customers.nulls, 556);
    let names = measured(&texts(&|row| format!("李{row}")), ColumnType::Text);
    assert_eq!(names.number_bits, None);
    assert_eq!(names.texts.unwrap().words_percent, 0);
    let empty: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>, None]));
    assert_eq!(measured(&empty, ColumnType::Text).texts, None);
}
