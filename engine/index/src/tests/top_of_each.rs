//! The best rows of each value against the same from sorted rows; groups left out.

use std::collections::BTreeMap;

use martlet_core::Value;
use proptest::prelude::*;

use super::counting::selection;
use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::grouping::{
    Best, Counted, KeyColumn, MeasureColumn, Nulls, Order, Rank, TopKeysOfEach, Wanted, group,
    shared_codes, value_numbers,
};
use crate::kind::IndexKind;
use crate::values::{key_of_value, value_at};

/// Integers, decimals of 64 bits and dates always have vectors.
const MEASURES: [usize; 4] = [1, 2, 4, 6];

type Ranks = BTreeMap<Option<Value>, Vec<Rank>>;

fn best_first(ranks: &mut Ranks) {
    for ranks in ranks.values_mut() {
        ranks.sort_unstable();
        ranks.reverse();
    }
}

/// How many of the ranks, the best first, are within the first `wanted`.
fn within(ranks: &[Rank], wanted: usize, counted: Counted) -> usize {
    let mut places = ranks.to_vec();
    if counted == Counted::Different {
        places.dedup();
    }
    match wanted.checked_sub(1) {
        None => 0,
        Some(at) => match places.get(at) {
            None => ranks.len(),
            Some(last) => ranks.iter().filter(|rank| *rank >= last).count(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_top_rows_of_each_value_are_kept_with_their_ties(
        tables in proptest::collection::vec(table(), 1..4),
        each in 0..TYPES.len(),
        measure in 0..MEASURES.len(),
        wanted in 0_usize..5,
        (highest, first, different) in any::<(bool, bool, bool)>(),
        shape in 0_u8..6,
    ) {
        let order = Order {
            best: if highest { Best::Highest } else { Best::Lowest },
            nulls: if first { Nulls::First } else { Nulls::Last },
        };
        let counted = if different { Counted::Different } else { Counted::Each };
        let mut top = TopKeysOfEach::new(order, wanted, counted);
        let (mut kept, mut all) = (Ranks::new(), Ranks::new());
        for table in &tables {
            let kinds = vec![IndexKind::Codes, IndexKind::Vector];
            let built = built(table, &IndexChoice::Kinds(kinds));
            let codes = opened(&built, each, IndexKind::Codes).unwrap();
            let vector = opened(&built, MEASURES[measure], IndexKind::Vector).unwrap();
            let column = MeasureColumn::Vector(vector.as_vector().unwrap());
            let rows = selection(table.rows.num_rows() as u32, shape);
            let cell = |column: usize, row: u32| value_at(table.rows.column(column), row as usize);
            let rank = |row: u32| {
                let value = cell(MEASURES[measure], row);
                order.rank(value.as_ref().and_then(key_of_value).map(i128::from))
            };
            let found = top.rows(codes.as_codes().unwrap(), &column, &rows).unwrap();
            prop_assert!(found.is_within(&rows));
            for row in found.iter() {
                kept.entry(cell(each, row)).or_default().push(rank(row));
            }
            for row in rows.iter() {
                all.entry(cell(each, row)).or_default().push(rank(row));
            }
        }
        best_first(&mut kept);
        best_first(&mut all);
        for (value, all) in &all {
            let count = within(all, wanted, counted);
            let kept = kept.get(value).map_or(&[][..], Vec::as_slice);
            // Whatever earlier segments gave in excess: all of the best are there.
            prop_assert_eq!(&kept[..count], &all[..count]);
        }
    }

    #[test]
    fn groups_that_are_left_out_leave_the_others_as_they_are(
        table in table(),
        key in 0..TYPES.len(),
        every in 1_usize..4,
    ) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes, IndexKind::Vector]));
        let codes = opened(&built, key, IndexKind::Codes).unwrap();
        let vector = opened(&built, 2, IndexKind::Vector).unwrap();
        let wanted = Wanted { sum: true, float_sum: false, extremes: true };
        let measures = [(MeasureColumn::Vector(vector.as_vector().unwrap()), wanted)];
        let rows = selection(table.rows.num_rows() as u32, 0);
        let whole =
            group(&[KeyColumn::Codes(codes.as_codes().unwrap())], &measures, &rows).unwrap();
        let mut part = whole.clone();
        let positions: Vec<u32> = (0..whole.len() as u32).step_by(every).collect();
        part.retain(&positions);
        prop_assert_eq!(part.len(), positions.len());
        prop_assert!(part.totals[0].float_sums.is_empty());
        for (at, position) in positions.iter().map(|position| *position as usize).enumerate() {
            prop_assert_eq!(part.keys[0][at], whole.keys[0][position]);
            prop_assert_eq!(part.numbers[at], whole.numbers[position]);
            prop_assert_eq!(part.counts[at], whole.counts[position]);
            let (left, right) = (&part.totals[0], &whole.totals[0]);
            prop_assert_eq!(left.present[at], right.present[position]);
            prop_assert_eq!(left.sums[at], right.sums[position]);
            prop_assert_eq!(left.lowest[at], right.lowest[position]);
            prop_assert_eq!(left.highest[at], right.highest[position]);
        }
    }

    #[test]
    fn a_shared_code_is_one_that_other_dictionaries_have(
        tables in proptest::collection::vec(table(), 1..4),
        column in 0..TYPES.len(),
    ) {
        let opened = |table| {
            let built = built(table, &IndexChoice::Kinds(vec![IndexKind::Codes]));
            opened(&built, column, IndexKind::Codes).unwrap()
        };
        let indexes: Vec<_> = tables.iter().map(opened).collect();
        let codes: Vec<_> = indexes.iter().map(|index| index.as_codes().unwrap()).collect();
        let shared = shared_codes(&codes.iter().map(|codes| value_numbers(codes)).collect::<Vec<_>>());
        for (at, codes) in codes.iter().enumerate() {
            for code in 0..codes.null_code() {
                let value = codes.value(code).unwrap();
                let others = indexes.iter().enumerate().filter(|(other, _)| *other != at);
                let is_elsewhere = others
                    .flat_map(|(_, index)| index.as_codes().unwrap().dictionary().iter())
                    .any(|other| other == value);
                prop_assert_eq!(shared[at].contains(code), is_elsewhere);
            }
        }
    }
}
