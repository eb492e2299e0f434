//! Groups and their totals from codes and vectors alone: GROUP BY with COUNT, SUM, MIN, MAX.
//!
//! Receives: the columns to group by and to total, opened, and an exact selection, from the
//! query. Hands on: one entry per group that has a row, in codes and keys of the segment; the
//! query merges segments. Only selected rows count. Never reads a row and never overflows: sums
//! are kept in as many bits as the segment's rows can need.
//!
//! Codes of the grouping columns are combined to one number a row. Where so few numbers are
//! possible that an array of them is cheap, totals stand in that array; elsewhere the numbers
//! are hashed. Work goes by blocks of 1,024 rows, gathered to dense arrays first, so that the
//! loops over them have no branch.

mod blocks;
mod columns;
mod distinct;
mod leaders;
mod numbering;
mod packed_sums;
pub mod ranks;
mod shared;
mod top;
mod top_of_each;
mod totals;

use martlet_core::Selection;

use crate::error::IndexError;
use blocks::{BLOCK_ROWS, for_each_block};
pub use columns::{CodeGroups, KeyBucket, KeyColumn, MeasureColumn};
#[cfg(test)]
pub(crate) use distinct::mark_within;
pub use distinct::{Marked, mark};
pub use leaders::{Counted, Leaders, Nulls, Order, Rank};
use numbering::Numbering;
pub use shared::{SharedCodes, shared_codes, value_numbers};
pub use top::{Best, TopKeys};
pub use top_of_each::TopKeysOfEach;
use totals::Accumulator;
pub use totals::{Totals, Wanted};

/// The groups of one segment.
#[derive(Debug, Clone, Default)]
pub struct Grouped {
    /// For each grouping column, one entry per group: its number in the column. For codes that
    /// is a code (or the number that [`CodeGroups`] gave it), for a vector a position in
    /// [`Self::vector_keys`] (or the number that [`crate::KeyNumbers`] gave its key).
    pub keys: Vec<Vec<u32>>,
    /// For each grouping column that is a vector, the keys by position; `None` is null. Empty
    /// for codes and for numbers of keys.
    pub vector_keys: Vec<Vec<Option<i64>>>,
    /// The number of each group: what [`ranks::for_each_key`] knows it by, given the same
    /// columns and selection.
    pub numbers: Vec<u32>,
    /// Rows of each group.
    pub counts: Vec<u64>,
    /// For each measure, its totals per group.
    pub totals: Vec<Totals>,
}

/// Groups the selected rows. Without grouping columns there is one group, if there is a row.
///
/// # Errors
/// [`IndexError::Lengths`] if a column or the selection is over another number of rows.
pub fn group(
    keys: &[KeyColumn<'_>],
    measures: &[(MeasureColumn<'_>, Wanted)],
    rows: &Selection,
) -> Result<Grouped, IndexError> {
    check_lengths(keys, measures.iter().map(|(column, _)| column), rows)?;
    if rows.is_none() {
        return Ok(Grouped::without_rows(keys.len(), measures.len()));
    }
    if keys.is_empty() && measures.is_empty() {
        return Ok(Grouped::of_all(rows));
    }
    let mut numbering = Numbering::new(keys, rows);
    let lanes = numbering.lanes();
    let mut accumulator = Accumulator::new(numbering.len(), lanes, measures);
    let mut numbers = [0_u32; BLOCK_ROWS];
    for_each_block(rows, |block| {
        let numbers = numbering.of_block(block, &mut numbers);
        lanes.spread(numbers);
        accumulator.grow(numbering.len());
        accumulator.add(numbers, block, measures);
    });
    let finished = accumulator.finish(measures);
    let (keys, vector_keys) = numbering.keys_of(&finished.slots);
    Ok(Grouped {
        keys,
        vector_keys,
        numbers: finished.slots,
        counts: finished.counts,
        totals: finished.totals,
    })
}

/// Whether all columns and the selection are over the same rows.
fn check_lengths<'a>(
    keys: &[KeyColumn<'_>],
    measures: impl Iterator<Item = &'a MeasureColumn<'a>>,
    rows: &Selection,
) -> Result<(), IndexError> {
    let lengths = keys.iter().map(KeyColumn::rows);
    for index in lengths.chain(measures.map(MeasureColumn::rows)) {
        if index != rows.rows() {
            return Err(IndexError::Lengths { index, selection: rows.rows() });
        }
    }
    Ok(())
}

impl Grouped {
    fn without_rows(keys: usize, measures: usize) -> Self {
        Self {
            keys: vec![Vec::new(); keys],
            vector_keys: vec![Vec::new(); keys],
            numbers: Vec::new(),
            counts: Vec::new(),
            totals: vec![Totals::default(); measures],
        }
    }

    /// The one group of all rows, which are counted without being looked at.
    fn of_all(rows: &Selection) -> Self {
        Self { numbers: vec![0], counts: vec![rows.count()], ..Self::default() }
    }

    /// Leaves out all groups but those at these positions, which ascend.
    pub fn retain(&mut self, positions: &[u32]) {
        self.keys.iter_mut().for_each(|column| keep(column, positions));
        keep(&mut self.numbers, positions);
        keep(&mut self.counts, positions);
        for totals in &mut self.totals {
            keep(&mut totals.present, positions);
            keep(&mut totals.sums, positions);
            keep(&mut totals.float_sums, positions);
            keep(&mut totals.lowest, positions);
            keep(&mut totals.highest, positions);
        }
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no row was selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// Leaves the entries at ascending positions; what was not wanted is empty and stays so.
fn keep<T: Copy>(entries: &mut Vec<T>, positions: &[u32]) {
    if entries.is_empty() {
        return;
    }
    // Never ahead of what is read: positions ascend.
    for (to, from) in positions.iter().enumerate() {
        entries[to] = entries[*from as usize];
    }
    entries.truncate(positions.len());
}

/// Columns that may be combined: the number of a combination has 128 bits.
pub const KEY_COLUMNS_MAX: usize = 4;
