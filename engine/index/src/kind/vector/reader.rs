//! An opened vector: the blocks' bounds decoded, the numbers packed, any row in one step.
//!
//! What was proven at open: that every block has its place, and that bounds and
//! widths agree. The packed area stays where it was read.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::form::VectorForm;
use super::format::{self, BLOCK_ROWS, PART_ROWS, block_bytes, part_bytes};
use crate::error::IndexError;
use crate::kind::Reader;
use crate::kind::rows::{InBlock, for_each_block};
use crate::logic::Leaf;

/// Selected rows of a block from which on the whole block is unpacked for them.
const UNPACKED_FROM: usize = 64;

/// One fixed-width key per row.
#[derive(Debug, Clone)]
pub struct VectorIndex {
    rows: u32,
    form: VectorForm,
    pub(super) nulls: RoaringBitmap,
    null_count: u32,
    widths: Vec<u8>,
    bases: Vec<i64>,
    maxima: Vec<i64>,
    /// Where each block begins in `packed`.
    starts: Vec<u32>,
    packed: Bytes,
}

impl VectorIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let mut next = 0;
        let starts = (0..parts.widths.len())
            .map(|block| {
                let start = next;
                next += block_bytes(rows, block, parts.widths[block]);
                // A segment's 2^20 rows take at most 8 MiB.
                u32::try_from(start).unwrap_or(u32::MAX)
            })
            .collect();
        Ok(Self {
            rows,
            form: parts.form,
            // Below 2^32 rows.
            null_count: parts.nulls.len() as u32,
            nulls: parts.nulls,
            widths: parts.widths,
            bases: parts.bases,
            maxima: parts.maxima,
            starts,
            packed: bytes.slice_ref(parts.packed),
        })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many rows are null.
    #[must_use]
    pub const fn null_count(&self) -> u32 {
        self.null_count
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        Selection::from_bitmap(self.rows, self.nulls.clone())
    }

    /// The rows that are null, not copied.
    #[must_use]
    pub const fn null_bitmap(&self) -> &RoaringBitmap {
        &self.nulls
    }

    /// What the keys stand for.
    #[must_use]
    pub const fn form(&self) -> &VectorForm {
        &self.form
    }

    /// The key that stands for a value; `None` if no row can be equal to it.
    #[must_use]
    pub fn key_of(&self, value: &Value) -> Option<i64> {
        self.form.key_of(value)
    }

    /// The key that stands for a text; `None` if no row can be equal to it.
    #[must_use]
    pub fn key_of_text(&self, text: &str) -> Option<i64> {
        self.form.key_of_text(text)
    }

    /// The value that a key stands for.
    #[must_use]
    pub fn value_of(&self, key: i64) -> Value {
        self.form.value_of(key)
    }

    /// Blocks of [`BLOCK_ROWS`] rows; the last may be shorter.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.widths.len()
    }

    /// The rows of a block.
    #[must_use]
    pub fn block_rows(&self, block: usize) -> Range<usize> {
        format::block_rows(self.rows, block)
    }

    /// The lowest and the highest key of a block, both of which occur; of a block of nulls only
    /// `i64::MAX` and `i64::MIN`, between which there is nothing.
    #[must_use]
    pub fn block_bounds(&self, block: usize) -> (i64, i64) {
        let (base, maximum) = (self.bases[block], self.maxima[block]);
        if self.null_count > 0 && base == 0 && maximum == 0 && self.is_all_null(block) {
            return (i64::MAX, i64::MIN);
        }
        (base, maximum)
    }

    fn is_all_null(&self, block: usize) -> bool {
        let rows = self.block_rows(block);
        // Row numbers are u32.
        self.nulls.contains_range(rows.start as u32..rows.end as u32)
    }

    /// The lowest and the highest key of all rows; `None` where every row is null.
    #[must_use]
    pub fn bounds(&self) -> Option<(i64, i64)> {
        let blocks = (0..self.blocks()).map(|block| self.block_bounds(block));
        blocks
            .reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))
            .filter(|(lowest, highest)| lowest <= highest)
    }

    /// Decodes a block below [`Self::blocks`]: one key per row of it, under a null its lowest.
    pub fn decode_block<'a>(&self, block: usize, into: &'a mut [i64; BLOCK_ROWS]) -> &'a [i64] {
        let rows = self.block_rows(block).len();
        let (width, base) = (self.widths[block], self.bases[block]);
        if width == 0 {
            into[..rows].fill(base);
            return &into[..rows];
        }
        let mut low = [0; PART_ROWS];
        let mut high = [0; PART_ROWS];
        let parts = self.packed_block(block).chunks_exact(part_bytes(width));
        for (packed, keys) in parts.zip(into.as_chunks_mut::<PART_ROWS>().0) {
            let (low_bytes, high_bytes) = packed.split_at(part_bytes(width.min(32)));
            format::unpack(low_bytes, width.min(32), &mut low);
            if width <= 32 {
                for (key, low) in keys.iter_mut().zip(&low) {
                    *key = base.wrapping_add(i64::from(*low));
                }
                continue;
            }
            format::unpack(high_bytes, width - 32, &mut high);
            for ((key, low), high) in keys.iter_mut().zip(&low).zip(&high) {
                let offset = u64::from(*high) << 32 | u64::from(*low);
                *key = base.wrapping_add(offset.cast_signed());
            }
        }
        &into[..rows]
    }

    /// Decodes a block to its lowest key and each row's distance above it; `None` where a
    /// distance may need more than 32 bits.
    pub fn decode_offsets<'a>(
        &self,
        block: usize,
        into: &'a mut [u32; BLOCK_ROWS],
    ) -> Option<(i64, &'a [u32])> {
        let rows = self.block_rows(block).len();
        let width = self.widths[block];
        match width {
            0 => into[..rows].fill(0),
            1..=32 => {
                let parts = self.packed_block(block).chunks_exact(part_bytes(width));
                for (packed, offsets) in parts.zip(into.as_chunks_mut::<PART_ROWS>().0) {
                    format::unpack(packed, width, offsets);
                }
            }
            _ => return None,
        }
        Some((self.bases[block], &into[..rows]))
    }

    fn packed_block(&self, block: usize) -> &[u8] {
        let start = self.starts[block] as usize;
        &self.packed[start..start + block_bytes(self.rows, block, self.widths[block])]
    }

    /// The key of a row below [`Self::rows`]; under a null the lowest of its block.
    #[must_use]
    pub fn key_at(&self, row: u32) -> i64 {
        let row = row as usize;
        let block = row / BLOCK_ROWS;
        let (width, base) = (self.widths[block], self.bases[block]);
        if width == 0 {
            return base;
        }
        let part = row % BLOCK_ROWS / PART_ROWS;
        let start = self.starts[block] as usize + part * part_bytes(width);
        let packed = &self.packed[start..start + part_bytes(width)];
        let (low, high) = packed.split_at(part_bytes(width.min(32)));
        let low = format::unpack_one(low, width.min(32), row % PART_ROWS);
        let high = match width {
            0..=32 => 0,
            _ => format::unpack_one(high, width - 32, row % PART_ROWS),
        };
        base.wrapping_add((u64::from(high) << 32 | u64::from(low)).cast_signed())
    }

    /// Replaces `into` by the keys of the selected rows, in row order.
    pub fn gather(&self, rows: &Selection, into: &mut Vec<i64>) {
        into.clear();
        into.reserve(usize::try_from(rows.count()).unwrap_or(0));
        let mut keys = [0; BLOCK_ROWS];
        for_each_block::<BLOCK_ROWS>(rows, self.rows, |block, selected| match selected {
            InBlock::All => into.extend_from_slice(self.decode_block(block, &mut keys)),
            InBlock::Some(rows) if self.widths[block] == 0 => {
                into.resize(into.len() + rows.len(), self.bases[block]);
            }
            InBlock::Some(rows) if rows.len() < UNPACKED_FROM => {
                into.extend(rows.iter().map(|row| self.key_at(*row)));
            }
            InBlock::Some(rows) => {
                self.decode_block(block, &mut keys);
                into.extend(rows.iter().map(|row| keys[*row as usize % BLOCK_ROWS]));
            }
        });
    }
}

impl Reader for VectorIndex {
    fn rows(&self) -> u32 {
        self.rows
    }

    fn nulls(&self) -> Selection {
        Self::nulls(self)
    }

    fn null_count(&self) -> u32 {
        self.null_count
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.form.fits(column_type)
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        self.leaf_truth(leaf).map(Ok)
    }

    fn memory_bytes(&self) -> usize {
        let block = size_of::<u8>() + 2 * size_of::<i64>() + size_of::<u32>();
        self.blocks() * block + self.nulls.serialized_size()
    }
}
