//! Bits and lists against plain sets, of more codes than one word has bits.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::grouping::shared_codes;

/// No multiple of 64, so that the last word is not full.
const CODES: u32 = 333;
const WORDS: usize = CODES as usize / 64 + 1;

fn marked(sets: Sets) -> Marked {
    Marked { keys: Vec::new(), vector_keys: Vec::new(), sets, words: WORDS }
}

fn bits_of(groups: &[BTreeSet<u32>]) -> Marked {
    let mut bits = vec![0_u64; groups.len() * WORDS];
    for (slot, codes) in groups.iter().enumerate() {
        for code in codes {
            bits[slot * WORDS + *code as usize / 64] |= 1 << (code % 64);
        }
    }
    marked(Sets::Bits { bits, slots: (0..groups.len()).collect() })
}

/// As they are listed of rows: in any order, some of them twice.
fn lists_of(groups: &[BTreeSet<u32>]) -> Marked {
    let of_group = |(number, codes): (usize, &BTreeSet<u32>)| {
        let twice: Vec<_> = codes.iter().filter(|code| **code % 5 == 0).collect();
        let codes = codes.iter().rev().chain(twice);
        codes.map(|code| (number as u32, *code)).collect::<Vec<_>>()
    };
    let mut numbered: Vec<(u32, u32)> = groups.iter().enumerate().flat_map(of_group).collect();
    // A number's codes stand anywhere among those of others.
    numbered.sort_by_key(|(number, code)| (code % 7, *number));
    let (mut codes, ends) = by_number(&numbered, groups.len());
    let (occurring, ends) = listed(&mut codes, &ends);
    assert_eq!(occurring.len(), groups.len(), "each group has a code");
    marked(Sets::Lists { codes, ends })
}

proptest! {
    #[test]
    fn bits_and_lists_are_split_as_sets_are(
        few in vec(btree_set(0..CODES, 1..4), 1..4),
        many in vec(btree_set(0..CODES, 1..200), 0..4),
        picked in vec(any::<prop::sample::Index>(), 0..5),
        shared in btree_set(0..CODES, 0..100),
        is_known in any::<bool>(),
    ) {
        let groups: Vec<BTreeSet<u32>> = few.into_iter().chain(many).collect();
        let picked: Vec<usize> = picked.iter().map(|at| at.index(groups.len())).collect();
        let all: BTreeSet<u32> = picked.iter().flat_map(|at| &groups[*at]).copied().collect();
        let numbers: Vec<u64> = (0..u64::from(CODES)).collect();
        let others: Vec<u64> = shared.iter().map(|code| u64::from(*code)).collect();
        let of_segments = shared_codes(&[numbers, others]);
        let handed_on: Vec<u32> = match is_known {
            true => all.intersection(&shared).copied().collect(),
            false => all.iter().copied().collect(),
        };
        for marked in [bits_of(&groups), lists_of(&groups)] {
            let mut found = Vec::new();
            let known = is_known.then_some(&of_segments[0]);
            let apart = marked.split(&picked, known, |code| found.push(code));
            prop_assert_eq!(&found, &handed_on);
            prop_assert_eq!(apart, (all.len() - handed_on.len()) as u64);
        }
    }
}
