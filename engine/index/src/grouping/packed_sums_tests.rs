//! Counts and sums against the same added one by one.

use proptest::prelude::*;

use super::PackedSums;

proptest! {
    #[test]
    fn counts_and_sums_are_those_of_the_rows(
        lowest in -1_000_000_000_000_i64..1_000_000_000_000,
        range in 0_i64..(1 << 35),
        entries in 1_usize..9,
        rows in 0_usize..60_000,
        at_the_ends in any::<bool>(),
    ) {
        let key = |row: usize| match (row % 3, at_the_ends) {
            (0, true) => lowest,
            (_, true) => lowest + range,
            _ => lowest + (row as i64).wrapping_mul(7_919).rem_euclid(range + 1),
        };
        let keys: Vec<i64> = (0..rows).map(key).collect();
        let entry_of: Vec<u32> = (0..rows).map(|row| (row * row % entries) as u32).collect();
        let mut packed = PackedSums::of(lowest, lowest + range, entries).unwrap();
        for (entries, keys) in entry_of.chunks(1_024).zip(keys.chunks(1_024)) {
            packed.add(entries, keys);
        }
        let (mut counts, mut sums) = (vec![0_u64; entries], vec![0_i128; entries]);
        for (entry, key) in entry_of.iter().zip(&keys) {
            counts[*entry as usize] += 1;
            sums[*entry as usize] += i128::from(*key);
        }
        prop_assert_eq!(packed.finish(), (counts, sums));
    }
}

#[test]
fn what_numbers_cannot_hold_is_left_to_others() {
    assert!(PackedSums::of(i64::MIN, i64::MAX, 4).is_none(), "too far apart");
    assert!(PackedSums::of(0, 1 << 40, 4).is_none(), "too few rows between settlings");
    assert!(PackedSums::of(0, 10, 5_000).is_none(), "too many entries");
    assert!(PackedSums::of(1, 0, 4).is_none(), "no key at all");
}
