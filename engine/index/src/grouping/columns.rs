//! A column's codes and keys at the selected rows of a block, side by side.

use std::fmt;
use std::ops::Range;

use roaring::RoaringBitmap;

use super::blocks::{BLOCK_ROWS, Block, SPARSE_ROWS};
use super::numbering::Interner;
use crate::kind::codes::{BLOCK_ROWS as CODES_BLOCK_ROWS, CodesIndex};
use crate::kind::rows::InBlock;
use crate::kind::vector::{KeyNumbers, VectorIndex};

/// Keys of a vector that lie within so many are grouped by in an array: four times the rows that
/// a segment can have.
const SPAN_MAX: u32 = 1 << 22;

/// A coarser grouping of a column's codes, such as the months of its dates.
#[derive(Debug, Clone)]
pub struct CodeGroups {
    /// The group of each code; null's stands last.
    pub of_code: Vec<u32>,
    /// How many groups there are: every entry is below.
    pub groups: u32,
}

/// Maps a key of a vector to that of the group it falls into.
pub type KeyBucket = dyn Fn(i64) -> i64 + Send + Sync;

/// A column to group by.
#[derive(Clone, Copy)]
pub enum KeyColumn<'a> {
    /// By its values.
    Codes(&'a CodesIndex),
    /// By groups of its values. There is one entry per code and one for null.
    CodeGroups(&'a CodesIndex, &'a CodeGroups),
    /// By the values of a vector.
    Vector(&'a VectorIndex),
    /// By groups of the values of a vector.
    VectorGroups(&'a VectorIndex, &'a KeyBucket),
    /// By the numbers of a vector's keys. Keys without one, and null, are the last group.
    VectorNumbers(&'a VectorIndex, &'a KeyNumbers),
}

impl fmt::Debug for KeyColumn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Codes(_) => "Codes",
            Self::CodeGroups(..) => "CodeGroups",
            Self::Vector(_) => "Vector",
            Self::VectorGroups(..) => "VectorGroups",
            Self::VectorNumbers(..) => "VectorNumbers",
        })
    }
}

impl<'a> KeyColumn<'a> {
    /// The codes that are grouped, if it has some.
    pub(super) const fn codes(&self) -> Option<&'a CodesIndex> {
        match self {
            Self::Codes(codes) | Self::CodeGroups(codes, _) => Some(codes),
            Self::Vector(_) | Self::VectorGroups(..) | Self::VectorNumbers(..) => None,
        }
    }

    /// The group of one of these codes.
    pub(super) fn group_of(&self, code: u32) -> u32 {
        match self {
            Self::CodeGroups(_, groups) => groups.of_code.get(code as usize).copied().unwrap_or(0),
            _ => code,
        }
    }

    pub(super) const fn rows(&self) -> u32 {
        match self {
            Self::Codes(codes) | Self::CodeGroups(codes, _) => codes.rows(),
            Self::Vector(vector)
            | Self::VectorGroups(vector, _)
            | Self::VectorNumbers(vector, _) => vector.rows(),
        }
    }

    /// How many groups the column alone makes, null's among them, where that is known.
    pub(super) fn groups(&self) -> Option<u64> {
        match self {
            Self::Codes(codes) => Some(u64::from(codes.null_code()) + 1),
            Self::CodeGroups(_, groups) => Some(u64::from(groups.groups.max(1))),
            Self::VectorNumbers(_, numbers) => Some(u64::from(numbers.groups()) + 1),
            Self::Vector(_) | Self::VectorGroups(..) => None,
        }
    }

    /// The codes at the block's selected rows, or the numbers of a vector's keys; of a vector
    /// without numbers nothing.
    pub(super) fn gather_codes<'b>(
        &self,
        block: Block<'_>,
        into: &'b mut [u32; BLOCK_ROWS],
    ) -> &'b [u32] {
        match self {
            Self::Codes(codes) => gather_codes(codes, block, into),
            Self::CodeGroups(codes, groups) => {
                let count = gather_codes(codes, block, into).len();
                let gathered = &mut into[..count];
                gathered.iter_mut().for_each(|code| {
                    *code = groups.of_code.get(*code as usize).copied().unwrap_or(0);
                });
                gathered
            }
            Self::VectorNumbers(vector, numbers) => {
                gather_key_numbers(vector, numbers, block, into)
            }
            Self::Vector(_) | Self::VectorGroups(..) => &into[..0],
        }
    }

    /// The codes, or, of a vector, the numbers that the interner gives its keys.
    pub(super) fn gather_numbers<'b>(
        &self,
        block: Block<'_>,
        interner: &mut Interner,
        into: &'b mut [u32; BLOCK_ROWS],
    ) -> &'b [u32] {
        let (vector, bucket): (_, Option<&KeyBucket>) = match self {
            Self::Vector(vector) => (vector, None),
            Self::VectorGroups(vector, bucket) => (vector, Some(*bucket)),
            Self::Codes(_) | Self::CodeGroups(..) | Self::VectorNumbers(..) => {
                return self.gather_codes(block, into);
            }
        };
        let mut keys = [0; BLOCK_ROWS];
        let keys = gather_keys(vector, block, &mut keys);
        let mut is_null = [false; BLOCK_ROWS];
        flag_nulls(vector, block, &mut is_null);
        for ((number, key), is_null) in into.iter_mut().zip(keys).zip(&is_null) {
            *number = if *is_null {
                interner.null()
            } else {
                interner.number(bucket.map_or(*key, |bucket| bucket(*key)))
            };
        }
        &into[..keys.len()]
    }
}

