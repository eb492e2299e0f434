//! Texts against the column that they were made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, LikePattern, Selection, Value};
use proptest::prelude::*;

use super::*;
use crate::kind::Reader;
use crate::values::ColumnKeys;

fn texts(texts: Vec<Option<String>>) -> (ArrayRef, TextsIndex) {
    let array: ArrayRef = Arc::new(texts.into_iter().collect::<StringArray>());
    let section = build(ColumnType::Text, &ColumnKeys::of(&array).unwrap()).unwrap();
    let index = TextsIndex::open(&Bytes::from(section), array.len() as u32).unwrap();
    (array, index)
}

/// Texts of shared parts and of none, of characters of every width, empty ones and nulls.
fn column() -> impl Strategy<Value = Vec<Option<String>>> {
    let text = prop_oneof![
        4 => "(广东省|湖南省)(深圳市|长沙市)(人民|中山)路[1-9]{1,3}号",
        2 => "[ab%_\\\\]{0,6}",
        1 => "[aé\u{301}张\u{1F600}\u{0}\u{FF}\u{7FF}\u{FFFF}]{0,12}",
        1 => "[a-c]{200,700}",
    ];
    proptest::collection::vec(proptest::option::weighted(0.9, text), 0..200)
}

fn selected(array: &dyn Array, flags: &[bool]) -> Selection {
    Selection::from_flags((0..array.len()).map(|row| flags[row % flags.len()]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_text_comes_back(
        column in column(), flags in proptest::collection::vec(any::<bool>(), 1..70),
    ) {
        let (array, index) = texts(column);
        let rows = selected(&array, &flags);
        let found = index.array(&rows).unwrap();
        let found: Vec<_> = found.as_string::<i32>().iter().collect();
        let expected: Vec<_> = rows
            .iter()
            .map(|row| array.is_valid(row as usize).then(|| array.as_string::<i32>().value(row as usize)))
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(u64::from(index.null_count()), array.null_count() as u64);
    }

    #[test]
    fn a_condition_is_tested_on_the_texts_of_its_rows(
        column in column(),
        flags in proptest::collection::vec(any::<bool>(), 1..70),
        constant in prop_oneof!["(人民|中山)路[1-9]", "[ab%_\\\\]{0,3}", "深圳市.{0,3}"],
    ) {
        let (array, index) = texts(column);
        let rows = selected(&array, &flags);
        let text = array.as_string::<i32>();
        let value = Value::text(&constant);
        let holds_where = |holds: &dyn Fn(&str) -> bool| {
            let is_one = |row: &u32| text.is_valid(*row as usize) && holds(text.value(*row as usize));
            Selection::from_rows(rows.rows(), rows.iter().filter(is_one))
        };
        for pattern in [constant.clone(), format!("%{constant}%"), format!("{constant}%"), format!("%{constant}_%")] {
            let pattern = LikePattern::new(&pattern);
            let found = index.matching(&Leaf::Like(&pattern), &rows).unwrap();
            prop_assert_eq!(found, holds_where(&|text| pattern.matches(text)));
        }
        for comparison in [Comparison::Equal, Comparison::NotEqual, Comparison::Less, Comparison::GreaterOrEqual] {
            let found = index.matching(&Leaf::Compare(comparison, value.clone()), &rows).unwrap();
            prop_assert_eq!(found, holds_where(&|text| comparison.holds(text.cmp(&constant))));
        }
        let values: BTreeSet<Value> = [value, Value::text("")].into_iter().collect();
        let found = index.matching(&Leaf::In(std::borrow::Cow::Borrowed(&values)), &rows).unwrap();
        prop_assert_eq!(found, holds_where(&|text| text == constant || text.is_empty()));
        let found = index.matching(&Leaf::IsNull, &rows).unwrap();
        let nulls = rows.iter().filter(|row| text.is_null(*row as usize));
        prop_assert_eq!(found, Selection::from_rows(rows.rows(), nulls));
    }
}

#[test]
fn what_many_texts_share_is_stored_once() {
    let address = |row: usize| format!("广东省深圳市南山区人民路{}号{}室", row % 977, row % 13);
    let addresses: Vec<Option<String>> = (0..5_000).map(|row| Some(address(row))).collect();
    let plain: usize = addresses.iter().flatten().map(String::len).sum();
    let array: ArrayRef = Arc::new(addresses.into_iter().collect::<StringArray>());
    let section = build(ColumnType::Text, &ColumnKeys::of(&array).unwrap()).unwrap();
    assert!(section.len() * 3 < plain, "{} of {plain} bytes", section.len());
}
