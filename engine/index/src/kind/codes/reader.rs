//! An opened codes index: dictionary and codes where they lie, any block in one step.
//!
//! Every code is checked at open (one pass over the blocks, under a millisecond for a full
//! segment), so that a reader may use it as an array index without asking again.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use martlet_core::{ColumnType, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::format::{self, BLOCK_ROWS, block_bytes};
use super::keys::DictionaryKeys;
use super::wanted::WantedCodes;
use crate::error::IndexError;
use crate::filter::packed::BlockAnswer;
use crate::kind::Reader;
use crate::kind::dictionary::Dictionary;
use crate::kind::flags::set_flags;
use crate::kind::rows::{InBlock, for_each_block};
use crate::logic::Leaf;

/// Selected rows of a block from which on the whole block is unpacked for them.
const UNPACKED_FROM: usize = 8;

/// Blocks of which it is known where the first begins.
const SAMPLED: usize = 8;

/// A sorted dictionary and one code per row.
#[derive(Debug, Clone)]
pub struct CodesIndex {
    rows: u32,
    values: Dictionary,
    keys: OnceLock<Option<DictionaryKeys>>,
    nulls: u32,
    widths: Bytes,
    /// A u32 for each block.
    bases: Bytes,
    /// Where each block begins in `packed`, of every [`SAMPLED`]th: an index is kept for every
    /// segment, and the widths in between are summed in no time.
    starts: Vec<u32>,
    packed: Bytes,
}

