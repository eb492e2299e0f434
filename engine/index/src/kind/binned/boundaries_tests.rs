//! Where bins begin for the columns of a bank, and for what no bank has.

use martlet_core::{CivilDate, Value};
use proptest::prelude::*;

use super::super::format::digits;
use super::*;

/// Rows of each bin of the sorted keys.
fn weights(keys: &[i64], boundaries: &[i64]) -> Vec<usize> {
    let ends = boundaries.iter().map(|begin| keys.partition_point(|key| key < begin));
    let ends: Vec<usize> = ends.chain(std::iter::once(keys.len())).collect();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, end)| end - start).collect()
}

fn of(form: &VectorForm, mut keys: Vec<i64>) -> (Vec<i64>, Vec<usize>) {
    keys.sort_unstable();
    let boundaries = boundaries(form, &keys);
    assert!(boundaries.len() < BINS_MAX);
    assert!(boundaries.is_sorted_by(|one, next| one < next));
    let weights = weights(&keys, &boundaries);
    // Every boundary tells rows apart.
    assert!(keys.is_empty() || weights.iter().all(|rows| *rows > 0));
    (boundaries, weights)
}

fn slices(boundaries: &[i64]) -> u32 {
    digits(boundaries.len() + 1)
}

/// A number that looks drawn at random, from 0 to below 1.
fn drawn(row: u64) -> f64 {
    let bits = (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// About as many standard deviations as a normal distribution has.
fn normal(row: u64) -> f64 {
    (0..12).map(|draw| drawn(row * 12 + draw)).sum::<f64>() - 6.0
}

const ROWS: u64 = 4_096;

fn day(year: i64, month: i64, day: i64) -> i64 {
    CivilDate { year, month, day }.days()
}

fn is_round(key: i64, digits: u32) -> bool {
    let Some(power) = key.unsigned_abs().checked_ilog10() else { return true };
    power < digits || key % 10_i64.pow(power + 1 - digits) == 0
}

#[test]
fn amounts_over_many_powers_of_ten_begin_bins_at_round_amounts() {
    let cents = (0..ROWS).map(|row| (normal(row) * 1.8 + 10.0).exp() as i64).collect();
    let (boundaries, weights) = of(&VectorForm::Decimal, cents);
    assert!((16..32).contains(&weights.len()), "{boundaries:?}");
    assert!(weights.iter().all(|rows| *rows <= ROWS as usize / 16), "{weights:?}");
    assert!(boundaries.iter().all(|key| is_round(*key, 2)), "{boundaries:?}");
    // Every power of ten, in the tails too: from ten up to a hundred thousand.
    for power in 3..=7 {
        assert!(boundaries.contains(&10_i64.pow(power)), "{power} {boundaries:?}");
    }
}

#[test]
fn amounts_of_one_power_of_ten_are_cut_by_their_digits() {
    let spread = |row: u64| 100_000 + (drawn(row) * 900_000.0) as i64;
    let (boundaries, weights) = of(&VectorForm::Int, (0..ROWS).map(spread).collect());
    assert_eq!(slices(&boundaries), 5);
    for digit in 2..=9 {
        assert!(boundaries.contains(&(digit * 100_000)), "{boundaries:?}");
    }
    assert!(weights.iter().all(|rows| *rows <= ROWS as usize / 16));
    let (few, _) = of(&VectorForm::Int, (1_000_000..1_001_000).collect());
    assert!(few.contains(&1_000_500) && few.contains(&1_000_100), "{few:?}");
}

#[test]
fn zero_and_signs_are_told_apart() {
    let keys: Vec<i64> = (0..ROWS).map(|row| (normal(row) * 50_000.0) as i64).collect();
    let zeros = std::iter::repeat_n(0, 2_000);
    let (boundaries, _) = of(&VectorForm::Decimal, keys.into_iter().chain(zeros).collect());
    assert!(boundaries.contains(&0) && boundaries.contains(&1), "{boundaries:?}");
    assert!(boundaries.contains(&-10_000) && boundaries.contains(&10_000), "{boundaries:?}");
    assert!(boundaries.iter().all(|key| is_round(*key, 2)), "{boundaries:?}");
}

#[test]
fn what_cannot_be_told_apart_is_one_bin() {
    for form in [VectorForm::Int, VectorForm::Float, VectorForm::Date, VectorForm::Timestamp] {
        assert!(of(&form, Vec::new()).0.is_empty());
        assert!(of(&form, vec![42; 4_096]).0.is_empty());
    }
    let digits = VectorForm::DigitText { prefix: "C".into(), digits: 4 };
    assert!(boundaries(&digits, &[1, 2, 3]).is_empty());
}

#[test]
fn a_year_is_cut_into_months_and_ten_years_into_quarters() {
    let span = |first: i64, last: i64| (first..last).cycle().take(4_000).collect::<Vec<_>>();
    let year = span(day(2026, 1, 1), day(2027, 1, 1));
    let (months, _) = of(&VectorForm::Date, year.clone());
    let firsts: Vec<i64> = (2..=12).map(|month| day(2026, month, 1)).collect();
    assert_eq!(months, firsts);
    assert_eq!(slices(&months), 4);
    let micros = |days: &i64| days * 86_400_000_000 + 3_600_000_000;
    let (of_timestamps, _) = of(&VectorForm::Timestamp, year.iter().map(micros).collect());
    let firsts: Vec<i64> = firsts.iter().map(|day| day * 86_400_000_000).collect();
    assert_eq!(of_timestamps, firsts);
    let days: Vec<i64> = (day(2016, 1, 1)..day(2026, 1, 1)).collect();
    let (quarters, weights) = of(&VectorForm::Date, days);
    assert_eq!(slices(&quarters), 5);
    for year in 2017..=2025 {
        assert!(quarters.contains(&day(year, 1, 1)), "{year}");
    }
    assert!(quarters.contains(&day(2025, 10, 1)) && quarters.contains(&day(2025, 7, 1)));
    assert!(quarters.iter().all(|key| CivilDate::of_days(*key).day == 1));
    assert!(weights.iter().all(|days| *days <= 366 / 2 + 1), "{weights:?}");
}

#[test]
fn a_day_that_stands_for_never_is_a_bin_of_its_own() {
    let never = day(9999, 12, 31);
    let days = (day(2024, 1, 1)..day(2026, 1, 1)).chain(std::iter::repeat_n(never, 500));
    let (boundaries, weights) = of(&VectorForm::Date, days.collect());
    assert_eq!(weights.last(), Some(&500));
    assert!(boundaries.contains(&day(2025, 7, 1)), "{boundaries:?}");
    let (hours, _) = of(&VectorForm::Timestamp, (0..86_400).map(|s| s * 1_000_000).collect());
    assert_eq!(slices(&hours), 4);
    assert!(hours.iter().all(|key| key % 3_600_000_000 == 0));
}

#[test]
fn floats_are_cut_at_round_floats() {
    let key = |float: f64| VectorForm::Float.key_of(&Value::Float(float)).unwrap();
    let scores = (0..ROWS).map(|row| key(drawn(row))).collect();
    let (boundaries, _) = of(&VectorForm::Float, scores);
    for score in [0.1, 0.2, 0.3, 0.5, 0.9] {
        assert!(boundaries.contains(&key(score)), "{score}");
    }
    assert_eq!(slices(&boundaries), 5);
    let odd = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 5e-324, -5e-324];
    let odd = odd.into_iter().chain([f64::MAX, f64::MIN, 1.5, -1.5]).map(key).collect();
    let (boundaries, weights) = of(&VectorForm::Float, odd);
    assert_eq!(weights, [1; 11]);
    for edge in [f64::NEG_INFINITY, 0.0, f64::INFINITY] {
        assert!(boundaries.contains(&key(edge)) && boundaries.contains(&(key(edge) + 1)));
    }
}

const FORMS: [VectorForm; 5] = [
    VectorForm::Int,
    VectorForm::Float,
    VectorForm::Decimal,
    VectorForm::Date,
    VectorForm::Timestamp,
];

fn key() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -1_000_i64..1_000,
        (0_u32..63).prop_flat_map(|bits| 0..=(1_i64 << bits)),
        prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_have_ascending_boundaries_that_tell_them_apart(
        form in 0..FORMS.len(),
        keys in proptest::collection::vec(key(), 0..400),
    ) {
        let form = &FORMS[form];
        // Days have 32 bits.
        let is_date = *form == VectorForm::Date;
        let narrowed = |key: i64| if is_date { i64::from(key as i32) } else { key };
        of(form, keys.into_iter().map(narrowed).collect());
    }
}
