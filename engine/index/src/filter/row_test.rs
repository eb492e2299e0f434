//! What is asked of the rows of a window: sets of rows, and how they are joined.
//!
//! A test is made once for a segment and answered window by window. Every set is one of rows
//! that satisfy a condition for sure or may; which, knows whoever made it.

use std::ops::Range;
use std::sync::Arc;

use martlet_core::Selection;

use super::bits::{Bits, WINDOW_ROWS, WINDOW_WORDS};
use super::packed::{self, BlockAnswer, CodesWithin, Found, KeysBetween, KeysIn};
use crate::kind::Index;
use crate::kind::bitmaps::StoredBitmap;
use crate::kind::codes::WantedCodes;
use crate::kind::vector::KeySet;

/// A set of rows of one segment.
#[derive(Clone)]
pub(super) enum RowTest {
    None,
    All,
    /// The rows of any of these bitmaps.
    Stored(Vec<StoredBitmap>),
    /// These rows, one bit each.
    Flagged(Selection),
    /// The rows in one of these bins, which are ascending and disjoint.
    InBins(Arc<Index>, Vec<Range<u32>>),
    /// The rows whose key in the vector is in the range; null may be.
    KeysBetween(Arc<Index>, Range<i128>),
    /// The rows whose key in the vector is one of the set; null may be.
    KeysIn(Arc<Index>, Arc<KeySet>),
    /// The rows that have one of these codes.
    CodesWithin(Arc<Index>, Arc<WantedCodes>),
    /// Every row that is not in the set.
    Not(Box<Self>),
    /// The rows that are in each set, of which there are two at least.
    Each(Vec<Self>),
    /// The rows that are in one of the sets, of which there are two at least.
    Any(Vec<Self>),
}

impl RowTest {
    /// These rows.
    pub(super) fn of(rows: &Selection) -> Self {
        if rows.words().is_some() {
            return Self::Flagged(rows.clone());
        }
        match rows.bitmap() {
            Some(bitmap) => Self::Stored(vec![StoredBitmap::of(bitmap)]),
            None if rows.is_none() => Self::None,
            None => Self::All,
        }
    }

    /// The rows of any of these bitmaps.
    pub(super) fn any_of(bitmaps: Vec<StoredBitmap>) -> Self {
        if bitmaps.iter().all(|bitmap| bitmap.rows() == 0) {
            Self::None
        } else {
            Self::Stored(bitmaps)
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::All => Self::None,
            Self::Not(test) => *test,
            test => Self::Not(Box::new(test)),
        }
    }

    /// The rows that are in each of the sets. What narrows most for the least stands first, for
    /// the others are then asked of fewer rows.
    pub(super) fn each(tests: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for test in tests {
            match test {
                Self::None => return Self::None,
                Self::All => {}
                Self::Each(more) => parts.extend(more),
                test => parts.push(test),
            }
        }
        parts.sort_by_cached_key(Self::cost);
        match parts.len() {
            0 => Self::All,
            1 => parts.swap_remove(0),
            _ => Self::Each(parts),
        }
    }

    /// The rows that are in any of the sets.
    pub(super) fn any(tests: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for test in tests {
            match test {
                Self::All => return Self::All,
                Self::None => {}
                Self::Any(more) => parts.extend(more),
                test => parts.push(test),
            }
        }
        match parts.len() {
            0 => Self::None,
            1 => parts.swap_remove(0),
            _ => Self::Any(parts),
        }
    }

    /// For packed numbers, with or without nulls: the blocks that their bounds leave open, and all
    /// of them.
    pub(super) fn open_blocks(&self) -> Option<(usize, usize)> {
        let open = |bounds: &dyn Fn(usize) -> BlockAnswer, all: usize| {
            let open = (0..all).filter(|block| bounds(*block) == BlockAnswer::Some).count();
            Some((open, all))
        };
        match self {
            Self::KeysBetween(index, keys) => {
                let vector = index.as_vector()?;
                open(&|block| vector.bounds_between(block, keys), vector.blocks())
            }
            Self::KeysIn(index, keys) => {
                let vector = index.as_vector()?;
                open(&|block| vector.bounds_in(block, keys), vector.blocks())
            }
            Self::CodesWithin(index, wanted) => {
                let codes = index.as_codes()?;
                open(&|block| codes.bounds_within(block, wanted), codes.blocks())
            }
            Self::Not(test) => test.open_blocks(),
            Self::Each(tests) | Self::Any(tests) => tests.iter().find_map(Self::open_blocks),
            Self::None | Self::All | Self::Stored(_) | Self::Flagged(_) | Self::InBins(..) => None,
        }
    }

    /// The order in which the parts of a conjunction are asked.
    fn cost(&self) -> Cost {
        match self {
            Self::None | Self::All => Cost::Bitmaps(0),
            Self::Stored(bitmaps) => {
                Cost::Bitmaps(bitmaps.iter().map(StoredBitmap::rows).sum::<u64>())
            }
            Self::Flagged(rows) => Cost::Bitmaps(rows.count()),
            Self::Not(test) => match test.cost() {
                // As if it left every row, which it nearly does where it is of few.
                Cost::Bitmaps(_) => Cost::Bitmaps(u64::MAX),
                walked @ (Cost::Bins | Cost::Walked) => walked,
            },
            Self::InBins(..) => Cost::Bins,
            Self::KeysBetween(..) | Self::KeysIn(..) | Self::CodesWithin(..) => Cost::Walked,
            Self::Each(tests) | Self::Any(tests) => {
                tests.iter().map(Self::cost).max().unwrap_or(Cost::Walked)
            }
        }
    }

