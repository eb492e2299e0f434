//! How rows fall to numbered values, by codes and by vectors, against the same from the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use martlet_core::Value;
use proptest::prelude::*;

use super::counting::selection;
use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::grouping::group;
use crate::keyed::KeyedValues;
use crate::kind::IndexKind;
use crate::numbered::NumberedValues;
use crate::values::value_at;

/// Every `nth` distinct value of a column, from the first on, numbered by turns.
fn numbered(column: &ArrayRef, nth: usize, groups: u32) -> (NumberedValues, Vec<(Value, u32)>) {
    let mut seen = BTreeSet::new();
    let first_of_value =
        |row: &usize| value_at(column.as_ref(), *row).is_some_and(|value| seen.insert(value));
    let kept: Vec<usize> = (0..column.len()).filter(first_of_value).step_by(nth).collect();
    let numbers: Vec<u32> = (0..groups).cycle().take(kept.len()).collect();
    let values = kept.iter().filter_map(|row| value_at(column.as_ref(), *row));
    let plain = values.zip(numbers.iter().copied()).collect();
    let rows: UInt32Array = kept.iter().map(|row| *row as u32).collect();
    let values = take(column, &rows, None).unwrap();
    let mut keyed = KeyedValues::default();
    keyed.add(values.as_ref(), |row| numbers[row]);
    (NumberedValues::new(keyed, groups), plain)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn rows_fall_to_the_number_of_their_value(
        table in table(),
        column in 0..TYPES.len(),
        with_vector in any::<bool>(),
        nth in 1_usize..5,
        groups in 1_u32..4,
        shape in 0_u8..6,
    ) {
        let kind = if with_vector { IndexKind::Vector } else { IndexKind::Codes };
        let built = built(&table, &IndexChoice::Kinds(vec![kind]));
        let Some(index) = opened(&built, column, kind) else { return Ok(()) };
        let rows = selection(table.rows.num_rows() as u32, shape);
        let array = table.rows.column(column);
        let (numbered, plain) = numbered(array, nth, groups);
        let number_of = |row: u32| {
            let value = value_at(array.as_ref(), row as usize)?;
            plain.iter().find(|(known, _)| *known == value).map(|(_, number)| *number)
        };
        for row in rows.iter() {
            let value = value_at(array.as_ref(), row as usize);
            prop_assert_eq!(value.and_then(|value| numbered.number(&value)), number_of(row));
        }

        let over = numbered.over(Arc::clone(&index)).unwrap();
        let grouped = group(&[over.column().unwrap()], &[], &rows).unwrap();
        let mut expected: BTreeMap<Option<u32>, u64> = BTreeMap::new();
        rows.iter().for_each(|row| *expected.entry(number_of(row)).or_insert(0) += 1);
        let numbers = grouped.keys[0].iter().map(|group| over.number(*group));
        let found: BTreeMap<Option<u32>, u64> =
            numbers.zip(grouped.counts.iter().copied()).collect();
        prop_assert_eq!(&found, &expected);
        if let Some(only) = over.only_number() {
            prop_assert!(found.keys().flatten().all(|number| *number == only));
        }

        let with_number: Vec<u32> =
            (0..index.rows()).filter(|row| number_of(*row).is_some()).collect();
        let selected: Vec<u32> = over.rows().unwrap().iter().collect();
        prop_assert_eq!(selected, with_number);

        // Beside another column the numbers are hashed or are array positions all the same.
        let both = group(&[over.column().unwrap(), over.column().unwrap()], &[], &rows).unwrap();
        prop_assert_eq!(&both.keys[0], &both.keys[1]);
        prop_assert_eq!(both.counts.iter().sum::<u64>(), rows.count());
    }
}

#[test]
fn keys_far_apart_are_found_as_those_close_together_are() {
    use crate::kind::vector::KeyNumbers;

    for step in [1, 1_000_003, i64::MAX / 8] {
        let keys: Vec<(i64, u32)> = (-4..=4).map(|at: i64| (at * step, (at + 4) as u32)).collect();
        let numbers = KeyNumbers::new(&keys, 9);
        let asked: Vec<i64> =
            keys.iter().map(|(key, _)| *key).chain([5, i64::MIN, i64::MAX]).collect();
        let mut found = vec![0; asked.len()];
        numbers.number_all(&asked, &mut found);
        assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9], "keys {step} apart");
    }
}

#[test]
fn without_values_no_row_has_a_number() {
    let numbered = NumberedValues::new(KeyedValues::default(), 0);
    assert!(numbered.is_empty());
    assert_eq!(numbered.number(&Value::Int(0)), None);
    let numbers = crate::kind::vector::KeyNumbers::new(&[], 0);
    let mut found = [7; 3];
    numbers.number_all(&[i64::MIN, 0, 1], &mut found);
    assert_eq!(found, [0; 3]);
}
