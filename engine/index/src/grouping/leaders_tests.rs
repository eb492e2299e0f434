//! Leaders against all that was offered, sorted.

use proptest::prelude::*;

use super::{Counted, Leaders, Nulls, Order, Rank};
use crate::grouping::Best;

fn order(highest: bool, first: bool) -> Order {
    let best = if highest { Best::Highest } else { Best::Lowest };
    Order { best, nulls: if first { Nulls::First } else { Nulls::Last } }
}

/// The keys as SQL sorts them, the best first.
fn sorted(order: Order, mut keys: Vec<Option<i128>>) -> Vec<Option<i128>> {
    keys.sort_by(|left, right| {
        let values = match order.best {
            Best::Highest => right.cmp(left),
            Best::Lowest => left.cmp(right),
        };
        let nulls = match order.nulls {
            Nulls::First => right.is_none().cmp(&left.is_none()),
            Nulls::Last => left.is_none().cmp(&right.is_none()),
        };
        nulls.then(values)
    });
    keys
}

fn key() -> impl Strategy<Value = Option<i128>> {
    prop_oneof![
        4 => (-6_i128..6).prop_map(Some),
        1 => Just(None),
        1 => Just(Some(i128::MAX)),
        1 => Just(Some(i128::MIN)),
    ]
}

proptest! {
    #[test]
    fn the_last_of_the_best_is_the_one_at_that_place(
        keys in proptest::collection::vec(key(), 0..40),
        wanted in 0_usize..9,
        highest in any::<bool>(),
        first in any::<bool>(),
        different in any::<bool>(),
    ) {
        let order = order(highest, first);
        let counted = if different { Counted::Different } else { Counted::Each };
        let mut leaders: Leaders<Rank> = Leaders::new(wanted, counted);
        let mut offered = Vec::new();
        for key in keys {
            offered.push(key);
            let mut best = sorted(order, offered.clone());
            if different {
                best.dedup();
            }
            let is_best = best.iter().take(wanted).any(|of_best| *of_best == key);
            prop_assert_eq!(leaders.offer(order.rank(key)), is_best);
            let last = wanted.checked_sub(1).and_then(|at| best.get(at));
            prop_assert_eq!(leaders.last(), last.map(|last| order.rank(*last)));
        }
    }
}
