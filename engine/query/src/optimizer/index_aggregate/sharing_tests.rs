//! When what segments share is found out.

use super::*;

#[test]
fn a_single_segment_is_never_worth_it() {
    // Nothing was added before the only segment.
    assert!([0, 1, 1_000].iter().all(|codes| !is_worth_it(0, *codes)));
}

#[test]
fn a_small_part_of_the_tables_values_is_not_worth_it() {
    let codes = 95 * 35_000;
    assert!(!is_worth_it(3 * 35_000, codes));
    assert!(is_worth_it(12 * 35_000, codes));
    assert!(is_worth_it(u64::MAX, u64::MAX));
}
