use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, UInt64Array};
use proptest::prelude::*;

use super::*;

/// Row `n` of person `n`.
fn numbers(rows: &[u32]) -> ArrayRef {
    Arc::new(
        rows.iter().map(|row| u64::from(*row) << 32 | u64::from(*row)).collect::<UInt64Array>(),
    )
}

fn gathered(measures: &[Measure], values: &[ArrayRef]) -> Gathered {
    let (measures, crowd, least) = (measures.to_vec(), Crowd::of(measures), NonZeroU32::MIN);
    let mut gathered = Gathered { measures, least, crowd, bytes: 0 };
    gathered.update_batch(values).unwrap();
    gathered
}

#[test]
fn a_group_has_a_part_for_each_way_of_having_values() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), None]));
    let two: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None, None]));
    let rows = numbers(&[5, 6, 7, 8]);
    let measures = [Measure::Counted, Measure::Counted];
    let crowd = gathered(&measures, &[rows, one, two]).crowd;
    let mut parts: Vec<Vec<u32>> = crowd.parts().iter().map(|part| part.iter().collect()).collect();
    parts.sort();
    assert_eq!(parts, [[5], [6], [7], [8]]);
    assert_eq!(gathered(&[], &[numbers(&[5, 6])]).crowd.parts().len(), 1);
}

#[test]
fn rows_bring_what_they_have_as_often_as_they_are_there() {
    let column: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(-5.0), Some(2.0), None, Some(2.0)]));
    let crowd = gathered(&[Measure::Summed], &[numbers(&[1, 2, 3, 2]), column]).crowd;
    let [counts, sums] = crowd.amounts() else { panic!("a count and a sum") };
    assert_eq!((counts[&1], counts[&2], counts[&3]), (1.0, 2.0, 1.0));
    assert_eq!((sums[&1], sums[&2], sums[&3]), (5.0, 4.0, 0.0));
}

#[test]
fn crowds_of_too_few_rows_are_not_handed_on() {
    let mut small = gathered(&[], &[numbers(&[1, 2])]);
    small.least = NonZeroU32::new(3).unwrap();
    assert_eq!(small.evaluate().unwrap(), ScalarValue::LargeBinary(None));
    small.update_batch(&[numbers(&[3])]).unwrap();
    assert!(matches!(small.evaluate().unwrap(), ScalarValue::LargeBinary(Some(_))));
}

proptest! {
    #[test]
    fn stages_give_what_one_gives(
        first in prop::collection::vec((0_u32..50, prop::option::of(-100_i64..100)), 0..30),
        second in prop::collection::vec((50_u32..99, prop::option::of(-100_i64..100)), 0..30),
    ) {
        let arrays = |rows: &[(u32, Option<i64>)]| -> [ArrayRef; 3] {
            let (keys, values): (Vec<u32>, Vec<Option<i64>>) = rows.iter().copied().unzip();
            let column: ArrayRef = Arc::new(Int64Array::from(values));
            [numbers(&keys), Arc::clone(&column), column]
        };
        let measures = [Measure::Counted, Measure::Summed];
        let all: Vec<_> = first.iter().chain(&second).copied().collect();
        let whole = gathered(&measures, &arrays(&all)).crowd;
        let mut merged = gathered(&measures, &arrays(&first));
        let state = gathered(&measures, &arrays(&second)).state().unwrap();
        let states: Vec<ArrayRef> = state.iter().map(|state| state.to_array().unwrap()).collect();
        merged.merge_batch(&states).unwrap();
        prop_assert_eq!(&merged.crowd, &whole);
        prop_assert_eq!(&Crowd::from_bytes(&whole.to_bytes().unwrap()).unwrap(), &whole);
    }

    #[test]
    fn bad_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64), cut in 0_usize..40) {
        let _ = Crowd::from_bytes(&bytes);
        let column: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let crowd = gathered(&[Measure::Summed], &[numbers(&[3, 4]), column]).crowd;
        let good = crowd.to_bytes().unwrap();
        let cut = cut.min(good.len() - 1);
        prop_assert!(Crowd::from_bytes(&good[..cut]).is_err());
    }
}
