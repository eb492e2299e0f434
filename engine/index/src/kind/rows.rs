//! Walking the selected rows block by block: what every kernel over packed blocks needs.
//!
//! A block is handed on whole where all of its rows are selected, so that nothing is looked up
//! row by row where it need not be. Never knows what is in a block.

use martlet_core::Selection;

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
    let Some(bitmap) = rows.bitmap() else {
        let blocks = if rows.is_none() { 0 } else { (end as usize).div_ceil(BLOCK_ROWS) };
        (0..blocks).for_each(|block| with(block, InBlock::All));
        return;
    };
    let block_of = |row: u32| row as usize / BLOCK_ROWS;
    let mut numbers = bitmap.iter();
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
            if block * BLOCK_ROWS >= end as usize {
                return;
            }
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
