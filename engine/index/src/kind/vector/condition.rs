//! Conditions over a vector: blocks settled by their bounds, the others compared row by row.

use std::ops::Range;

use martlet_core::{Comparison, DatePart, Selection, Truth};
use roaring::RoaringBitmap;

use super::form::VectorForm;
use super::format::BLOCK_ROWS;
use super::key_set::KeySet;
use super::reader::VectorIndex;
use crate::filter::packed::BlockAnswer;
use crate::kind::flags::{PER_BYTE, set_flags};
use crate::logic::Leaf;

/// A block's flags: one bit per row, the lowest first.
const FLAG_BYTES: usize = BLOCK_ROWS / PER_BYTE;

/// Up to so many keys of a set are compared one by one.
const KEYS_COMPARED_MAX: usize = 4;

impl VectorIndex {
    /// The rows whose key is one of the set; null is none.
    #[must_use]
    pub fn rows_in(&self, keys: &KeySet) -> Selection {
        self.rows_where(|block, flags| self.block_in(block, keys, flags))
    }

    /// The rows whose key is in the range; null is not.
    #[must_use]
    pub fn rows_between(&self, keys: &Range<i128>) -> Selection {
        self.rows_where(|block, flags| self.block_between(block, keys, flags))
    }

    /// What the bounds of a block tell of keys of a set; null may be among the rows.
    pub(crate) fn bounds_in(&self, block: usize, keys: &KeySet) -> BlockAnswer {
        let (lowest, highest) = self.block_bounds(block);
        match keys.within(lowest, highest) {
            [] => BlockAnswer::None,
            [one] if lowest == highest && *one == lowest => BlockAnswer::All,
            _ => BlockAnswer::Some,
        }
    }

    /// The rows of a block whose key is one of the set; null may be.
    pub(crate) fn block_in(&self, block: usize, keys: &KeySet, into: &mut [u8]) -> BlockAnswer {
        let settled = self.bounds_in(block, keys);
        if settled != BlockAnswer::Some {
            return settled;
        }
        let (lowest, highest) = self.block_bounds(block);
        match keys.within(lowest, highest) {
            few if few.len() <= KEYS_COMPARED_MAX => {
                self.flagged(block, |key| few.contains(&key), into)
            }
            _ => self.flagged(block, |key| keys.contains(key), into),
        }
    }

    /// What the bounds of a block tell of keys in the range; null may be among the rows.
    pub(crate) fn bounds_between(&self, block: usize, keys: &Range<i128>) -> BlockAnswer {
        let (lowest, highest) = self.block_bounds(block);
        let (low, high) = (i128::from(lowest), i128::from(highest));
        if low > high || keys.start >= keys.end || high < keys.start || keys.end <= low {
            BlockAnswer::None
        } else if keys.start <= low && high < keys.end {
            BlockAnswer::All
        } else {
            BlockAnswer::Some
        }
    }

    /// The rows of a block whose key is in the range; null may be.
    pub(crate) fn block_between(
        &self,
        block: usize,
        keys: &Range<i128>,
        into: &mut [u8],
    ) -> BlockAnswer {
        let settled = self.bounds_between(block, keys);
        if settled != BlockAnswer::Some {
            return settled;
        }
        let (lowest, highest) = self.block_bounds(block);
        // Within the block's bounds, so both are 64-bit keys.
        let from = keys.start.max(i128::from(lowest)) as i64;
        let last = (keys.end - 1).min(i128::from(highest)) as i64;
        let mut offsets = [0; BLOCK_ROWS];
        let Some((base, offsets)) = self.decode_offsets(block, &mut offsets) else {
            return self.flagged(block, |key| from <= key && key <= last, into);
        };
        // At most the block's highest offset, of 32 bits.
        let first = from.wrapping_sub(base) as u32;
        let span = last.wrapping_sub(from) as u32;
        let is_wanted = |offset: u32| offset.wrapping_sub(first) <= span;
        set_flags::<BLOCK_ROWS, u32>(offsets, is_wanted, into);
        BlockAnswer::Some
    }

    /// Where a condition holds and fails, exactly; `None` for one that keys cannot tell.
    pub(super) fn leaf_truth(&self, leaf: &Leaf<'_>) -> Option<Truth> {
        let nulls = self.nulls();
        let holds = match leaf {
            Leaf::IsNull => {
                let present = nulls.complement();
                return Some(Truth::exact(nulls, present));
            }
            Leaf::Compare(comparison, constant) => {
                let keys = self.form().keys_that(*comparison, constant)?;
                let rows = self.rows_between(&keys);
                return Some(match comparison {
                    Comparison::NotEqual => Truth::exact_but(rows, nulls).negated(),
                    _ => Truth::exact_but(rows, nulls),
                });
            }
            Leaf::Between(low, high) => {
                let low = self.form().keys_that(low.comparison, &low.value)?;
                let high = self.form().keys_that(high.comparison, &high.value)?;
                self.rows_between(&(low.start.max(high.start)..low.end.min(high.end)))
            }
            Leaf::In(values) => {
                self.rows_in(&values.iter().filter_map(|value| self.key_of(value)).collect())
            }
            Leaf::Part(part, comparison, constant) => {
                self.rows_of_part(*part, *comparison, *constant)?
            }
            Leaf::Like(_) => return None,
        };
        Some(Truth::exact_but(holds, nulls))
    }

    fn rows_of_part(
        &self,
        part: DatePart,
        comparison: Comparison,
        constant: i64,
    ) -> Option<Selection> {
        if !matches!(self.form(), VectorForm::Date | VectorForm::Timestamp) {
            return None;
        }
        if let Some(keys) = self.form().keys_of_part(part, comparison, constant) {
            let none = Selection::none(self.rows());
            return Some(keys.iter().fold(none, |all, keys| all.or(&self.rows_between(keys))));
        }
        let holds = |key: i64| {
            let part = part.of(&self.value_of(key));
            part.is_some_and(|part| comparison.holds(part.cmp(&constant)))
        };
        Some(self.rows_where(|block, flags| self.flagged(block, holds, flags)))
    }

    fn flagged(
        &self,
        block: usize,
        is_wanted: impl Fn(i64) -> bool,
        into: &mut [u8],
    ) -> BlockAnswer {
        let mut keys = [0; BLOCK_ROWS];
        set_flags::<BLOCK_ROWS, i64>(self.decode_block(block, &mut keys), is_wanted, into);
        BlockAnswer::Some
    }

    /// The rows that are not null in blocks answered by their number.
    fn rows_where(&self, answer: impl Fn(usize, &mut [u8]) -> BlockAnswer) -> Selection {
        let mut all_flags = vec![0_u8; self.blocks() * FLAG_BYTES];
        for (block, flags) in all_flags.chunks_exact_mut(FLAG_BYTES).enumerate() {
            match answer(block, flags) {
                BlockAnswer::All => flags.fill(u8::MAX),
                BlockAnswer::None | BlockAnswer::Some => {}
            }
        }
        let mut rows = RoaringBitmap::from_lsb0_bytes(0, &all_flags);
        if self.null_count() > 0 {
            rows -= &self.nulls;
        }
        // What is flagged behind the last row is dropped here.
        Selection::from_bitmap(self.rows(), rows)
    }
}
