use std::collections::HashSet;

use super::*;

#[test]
fn an_address_gives_the_same_numbers_and_another_address_others() {
    let numbers = |purpose, index| {
        let mut draw = Draw::new(7, purpose, index);
        [draw.next_u64(), draw.next_u64(), draw.next_u64()]
    };
    assert_eq!(numbers(Purpose::Person, 5), numbers(Purpose::Person, 5));
    assert_ne!(numbers(Purpose::Person, 5), numbers(Purpose::Person, 6));
    assert_ne!(numbers(Purpose::Person, 5), numbers(Purpose::Cards, 5));
}

#[test]
fn scrambling_never_repeats() {
    let seen: HashSet<u64> = (0..100_000).map(|index| scrambled(index, 5)).collect();
    assert_eq!(seen.len(), 100_000);
    assert!(seen.iter().all(|number| *number < 100_000));
}

#[test]
fn a_skew_follows_its_weights_and_never_picks_weight_zero() {
    let skew = Skew::new([0, 30, 0, 10]);
    let mut draw = Draw::new(1, Purpose::Person, 0);
    let mut picked = [0_u32; 4];
    for _ in 0..40_000 {
        picked[skew.pick(&mut draw)] += 1;
    }
    assert_eq!((picked[0], picked[2]), (0, 0));
    assert!((29_000..31_000).contains(&picked[1]), "{picked:?}");
}

#[test]
fn cents_have_the_median_they_are_asked_for() {
    let mut draw = Draw::new(2, Purpose::Person, 0);
    let below = (0..20_000).filter(|_| draw.cents(10_000.0, 1.5) < 10_000).count();
    assert!((9_500..10_500).contains(&below), "{below}");
}
