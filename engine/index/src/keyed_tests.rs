//! Keyed values against a plain map of the same values.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::*;

/// Texts of which most have the same form, some another one and some none.
fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        6 => (0_u32..40).prop_map(|number| Some(format!("C{number:03}"))),
        2 => (0_u32..40).prop_map(|number| Some(format!("C{number}"))),
        1 => "[a-c]{0,2}".prop_map(Some),
        1 => Just(None),
    ]
}

fn plain(array: &dyn Array) -> BTreeMap<Value, Vec<usize>> {
    let mut rows: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
    for row in 0..array.len() {
        let Some(value) = value_at(array, row) else { continue };
        rows.entry(value).or_default().push(row);
    }
    rows
}

fn keyed(array: &dyn Array) -> BTreeMap<Value, Vec<usize>> {
    let mut values = KeyedValues::default();
    values.add(array, |row| row);
    assert_eq!(values.len(), array.len() - array.null_count());
    let folded = values.folded(<[usize]>::to_vec);
    let KeyedValues { form, keys, others, .. } = folded;
    let of_key = |(key, rows): (i64, Vec<usize>)| (form.as_ref().unwrap().value_of(key), rows);
    let all: Vec<(Value, Vec<usize>)> = keys.into_iter().map(of_key).chain(others).collect();
    let count = all.len();
    let by_value: BTreeMap<Value, Vec<usize>> = all.into_iter().collect();
    assert_eq!(by_value.len(), count, "a value is there once");
    by_value
}

proptest! {
    #[test]
    fn every_text_is_there_once_with_its_rows(texts in prop::collection::vec(text(), 0..60)) {
        let array: StringArray = texts.iter().map(Option::as_deref).collect();
        prop_assert_eq!(keyed(&array), plain(&array));
    }

    #[test]
    fn every_number_is_there_once_with_its_rows(
        numbers in prop::collection::vec(prop::option::of(-5_i64..5), 0..40),
    ) {
        let wide = |number: i64| i128::from(number) << 61;
        let arrays: [ArrayRef; 3] = [
            Arc::new(Int64Array::from(numbers.clone())),
            Arc::new(Float64Array::from_iter(
                numbers.iter().map(|number| number.map(|number| number as f64 * -0.5)),
            )),
            // Some of these have no 64-bit key.
            Arc::new(Decimal128Array::from_iter(numbers.iter().map(|number| number.map(wide)))),
        ];
        for array in arrays {
            prop_assert_eq!(keyed(array.as_ref()), plain(array.as_ref()));
        }
    }
}

#[test]
fn repeats_are_counted_and_do_not_stay() {
    let numbers: Int64Array = (0..2_000).cycle().take(10_005).map(Some).collect();
    let mut values = KeyedValues { full: 10_000, ..KeyedValues::default() };
    values.add(&numbers, |_| 1_u64);
    values.add_value(Value::text("alone"), 1);
    values.bound_repeats(|times, more| Some(times + more));
    assert_eq!(values.len(), 2_001);
    values.add(&numbers.slice(0, 1), |_| 1);
    values.bound_repeats(|times, more| Some(times + more));
    assert_eq!(values.len(), 2_002, "few are kept as they are");
    let folded = values.folded(|times| times.iter().sum::<u64>());
    assert_eq!(folded.others, [(Value::text("alone"), 1)]);
    assert_eq!(folded.keys.len(), 2_000);
    assert_eq!(folded.keys.iter().map(|(_, times)| times).sum::<u64>(), 10_006);
}

#[test]
fn what_is_told_of_a_value_apart_stays_apart() {
    let mut values = KeyedValues { full: 1_000, ..KeyedValues::default() };
    let numbers: Int64Array = (0..1_000).map(|at| Some(at % 3)).collect();
    values.add(&numbers, |row| row % 2);
    values.bound_repeats(|told, other| (told == other).then_some(told));
    let keys: Vec<(i64, Vec<usize>)> = values.folded(<[usize]>::to_vec).keys;
    assert_eq!(keys, [(0, vec![0, 1]), (1, vec![0, 1]), (2, vec![0, 1])]);
}

#[test]
fn a_set_keeps_each_value_once() {
    let mut values = KeyedValues { full: 100, ..KeyedValues::default() };
    let texts: StringArray = (0..300).map(|at| Some(format!("C{:03}", at % 7))).collect();
    values.add(&texts, |_| ());
    values.add(&StringArray::from(vec!["else", "C1", "else"]), |_| ());
    values.drop_repeats();
    assert_eq!(values.len(), 9);
    values.add(&texts, |_| ());
    values.drop_repeats();
    assert_eq!(values.len(), 309, "few are kept as they are");
    let folded = values.folded(<[()]>::len);
    assert_eq!(folded.keys.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    let others: Vec<&Value> = folded.others.iter().map(|(value, _)| value).collect();
    assert_eq!(others, [&Value::text("C1"), &Value::text("else")]);
}
