//! Which values of a column occur in each group of a segment: as one bit per group and code, or,
//! where there would be too many bits for the rows, as each group's codes in order.
//!
//! What COUNT(DISTINCT …) needs of a segment. Most values of a bank's keys (customers, accounts)
//! occur in one segment only, because rows are sorted by them: those are counted here, by their
//! codes, and need not be brought together with the values of other segments. Never reads a row
//! and never looks at a value.

use martlet_core::Selection;

use super::blocks::{BLOCK_ROWS, for_each_block};
use super::columns::{KeyColumn, gather_codes};
use super::numbering::{Numbering, Slots};
use super::shared::SharedCodes;
use crate::error::IndexError;
use crate::kind::codes::CodesIndex;

/// So many bytes of bits are marked at most; beyond, codes are listed.
const MARKS_BYTES_MAX: u64 = 32 << 20;

/// More bits for each selected row would cost more to clear and count than sorting its code.
const BITS_PER_ROW: u64 = 128;

/// Which codes of a column occur in each group.
#[derive(Debug, Clone)]
pub struct Marked {
    /// For each grouping column, one entry per group, as in [`super::Grouped::keys`].
    pub keys: Vec<Vec<u32>>,
    /// As in [`super::Grouped::vector_keys`].
    pub vector_keys: Vec<Vec<Option<i64>>>,
    sets: Sets,
    /// So many words have a bit for every code.
    words: usize,
}

/// The codes of each group that has one.
#[derive(Debug, Clone)]
enum Sets {
    /// A bit for each code; slots hold them one after the other, and each group has a slot.
    Bits { bits: Vec<u64>, slots: Vec<usize> },
    /// The codes, ascending and each once, one group after the other, and where each ends.
    Lists { codes: Vec<u32>, ends: Vec<usize> },
}

