//! The selected rows of a segment, block by block, with their number.

use martlet_core::Selection;

use crate::kind::rows::{self, InBlock};
use crate::kind::vector::VECTOR_BLOCK_ROWS;

/// Rows of a block: a vector's own.
pub(super) const BLOCK_ROWS: usize = VECTOR_BLOCK_ROWS;

/// Below this many selected rows of a block, single values are looked up; from here on the
/// whole block is decoded.
pub(super) const SPARSE_ROWS: usize = 24;

/// The selected rows of one block; there is at least one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// The number of the block.
    pub(super) number: usize,
    pub(super) rows: InBlock<'a>,
    len: usize,
}

impl Block<'_> {
    /// How many rows are selected.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The number, in the segment, of the selected row at a position of the block.
    pub(super) fn row(&self, at: usize) -> u32 {
        match self.rows {
            // Rows of a segment are numbered in 32 bits.
            InBlock::All => (self.first_row() + at) as u32,
            InBlock::Some(rows) => rows[at],
        }
    }

    /// The number of the block's first row in the segment.
    pub(super) const fn first_row(&self) -> usize {
        self.number * BLOCK_ROWS
    }
}

/// Calls with every block that has a selected row, in order.
pub(super) fn for_each_block(selection: &Selection, mut with: impl FnMut(Block<'_>)) {
    let end = selection.rows();
    rows::for_each_block::<BLOCK_ROWS>(selection, end, |number, rows| {
        let len = match rows {
            InBlock::All => BLOCK_ROWS.min(end as usize - number * BLOCK_ROWS),
            InBlock::Some(rows) => rows.len(),
        };
        with(Block { number, rows, len });
    });
}
