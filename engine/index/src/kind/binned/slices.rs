//! Codes of rows as plain bit slices: window by window one run of words per binary digit.
//!
//! Owns where a word lies and how codes are compared, 64 rows at a time. Words are read where
//! they lie, aligned or not. Never knows what a code stands for.

use std::ops::Range;

use bytes::Bytes;

/// Rows whose slices lie together.
pub const WINDOW_ROWS: usize = 1 << 16;

/// Words that a window's rows take.
pub const WINDOW_WORDS: usize = WINDOW_ROWS / WORD_ROWS;

/// Rows of one word: the lowest bit is the first of them.
pub(super) const WORD_ROWS: usize = 64;

/// A window's words are a multiple of these, so that a slice is compared in whole vectors.
const WORDS_TOGETHER: usize = 8;

/// Words compared at a time: those of all digits stay in the first-level cache.
const BLOCK_WORDS: usize = 64;

const _: () = assert!(WINDOW_WORDS.is_multiple_of(BLOCK_WORDS));

/// A little-endian word where it lies.
type StoredWord = [u8; 8];

/// The slices of a segment's rows, of so many binary digits.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    rows: u32,
    digits: u32,
    bytes: Bytes,
}

/// Where a window's slices lie among the bytes of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Rows of the window.
    pub(super) rows: usize,
    /// Words of each slice of it.
    pub(super) words: usize,
    /// The byte with which the first slice begins.
    pub(super) start: usize,
}

impl Place {
    pub(super) const fn of(rows: u32, digits: u32, window: usize) -> Self {
        let before = window * WINDOW_ROWS;
        let rest = (rows as usize).saturating_sub(before);
        let rows = if rest < WINDOW_ROWS { rest } else { WINDOW_ROWS };
        let words = rows.div_ceil(WORD_ROWS).next_multiple_of(WORDS_TOGETHER);
        let start = before / WORD_ROWS * digits as usize * size_of::<StoredWord>();
        Self { rows, words, start }
    }

    /// The byte with which a word of a slice begins.
    pub(super) const fn word(&self, digit: u32, word: usize) -> usize {
        self.start + (digit as usize * self.words + word) * size_of::<StoredWord>()
    }
}

/// Windows of so many rows.
pub(super) const fn windows(rows: u32) -> usize {
    (rows as usize).div_ceil(WINDOW_ROWS)
}

/// Bytes that the slices of so many rows take.
pub(super) const fn stored_bytes(rows: u32, digits: u32) -> usize {
    match windows(rows).checked_sub(1) {
        Some(last) => Place::of(rows, digits, last).word(digits, 0),
        None => 0,
    }
}

impl Slices {
    /// `bytes` are as many as [`stored_bytes`] tells.
    pub(super) const fn new(rows: u32, digits: u32, bytes: Bytes) -> Self {
        Self { rows, digits, bytes }
    }

    pub(super) const fn rows(&self) -> u32 {
        self.rows
    }

    /// The least code that has more digits than there are.
    const fn end(&self) -> u32 {
        1 << self.digits
    }

    /// Sets the bits of a window's rows whose code is in one of the ranges, which ascend and are
    /// disjoint, and clears all others.
    ///
    /// A set of ranges holds a code if an odd number of their ends is not above it.
    pub(super) fn rows_in(
        &self,
        window: usize,
        codes: &[Range<u32>],
        into: &mut [u64; WINDOW_WORDS],
    ) {
        into.fill(0);
        let place = Place::of(self.rows, self.digits, window);
        let ends: Vec<u32> = codes
            .iter()
            .filter(|codes| codes.start < codes.end)
            .flat_map(|codes| [codes.start, codes.end])
            .collect();
        let slices: Vec<&[StoredWord]> =
            (0..self.digits).map(|digit| self.slice(place, digit)).collect();
        for (block, into) in into[..place.words].chunks_mut(BLOCK_WORDS).enumerate() {
            let words = block * BLOCK_WORDS..block * BLOCK_WORDS + into.len();
            for end in ends.iter().filter(|end| **end < self.end()) {
                flip_at_least(&slices, *end, words.clone(), into);
            }
        }
        clear_from(place.rows, &mut into[..place.words]);
    }

    /// How many rows have a one at the digit, with what may stand behind the last row.
    pub(super) fn ones(&self, digit: u32) -> u64 {
        let places = (0..windows(self.rows)).map(|w| Place::of(self.rows, self.digits, w));
        let of_place = |place: Place| -> u64 {
            let words = self.slice(place, digit).iter().map(|word| u64::from_le_bytes(*word));
            words.map(|word| u64::from(word.count_ones())).sum()
        };
        places.map(of_place).sum()
    }

    /// How many rows have a code in the range.
    pub(super) fn count(&self, codes: Range<u32>) -> u64 {
        let mut rows = [0; WINDOW_WORDS];
        let mut of_window = |window| -> u64 {
            self.rows_in(window, std::slice::from_ref(&codes), &mut rows);
            rows.iter().map(|word| u64::from(word.count_ones())).sum()
        };
        (0..windows(self.rows)).map(&mut of_window).sum()
    }

    fn slice(&self, place: Place, digit: u32) -> &[StoredWord] {
        self.bytes[place.word(digit, 0)..place.word(digit, place.words)].as_chunks().0
    }
}

/// Flips the bits of the rows whose code is not below this one: where the code has a one the
/// digit must be one, where it has a zero it suffices, the lowest digits counting least. Digits
/// below the code's lowest one say nothing.
fn flip_at_least(slices: &[&[StoredWord]], code: u32, words: Range<usize>, into: &mut [u64]) {
    let lowest = code.trailing_zeros() as usize;
    let mut at_least = [u64::MAX; BLOCK_WORDS];
    for (digit, slice) in slices.iter().enumerate().skip(lowest) {
        let words = slice[words.clone()].iter().map(|word| u64::from_le_bytes(*word));
        if code >> digit & 1 == 1 {
            at_least.iter_mut().zip(words).for_each(|(at_least, word)| *at_least &= word);
        } else {
            at_least.iter_mut().zip(words).for_each(|(at_least, word)| *at_least |= word);
        }
    }
    into.iter_mut().zip(&at_least).for_each(|(into, at_least)| *into ^= at_least);
}

/// Clears the bits from a row on.
fn clear_from(row: usize, words: &mut [u64]) {
    let (word, bit) = (row / WORD_ROWS, row % WORD_ROWS);
    if let Some((first, others)) = words.get_mut(word..).and_then(<[u64]>::split_first_mut) {
        *first &= (1 << bit) - 1;
        others.fill(0);
    }
}

#[cfg(test)]
#[path = "slices_tests.rs"]
mod tests;