/// Marks the codes of `column` at the selected rows, by group; null is none.
///
/// # Errors
/// [`IndexError::Lengths`] if a column or the selection is over another number of rows.
pub fn mark(
    keys: &[KeyColumn<'_>],
    column: &CodesIndex,
    rows: &Selection,
) -> Result<Marked, IndexError> {
    mark_within(keys, column, rows, rows.count().saturating_mul(BITS_PER_ROW))
}

/// The same with bits only where these suffice.
pub(crate) fn mark_within(
    keys: &[KeyColumn<'_>],
    column: &CodesIndex,
    rows: &Selection,
    bits: u64,
) -> Result<Marked, IndexError> {
    for index in keys.iter().map(KeyColumn::rows).chain([column.rows()]) {
        if index != rows.rows() {
            return Err(IndexError::Lengths { index, selection: rows.rows() });
        }
    }
    let words = column.null_code() as usize / 64 + 1;
    let affordable = (bits / 64).min(MARKS_BYTES_MAX / 8) / words as u64;
    Ok(match Slots::of(keys, affordable) {
        Some(slots) => in_bits(slots, column, rows, words),
        None => in_lists(Numbering::new(keys, rows), column, rows, words),
    })
}

fn in_bits(mut slots: Slots<'_>, column: &CodesIndex, rows: &Selection, words: usize) -> Marked {
    let null = column.null_code();
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
    let (keys, vector_keys) = slots.keys_of(&numbers);
    Marked { keys, vector_keys, sets: Sets::Bits { bits, slots: occurring }, words }
}

fn in_lists(
    mut numbering: Numbering<'_>,
    column: &CodesIndex,
    rows: &Selection,
    words: usize,
) -> Marked {
    let null = column.null_code();
    // A segment has at most 2^20 rows.
    let mut numbered: Vec<(u32, u32)> = Vec::with_capacity(rows.count() as usize);
    let (mut codes, mut numbers) = ([0_u32; BLOCK_ROWS], [0_u32; BLOCK_ROWS]);
    for_each_block(rows, |block| {
        let numbers = numbering.of_block(block, &mut numbers);
        let codes = gather_codes(column, block, &mut codes);
        let both = numbers.iter().copied().zip(codes.iter().copied());
        numbered.extend(both.filter(|(_, code)| *code != null));
    });
    let (mut codes, ends) = by_number(&numbered, numbering.len());
    drop(numbered);
    let (occurring, ends) = listed(&mut codes, &ends);
    let (keys, vector_keys) = numbering.keys_of(&occurring);
    Marked { keys, vector_keys, sets: Sets::Lists { codes, ends }, words }
}

/// The codes of each number below `numbers`, one number's after the other's, and where each
/// number's end.
fn by_number(numbered: &[(u32, u32)], numbers: usize) -> (Vec<u32>, Vec<u32>) {
    // First how many codes come before each number's, then where its next one goes: rows of a
    // segment are numbered in 32 bits.
    let mut next = vec![0_u32; numbers + 1];
    for (number, _) in numbered {
        next[*number as usize + 1] += 1;
    }
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let mut codes = vec![0_u32; numbered.len()];
    for (number, code) in numbered {
        let place = &mut next[*number as usize];
        codes[*place as usize] = *code;
        *place += 1;
    }
    next.pop();
    (codes, next)
}

/// Brings each number's codes into order and leaves each once; tells the numbers that have codes
/// and where those end now.
fn listed(codes: &mut Vec<u32>, ends: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let (mut occurring, mut ends_now) = (Vec::new(), Vec::new());
    let (mut start, mut kept) = (0, 0);
    for (number, end) in (0_u32..).zip(ends) {
        let end = *end as usize;
        codes[start..end].sort_unstable();
        let mut last = None;
        for at in start..end {
            let code = codes[at];
            codes[kept] = code;
            kept += usize::from(last.replace(code) != Some(code));
        }
        if start < end {
            occurring.push(number);
            ends_now.push(kept);
        }
        start = end;
    }
    codes.truncate(kept);
    (occurring, ends_now)
}

impl Marked {
    /// How many groups have a value.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.sets {
            Sets::Bits { slots, .. } => slots.len(),
            Sets::Lists { ends, .. } => ends.len(),
        }
    }

    /// Whether no selected row has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of the values that occur in any of these groups, how many occur in this segment alone;
    /// `with` is called with the codes of all others, ascending, each once. Where it is not known
    /// what segments share, those are all.
    pub fn split(
        &self,
        groups: &[usize],
        shared: Option<&SharedCodes>,
        with: impl FnMut(u32),
    ) -> u64 {
        match (&self.sets, groups) {
            (Sets::Bits { bits, slots }, [group]) => {
                split_bits(&bits[slots[*group] * self.words..][..self.words], shared, with)
            }
            (Sets::Bits { bits, slots }, _) => {
                let mut together = vec![0_u64; self.words];
                for group in groups {
                    let words = &bits[slots[*group] * self.words..];
                    together.iter_mut().zip(words).for_each(|(all, word)| *all |= word);
                }
                split_bits(&together, shared, with)
            }
            (Sets::Lists { codes, ends }, [group]) => {
                split_codes(list(codes, ends, *group), shared, with)
            }
            (Sets::Lists { codes, ends }, _) => {
                let lists = groups.iter().map(|group| list(codes, ends, *group));
                self.split_lists(&lists.collect::<Vec<_>>(), shared, with)
            }
        }
    }

    fn split_lists(
        &self,
        lists: &[&[u32]],
        shared: Option<&SharedCodes>,
        with: impl FnMut(u32),
    ) -> u64 {
        // Clearing and counting a word costs less than bringing one code into order.
        if lists.iter().map(|list| list.len()).sum::<usize>() < self.words {
            let mut together = lists.concat();
            together.sort_unstable();
            together.dedup();
            return split_codes(&together, shared, with);
        }
        let mut together = vec![0_u64; self.words];
        for code in lists.iter().copied().flatten() {
            together[*code as usize / 64] |= 1 << (code % 64);
        }
        split_bits(&together, shared, with)
    }
}

/// The codes of one group.
fn list<'a>(codes: &'a [u32], ends: &[usize], group: usize) -> &'a [u32] {
    let start = group.checked_sub(1).map_or(0, |before| ends[before]);
    &codes[start..ends[group]]
}

fn split_bits(words: &[u64], shared: Option<&SharedCodes>, mut with: impl FnMut(u32)) -> u64 {
    let mut apart = 0;
    for (at, word) in words.iter().enumerate() {
        let shared = shared.map_or(u64::MAX, |shared| shared.word(at));
        apart += u64::from((word & !shared).count_ones());
        let mut rest = word & shared;
        while rest != 0 {
            // Codes are numbered in 32 bits.
            with(at as u32 * 64 + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
    apart
}

fn split_codes(codes: &[u32], shared: Option<&SharedCodes>, mut with: impl FnMut(u32)) -> u64 {
    let mut apart = 0;
    for code in codes {
        if shared.is_none_or(|shared| shared.contains(*code)) {
            with(*code);
        } else {
            apart += 1;
        }
    }
    apart
}

#[cfg(test)]
#[path = "distinct_tests.rs"]
mod tests;
