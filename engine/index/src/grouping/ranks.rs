//! The keys that stand at wanted ranks of each group, over all segments: percentiles, medians.
//!
//! Receives: grouping columns, a column of keys and exact selections, segment by segment, from
//! the query, which also says which group of all segments each one's groups are. Hands on: for
//! each group the keys at the ranks that its points lie between. Never sorts all rows, and
//! never guesses: the answer is that of sorting.
//!
//! Two passes over the rows. The first counts keys per group and bucket ([`RankCounts`]; buckets
//! are a [`KeyScale`]); the counts tell in which few buckets the wanted ranks lie ([`Wanted`]).
//! The second picks the keys of those buckets alone ([`Picked`]). Where there are few keys, or
//! so many groups that counting would take more room than the keys, the first pass keeps the
//! keys themselves, and there is no second.

mod counts;
mod picked;
mod scale;
mod wanted;

use martlet_core::Selection;

use super::blocks::{BLOCK_ROWS, for_each_block};
use super::columns::{KeyColumn, MeasureColumn};
use super::numbering::Numbering;
use crate::error::IndexError;

pub use counts::RankCounts;
pub use picked::{AtRanks, Picked, at_ranks};
pub use scale::KeyScale;
pub use wanted::{Share, Wanted};

/// Stands for a group whose keys are left out.
pub const NO_GROUP: u32 = u32::MAX;

/// A place in the order of a group's keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// So far, of 0 to 1, on the way from the first key to the last.
    Fraction(f64),
    /// The key in the middle, or the two.
    Middle,
}

impl Point {
    /// The ranks, from 0, of the keys that it lies at or between, given how many keys there
    /// are; of none rank 0.
    #[must_use]
    pub fn ranks(self, keys: u64) -> (u64, u64) {
        let last = keys.saturating_sub(1);
        match self {
            Self::Fraction(fraction) => {
                let place = fraction * last as f64;
                // Not negative, and not above the last.
                ((place.floor() as u64).min(last), (place.ceil() as u64).min(last))
            }
            Self::Middle if keys.is_multiple_of(2) => (last / 2, keys / 2),
            Self::Middle => (keys / 2, keys / 2),
        }
    }
}

/// Hands on the keys of the selected rows, nulls left out, each with its group: the entry of
/// `group_of` at the number that [`super::group`] gave its group in this segment. Where that
/// is [`NO_GROUP`], or there is no entry, the row is left out.
///
/// # Errors
/// [`IndexError::Lengths`] if a column or the selection is over another number of rows.
pub fn for_each_key(
    keys: &[KeyColumn<'_>],
    column: &MeasureColumn<'_>,
    rows: &Selection,
    group_of: &[u32],
    mut with: impl FnMut(&[u32], &[i64]),
) -> Result<(), IndexError> {
    super::check_lengths(keys, std::iter::once(column), rows)?;
    if rows.is_none() {
        return Ok(());
    }
    let mut numbering = Numbering::new(keys, rows);
    let mut numbers = [0_u32; BLOCK_ROWS];
    let mut gathered = [0_i64; BLOCK_ROWS];
    let mut is_null = [false; BLOCK_ROWS];
    for_each_block(rows, |block| {
        let groups = numbering.of_block(block, &mut numbers);
        let mut highest = 0;
        for number in groups.iter_mut() {
            *number = group_of.get(*number as usize).copied().unwrap_or(NO_GROUP);
            highest = highest.max(*number);
        }
        let keys = column.gather(block, &mut gathered, &mut is_null);
        if column.has_nulls() || highest == NO_GROUP {
            let mut kept_groups = [0; BLOCK_ROWS];
            let mut kept_keys = [0; BLOCK_ROWS];
            let mut count = 0;
            for ((group, key), is_null) in groups.iter().zip(keys).zip(&is_null) {
                kept_groups[count] = *group;
                kept_keys[count] = *key;
                count += usize::from(!*is_null & (*group != NO_GROUP));
            }
            with(&kept_groups[..count], &kept_keys[..count]);
        } else {
            with(groups, keys);
        }
    });
    Ok(())
}

#[cfg(test)]
#[path = "ranks_tests.rs"]
mod tests;
