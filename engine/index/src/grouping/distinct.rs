//! Which values of a column occur in each group of a segment: one bit per group and code.
//!
//! What COUNT(DISTINCT …) needs of a segment. Most values of a bank's keys (customers, accounts)
//! occur in one segment only, because rows are sorted by them: those are counted here, as bits,
//! and need not be brought together with the values of other segments. Never reads a row.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::fast::{FixedState, RandomState};
use martlet_core::Selection;

use super::blocks::{BLOCK_ROWS, for_each_block};
use super::columns::{KeyColumn, gather_codes};
use super::numbering::Slots;
use crate::error::IndexError;
use crate::kind::codes::CodesIndex;

/// So many bytes of bits are marked at most; beyond, combinations are hashed instead.
const MARKS_BYTES_MAX: u64 = 32 << 20;

/// More bits for each selected row would cost more to clear and count than hashing.
const BITS_PER_ROW: u64 = 128;

/// Which codes of a column occur in each group.
#[derive(Debug, Clone)]
pub struct Marked {
    /// For each grouping column, one entry per group, as in [`super::Grouped::keys`].
    pub keys: Vec<Vec<u32>>,
    slots: Vec<usize>,
    words: usize,
    bits: Vec<u64>,
}

/// Marks the codes of `column` at the selected rows, by group; null is none. `None` if the
/// groups cannot be numbered beforehand, or there would be too many bits.
///
/// # Errors
/// [`IndexError::Lengths`] if a column or the selection is over another number of rows.
pub fn mark(
    keys: &[KeyColumn<'_>],
    column: &CodesIndex,
    rows: &Selection,
) -> Result<Option<Marked>, IndexError> {
    for index in keys.iter().map(KeyColumn::rows).chain([column.rows()]) {
        if index != rows.rows() {
            return Err(IndexError::Lengths { index, selection: rows.rows() });
        }
    }
    let null = column.null_code();
    let words = null as usize / 64 + 1;
    let affordable = rows.count().saturating_mul(BITS_PER_ROW).max(1 << 16).div_ceil(64);
    let affordable = affordable.min(MARKS_BYTES_MAX / 8);
    let Some(mut slots) = Slots::of(keys, affordable / words as u64) else { return Ok(None) };
    let mut bits = vec![0_u64; slots.len() * words];
    let (mut codes, mut numbers) = ([0_u32; BLOCK_ROWS], [0_u32; BLOCK_ROWS]);
    for_each_block(rows, |block| {
        let numbers = &mut numbers[..block.len()];
        slots.number(block, numbers);
        let codes = gather_codes(column, block, &mut codes);
        for (slot, code) in numbers.iter().zip(codes) {
            bits[*slot as usize * words + *code as usize / 64] |= 1 << (code % 64);
        }
    });
    for of_slot in bits.chunks_exact_mut(words) {
        of_slot[null as usize / 64] &= !(1 << (null % 64));
    }
    let occurs = |slot: &usize| bits[slot * words..][..words].iter().any(|word| *word != 0);
    let occurring: Vec<usize> = (0..slots.len()).filter(occurs).collect();
    // A slot is below the number of bits.
    let numbers: Vec<u32> = occurring.iter().map(|slot| *slot as u32).collect();
    Ok(Some(Marked { keys: slots.keys_of(&numbers), slots: occurring, words, bits }))
}

impl Marked {
    /// How many groups have a value.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no selected row has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The bits of all these groups together.
    fn words_of<'a>(&'a self, groups: &'a [usize]) -> impl Iterator<Item = (usize, u64)> + 'a {
        let of_group =
            move |at: usize, group: &usize| self.bits[self.slots[*group] * self.words + at];
        (0..self.words)
            .map(move |at| (at, groups.iter().fold(0, |word, group| word | of_group(at, group))))
    }

    /// How many of the values that occur in any of these groups occur in this segment alone.
    #[must_use]
    pub fn count_apart(&self, groups: &[usize], shared: &SharedCodes) -> u64 {
        let words = self.words_of(groups);
        words.map(|(at, word)| u64::from((word & !shared.word(at)).count_ones())).sum()
    }

    /// Those codes of these groups whose values other segments may have as well, ascending.
    pub fn shared<'a>(
        &'a self,
        groups: &'a [usize],
        shared: &'a SharedCodes,
    ) -> impl Iterator<Item = u32> + 'a {
        self.words_of(groups).flat_map(|(at, word)| {
            let mut rest = word & shared.word(at);
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                // Codes are numbered in 32 bits.
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// The codes of one segment whose values may occur in other segments too: never too few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedCodes {
    words: Vec<u64>,
}

impl SharedCodes {
    fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or(0)
    }
}

/// A number for each value of the dictionary, in order: the same value has the same number in
/// every segment.
#[must_use]
pub fn value_numbers(codes: &CodesIndex) -> Vec<u64> {
    let hasher = FixedState::with_seed(0x6d61_7274);
    codes.dictionary().iter().map(|value| hasher.hash_one(value)).collect()
}

/// For each segment, given the numbers of its values, the codes that others may have too.
#[must_use]
pub fn shared_codes(segments: &[Vec<u64>]) -> Vec<SharedCodes> {
    let mut all: Vec<u64> = segments.iter().flatten().copied().collect();
    all.sort_unstable();
    let repeated: HashSet<u64, RandomState> =
        all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    drop(all);
    let of_segment = |numbers: &Vec<u64>| {
        let mut words = vec![0_u64; numbers.len().div_ceil(64)];
        for (code, _) in numbers.iter().enumerate().filter(|(_, number)| repeated.contains(*number))
        {
            words[code / 64] |= 1 << (code % 64);
        }
        SharedCodes { words }
    };
    segments.iter().map(of_segment).collect()
}