/// A column to total.
#[derive(Debug, Clone, Copy)]
pub enum MeasureColumn<'a> {
    /// By its keys.
    Vector(&'a VectorIndex),
    /// By a key for each code, ascending as the codes are; null's code has none.
    Codes(&'a CodesIndex, &'a [i64]),
}

impl MeasureColumn<'_> {
    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        match self {
            Self::Vector(vector) => vector.rows(),
            Self::Codes(codes, _) => codes.rows(),
        }
    }

    /// Whether a row can be null.
    pub(super) const fn has_nulls(&self) -> bool {
        match self {
            Self::Vector(vector) => vector.null_count() > 0,
            Self::Codes(codes, _) => codes.null_count() > 0,
        }
    }

    /// No key lies outside.
    pub(super) fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Vector(vector) => (0..vector.blocks())
                .map(|block| vector.block_bounds(block))
                .reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
                .unwrap_or((0, 0)),
            Self::Codes(_, keys) => {
                keys.iter().fold((0, 0), |(low, high), key| (low.min(*key), high.max(*key)))
            }
        }
    }

    /// No key of a block lies outside; `None` where only decoding would tell.
    pub(super) fn block_bounds(&self, block: usize) -> Option<(i64, i64)> {
        match self {
            Self::Vector(vector) => Some(vector.block_bounds(block)),
            Self::Codes(..) => None,
        }
    }

    /// The keys at the block's selected rows, arbitrary where null, and which are null.
    pub(super) fn gather<'a>(
        &self,
        block: Block<'_>,
        keys: &'a mut [i64; BLOCK_ROWS],
        is_null: &mut [bool; BLOCK_ROWS],
    ) -> &'a [i64] {
        match self {
            Self::Vector(vector) => {
                flag_nulls(vector, block, is_null);
                gather_keys(vector, block, keys)
            }
            Self::Codes(codes, of_code) => {
                let mut gathered = [0; BLOCK_ROWS];
                let gathered = gather_codes(codes, block, &mut gathered);
                for ((key, is_null), code) in keys.iter_mut().zip(is_null).zip(gathered) {
                    let found = of_code.get(*code as usize);
                    *is_null = found.is_none();
                    *key = found.copied().unwrap_or(0);
                }
                &keys[..gathered.len()]
            }
        }
    }
}

pub(super) fn gather_codes<'a>(
    codes: &CodesIndex,
    block: Block<'_>,
    into: &'a mut [u32; BLOCK_ROWS],
) -> &'a [u32] {
    match block.rows {
        InBlock::All => {
            decode_codes(codes, block.number, into);
            &into[..block.len()]
        }
        InBlock::Some(rows) if rows.len() < SPARSE_ROWS => {
            into.iter_mut().zip(rows).for_each(|(code, row)| *code = codes.code_at(*row));
            &into[..rows.len()]
        }
        InBlock::Some(rows) => {
            let mut decoded = [0; BLOCK_ROWS];
            decode_codes(codes, block.number, &mut decoded);
            for (code, row) in into.iter_mut().zip(rows) {
                *code = decoded[*row as usize % BLOCK_ROWS];
            }
            &into[..rows.len()]
        }
    }
}

/// Blocks of codes are shorter than those of vectors.
fn decode_codes(codes: &CodesIndex, block: usize, into: &mut [u32; BLOCK_ROWS]) {
    const PARTS: usize = BLOCK_ROWS / CODES_BLOCK_ROWS;
    for (part, into) in
        (block * PARTS..codes.blocks()).zip(into.as_chunks_mut::<CODES_BLOCK_ROWS>().0)
    {
        codes.decode_block(part, into);
    }
}

