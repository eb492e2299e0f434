//! The rows with the best keys of a column for each value of another: what "the first three of
//! each" needs (rank, row_number or dense_rank of a window, limited from above).
//!
//! Receives: both columns and an exact selection, segment after segment, and the best keys so
//! far. Hands on: the rows that may still be among the best of their value. Rows that tie with
//! the last of the best are all kept; null is a value of its own, and a key of its own. Never
//! keeps more in memory than it was allowed: beyond, it does not answer.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};
use roaring::RoaringBitmap;

use super::blocks::{BLOCK_ROWS, Block, for_each_block};
use super::columns::{MeasureColumn, gather_codes};
use super::leaders::{Counted, Leaders, Nulls, Order, Rank};
use super::top::Best;
use crate::kind::codes::CodesIndex;

/// So many ranks are remembered at most, over all values.
const RANKS_MAX: usize = 1 << 20;

/// The best keys of each value that were seen so far.
#[derive(Debug, Clone)]
pub struct TopKeysOfEach {
    order: Order,
    wanted: usize,
    counted: Counted,
    /// Positions in `leaders`.
    numbers: HashMap<Option<Value>, usize, RandomState>,
    leaders: Vec<Leaders<Rank>>,
}

impl TopKeysOfEach {
    /// None seen yet.
    #[must_use]
    pub fn new(order: Order, wanted: usize, counted: Counted) -> Self {
        Self { order, wanted, counted, numbers: HashMap::default(), leaders: Vec::new() }
    }

    /// The selected rows that may be among the best of their value in `each`, of all segments
    /// seen so far. `None` if there are too many values, or the columns are not over the same
    /// rows.
    pub fn rows(
        &mut self,
        each: &CodesIndex,
        column: &MeasureColumn<'_>,
        rows: &Selection,
    ) -> Option<Selection> {
        let is_same = each.rows() == rows.rows() && column.rows() == rows.rows();
        let values = each.dictionary().len() + 1;
        let ranks = self.numbers.len().saturating_add(values).saturating_mul(self.wanted);
        if !is_same || ranks > RANKS_MAX {
            return None;
        }
        let of_code: Vec<usize> =
            (0..=each.null_code()).map(|code| self.number(each.value(code))).collect();
        let floor = self.floor(each, &of_code, column);
        let mut kept: Vec<(Rank, usize, u32)> = Vec::new();
        for_each_block(rows, |block| {
            if floor.is_none_or(|floor| self.can_reach(column, block, floor)) {
                self.note(each, &of_code, column, block, &mut kept);
            }
        });
        let is_best = |(rank, of, _): &&(Rank, usize, u32)| {
            self.leaders[*of].last().is_none_or(|last| *rank >= last)
        };
        let bitmap: RoaringBitmap = kept.iter().filter(is_best).map(|(_, _, row)| *row).collect();
        Some(Selection::from_bitmap(rows.rows(), bitmap))
    }

    fn number(&mut self, value: Option<Value>) -> usize {
        let next = self.leaders.len();
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.leaders.push(Leaders::new(self.wanted, self.counted));
        }
        number
    }

    /// What no row of the segment is below that is among the best of its value; `None` while a
    /// value has too few.
    fn floor(
        &self,
        each: &CodesIndex,
        of_code: &[usize],
        column: &MeasureColumn<'_>,
    ) -> Option<Rank> {
        let nulls_first = self.order.nulls == Nulls::First && column.has_nulls();
        let values = if each.null_count() > 0 { of_code.len() } else { of_code.len() - 1 };
        if nulls_first {
            // Bounds of blocks say nothing of null.
            return None;
        }
        let lasts = of_code[..values].iter().map(|of| self.leaders[*of].last());
        lasts.reduce(|low, last| Some(low?.min(last?))).flatten()
    }

    fn can_reach(&self, column: &MeasureColumn<'_>, block: Block<'_>, floor: Rank) -> bool {
        column.block_bounds(block.number).is_none_or(|(low, high)| {
            let best = if self.order.best == Best::Highest { high } else { low };
            self.order.rank(Some(best.into())) >= floor
        })
    }

    /// Offers the selected rows of a block, and adds those that are among the best so far.
    fn note(
        &mut self,
        each: &CodesIndex,
        of_code: &[usize],
        column: &MeasureColumn<'_>,
        block: Block<'_>,
        kept: &mut Vec<(Rank, usize, u32)>,
    ) {
        let mut codes = [0; BLOCK_ROWS];
        let codes = gather_codes(each, block, &mut codes);
        let mut keys = [0; BLOCK_ROWS];
        let mut is_null = [false; BLOCK_ROWS];
        let keys = column.gather(block, &mut keys, &mut is_null);
        for (at, ((code, key), is_null)) in codes.iter().zip(keys).zip(&is_null).enumerate() {
            let rank = self.order.rank((!*is_null).then(|| i128::from(*key)));
            let of = of_code[*code as usize];
            if self.leaders[of].offer(rank) {
                kept.push((rank, of, block.row(at)));
            }
        }
    }
}
