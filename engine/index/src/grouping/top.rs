//! The rows with the highest or lowest keys of a column: what ORDER BY … LIMIT needs.
//!
//! Receives: a column and an exact selection, segment after segment, and the best keys so far.
//! Hands on: the rows that may still be among the best. A block whose bounds cannot reach them
//! is not decoded. Rows that tie with the last of the best are all kept, because what follows
//! in the ORDER BY decides among them.

use martlet_core::Selection;
use roaring::RoaringBitmap;

use super::blocks::{BLOCK_ROWS, for_each_block};
use super::columns::MeasureColumn;
use super::leaders::{Counted, Leaders};

/// Which end of the order is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Best {
    /// The highest keys: ORDER BY … DESC.
    Highest,
    /// The lowest keys: ORDER BY … ASC.
    Lowest,
}

impl Best {
    /// The key, turned so that higher is better; its own inverse.
    const fn rank(self, key: i64) -> i64 {
        match self {
            Self::Highest => key,
            Self::Lowest => !key,
        }
    }
}

/// The best keys that were seen so far, at most a given number of them.
#[derive(Debug, Clone)]
pub struct TopKeys {
    best: Best,
    wanted: usize,
    leaders: Leaders<i64>,
}

impl TopKeys {
    /// None seen yet.
    #[must_use]
    pub const fn new(best: Best, wanted: usize) -> Self {
        Self { best, wanted, leaders: Leaders::new(wanted, Counted::Each) }
    }

    /// Whether a key between these bounds can be among the best, ties among them.
    #[must_use]
    pub fn can_reach(&self, low: i64, high: i64) -> bool {
        let reachable = self.best.rank(low).max(self.best.rank(high));
        self.wanted > 0 && self.leaders.last().is_none_or(|last| reachable >= last)
    }

    /// The selected rows that may be among the best of all segments seen so far. Null rows are
    /// left out.
    #[must_use]
    pub fn rows(&mut self, column: &MeasureColumn<'_>, rows: &Selection) -> Selection {
        if self.wanted == 0 {
            return Selection::none(rows.rows());
        }
        let mut kept: Vec<(i64, u32)> = Vec::new();
        for_each_block(rows, |block| {
            if let Some((low, high)) = column.block_bounds(block.number)
                && !self.can_reach(low, high)
            {
                return;
            }
            let mut keys = [0; BLOCK_ROWS];
            let mut is_null = [false; BLOCK_ROWS];
            let keys = column.gather(block, &mut keys, &mut is_null);
            for (at, (key, is_null)) in keys.iter().zip(&is_null).enumerate() {
                let rank = self.best.rank(*key);
                if !*is_null && self.leaders.offer(rank) {
                    kept.push((rank, block.row(at)));
                }
            }
        });
        let last = self.leaders.last();
        let is_best = |(rank, _): &&(i64, u32)| last.is_none_or(|last| *rank >= last);
        let bitmap: RoaringBitmap = kept.iter().filter(is_best).map(|(_, row)| *row).collect();
        Selection::from_bitmap(rows.rows(), bitmap)
    }
}