fn gather_keys<'a>(
    vector: &VectorIndex,
    block: Block<'_>,
    into: &'a mut [i64; BLOCK_ROWS],
) -> &'a [i64] {
    match block.rows {
        InBlock::All => {
            vector.decode_block(block.number, into);
            &into[..block.len()]
        }
        InBlock::Some(rows) if rows.len() < SPARSE_ROWS => {
            into.iter_mut().zip(rows).for_each(|(key, row)| *key = vector.key_at(*row));
            &into[..rows.len()]
        }
        InBlock::Some(rows) => {
            let mut decoded = [0; BLOCK_ROWS];
            vector.decode_block(block.number, &mut decoded);
            for (key, row) in into.iter_mut().zip(rows) {
                *key = decoded[*row as usize % BLOCK_ROWS];
            }
            &into[..rows.len()]
        }
    }
}

/// The keys of a vector that lie close together, each as how far it is above the first.
pub(super) struct Span<'a> {
    vector: &'a VectorIndex,
    first: i64,
    /// How many keys there can be; null comes behind them.
    keys: u32,
}

impl<'a> Span<'a> {
    /// `None` for other columns, and where a key may be too far above the first.
    pub(super) fn of(column: &KeyColumn<'a>) -> Option<Self> {
        let KeyColumn::Vector(vector) = column else { return None };
        let (first, last) = vector.bounds().unwrap_or((0, 0));
        let above = u32::try_from(last.abs_diff(first)).ok()?;
        (above < SPAN_MAX).then(|| Self { vector, first, keys: above + 1 })
    }

    /// How many groups it makes, null's among them.
    pub(super) const fn groups(&self) -> u32 {
        self.keys + 1
    }

    /// The key of a group; `None` is null.
    pub(super) fn key(&self, group: u32) -> Option<i64> {
        (group < self.keys).then(|| self.first.wrapping_add(i64::from(group)))
    }

    pub(super) fn gather<'b>(
        &self,
        block: Block<'_>,
        into: &'b mut [u32; BLOCK_ROWS],
    ) -> &'b [u32] {
        let mut keys = [0; BLOCK_ROWS];
        let keys = gather_keys(self.vector, block, &mut keys);
        let gathered = &mut into[..keys.len()];
        // Within the span, but under a null or in a block whose bounds are damaged.
        let behind = u64::from(self.keys);
        let above = gathered.iter_mut().zip(keys);
        above.for_each(|(above, key)| {
            *above = key.wrapping_sub(self.first).cast_unsigned().min(behind) as u32;
        });
        number_nulls(self.vector, block, self.keys, gathered);
        gathered
    }
}

/// Sets the numbers of null rows among the selected rows of a block.
fn number_nulls(vector: &VectorIndex, block: Block<'_>, null: u32, numbers: &mut [u32]) {
    if vector.null_count() > 0 {
        let mut is_null = [false; BLOCK_ROWS];
        flag_nulls(vector, block, &mut is_null);
        let nulls = numbers.iter_mut().zip(&is_null).filter(|(_, is_null)| **is_null);
        nulls.for_each(|(number, _)| *number = null);
    }
}

fn gather_key_numbers<'a>(
    vector: &VectorIndex,
    numbers: &KeyNumbers,
    block: Block<'_>,
    into: &'a mut [u32; BLOCK_ROWS],
) -> &'a [u32] {
    let mut keys = [0; BLOCK_ROWS];
    let keys = gather_keys(vector, block, &mut keys);
    let gathered = &mut into[..keys.len()];
    numbers.number_all(keys, gathered);
    number_nulls(vector, block, numbers.groups(), gathered);
    gathered
}

/// Flags the nulls among the selected rows of a block.
fn flag_nulls(vector: &VectorIndex, block: Block<'_>, is_null: &mut [bool; BLOCK_ROWS]) {
    is_null[..block.len()].fill(false);
    if vector.null_count() == 0 {
        return;
    }
    let nulls = vector.null_bitmap();
    match block.rows {
        InBlock::All => each_in(nulls, block, |at| is_null[at] = true),
        InBlock::Some(rows) => {
            let mut of_block = [false; BLOCK_ROWS];
            each_in(nulls, block, |at| of_block[at] = true);
            for (flag, row) in is_null.iter_mut().zip(rows) {
                *flag = of_block[*row as usize % BLOCK_ROWS];
            }
        }
    }
}

fn each_in(bitmap: &RoaringBitmap, block: Block<'_>, mut with: impl FnMut(usize)) {
    let first = block.first_row();
    // Rows of a segment are numbered in 32 bits.
    let rows: Range<u32> = first as u32..(first + BLOCK_ROWS) as u32;
    bitmap.range(rows).for_each(|row| with((row as usize - first) % BLOCK_ROWS));
}
