//! One number per group of a segment: each selected row's, block by block.
//!
//! Owns how codes of several columns become one number: their combination where few are
//! possible, else numbers in the order of first sight. The same columns and the same selection
//! give the same numbers each time. Never totals anything.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use martlet_core::Selection;

use super::blocks::{BLOCK_ROWS, Block};
use super::columns::KeyColumn;
use super::totals::Lanes;

/// Combinations are numbered in an array while there are at most so many for each selected row;
/// clearing a larger array would cost more than hashing.
const SLOTS_PER_ROW: u64 = 4;

/// An array of so many slots is always cheap.
const SLOTS_FREE: u64 = 4_096;

/// The groups of one segment, as far as they were seen.
pub(super) struct Numbering<'a> {
    keys: &'a [KeyColumn<'a>],
    way: Way<'a>,
}

enum Way<'a> {
    /// Every combination of codes has its number.
    Slots(Slots<'a>),
    /// Combinations are numbered when they are first seen.
    Hashed(Hashed),
}

/// Numbers of combinations of codes that are known before any row is seen: each column's codes
/// are the digits of one place.
pub(super) struct Slots<'a> {
    keys: &'a [KeyColumn<'a>],
    count: usize,
    gathered: Box<[u32; BLOCK_ROWS]>,
}

#[derive(Default)]
struct Hashed {
    interned: Vec<Interner>,
    numbers: HashMap<u128, u32, RandomState>,
    combinations: Vec<u128>,
    last: Option<(u128, u32)>,
}

impl<'a> Numbering<'a> {
    pub(super) fn new(keys: &'a [KeyColumn<'a>], rows: &Selection) -> Self {
        let affordable = rows.count().saturating_mul(SLOTS_PER_ROW).max(SLOTS_FREE);
        let way = match Slots::of(keys, affordable) {
            Some(slots) => Way::Slots(slots),
            None => {
                let interned = keys.iter().map(|_| Interner::default()).collect();
                Way::Hashed(Hashed { interned, ..Hashed::default() })
            }
        };
        Self { keys, way }
    }

    /// Every number is below.
    pub(super) const fn len(&self) -> usize {
        match &self.way {
            Way::Slots(slots) => slots.len(),
            Way::Hashed(hashed) => hashed.combinations.len(),
        }
    }

    /// How many entries a number's totals should have.
    pub(super) const fn lanes(&self) -> Lanes {
        match &self.way {
            Way::Slots(slots) => Lanes::of(slots.len()),
            Way::Hashed(_) => Lanes::One,
        }
    }

    /// The number of each selected row of a block.
    pub(super) fn of_block<'b>(
        &mut self,
        block: Block<'_>,
        into: &'b mut [u32; BLOCK_ROWS],
    ) -> &'b mut [u32] {
        let numbers = &mut into[..block.len()];
        match &mut self.way {
            Way::Slots(slots) => slots.number(block, numbers),
            Way::Hashed(hashed) => hashed.number(self.keys, block, numbers),
        }
        numbers
    }

    /// For each grouping column, one entry per number: a code, or the position of a vector's key
    /// among those of the second answer.
    pub(super) fn keys_of(self, numbers: &[u32]) -> (Vec<Vec<u32>>, Vec<Vec<Option<i64>>>) {
        match self.way {
            Way::Slots(slots) => (slots.keys_of(numbers), vec![Vec::new(); self.keys.len()]),
            Way::Hashed(hashed) => {
                let columns = self.keys.len();
                let of_column = |at: usize| {
                    let shift = 32 * (columns - 1 - at);
                    let part =
                        |number: &u32| (hashed.combinations[*number as usize] >> shift) as u32;
                    numbers.iter().map(part).collect()
                };
                let codes = (0..columns).map(of_column).collect();
                (codes, hashed.interned.into_iter().map(|interner| interner.keys).collect())
            }
        }
    }
}

impl<'a> Slots<'a> {
    /// `None` if a column has no codes, or they make more combinations than this.
    pub(super) fn of(keys: &'a [KeyColumn<'a>], at_most: u64) -> Option<Self> {
        let count = keys.iter().try_fold(1_u64, |slots, key| slots.checked_mul(key.groups()?))?;
        let is_affordable = count <= at_most && count <= u64::from(u32::MAX);
        // Numbered in 32 bits.
        let count = count as usize;
        is_affordable.then(|| Self { keys, count, gathered: Box::new([0; BLOCK_ROWS]) })
    }

    /// Every number is below.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The number of each selected row of a block.
    pub(super) fn number(&mut self, block: Block<'_>, numbers: &mut [u32]) {
        numbers.fill(0);
        for key in self.keys {
            let codes = key.gather_codes(block, &mut self.gathered);
            // Below the number of groups, so the product stays below the number of slots.
            let groups = key.groups().unwrap_or(1) as u32;
            let pairs = numbers.iter_mut().zip(codes);
            pairs.for_each(|(number, code)| *number = *number * groups + code);
        }
    }

    /// For each grouping column, its code in each of these numbers.
    pub(super) fn keys_of(&self, numbers: &[u32]) -> Vec<Vec<u32>> {
        let mut columns = vec![Vec::with_capacity(numbers.len()); self.keys.len()];
        for number in numbers {
            let mut rest = *number;
            for (column, key) in columns.iter_mut().zip(self.keys).rev() {
                let groups = key.groups().unwrap_or(1) as u32;
                column.push(rest % groups);
                rest /= groups;
            }
        }
        columns
    }
}

impl Hashed {
    fn number(&mut self, keys: &[KeyColumn<'_>], block: Block<'_>, numbers: &mut [u32]) {
        let mut codes = [0_u32; BLOCK_ROWS];
        let mut combined = [0_u128; BLOCK_ROWS];
        let combined = &mut combined[..block.len()];
        for (key, interner) in keys.iter().zip(&mut self.interned) {
            let codes = key.gather_numbers(block, interner, &mut codes);
            combined
                .iter_mut()
                .zip(codes)
                .for_each(|(sum, code)| *sum = (*sum << 32) | u128::from(*code));
        }
        let combinations = &mut self.combinations;
        for (number, combination) in numbers.iter_mut().zip(&*combined) {
            // Rows are sorted by the cluster key: the row before is the best guess.
            *number = match self.last {
                Some((before, number)) if before == *combination => number,
                _ => *self.numbers.entry(*combination).or_insert_with(|| {
                    combinations.push(*combination);
                    // At most one group a row of a segment.
                    (combinations.len() - 1) as u32
                }),
            };
            self.last = Some((*combination, *number));
        }
    }
}

/// Numbers the keys of a vector in the order of first sight.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashMap<i64, u32, RandomState>,
    null: Option<u32>,
    keys: Vec<Option<i64>>,
    last: Option<(i64, u32)>,
}

impl Interner {
    pub(super) fn number(&mut self, key: i64) -> u32 {
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

    pub(super) fn null(&mut self) -> u32 {
        let keys = &mut self.keys;
        *self.null.get_or_insert_with(|| {
            keys.push(None);
            (keys.len() - 1) as u32
        })
    }
}
