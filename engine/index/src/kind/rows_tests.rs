//! Every selected row arrives once, in its block and in order.

use martlet_core::Selection;
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{InBlock, for_each_block};

fn walked<const BLOCK_ROWS: usize>(rows: &Selection) -> Vec<u32> {
    let end = rows.rows();
    let mut walked = Vec::new();
    let mut before = None;
    for_each_block::<BLOCK_ROWS>(rows, end, |block, selected| {
        assert!(before < Some(block), "blocks ascend");
        before = Some(block);
        let first = (block * BLOCK_ROWS) as u32;
        let last = end.min(first + BLOCK_ROWS as u32);
        match selected {
            InBlock::All => walked.extend(first..last),
            InBlock::Some(rows) => {
                assert!(!rows.is_empty() && rows.iter().all(|row| (first..last).contains(row)));
                walked.extend_from_slice(rows);
            }
        }
    });
    walked
}

proptest! {
    #[test]
    fn every_selected_row_is_walked_once(
        length in 0_u32..40_000,
        runs in proptest::collection::vec((0_u32..40_000, 0_u32..6_000, 1_u32..2_000), 0..6),
    ) {
        let mut bitmap = RoaringBitmap::new();
        for (start, length, step) in runs {
            bitmap.extend((start..start + length).step_by(step as usize));
        }
        let rows = Selection::from_bitmap(length, bitmap);
        let plain: Vec<u32> = rows.iter().collect();
        prop_assert_eq!(walked::<128>(&rows), plain.clone());
        prop_assert_eq!(walked::<1_024>(&rows), plain.clone());
        let mut words = vec![0_u64; length as usize / 64 + 1];
        plain.iter().for_each(|row| words[*row as usize / 64] |= 1 << (row % 64));
        let flagged = Selection::from_words(length, words);
        prop_assert_eq!(walked::<128>(&flagged), plain.clone());
        prop_assert_eq!(walked::<1_024>(&flagged), plain);
        let every = Selection::all(length);
        prop_assert_eq!(walked::<1_024>(&every), (0..length).collect::<Vec<_>>());
    }
}

/// Whole containers, as runs and as sets of bits, with and without others around them.
#[test]
fn whole_containers_are_walked_whole() {
    const CONTAINER: u32 = 1 << 16;
    for (length, selected) in [
        (CONTAINER, 0..CONTAINER),
        (3 * CONTAINER, CONTAINER..2 * CONTAINER),
        (3 * CONTAINER + 70, 5..3 * CONTAINER + 70),
        (3 * CONTAINER, 100..2 * CONTAINER + 1),
    ] {
        let mut bitmap: RoaringBitmap = selected.collect();
        for as_runs in [false, true] {
            if as_runs {
                bitmap.optimize();
            }
            let rows = Selection::from_bitmap(length, bitmap.clone());
            let plain: Vec<u32> = rows.iter().collect();
            assert_eq!(walked::<128>(&rows), plain, "{length} {as_runs}");
            assert_eq!(walked::<1_024>(&rows), plain, "{length} {as_runs}");
        }
    }
}
