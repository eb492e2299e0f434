//! That stretches hold every selected row, no long gap, and flag exactly the selected ones.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn selections() -> impl Strategy<Value = Selection> {
    // Runs and gaps of lengths on both sides of the bound.
    proptest::collection::vec((0_u32..60, 1_u32..60), 0..60).prop_map(|pieces| {
        let flags = pieces.into_iter().flat_map(|(gap, run)| {
            std::iter::repeat_n(false, gap as usize).chain(std::iter::repeat_n(true, run as usize))
        });
        Selection::from_flags(flags)
    })
}

proptest! {
    #[test]
    fn stretches_hold_the_selection_and_jump_over_long_gaps(rows in selections()) {
        let stretches = Stretches::of(&rows);
        let decoded: Vec<u32> = stretches.stretches.iter().cloned().flatten().collect();
        prop_assert_eq!(stretches.row_selection().row_count(), decoded.len());
        for pair in stretches.stretches.windows(2) {
            prop_assert!(pair[1].start - pair[0].end >= GAP_ROWS_DECODED);
        }
        for stretch in &stretches.stretches {
            prop_assert!(rows.contains(stretch.start) && rows.contains(stretch.end - 1));
        }
        let selected: BTreeSet<u32> = rows.iter().collect();
        match stretches.into_flags() {
            Some(flags) => {
                let expected: Vec<bool> =
                    decoded.iter().map(|row| selected.contains(row)).collect();
                prop_assert!(expected.contains(&false));
                prop_assert_eq!(flags.iter().collect::<Vec<_>>(), expected);
            }
            None => prop_assert_eq!(decoded.into_iter().collect::<BTreeSet<_>>(), selected),
        }
    }
}
