use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const LEAST: usize = 3;

fn set(rows: impl IntoIterator<Item = u32>) -> RoaringBitmap {
    rows.into_iter().collect()
}

/// Every row is a person.
fn everybody() -> Vec<u32> {
    (0..200).collect()
}

fn counted(rows: &RoaringBitmap) -> HashMap<u32, f64> {
    rows.iter().map(|row| (row, 1.0)).collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Told,
    Hidden,
}

fn tell_parts(
    told: &mut Told,
    parts: &[RoaringBitmap],
    amounts: &HashMap<u32, f64>,
    of_rows: &[u32],
) -> Verdict {
    let asked = Asked { parts: parts.to_vec(), amounts: Amounts::OfRows(amounts) };
    match told.change(&asked, Persons { of_rows, least: LEAST }).unwrap() {
        Some(change) => {
            told.apply(change);
            Verdict::Told
        }
        None => Verdict::Hidden,
    }
}

fn tell(told: &mut Told, rows: RoaringBitmap, of_rows: &[u32]) -> Verdict {
    let amounts = counted(&rows);
    tell_parts(told, &[rows], &amounts, of_rows)
}

fn memory() -> Told {
    Told::new(&Budget::default())
}

#[test]
fn a_group_of_enough_is_told_as_often_as_asked() {
    let (mut told, people) = (memory(), everybody());
    assert_eq!(tell(&mut told, set(0..3), &people), Verdict::Told);
    assert_eq!(tell(&mut told, set(10..12), &people), Verdict::Hidden, "two are too few");
    assert_eq!(tell(&mut told, set([]), &people), Verdict::Hidden, "nobody is");
    assert_eq!(tell(&mut told, set(0..3), &people), Verdict::Told);
    assert_eq!(told.pieces.len(), 1, "what is asked again takes no room");
}

#[test]
fn differences_of_two_answers_are_told_of_enough_or_nobody() {
    let (mut told, people) = (memory(), everybody());
    assert_eq!(tell(&mut told, set(0..20), &people), Verdict::Told);
    assert_eq!(tell(&mut told, set(0..19), &people), Verdict::Hidden, "but for one");
    assert_eq!(tell(&mut told, set(0..21), &people), Verdict::Hidden, "and one");
    assert_eq!(tell(&mut told, set(1..21), &people), Verdict::Hidden, "one for another");
    assert_eq!(tell(&mut told, set(18..40), &people), Verdict::Hidden, "two of them");
    assert_eq!(tell(&mut told, set(17..40), &people), Verdict::Told);
    assert_eq!(tell(&mut told, set(0..17), &people), Verdict::Told);
}

#[test]
fn what_three_answers_give_together_is_as_safe() {
    let (mut told, people) = (memory(), everybody());
    assert_eq!(tell(&mut told, set(0..20), &people), Verdict::Told);
    assert_eq!(tell(&mut told, set(0..10), &people), Verdict::Told);
    assert_eq!(
        tell(&mut told, set(10..18), &people),
        Verdict::Hidden,
        "two would be left of three"
    );
    assert_eq!(tell(&mut told, set(10..15), &people), Verdict::Told);
}

#[test]
fn persons_count_and_not_rows() {
    let mut told = memory();
    let people = [7, 7, 7, 8, 8, NOBODY, NOBODY, NOBODY, 9, 10, 11];
    assert_eq!(tell(&mut told, set(0..8), &people), Verdict::Hidden, "two persons and nobody");
    assert_eq!(tell(&mut told, set(0..9), &people), Verdict::Told);
    // The rest is of three persons, and what goes of one: a row.
    assert_eq!(tell(&mut told, set(1..9), &people), Verdict::Hidden);
    assert_eq!(tell(&mut told, set(0..11), &people), Verdict::Hidden, "two more persons");
}

#[test]
fn parts_of_a_group_need_as_many() {
    let people = everybody();
    let mut told = memory();
    let mut tell = |parts: &[RoaringBitmap]| {
        let amounts = counted(&set(0..20));
        tell_parts(&mut told, parts, &amounts, &people)
    };
    assert_eq!(tell(&[set(0..10), set(10..12)]), Verdict::Hidden);
    assert_eq!(tell(&[set(0..10), set(10..13)]), Verdict::Told);
    assert_eq!(tell(&[set(0..13)]), Verdict::Told);
    assert_eq!(tell(&[set(0..12)]), Verdict::Hidden);
}

