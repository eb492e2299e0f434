//! Zone maps never prove too much, and stand only where they prove something.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use martlet_core::Value;
use proptest::prelude::*;

use super::*;
use crate::values::value_at;

fn measured(array: &ArrayRef) -> ColumnZones {
    measure(&ColumnKeys::of(array).unwrap(), None)
}

fn text_zone(texts: &[&str]) -> ZoneMap {
    let array: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    measured(&array).column
}

#[test]
fn a_cut_maximum_lies_above_everything_that_begins_like_it() {
    let long = "ž".repeat(200);
    let zone = text_zone(&[&long]);
    assert_eq!(zone.bounds, Bounds::Loose);
    assert!(zone.min.unwrap() < Value::text(&long));
    assert!(zone.max.unwrap() > Value::text(&format!("{long}\u{10FFFF}")));
}

#[test]
fn a_text_that_nothing_lies_above_has_no_maximum() {
    let highest = "\u{10FFFF}".repeat(100);
    let zone = text_zone(&["a", &highest]);
    assert_eq!(zone.max, None);
    assert_eq!(zone.min, Some(Value::text("a")));
}

#[test]
fn raising_the_last_character_steps_over_the_surrogates() {
    assert_eq!(above_all_with_prefix("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
    assert_eq!(above_all_with_prefix("a\u{10FFFF}").as_deref(), Some("b"));
    assert_eq!(above_all_with_prefix(""), None);
}

#[test]
fn floats_are_bounded_with_not_a_number_and_both_zeros() {
    let array: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::NAN), Some(f64::INFINITY)]));
    let zone = measured(&array).column;
    assert_eq!(zone.min, Some(Value::Float(0.0)));
    assert_eq!(zone.max, Some(Value::Float(f64::NAN)));
    assert_eq!((zone.rows, zone.nulls, zone.values()), (4, 1, 3));
}

#[test]
fn pages_are_kept_for_sorted_rows_only() {
    let rows = i64::from(PAGE_ROWS) * 4;
    let sorted: ArrayRef = Arc::new((0..rows).map(Some).collect::<Int64Array>());
    assert_eq!(measured(&sorted).pages.len(), 4);
    assert_eq!(measured(&sorted).pages[3].min, Some(Value::Int(i64::from(PAGE_ROWS) * 3)));
    let mixed: ArrayRef = Arc::new((0..rows).map(|row| Some(row % 10)).collect::<Int64Array>());
    assert!(measured(&mixed).pages.is_empty());
    let nulls_apart: ArrayRef = Arc::new(
        (0..rows)
            .map(|row| (row < i64::from(PAGE_ROWS)).then_some(row % 10))
            .collect::<Int64Array>(),
    );
    assert_eq!(measured(&nulls_apart).pages.len(), 4);
}

proptest! {
    #[test]
    fn codes_give_the_zones_that_texts_give(
        texts in proptest::collection::vec(proptest::option::of(".{0,18}"), 1..30),
        often in 1_usize..1_000,
    ) {
        let rows = texts.iter().flat_map(|text| std::iter::repeat_n(text.as_deref(), often));
        let array: ArrayRef = Arc::new(rows.collect::<StringArray>());
        let keys = ColumnKeys::of(&array).unwrap();
        let encoded = crate::encode::encode(&keys, usize::MAX).unwrap();
        prop_assert_eq!(measure(&keys, Some(&encoded)), measure(&keys, None));
    }

    #[test]
    fn no_value_lies_outside_its_zone(texts in proptest::collection::vec(".{0,90}", 1..20)) {
        let array: ArrayRef = Arc::new(StringArray::from(texts));
        let zone = measured(&array).column;
        for value in (0..array.len()).filter_map(|row| value_at(&array, row)) {
            prop_assert!(zone.min.as_ref().is_none_or(|min| *min <= value));
            prop_assert!(zone.max.as_ref().is_none_or(|max| value <= *max));
        }
    }
}
