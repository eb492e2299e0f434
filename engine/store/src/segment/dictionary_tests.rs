//! That the sample finds the columns with too many values, wherever batches are cut.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::*;

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(at, column)| (format!("c{at}"), column));
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, column)| (name, column, true)))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// As long as every row is looked at, the bytes of the distinct values decide.
    #[test]
    fn distinct_bytes_decide(
        rows in prop::collection::vec((prop::option::of(0_i64..50), "[a-c]{0,3}"), 1..200),
        cuts in prop::collection::vec(0_usize..200, 0..4),
        bytes_max in 0_usize..200,
    ) {
        let numbers: Int64Array = rows.iter().map(|(number, _)| *number).collect();
        let texts: StringArray = rows.iter().map(|(_, text)| Some(text.as_str())).collect();
        let money: Decimal128Array = rows.iter().map(|(number, _)| number.map(i128::from)).collect();
        let money = money.with_precision_and_scale(18, 2).unwrap();
        let whole = batch(vec![Arc::new(numbers), Arc::new(texts), Arc::new(money)]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let batches: Vec<_> =
            cuts.windows(2).map(|pair| whole.slice(pair[0], pair[1] - pair[0])).collect();
        let numbers: HashSet<i64> = rows.iter().filter_map(|(number, _)| *number).collect();
        let texts: HashSet<&str> = rows.iter().map(|(_, text)| text.as_str()).collect();
        let of_texts: usize = texts.iter().map(|text| text.len() + 4).sum();
        for (column, bytes) in [(0, numbers.len() * 8), (1, of_texts), (2, numbers.len() * 8)] {
            prop_assert_eq!(pays(&batches, column, bytes_max), bytes <= bytes_max);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    /// Beyond the sample, each batch is gone on with where the one before ended.
    #[test]
    fn a_sample_does_not_depend_on_the_batches(cut in 1_usize..399_999) {
        let rows = 400_000;
        let many = Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef;
        let few = Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row / 100))) as ArrayRef;
        let flags = Arc::new(BooleanArray::from_iter((0..rows).map(|row| Some(row % 2 == 0))));
        let whole = batch(vec![many, few, flags]);
        let rest = rows as usize - cut;
        let batches = [whole.slice(0, cut), whole.slice(cut, rest)];
        for bytes_max in [40_000 * 8, 4_000 * 8, 3_999 * 8] {
            prop_assert!(!pays(&batches, 0, bytes_max));
            prop_assert_eq!(pays(&batches, 1, bytes_max), bytes_max >= 4_000 * 8);
            prop_assert!(pays(&batches, 2, bytes_max), "no dictionary is made of flags");
        }
    }
}
