//! Aggregates of bit slices, and counts by parts of dates, against the rows.

use std::collections::BTreeMap;

use martlet_core::{ColumnType, DatePart, Value};
use proptest::prelude::*;

use super::counting::selection;
use super::support::{TYPES, built, opened, table};
use crate::VectorForm;
use crate::choose::IndexChoice;
use crate::kind::IndexKind;
use crate::values::{narrow_key, value_at};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn slices_aggregate_as_the_rows_do(table in table(), shape in 0_u8..6, k in any::<u16>()) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::BitSliced]));
        let selection = selection(built.descriptor.rows(), shape);
        for column in 0..TYPES.len() {
            let Some(index) = opened(&built, column, IndexKind::BitSliced) else { continue };
            let slices = index.as_bit_sliced().unwrap();
            let array = table.rows.column(column);
            let mut values: Vec<Value> =
                selection.iter().filter_map(|row| value_at(array, row as usize)).collect();
            values.sort();
            prop_assert_eq!(slices.count(&selection), values.len() as u64);
            let value = |key: Option<i64>| key.map(|key| slices.value_of(key));
            prop_assert_eq!(value(slices.min(&selection)), values.first().cloned());
            prop_assert_eq!(value(slices.max(&selection)), values.last().cloned());
            let k = u64::from(k) % (values.len() as u64 + 1);
            prop_assert_eq!(value(slices.kth(&selection, k)), values.get(k as usize).cloned());
            let sum: i128 =
                values.iter().map(|value| i128::from(narrow_key(value).unwrap())).sum();
            let is_float = *slices.form() == VectorForm::Float;
            prop_assert_eq!(slices.sum(&selection), (!is_float).then_some(sum));
        }
    }

    #[test]
    fn parts_of_dates_are_counted_as_from_the_rows(table in table(), shape in 0_u8..6) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::DatePart]));
        let selection = selection(built.descriptor.rows(), shape);
        for (column, column_type) in TYPES.into_iter().enumerate() {
            let index = opened(&built, column, IndexKind::DatePart);
            let is_date = matches!(column_type, ColumnType::Date | ColumnType::Timestamp);
            prop_assert_eq!(index.is_some(), is_date);
            let Some(index) = index else { continue };
            let parts = index.as_date_part().unwrap();
            let values = || {
                let array = table.rows.column(column);
                selection.iter().filter_map(|row| value_at(array, row as usize))
            };
            let of = |value: &Value, part: DatePart| part.of(value).unwrap();
            let mut months = BTreeMap::new();
            for value in values() {
                *months.entry((of(&value, DatePart::Year), of(&value, DatePart::Month))).or_insert(0) += 1;
            }
            let counted = parts.month_counts(&selection).unwrap();
            let counted = counted.into_iter().map(|(year, month, count)| ((year, month), count));
            prop_assert!(counted.eq(months));
            for part in DatePart::ALL {
                let is_told = !matches!(part, DatePart::Day | DatePart::DayOfYear);
                let counted = parts.part_counts(part, &selection).map(Result::unwrap);
                let mut plain = BTreeMap::new();
                for value in values() {
                    *plain.entry(of(&value, part)).or_insert(0) += 1;
                }
                prop_assert_eq!(counted, is_told.then(|| plain.into_iter().collect::<Vec<_>>()));
            }
        }
    }
}
