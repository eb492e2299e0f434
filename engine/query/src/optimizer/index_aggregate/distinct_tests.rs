//! Distinct values against a plain set, in one partition and joined from two.

use std::collections::BTreeSet;

use super::*;

fn add(values: &mut DistinctValues, group: usize, text: &str) {
    let prepared = values.prepared(&Value::text(text));
    values.add(group, &prepared);
}

const TEXTS: [&str; 9] = ["C01", "C02", "C1", "D01", "", "01", "C01", "C0", "李01"];

#[test]
fn every_order_of_texts_gives_the_plain_count() {
    let plain: BTreeSet<&str> = TEXTS.into_iter().collect();
    for start in 0..TEXTS.len() {
        let mut values = DistinctValues::default();
        for at in 0..TEXTS.len() {
            add(&mut values, 0, TEXTS[(start + at) % TEXTS.len()]);
        }
        values.settle();
        assert_eq!(values.count(0), plain.len() as u64, "from {start} on");
    }
}

#[test]
fn partitions_of_different_forms_join_without_counting_twice() {
    for split in 0..=TEXTS.len() {
        let (mut left, mut right) = (DistinctValues::default(), DistinctValues::default());
        TEXTS[..split].iter().for_each(|text| add(&mut left, 0, text));
        TEXTS[split..].iter().rev().for_each(|text| add(&mut right, 1, text));
        // One text in both.
        add(&mut right, 1, TEXTS[0]);
        left.absorb(right, &[9, 0]);
        let plain: BTreeSet<&str> = TEXTS.into_iter().collect();
        assert_eq!(left.count(0), plain.len() as u64, "split at {split}");
        assert_eq!(left.count(1), 0);
    }
}

#[test]
fn numbers_are_counted_once() {
    let mut values = DistinctValues::default();
    for number in [5, -5, 5, i64::MIN, i64::MAX, 0] {
        let prepared = values.prepared(&Value::Int(number));
        values.add(3, &prepared);
    }
    assert_eq!(values.count(3), 5);
    assert_eq!(values.count(0), 0);
}

#[test]
fn values_that_were_added_one_by_one_are_told_once() {
    let mut values = DistinctValues::default();
    values.add_apart(0, 7);
    ["C01", "C01", "other"].into_iter().for_each(|text| add(&mut values, 0, text));
    assert_eq!([values.take_added(), values.take_added()], [3, 0]);
    assert_eq!(values.count(0), 9);
}
