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
mod top;
mod totals;

use std::collections::HashMap;

use foldhash::fast::RandomState;
use martlet_core::Selection;

use crate::error::IndexError;
use blocks::{BLOCK_ROWS, for_each_block};
pub use columns::{CodeGroups, KeyBucket, KeyColumn, MeasureColumn};
pub use top::{Best, TopKeys};
use totals::{Accumulator, Lanes};
pub use totals::{Totals, Wanted};

/// Combinations are numbered in an array while there are at most so many for each selected row;
/// clearing a larger array would cost more than hashing.
const SLOTS_PER_ROW: u64 = 4;

/// An array of so many slots is always cheap.
const SLOTS_FREE: u64 = 4_096;

/// The groups of one segment.
#[derive(Debug, Clone, Default)]
pub struct Grouped {
    /// For each grouping column, one entry per group: its number in the column. For codes that
    /// is a code (or the number that [`CodeGroups`] gave it), for a vector a position in
    /// [`Self::vector_keys`].
    pub keys: Vec<Vec<u32>>,
    /// For each grouping column that is a vector, the keys by position; `None` is null. Empty
    /// for codes.
    pub vector_keys: Vec<Vec<Option<i64>>>,
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
    let lengths = keys.iter().map(KeyColumn::rows);
    for index in lengths.chain(measures.iter().map(|(column, _)| column.rows())) {
        if index != rows.rows() {
            return Err(IndexError::Lengths { index, selection: rows.rows() });
        }
    }
    if rows.is_none() {
        return Ok(Grouped::without_rows(keys.len(), measures.len()));
    }
    let slots = slots(keys);
    let affordable = rows.count().saturating_mul(SLOTS_PER_ROW).max(SLOTS_FREE);
    Ok(match slots {
        Some(slots) if slots <= affordable => by_array(keys, measures, rows, slots),
        _ => by_hash(keys, measures, rows),
    })
}

impl Grouped {
    fn without_rows(keys: usize, measures: usize) -> Self {
        Self {
            keys: vec![Vec::new(); keys],
            vector_keys: vec![Vec::new(); keys],
            counts: Vec::new(),
            totals: vec![Totals::default(); measures],
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

/// How many combinations the codes can make; `None` if a column has no codes or there are more
/// than can be numbered.
fn slots(keys: &[KeyColumn<'_>]) -> Option<u64> {
    keys.iter().try_fold(1_u64, |slots, key| slots.checked_mul(key.groups()?))
}

fn by_array(
    keys: &[KeyColumn<'_>],
    measures: &[(MeasureColumn<'_>, Wanted)],
    rows: &Selection,
    slots: u64,
) -> Grouped {
    // At most a few for each row of a segment.
    let slots = slots as usize;
    let lanes = Lanes::of(slots);
    let mut accumulator = Accumulator::new(slots, lanes, measures);
    let mut gathered = [0_u32; BLOCK_ROWS];
    for_each_block(rows, |block| {
        let mut numbers = [0_u32; BLOCK_ROWS];
        let numbers = &mut numbers[..block.len()];
        for key in keys {
            let codes = key.gather_codes(block, &mut gathered);
            // Below the number of groups, so the product stays below the number of slots.
            let groups = key.groups().unwrap_or(1) as u32;
            numbers
                .iter_mut()
                .zip(codes)
                .for_each(|(number, code)| *number = *number * groups + code);
        }
        lanes.spread(numbers);
        accumulator.add(numbers, block, measures);
    });
    let mut grouped = accumulator.finish(measures);
    let numbers = std::mem::take(&mut grouped.slots);
    let mut columns = vec![Vec::with_capacity(numbers.len()); keys.len()];
    for number in numbers {
        let mut rest = number;
        for (column, key) in columns.iter_mut().zip(keys).rev() {
            let groups = key.groups().unwrap_or(1) as u32;
            column.push(rest % groups);
            rest /= groups;
        }
    }
    Grouped {
        keys: columns,
        vector_keys: vec![Vec::new(); keys.len()],
        counts: grouped.counts,
        totals: grouped.totals,
    }
}

fn by_hash(
    keys: &[KeyColumn<'_>],
    measures: &[(MeasureColumn<'_>, Wanted)],
    rows: &Selection,
) -> Grouped {
    let mut interned: Vec<Interner> = keys.iter().map(|_| Interner::default()).collect();
    let mut numbers: HashMap<u128, u32, RandomState> = HashMap::default();
    let mut combinations: Vec<u128> = Vec::new();
    let mut accumulator = Accumulator::new(0, Lanes::One, measures);
    let mut codes = [0_u32; BLOCK_ROWS];
    let mut last = None;
    for_each_block(rows, |block| {
        let mut combined = [0_u128; BLOCK_ROWS];
        let combined = &mut combined[..block.len()];
        for (key, interner) in keys.iter().zip(&mut interned) {
            let codes = key.gather_numbers(block, interner, &mut codes);
            combined
                .iter_mut()
                .zip(codes)
                .for_each(|(sum, code)| *sum = (*sum << 32) | u128::from(*code));
        }
        let mut ids = [0_u32; BLOCK_ROWS];
        let ids = &mut ids[..block.len()];
        for (id, combination) in ids.iter_mut().zip(&*combined) {
            // Rows are sorted by the cluster key: the row before is the best guess.
            *id = match last {
                Some((before, id)) if before == *combination => id,
                _ => *numbers.entry(*combination).or_insert_with(|| {
                    combinations.push(*combination);
                    // At most one group a row of a segment.
                    (combinations.len() - 1) as u32
                }),
            };
            last = Some((*combination, *id));
        }
        accumulator.grow(combinations.len());
        accumulator.add(ids, block, measures);
    });
    let grouped = accumulator.finish(measures);
    let columns = (0..keys.len()).map(|at| {
        let shift = 32 * (keys.len() - 1 - at);
        combinations.iter().map(|combination| (combination >> shift) as u32).collect()
    });
    Grouped {
        keys: columns.collect(),
        vector_keys: interned.into_iter().map(|interner| interner.keys).collect(),
        counts: grouped.counts,
        totals: grouped.totals,
    }
}

/// Columns that may be combined: the number of a combination has 128 bits.
pub const KEY_COLUMNS_MAX: usize = 4;

/// Numbers the keys of a vector in the order of first sight.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<i64, u32, RandomState>,
    null: Option<u32>,
    keys: Vec<Option<i64>>,
    last: Option<(i64, u32)>,
}

impl Interner {
    fn number(&mut self, key: i64) -> u32 {
        if let Some((before, number)) = self.last
            && before == key
        {
            return number;
        }
        let keys = &mut self.keys;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            keys.push(Some(key));
            (keys.len() - 1) as u32
        });
        self.last = Some((key, number));
        number
    }

    fn null(&mut self) -> u32 {
        let keys = &mut self.keys;
        *self.null.get_or_insert_with(|| {
            keys.push(None);
            (keys.len() - 1) as u32
        })
    }
}
