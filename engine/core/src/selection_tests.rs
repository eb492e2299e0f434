//! A selection against the plain version: a set of row numbers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::truth::Truth;

const ROWS: u32 = 200;

fn selection(rows: &BTreeSet<u32>) -> Selection {
    Selection::from_bitmap(ROWS, rows.iter().copied().collect())
}

/// The same rows, one bit each.
fn flagged(rows: &BTreeSet<u32>) -> Selection {
    let mut words = vec![0_u64; ROWS as usize / 64 + 2];
    rows.iter().for_each(|row| words[*row as usize / 64] |= 1 << (row % 64));
    // What lies behind the rows is no row.
    words[ROWS as usize / 64] |= u64::MAX << (ROWS % 64);
    Selection::from_words(ROWS, words)
}

fn rows(selection: &Selection) -> BTreeSet<u32> {
    selection.iter().collect()
}

fn sets() -> impl Strategy<Value = BTreeSet<u32>> {
    prop_oneof![
        1 => Just(BTreeSet::new()),
        1 => Just((0..ROWS).collect::<BTreeSet<u32>>()),
        6 => prop::collection::btree_set(0..ROWS, 0..ROWS as usize),
    ]
}

/// True, false or unknown of each row; unknown in the rows of neither set.
fn truths() -> impl Strategy<Value = Vec<Option<bool>>> {
    prop::collection::vec(prop::option::of(any::<bool>()), ROWS as usize)
}

fn truth(of_rows: &[Option<bool>]) -> Truth {
    let is = |wanted| Selection::from_flags(of_rows.iter().map(|truth| *truth == Some(wanted)));
    Truth::exact(is(true), is(false))
}