    /// Which rows of a window are in the set. Rows that are not among `within` may be told either
    /// way, and so may those behind the segment's end.
    pub(super) fn window(
        &self,
        window: u32,
        within: Option<&Bits>,
        into: &mut Bits,
        spare: &mut Spare,
    ) -> Found {
        let first = window * WINDOW_ROWS;
        match self {
            Self::None => Found::None,
            Self::All => Found::All,
            Self::Stored(bitmaps) => stored(bitmaps, window, into),
            Self::Flagged(rows) => flagged(rows, window, into),
            Self::InBins(index, bins) => match index.as_binned() {
                Some(binned) => {
                    binned.rows_in_bins(window as usize, bins, into.words_mut());
                    Found::Some
                }
                None => Found::None,
            },
            Self::KeysBetween(index, keys) => match index.as_vector() {
                Some(vector) => {
                    let test = KeysBetween(vector, keys);
                    packed::window(&test, first, vector.rows(), within, into)
                }
                None => Found::None,
            },
            Self::KeysIn(index, keys) => match index.as_vector() {
                Some(vector) => {
                    let test = KeysIn(vector, keys);
                    packed::window(&test, first, vector.rows(), within, into)
                }
                None => Found::None,
            },
            Self::CodesWithin(index, wanted) => match index.as_codes() {
                Some(codes) => {
                    let test = CodesWithin(codes, wanted);
                    packed::window(&test, first, codes.rows(), within, into)
                }
                None => Found::None,
            },
            Self::Not(test) => match test.window(window, within, into, spare) {
                Found::None => Found::All,
                Found::All => Found::None,
                Found::Some => {
                    into.invert();
                    Found::Some
                }
            },
            Self::Each(tests) => each(tests, window, within, into, spare),
            Self::Any(tests) => any(tests, window, within, into, spare),
        }
    }
}

/// What answering costs, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    /// Bitmaps of so many rows.
    Bitmaps(u64),
    /// A few slices of bits.
    Bins,
    /// Packed numbers are walked.
    Walked,
}

/// Buffers that are not in use.
#[derive(Default)]
pub(super) struct Spare(Vec<Box<Bits>>);

impl Spare {
    pub(super) fn take(&mut self) -> Box<Bits> {
        self.0.pop().unwrap_or_else(Bits::none)
    }

    pub(super) fn give_back(&mut self, bits: Box<Bits>) {
        self.0.push(bits);
    }
}

fn stored(bitmaps: &[StoredBitmap], window: u32, into: &mut Bits) -> Found {
    let mut found = Found::None;
    for bitmap in bitmaps {
        match bitmap.rows_of_window(window) {
            0 => {}
            WINDOW_ROWS => return Found::All,
            _ if found == Found::None => {
                bitmap.copy_into(window, into);
                found = Found::Some;
            }
            _ => bitmap.or_into(window, into),
        }
    }
    found
}

fn flagged(rows: &Selection, window: u32, into: &mut Bits) -> Found {
    let windows = rows.words().map(|words| words.chunks(WINDOW_WORDS));
    let Some(words) = windows.and_then(|mut windows| windows.nth(window as usize)) else {
        return Found::None;
    };
    let (of_rows, behind) = into.words_mut().split_at_mut(words.len());
    of_rows.copy_from_slice(words);
    behind.fill(0);
    Found::Some
}

fn each(
    tests: &[RowTest],
    window: u32,
    within: Option<&Bits>,
    into: &mut Bits,
    spare: &mut Spare,
) -> Found {
    let mut found = Found::All;
    let mut other = spare.take();
    for test in tests {
        found = match found {
            Found::None => break,
            Found::All => {
                let first = test.window(window, within, into, spare);
                among(first, within, into)
            }
            Found::Some => narrowed(test, window, into, &mut other, spare),
        };
    }
    spare.give_back(other);
    found
}

/// Leaves out rows that nobody asked about, so that the next test is not asked of them.
fn among(found: Found, within: Option<&Bits>, rows: &mut Bits) -> Found {
    match (found, within) {
        (Found::Some, Some(within)) if !rows.and(within) => Found::None,
        (found, _) => found,
    }
}

/// What is left of the rows that are set when a test is asked of them.
fn narrowed(
    test: &RowTest,
    window: u32,
    rows: &mut Bits,
    other: &mut Bits,
    spare: &mut Spare,
) -> Found {
    let is_left = match test {
        // Taken away, not turned round and joined.
        RowTest::Not(taken) => match taken.window(window, Some(rows), other, spare) {
            Found::None => true,
            Found::All => false,
            Found::Some => rows.minus(other),
        },
        test => match test.window(window, Some(rows), other, spare) {
            Found::None => false,
            Found::All => true,
            Found::Some => rows.and(other),
        },
    };
    if is_left { Found::Some } else { Found::None }
}

fn any(
    tests: &[RowTest],
    window: u32,
    within: Option<&Bits>,
    into: &mut Bits,
    spare: &mut Spare,
) -> Found {
    let mut found = Found::None;
    let mut other = spare.take();
    for test in tests {
        found = match (found, test.window(window, within, &mut other, spare)) {
            (found, Found::None) => found,
            (_, Found::All) => {
                spare.give_back(other);
                return Found::All;
            }
            (Found::None, Found::Some) => {
                into.clone_from(&other);
                Found::Some
            }
            (_, Found::Some) => {
                into.or(&other);
                Found::Some
            }
        };
    }
    spare.give_back(other);
    found
}
