//! Conditions over packed numbers and codes: whole blocks settled by their bounds, blocks of few
//! candidates looked up row by row, the others unpacked.

use std::ops::Range;

use super::bits::{Bits, WINDOW_ROWS, WORD_ROWS};
use crate::kind::codes::{CodesIndex, WantedCodes};
use crate::kind::vector::{KeySet, VectorIndex};

/// What of a window satisfies a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    None,
    All,
    /// The rows whose bits were set.
    Some,
}

/// What of a block satisfies a condition; flags, one bit per row, are written for some only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockAnswer {
    All,
    None,
    Some,
}

/// A condition that blocks of packed numbers answer.
pub(super) trait Packed {
    /// Rows of a block.
    const BLOCK_ROWS: usize;
    /// Candidates of a block from which on it is unpacked for them.
    const UNPACKED_FROM: u32;

    /// Whether a row of the segment satisfies it.
    fn holds(&self, row: u32) -> bool;

    /// What the bounds of a block settle; `Some` where they leave it open.
    fn bounds(&self, block: usize) -> BlockAnswer;

    /// Which rows of a block do; flags go to the front of the bytes.
    fn block(&self, block: usize, flags: &mut [u8]) -> BlockAnswer;
}

/// Rows whose key is in a range.
pub(super) struct KeysBetween<'a>(pub(super) &'a VectorIndex, pub(super) &'a Range<i128>);

impl Packed for KeysBetween<'_> {
    const BLOCK_ROWS: usize = crate::kind::vector::VECTOR_BLOCK_ROWS;
    const UNPACKED_FROM: u32 = 64;

    fn holds(&self, row: u32) -> bool {
        self.1.contains(&i128::from(self.0.key_at(row)))
    }

    fn bounds(&self, block: usize) -> BlockAnswer {
        self.0.bounds_between(block, self.1)
    }

    fn block(&self, block: usize, flags: &mut [u8]) -> BlockAnswer {
        self.0.block_between(block, self.1, flags)
    }
}

/// Rows whose key is one of a set.
pub(super) struct KeysIn<'a>(pub(super) &'a VectorIndex, pub(super) &'a KeySet);

impl Packed for KeysIn<'_> {
    const BLOCK_ROWS: usize = crate::kind::vector::VECTOR_BLOCK_ROWS;
    const UNPACKED_FROM: u32 = 64;

    fn holds(&self, row: u32) -> bool {
        self.1.contains(self.0.key_at(row))
    }

    fn bounds(&self, block: usize) -> BlockAnswer {
        self.0.bounds_in(block, self.1)
    }

    fn block(&self, block: usize, flags: &mut [u8]) -> BlockAnswer {
        self.0.block_in(block, self.1, flags)
    }
}

/// Rows that have one of some codes.
pub(super) struct CodesWithin<'a>(pub(super) &'a CodesIndex, pub(super) &'a WantedCodes);

impl Packed for CodesWithin<'_> {
    const BLOCK_ROWS: usize = crate::kind::codes::BLOCK_ROWS;
    const UNPACKED_FROM: u32 = 8;

    fn holds(&self, row: u32) -> bool {
        self.1.contains(self.0.code_at(row))
    }

    fn bounds(&self, block: usize) -> BlockAnswer {
        self.0.bounds_within(block, self.1)
    }

    fn block(&self, block: usize, flags: &mut [u8]) -> BlockAnswer {
        self.0.block_within(block, self.1, flags)
    }
}

/// The rows of a window, which begins at row `first`, whose numbers satisfy a condition; those
/// that are not among `within` may be told either way.
pub(super) fn window(
    packed: &impl Packed,
    first: u32,
    rows: u32,
    within: Option<&Bits>,
    into: &mut Bits,
) -> Found {
    into.clear();
    let end = first.saturating_add(WINDOW_ROWS).min(rows);
    let mut any = false;
    let mut all = true;
    for start in (first..end).step_by(block_rows(packed) as usize) {
        let words = words_of(packed, start - first);
        let candidates = within.map(|within| &within.words()[words.clone()]);
        let answer = answer(packed, start..end, candidates, &mut into.words_mut()[words]);
        any |= answer != BlockAnswer::None;
        all &= answer == BlockAnswer::All;
    }
    match (any, all) {
        (false, _) => Found::None,
        (_, true) => Found::All,
        _ => Found::Some,
    }
}

const fn block_rows<P: Packed>(_: &P) -> u32 {
    // At most the rows of a window.
    P::BLOCK_ROWS as u32
}

fn words_of<P: Packed>(_: &P, offset: u32) -> Range<usize> {
    let word = offset as usize / WORD_ROWS;
    word..word + P::BLOCK_ROWS / WORD_ROWS
}

/// Sets the bits of the first block of these rows, which are cleared before.
fn answer<P: Packed>(
    packed: &P,
    rows: Range<u32>,
    candidates: Option<&[u64]>,
    into: &mut [u64],
) -> BlockAnswer {
    let few = candidates
        .map(|words| words.iter().map(|word| word.count_ones()).sum::<u32>())
        .filter(|count| *count < P::UNPACKED_FROM);
    if few == Some(0) {
        return BlockAnswer::None;
    }
    let block = rows.start as usize / P::BLOCK_ROWS;
    let mut flags = [0; FLAG_BYTES_MAX];
    let answer = match (packed.bounds(block), few, candidates) {
        (BlockAnswer::Some, Some(_), Some(candidates)) => {
            return one_by_one(packed, rows, candidates, into);
        }
        (BlockAnswer::Some, ..) => packed.block(block, &mut flags),
        (settled, ..) => settled,
    };
    match answer {
        BlockAnswer::All => into.fill(u64::MAX),
        BlockAnswer::None => {}
        BlockAnswer::Some => {
            for (word, bytes) in into.iter_mut().zip(flags.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
    }
    answer
}

fn one_by_one(
    packed: &impl Packed,
    rows: Range<u32>,
    candidates: &[u64],
    into: &mut [u64],
) -> BlockAnswer {
    let mut any = 0;
    for ((first, into), word) in rows.clone().step_by(WORD_ROWS).zip(into).zip(candidates) {
        // There may be candidates behind the last row.
        let mut rest = *word & below(rows.end.saturating_sub(first));
        let mut held = 0;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            // Without a branch on what was found: the rows lie far apart, and the next one's
            // number is on its way while this one is waited for.
            held |= u64::from(packed.holds(first + bit)) << bit;
            rest &= rest - 1;
        }
        *into |= held;
        any |= held;
    }
    if any == 0 { BlockAnswer::None } else { BlockAnswer::Some }
}

/// The bits of the first rows of a word.
const fn below(rows: u32) -> u64 {
    if rows as usize >= WORD_ROWS { u64::MAX } else { (1 << rows) - 1 }
}

/// Bytes of flags that the longest block has.
const FLAG_BYTES_MAX: usize = crate::kind::vector::VECTOR_BLOCK_ROWS / 8;

const _: () = assert!(crate::kind::codes::BLOCK_ROWS / 8 <= FLAG_BYTES_MAX);
const _: () = assert!(crate::kind::codes::BLOCK_ROWS.is_multiple_of(WORD_ROWS));