impl CodesIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let starts = parts
            .widths
            .chunks(SAMPLED)
            .scan(0_usize, |next, widths| {
                let start = *next;
                *next += sum_of_bytes(widths);
                Some(u32::try_from(start).unwrap_or(u32::MAX))
            })
            .collect();
        let index = Self {
            rows,
            values: parts.values,
            keys: OnceLock::new(),
            nulls: parts.nulls,
            widths: parts.widths,
            bases: parts.bases,
            starts,
            packed: parts.packed,
        };
        index.check_codes()?;
        Ok(index)
    }

    fn check_codes(&self) -> Result<(), IndexError> {
        let null = self.null_code();
        let mut nulls = 0_u32;
        let mut codes = [0; BLOCK_ROWS];
        for block in 0..self.blocks() {
            let above = self.base(block).checked_add(highest_offset(self.widths[block]));
            let is_surely_within = above.is_some_and(|highest| highest < null);
            if is_surely_within {
                continue;
            }
            let decoded = self.decode_block(block, &mut codes);
            if decoded.iter().any(|code| *code > null) {
                return Err(IndexError::damaged("a code stands for no value"));
            }
            nulls += decoded.iter().map(|code| u32::from(*code == null)).sum::<u32>();
        }
        if nulls == self.nulls {
            Ok(())
        } else {
            Err(IndexError::damaged("its counts do not add up"))
        }
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The distinct values, ascending: that of code `c` is the one at position `c`.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        &self.values
    }

    /// The numbers that stand for the dictionary's values, if such do.
    pub(crate) fn keys(&self) -> Option<&DictionaryKeys> {
        self.keys.get_or_init(|| DictionaryKeys::of(&self.values)).as_ref()
    }

    /// The code of null: one above the last value's.
    #[must_use]
    pub fn null_code(&self) -> u32 {
        // A segment has at most 2^20 rows, and so many values.
        self.values.len() as u32
    }

    /// How many rows are null.
    #[must_use]
    pub const fn null_count(&self) -> u32 {
        self.nulls
    }

    /// The value of a code: `None` for null.
    #[must_use]
    pub fn value(&self, code: u32) -> Option<Value> {
        self.values.value(code as usize)
    }

    /// Blocks of [`BLOCK_ROWS`] rows; the last may be shorter.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        (self.rows as usize).div_ceil(BLOCK_ROWS)
    }

    /// Decodes a block below [`Self::blocks`] and returns its codes, one per row of it.
    pub fn decode_block<'a>(&self, block: usize, into: &'a mut [u32; BLOCK_ROWS]) -> &'a [u32] {
        let width = self.widths[block];
        format::unpack(self.packed_block(block), width, into);
        let base = self.base(block);
        // A damaged code may overflow here; it is then found to stand for no value.
        into.iter_mut().for_each(|code| *code = code.saturating_add(base));
        &into[..self.block_rows(block).len()]
    }

    /// The rows of a block.
    #[must_use]
    pub fn block_rows(&self, block: usize) -> Range<usize> {
        let start = block * BLOCK_ROWS;
        start..(start + BLOCK_ROWS).min(self.rows as usize)
    }

    /// Decodes the blocks that hold selected rows, in order, and hands each on as the number
    /// of the block and its codes, also those of rows not selected.
    pub fn for_each_block(&self, rows: &Selection, mut with: impl FnMut(usize, &[u32])) {
        let mut codes = [0; BLOCK_ROWS];
        for block in selected_blocks(rows, self.blocks()) {
            with(block, self.decode_block(block, &mut codes));
        }
    }

    /// The code of a row; `None` beyond the last.
    #[must_use]
    pub fn code(&self, row: u32) -> Option<u32> {
        (row < self.rows).then(|| self.code_at(row))
    }

    /// The code of a row below [`Self::rows`].
    #[must_use]
    pub fn code_at(&self, row: u32) -> u32 {
        let row = row as usize;
        let block = row / BLOCK_ROWS;
        let (width, base) = (self.widths[block], self.base(block));
        if width == 0 {
            return base;
        }
        base + format::unpack_one(self.packed_block(block), width, row % BLOCK_ROWS)
    }

    /// The lowest code of a block.
    fn base(&self, block: usize) -> u32 {
        u32::from_le_bytes(self.bases.as_chunks::<4>().0[block])
    }

    fn packed_block(&self, block: usize) -> &[u8] {
        let start = self.starts[block / SAMPLED] as usize + self.bytes_before(block);
        &self.packed[start..start + block_bytes(self.widths[block])]
    }

    /// The bytes of the blocks between a block and the last one whose start is kept.
    fn bytes_before(&self, block: usize) -> usize {
        let (sample, behind) = (block / SAMPLED * SAMPLED, block % SAMPLED);
        let Some(widths) = self.widths[sample..].first_chunk::<SAMPLED>() else {
            return sum_of_bytes(&self.widths[sample..block]);
        };
        // A row alone is looked up so: the widths are added in one multiplication, whose highest
        // byte has room for them.
        let before = u64::from_le_bytes(*widths) & ((1 << (behind * 8)) - 1);
        (before.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize * block_bytes(1)
    }

    /// Replaces `into` by the codes of the selected rows, in row order.
    pub fn gather(&self, rows: &Selection, into: &mut Vec<u32>) {
        into.clear();
        into.reserve(usize::try_from(rows.count()).unwrap_or(0));
        let mut codes = [0; BLOCK_ROWS];
        for_each_block::<BLOCK_ROWS>(rows, self.rows, |block, selected| match selected {
            InBlock::All => into.extend_from_slice(self.decode_block(block, &mut codes)),
            InBlock::Some(rows) if self.widths[block] == 0 => {
                into.resize(into.len() + rows.len(), self.base(block));
            }
            InBlock::Some(rows) if rows.len() < UNPACKED_FROM => {
                into.extend(rows.iter().map(|row| self.code_at(*row)));
            }
            InBlock::Some(rows) => {
                self.decode_block(block, &mut codes);
                into.extend(rows.iter().map(|row| codes[*row as usize % BLOCK_ROWS]));
            }
        });
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        if self.nulls == 0 {
            return Selection::none(self.rows);
        }
        let null = self.values.len();
        self.rows_within(&WantedCodes::new(std::iter::once(null..null + 1).collect()))
    }

    /// For each value that the selected rows have, the first of them that has it.
    #[must_use]
    pub fn first_rows(&self, rows: &Selection) -> Selection {
        let mut is_known = vec![false; self.values.len() + 1];
        let mut firsts: Vec<u32> = Vec::new();
        let mut codes = [0; BLOCK_ROWS];
        for_each_block::<BLOCK_ROWS>(rows, self.rows, |block, selected| {
            // Row numbers are u32.
            let first = (block * BLOCK_ROWS) as u32;
            let mut note = |row: u32, code: u32| {
                if !std::mem::replace(&mut is_known[code as usize], true) {
                    firsts.push(row);
                }
            };
            match selected {
                InBlock::Some(rows) if rows.len() < UNPACKED_FROM => {
                    rows.iter().for_each(|row| note(*row, self.code_at(*row)));
                }
                InBlock::Some(rows) => {
                    let codes = self.decode_block(block, &mut codes);
                    rows.iter().for_each(|row| note(*row, codes[(row - first) as usize]));
                }
                InBlock::All => {
                    let codes = self.decode_block(block, &mut codes);
                    (first..).zip(codes).for_each(|(row, code)| note(row, *code));
                }
            }
        });
        Selection::from_ascending(self.rows, firsts)
    }

    /// The rows that have one of these codes.
    pub(crate) fn rows_within(&self, wanted: &WantedCodes) -> Selection {
        let mut all_flags = vec![0_u8; self.blocks() * (BLOCK_ROWS / 8)];
        for (block, flags) in all_flags.chunks_exact_mut(BLOCK_ROWS / 8).enumerate() {
            match self.block_within(block, wanted, flags) {
                BlockAnswer::All => flags.fill(u8::MAX),
                BlockAnswer::None | BlockAnswer::Some => {}
            }
        }
        // What is flagged behind the last row is dropped here.
        Selection::from_bitmap(self.rows, RoaringBitmap::from_lsb0_bytes(0, &all_flags))
    }

    /// What the base and width of a block tell of these codes.
    pub(crate) fn bounds_within(&self, block: usize, wanted: &WantedCodes) -> BlockAnswer {
        let lowest = self.base(block) as usize;
        let highest = lowest + highest_offset(self.widths[block]) as usize;
        wanted.of_bounds(lowest, highest)
    }

    /// The rows of a block that have one of these codes.
    pub(crate) fn block_within(
        &self,
        block: usize,
        wanted: &WantedCodes,
        into: &mut [u8],
    ) -> BlockAnswer {
        let settled = self.bounds_within(block, wanted);
        if settled != BlockAnswer::Some {
            return settled;
        }
        let mut codes = [0; BLOCK_ROWS];
        let codes = self.decode_block(block, &mut codes);
        match wanted.one() {
            Some((start, length)) => {
                let is_wanted = |code: u32| code.wrapping_sub(start) < length;
                set_flags::<BLOCK_ROWS, u32>(codes, is_wanted, into);
            }
            None => set_flags::<BLOCK_ROWS, u32>(codes, |code| wanted.contains(code), into),
        }
        BlockAnswer::Some
    }
}

