//! Walking the selected rows block by block: what every kernel over packed blocks needs.
//!
//! A block is handed on whole where all of its rows are selected, so that nothing is looked up
//! row by row where it need not be. Never knows what is in a block.

use martlet_core::Selection;
use roaring::bitmap::Iter;

/// Rows of one container of a bitmap. A whole one is never fetched row by row: a run of this
/// many rows is more than roaring 0.12.0's `next_many` can count, and it would give none of them.
const CONTAINER_ROWS: u32 = 1 << 16;

/// Rows of a word of bits.
const WORD_ROWS: usize = u64::BITS as usize;

/// Rows fetched from a bitmap at a time; more than any block has.
const FETCHED: usize = 4_096;

/// Which rows of a block are selected.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InBlock<'a> {
    /// Every row.
    All,
    /// These, ascending, by their number in the segment; at least one.
    Some(&'a [u32]),
}

/// Calls with each block of `BLOCK_ROWS` rows (a power of two) that holds a selected row below
/// `end`, in order.
pub(crate) fn for_each_block<const BLOCK_ROWS: usize>(
    rows: &Selection,
    end: u32,
    mut with: impl FnMut(usize, InBlock<'_>),
) {
    const { assert!(BLOCK_ROWS.is_power_of_two() && BLOCK_ROWS < FETCHED) };
    if end == 0 {
        return;
    }
    if let Some(words) = rows.words().filter(|_| rows.rows() <= end) {
        return for_each_block_of_words::<BLOCK_ROWS>(words, end, with);
    }
    let Some(bitmap) = rows.bitmap() else {
        let blocks = if rows.is_none() { 0 } else { (end as usize).div_ceil(BLOCK_ROWS) };
        (0..blocks).for_each(|block| with(block, InBlock::All));
        return;
    };
    for first in (0..end).step_by(CONTAINER_ROWS as usize) {
        let last = (end - 1).min(first + (CONTAINER_ROWS - 1));
        let selected = bitmap.range_cardinality(first..=last);
        if selected == u64::from(last - first) + 1 {
            let blocks = first as usize / BLOCK_ROWS..=last as usize / BLOCK_ROWS;
            blocks.for_each(|block| with(block, InBlock::All));
        } else if selected > 0 {
            for_each_block_of_some::<BLOCK_ROWS>(bitmap.range(first..=last), end, &mut with);
        }
    }
}

/// The same for rows that are one bit each.
fn for_each_block_of_words<const BLOCK_ROWS: usize>(
    words: &[u64],
    end: u32,
    mut with: impl FnMut(usize, InBlock<'_>),
) {
    const { assert!(BLOCK_ROWS >= WORD_ROWS) };
    let mut buffer = [0_u32; FETCHED];
    for (block, words) in words.chunks(BLOCK_ROWS / WORD_ROWS).enumerate() {
        let first = block * BLOCK_ROWS;
        let rows_of_block = BLOCK_ROWS.min((end as usize).saturating_sub(first));
        let selected: u32 = words.iter().map(|word| word.count_ones()).sum();
        if selected as usize == rows_of_block {
            with(block, InBlock::All);
        } else if selected > 0 {
            // Rows of a segment are numbered in 32 bits.
            let rows = set_rows(words, first as u32, &mut buffer);
            with(block, InBlock::Some(rows));
        }
    }
}

/// The rows whose bits are set, the first of which is `first`.
fn set_rows<'a>(words: &[u64], first: u32, buffer: &'a mut [u32; FETCHED]) -> &'a [u32] {
    let mut found = 0;
    for (start, word) in (first..).step_by(WORD_ROWS).zip(words) {
        let mut rest = *word;
        while rest != 0 {
            buffer[found] = start + rest.trailing_zeros();
            found += 1;
            rest &= rest - 1;
        }
    }
    &buffer[..found]
}

/// The same for the rows of one container, which are not all that it could hold.
fn for_each_block_of_some<const BLOCK_ROWS: usize>(
    mut numbers: Iter<'_>,
    end: u32,
    mut with: impl FnMut(usize, InBlock<'_>),
) {
    let block_of = |row: u32| row as usize / BLOCK_ROWS;
    let mut buffer = [0_u32; FETCHED];
    let mut kept = 0;
    loop {
        let room = FETCHED - kept;
        let fetched = numbers.next_many(&mut buffer[kept..]).len();
        let is_last = fetched < room;
        let mut rest = &buffer[..kept + fetched];
        while let Some(block) = rest.first().copied().map(block_of) {
            let length = rest.iter().position(|row| block_of(*row) != block);
            // Without an end the block may go on behind what was fetched.
            if length.is_none() && !is_last {
                break;
            }
            let (selected, others) = rest.split_at(length.unwrap_or(rest.len()));
            rest = others;
            let rows_of_block = BLOCK_ROWS.min(end as usize - block * BLOCK_ROWS);
            let is_whole = selected.len() == rows_of_block;
            with(block, if is_whole { InBlock::All } else { InBlock::Some(selected) });
        }
        if is_last {
            return;
        }
        kept = rest.len();
        buffer.copy_within(FETCHED - kept.., 0);
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