#[test]
fn what_a_sum_leaves_behind_is_no_ones_alone() {
    let people = everybody();
    let mut told = memory();
    let amounts: HashMap<u32, f64> = (0..40)
        .map(|row| (row, if row == 0 { 30.0 } else { f64::from(u8::from(row > 9)) }))
        .collect();
    let mut tell = |rows: RoaringBitmap| tell_parts(&mut told, &[rows], &amounts, &people);
    assert_eq!(
        tell(set(0..10)),
        Verdict::Hidden,
        "one brings all of it, beside nine who bring nothing"
    );
    assert_eq!(tell(set(0..40)), Verdict::Told);
    assert_eq!(tell(set(10..40)), Verdict::Hidden, "and so it is where these are left");
    assert_eq!(tell(set(20..40)), Verdict::Told);
    assert_eq!(tell(set(5..20)), Verdict::Hidden, "what is left is 30 of one and four zeros");
}

#[test]
fn the_number_of_rows_is_no_ones_alone() {
    let people: Vec<u32> = (0..3).chain(std::iter::repeat_n(3, 30)).chain(4..30).collect();
    let mut told = memory();
    assert_eq!(
        tell(&mut told, set(0..33), &people),
        Verdict::Hidden,
        "one has thirty, three one each"
    );
    assert_eq!(tell(&mut told, set(0..59), &people), Verdict::Told);
}

#[test]
fn persons_who_are_counted_once_are_elements_themselves() {
    let mut told = memory();
    let mut tell = |persons: RoaringBitmap| {
        let asked = Asked { parts: vec![persons], amounts: Amounts::Persons };
        let change = told.change(&asked, Persons { of_rows: &[], least: LEAST }).unwrap();
        change.map(|change| told.apply(change)).is_some()
    };
    assert!(tell(set(0..10)) && !tell(set(9..30)), "one person has both");
    assert!(tell(set(10..30)) && !tell(set(0..31)) && tell(set(0..30)));
}

#[test]
fn what_was_hidden_is_not_remembered() {
    let (mut told, people) = (memory(), everybody());
    assert_eq!(tell(&mut told, set(0..20), &people), Verdict::Told);
    for _ in 0..5 {
        assert_eq!(tell(&mut told, set(19..60), &people), Verdict::Hidden);
    }
    assert_eq!(tell(&mut told, set(20..60), &people), Verdict::Told, "its rows are not touched");
}

/// Rows by which of the told sets have them: the finest that any combination of answers tells.
fn finest(told: &[BTreeSet<u32>]) -> Vec<BTreeSet<u32>> {
    let mut by_membership: std::collections::BTreeMap<Vec<bool>, BTreeSet<u32>> =
        std::collections::BTreeMap::new();
    for row in told.iter().flatten() {
        let membership = told.iter().map(|set| set.contains(row)).collect();
        by_membership.entry(membership).or_default().insert(*row);
    }
    by_membership.into_values().collect()
}

fn are_safe(told: &[BTreeSet<u32>], people: &[u32], amounts: &[u32]) -> bool {
    finest(told).iter().all(|piece| {
        let mut brought: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        for row in piece.iter().filter(|row| people[**row as usize] != NOBODY) {
            *brought.entry(people[*row as usize]).or_default() += amounts[*row as usize];
        }
        let mut shares: Vec<u32> = brought.values().copied().collect();
        shares.sort_unstable_by(|left, right| right.cmp(left));
        let bringing = shares.iter().filter(|share| **share > 0).count();
        let others: u32 = shares.iter().skip(2).sum();
        shares.len() >= LEAST && !(1..LEAST).contains(&bringing) && others * 10 >= shares[0]
    })
}

proptest! {
    /// Against the plain definition: a set is told exactly if afterwards no combination of all told
    /// sets speaks of fewer persons than the least.
    #[test]
    fn a_group_is_told_exactly_if_all_combinations_stay_safe(
        asked in prop::collection::vec(prop::collection::btree_set(0_u32..24, 0..20), 1..14),
        people in prop::collection::vec(prop_oneof![9 => 0_u32..16, 1 => Just(NOBODY)], 24),
        amounts in prop::collection::vec(prop_oneof![2 => Just(0), 9 => 1_u32..9, 1 => 50_u32..99], 24),
    ) {
        let mut memory = memory();
        let mut told: Vec<BTreeSet<u32>> = Vec::new();
        for rows in asked {
            let brought = rows.iter().map(|row| (*row, f64::from(amounts[*row as usize]))).collect();
            let verdict =
                tell_parts(&mut memory, &[set(rows.iter().copied())], &brought, &people);
            told.push(rows.clone());
            let is_safe = !rows.is_empty() && are_safe(&told, &people, &amounts);
            prop_assert_eq!(verdict == Verdict::Told, is_safe, "{:?} of {:?}", rows, &told);
            if !is_safe {
                told.pop();
            }
        }
    }
}