proptest! {
    #[test]
    fn a_selection_is_a_set_of_rows(
        left in sets(), right in sets(), forms in any::<(bool, bool)>(),
    ) {
        let form = |is_flagged: bool| if is_flagged { flagged } else { selection };
        let (a, b) = (form(forms.0)(&left), form(forms.1)(&right));
        prop_assert_eq!(a == b, left == right);
        prop_assert_eq!(&a, &flagged(&left));
        prop_assert_eq!(&a, &selection(&left));
        prop_assert_eq!(rows(&a.and(&b)), &left & &right);
        prop_assert_eq!(rows(&a.or(&b)), &left | &right);
        prop_assert_eq!(rows(&a.minus(&b)), &left - &right);
        prop_assert_eq!(rows(&a.complement()), &(0..ROWS).collect::<BTreeSet<_>>() - &left);
        prop_assert_eq!(a.count(), left.len() as u64);
        prop_assert_eq!(a.is_none(), left.is_empty());
        prop_assert_eq!(a.is_all(), left.len() == ROWS as usize);
        prop_assert_eq!(a.is_within(&b), left.is_subset(&right));
        prop_assert!((0..ROWS + 5).all(|row| a.contains(row) == left.contains(&row)));
        prop_assert_eq!(&a.clone().compact(), &a);
        prop_assert!(a.clone().compact().memory_bytes() <= ROWS as usize);
    }

    #[test]
    fn bytes_come_back_as_the_selection(set in sets()) {
        let written = selection(&set);
        let bytes = written.to_bytes();
        prop_assert_eq!(Selection::from_bytes(ROWS, &bytes), Some(written));
        let needed = set.last().map_or(0, |last| last + 1);
        prop_assert_eq!(Selection::from_bytes(needed, &bytes).map(|read| rows(&read)), Some(set));
        if let Some(too_few) = needed.checked_sub(1) {
            prop_assert_eq!(Selection::from_bytes(too_few, &bytes), None);
        }
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(Selection::from_bytes(ROWS, &longer), None);
        prop_assert_eq!(Selection::from_bytes(ROWS, &bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        set in sets(),
        noise in prop::collection::vec(any::<u8>(), 0..100),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = selection(&set).to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [bytes, noise] {
            if let Some(read) = Selection::from_bytes(ROWS, &bytes) {
                prop_assert!(read.iter().all(|row| row < ROWS));
            }
        }
    }

    #[test]
    fn runs_hold_the_rows_and_neither_touch_nor_overlap(set in sets()) {
        let runs = selection(&set).runs();
        prop_assert_eq!(runs.iter().cloned().flatten().collect::<BTreeSet<_>>(), set);
        prop_assert!(runs.windows(2).all(|pair| pair[0].end < pair[1].start));
        prop_assert!(runs.iter().all(|run| run.start < run.end));
    }

    /// SQL's three values, row by row.
    #[test]
    fn truth_is_sqls(left in truths(), right in truths()) {
        let and = |pair: (&Option<bool>, &Option<bool>)| match pair {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        let or = |pair: (&Option<bool>, &Option<bool>)| match pair {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        let both: Vec<_> = left.iter().zip(&right).map(and).collect();
        let either: Vec<_> = left.iter().zip(&right).map(or).collect();
        let opposite: Vec<_> = left.iter().map(|truth| truth.map(|truth| !truth)).collect();
        prop_assert_eq!(truth(&left).and(&truth(&right)), truth(&both));
        prop_assert_eq!(truth(&left).or(&truth(&right)), truth(&either));
        prop_assert_eq!(truth(&left).negated(), truth(&opposite));
    }
}

/// Rows of each form that a bitmap keeps: single ones, bits, runs, and none, one after the other.
fn of_every_form(rows: u32, forms: &[u8]) -> Selection {
    let mut bitmap = RoaringBitmap::new();
    for (container, form) in forms.iter().enumerate() {
        let start = container as u32 * (1 << 16);
        match form % 4 {
            0 => bitmap.extend((start..start + (1 << 16)).step_by(31)),
            1 => bitmap.extend((start..start + (1 << 16)).step_by(3)),
            2 => {
                bitmap.insert_range(start + 7..start + 9_000);
            }
            _ => {}
        }
    }
    bitmap.optimize();
    Selection::from_bitmap(rows, bitmap)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_complement_of_every_form_is_the_other_rows(
        forms in prop::collection::vec(any::<u8>(), 1..5), cut in 0_u32..70_000,
    ) {
        let rows = (forms.len() as u32 * (1 << 16)).saturating_sub(cut).max(1);
        let selection = of_every_form(rows, &forms);
        let others = selection.complement();
        prop_assert_eq!(others.count(), u64::from(rows) - selection.count());
        prop_assert!((0..rows).all(|row| selection.contains(row) != others.contains(row)));
        prop_assert_eq!(others.complement(), selection);
    }

    #[test]
    fn ascending_rows_are_the_rows(numbers in sets(), rows in 1..ROWS) {
        let expected = Selection::from_rows(rows, numbers.iter().copied());
        prop_assert_eq!(Selection::from_ascending(rows, numbers), expected);
    }
}

#[test]
fn rows_beyond_the_end_do_not_exist() {
    let beyond = Selection::from_bitmap(3, (0..10).collect());
    assert!(beyond.is_all() && beyond.count() == 3);
    assert!(Selection::all(0).is_none() && Selection::all(0).is_all());
}

#[test]
fn what_is_kept_takes_the_smaller_form() {
    const MANY: u32 = 1 << 20;
    let words = |is_set: fn(u32) -> bool| {
        let word = |first: u32| {
            (0..64).fold(0_u64, |word, bit| word | u64::from(is_set(first + bit)) << bit)
        };
        Selection::from_words(MANY, (0..MANY).step_by(64).map(word).collect())
    };
    let run = words(|row| (1_000..90_000).contains(&row)).compact();
    assert!(run.words().is_none() && run.memory_bytes() < 100, "{}", run.memory_bytes());
    let scattered = words(|row| row % 3 == 0).compact();
    assert!(scattered.words().is_some(), "a bit a row");
    assert_eq!(scattered.count(), u64::from(MANY.div_ceil(3)));
}
