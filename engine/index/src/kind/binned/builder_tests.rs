//! Samples, ranks and slices against the obvious way to make them.

use proptest::prelude::*;

use super::*;

fn presence(present: &[bool]) -> Vec<u64> {
    let word = |rows: &[bool]| {
        rows.iter().rev().fold(0, |word, is_present| word << 1 | u64::from(*is_present))
    };
    present.chunks(WORD_ROWS).map(word).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn codes_are_ranks_among_the_boundaries(
        boundaries in proptest::collection::btree_set(
            prop_oneof![-90_i64..90, any::<i64>(), Just(i64::MAX)], 0..BINS_MAX,
        ),
        keys in proptest::collection::vec(
            prop_oneof![-100_i64..100, any::<i64>(), Just(i64::MAX), Just(i64::MIN)], 0..=WORD_ROWS,
        ),
        present in any::<u64>(),
    ) {
        let boundaries: Vec<i64> = boundaries.into_iter().collect();
        let mut codes = [77; WORD_ROWS];
        let present = present & u64::MAX.checked_shr(64 - keys.len() as u32).unwrap_or(0);
        Ranks::new(&boundaries).codes(&keys, present, &mut codes);
        for (row, code) in codes.iter().enumerate() {
            let rank = keys.get(row).map_or(0, |key| 1 + boundaries.partition_point(|b| b <= key));
            prop_assert_eq!(usize::from(*code), if present >> row & 1 == 1 { rank } else { 0 });
        }
        for digit in 0..6 {
            let slice = u64::from_le_bytes(slice_of(&codes, digit));
            for (row, code) in codes.iter().enumerate() {
                prop_assert_eq!(slice >> row & 1, u64::from(code >> digit & 1));
            }
        }
    }

    #[test]
    fn a_sample_is_of_rows_that_are_not_null(
        rows in proptest::collection::vec((any::<i64>(), any::<bool>()), 0..400),
        times in 1_usize..30,
    ) {
        let rows: Vec<(i64, bool)> = rows.repeat(times);
        let (keys, flags): (Vec<i64>, Vec<bool>) = rows.iter().copied().unzip();
        let present: Vec<i64> =
            rows.iter().filter(|(_, is_present)| *is_present).map(|(key, _)| *key).collect();
        let sample = sample(&keys, &presence(&flags));
        prop_assert!(sample.is_sorted());
        prop_assert!(sample.iter().all(|key| present.contains(key)));
        prop_assert_eq!(sample.first(), present.iter().min());
        prop_assert_eq!(sample.last(), present.iter().max());
        let wanted = if present.is_empty() { 0 } else { 2 + present.len().min(SAMPLE) };
        prop_assert_eq!(sample.len(), wanted);
    }
}
