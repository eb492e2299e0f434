//! What partitions keep of complete groups, against all of them sorted.

use std::sync::{Arc, Mutex};

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use martlet_index::grouping::Rank;
use proptest::prelude::*;

use super::{BestGroups, BestOfPartition, Leading};
use crate::optimizer::index_aggregate::spec::Function;
use crate::optimizer::top_rows::order_of;

fn best(wanted: usize, options: SortOptions) -> Arc<BestGroups> {
    Arc::new(BestGroups {
        leading: Leading { function: Function::CountRows, shown: DataType::Int64 },
        wanted,
        order: order_of(options),
        name: "total".to_owned(),
        slots: vec![0],
        bound: Mutex::new(None),
    })
}

/// What is left of a segment's complete groups.
fn kept(partition: &mut BestOfPartition, totals: &[Option<i128>]) -> Vec<Rank> {
    partition.bound = partition.best.agreed(partition.leaders.last());
    let ranks = totals.iter().map(|total| partition.rank(*total)).collect::<Vec<_>>();
    let offered: Vec<Rank> = ranks.into_iter().filter(|rank| partition.offer(*rank)).collect();
    let bound = partition.bound();
    offered.into_iter().filter(|rank| Some(*rank) >= bound).collect()
}

fn best_first(mut ranks: Vec<Rank>) -> Vec<Rank> {
    ranks.sort_unstable();
    ranks.reverse();
    ranks
}

proptest! {
    #[test]
    fn the_best_of_all_segments_are_left_with_their_ties(
        segments in proptest::collection::vec(
            (0_usize..3, proptest::collection::vec(proptest::option::of(-9_i128..9), 0..30)),
            0..12,
        ),
        wanted in 1_usize..12,
        descending in any::<bool>(),
        nulls_first in any::<bool>(),
        runs in 1_usize..3,
    ) {
        let best = best(wanted, SortOptions { descending, nulls_first });
        let all: Vec<Rank> = segments
            .iter()
            .flat_map(|(_, totals)| totals.iter().map(|total| best.order.rank(*total)))
            .collect();
        let all = best_first(all);
        // A partition that is run again must not leave out more than it did.
        for _ in 0..runs {
            let mut partitions: Vec<BestOfPartition> =
                (0..3).map(|_| BestOfPartition::new(&best)).collect();
            let mut left = Vec::new();
            for (partition, totals) in &segments {
                left.extend(kept(&mut partitions[*partition], totals));
            }
            let left = best_first(left);
            let last = all.get(wanted - 1).or(all.last());
            let count = all.iter().filter(|rank| last.is_some_and(|last| *rank >= last)).count();
            prop_assert_eq!(&left[..count], &all[..count]);
        }
    }
}

#[test]
fn explain_names_what_is_best() {
    let described =
        |descending| best(20, SortOptions { descending, nulls_first: true }).described();
    assert_eq!(described(true), "best=20 by total desc");
    assert_eq!(described(false), "best=20 by total asc");
}
