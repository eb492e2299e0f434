//! One number per group of a segment: each selected row's, block by block.
//!
//! Owns how codes of several columns become one number: their combination where few are
//! possible, else numbers in the order of first sight. The same columns and the same selection
//! give the same numbers each time. Never totals anything.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use martlet_core::Selection;

use super::blocks::{BLOCK_ROWS, Block};
use super::columns::{KeyColumn, Span, gather_codes};
use super::totals::Lanes;
use crate::kind::codes::CodesIndex;

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
/// are the digits of one place. Of a vector whose keys lie close together each key has a code.
pub(super) struct Slots<'a> {
    digits: Vec<Digit<'a>>,
    /// Where all columns group one column's codes (the year and the month of a date): the number
    /// of each of its codes.
    of_code: Option<(&'a CodesIndex, Vec<u32>)>,
    count: usize,
    gathered: Box<[u32; BLOCK_ROWS]>,
}

/// One column of slots.
struct Digit<'a> {
    column: KeyColumn<'a>,
    /// Where it is a vector.
    span: Option<Span<'a>>,
    /// How many codes there are, null's among them.
    groups: u32,
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
            Way::Slots(slots) => slots.keys_of(numbers),
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
        let digits = keys.iter().map(Digit::of).collect::<Option<Vec<_>>>()?;
        let groups = digits.iter().map(|digit| u64::from(digit.groups));
        let count = groups.into_iter().try_fold(1_u64, u64::checked_mul)?;
        let is_affordable = count <= at_most && count <= u64::from(u32::MAX);
        // Numbered in 32 bits.
        let count = count as usize;
        is_affordable.then(|| Self {
            of_code: numbers_of_codes(&digits),
            digits,
            count,
            gathered: Box::new([0; BLOCK_ROWS]),
        })
    }

    /// Every number is below.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The number of each selected row of a block.
    pub(super) fn number(&mut self, block: Block<'_>, numbers: &mut [u32]) {
        if let Some((codes, of_code)) = &self.of_code {
            let codes = gather_codes(codes, block, &mut self.gathered);
            let pairs = numbers.iter_mut().zip(codes);
            pairs.for_each(|(number, code)| *number = of_code[*code as usize]);
            return;
        }
        numbers.fill(0);
        for digit in &self.digits {
            let codes = match &digit.span {
                Some(span) => span.gather(block, &mut self.gathered),
                None => digit.column.gather_codes(block, &mut self.gathered),
            };
            // Below the number of groups, so the product stays below the number of slots.
            let pairs = numbers.iter_mut().zip(codes);
            pairs.for_each(|(number, code)| *number = *number * digit.groups + code);
        }
    }

    /// For each grouping column, its code in each of these numbers, or the position of a
    /// vector's key among those of the second answer.
    pub(super) fn keys_of(&self, numbers: &[u32]) -> (Vec<Vec<u32>>, Vec<Vec<Option<i64>>>) {
        let mut columns = vec![Vec::with_capacity(numbers.len()); self.digits.len()];
        for number in numbers {
            let mut rest = *number;
            for (column, digit) in columns.iter_mut().zip(&self.digits).rev() {
                column.push(rest % digit.groups);
                rest /= digit.groups;
            }
        }
        let told = columns.iter_mut().zip(&self.digits);
        let vector_keys = told.map(|(codes, digit)| match &digit.span {
            Some(span) => positions(codes, span),
            None => Vec::new(),
        });
        let vector_keys = vector_keys.collect();
        (columns, vector_keys)
    }
}

/// The number of each code, null's last, where several columns group the same codes.
fn numbers_of_codes<'a>(digits: &[Digit<'a>]) -> Option<(&'a CodesIndex, Vec<u32>)> {
    let [first, _, ..] = digits else { return None };
    let codes = first.column.codes()?;
    let same = |digit: &Digit<'a>| digit.column.codes().is_some_and(|of| std::ptr::eq(of, codes));
    if !digits.iter().all(same) {
        return None;
    }
    let number = |code: u32| {
        digits.iter().fold(0, |number, digit| number * digit.groups + digit.column.group_of(code))
    };
    Some((codes, (0..=codes.null_code()).map(number).collect()))
}

impl<'a> Digit<'a> {
    fn of(column: &KeyColumn<'a>) -> Option<Self> {
        let span = Span::of(column);
        let groups = match &span {
            Some(span) => span.groups(),
            None => u32::try_from(column.groups()?).ok()?,
        };
        Some(Self { column: *column, span, groups })
    }
}

/// Turns groups of a vector's keys into positions among the keys that occur, which it returns.
fn positions(groups: &mut [u32], span: &Span<'_>) -> Vec<Option<i64>> {
    const UNKNOWN: u32 = u32::MAX;
    let mut keys: Vec<Option<i64>> = Vec::new();
    let mut known = vec![UNKNOWN; span.groups() as usize];
    for group in groups {
        let position = &mut known[*group as usize];
        if *position == UNKNOWN {
            // Not more than there are groups.
            *position = keys.len() as u32;
            keys.push(span.key(*group));
        }
        *group = *position;
    }
    keys
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