impl Reader for CodesIndex {
    fn rows(&self) -> u32 {
        self.rows
    }

    fn nulls(&self) -> Selection {
        Self::nulls(self)
    }

    fn null_count(&self) -> u32 {
        Self::null_count(self)
    }

    fn dictionary(&self) -> Option<&Dictionary> {
        Some(&self.values)
    }

    fn distinct(&self) -> Option<u32> {
        u32::try_from(self.values.len()).ok()
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.values.fits(column_type)
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        Some(Ok(self.leaf_truth(leaf)))
    }

    fn memory_bytes(&self) -> usize {
        // The keys may be made later.
        let keys = self.values.len() * size_of::<i64>();
        size_of_val(self.starts.as_slice()) + keys
    }
}

impl CodesIndex {
    fn leaf_truth(&self, leaf: &Leaf<'_>) -> Truth {
        let nulls = self.nulls();
        if matches!(leaf, Leaf::IsNull) {
            let present = nulls.complement();
            return Truth::exact(nulls, present);
        }
        let holds = self.rows_within(&WantedCodes::new(leaf.matching(&self.values)));
        Truth::exact_but(holds, nulls)
    }
}

/// Bytes of packed blocks of these widths.
fn sum_of_bytes(widths: &[u8]) -> usize {
    widths.iter().map(|width| block_bytes(*width)).sum()
}

/// The highest number that has so many bits.
const fn highest_offset(width: u8) -> u32 {
    if width >= 32 { u32::MAX } else { (1 << width) - 1 }
}

/// The blocks that hold a selected row, ascending, each once.
pub(crate) fn selected_blocks(
    rows: &Selection,
    blocks: usize,
) -> Box<dyn Iterator<Item = usize> + '_> {
    let Some(bitmap) = rows.bitmap() else {
        return Box::new(if rows.is_none() { 0..0 } else { 0..blocks });
    };
    let mut iterator = bitmap.iter();
    Box::new(std::iter::from_fn(move || {
        let block = iterator.next()? as usize / BLOCK_ROWS;
        if block >= blocks {
            return None;
        }
        // Below 2^32, since a block holds a row.
        iterator.advance_to(((block + 1) * BLOCK_ROWS) as u32);
        Some(block)
    }))
}
