//! A set of rows as one bit each: what the rows of pairs are joined and intersected in.
//!
//! A pair may have half of all rows, and a pattern a score of pairs; to set a bit costs less
//! than to keep lists of numbers in order.

use martlet_core::Selection;
use roaring::RoaringBitmap;

/// Rows below a number.
pub(super) struct Flags {
    words: Vec<u64>,
    /// The rows, where none was added twice by [`Flags::set`].
    pub(super) count: u32,
}

impl Flags {
    pub(super) fn new(rows: u32) -> Self {
        Self { words: vec![0; (rows as usize).div_ceil(64)], count: 0 }
    }

    /// All rows but these.
    pub(super) fn all_but(rows: u32, others: &Selection) -> Self {
        let mut words = vec![u64::MAX; (rows as usize).div_ceil(64)];
        if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(64)) {
            *last = (1 << (rows % 64)) - 1;
        }
        let mut all = Self { words, count: rows };
        others.iter().for_each(|row| all.unset(row));
        all
    }

    /// Adds a row; one that is not there is left out.
    pub(super) fn set(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
            self.count += 1;
        }
    }

    /// Takes a row out.
    pub(super) fn unset(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            let was_there = *word >> (row % 64) & 1;
            *word &= !(1 << (row % 64));
            // One bit.
            self.count -= was_there as u32;
        }
    }

    /// Adds the rows that the other has; both are over the same rows.
    pub(super) fn add(&mut self, other: &Self) {
        self.count = 0;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
            self.count += word.count_ones();
        }
    }

    /// Adds a row if the other has it; both are over the same rows.
    pub(super) fn set_where(&mut self, row: u32, other: &Self) {
        let at = row as usize / 64;
        if let (Some(word), Some(other)) = (self.words.get_mut(at), other.words.get(at)) {
            let is_there = other >> (row % 64) & 1;
            *word |= is_there << (row % 64);
            // One bit.
            self.count += is_there as u32;
        }
    }

    /// Drops the rows that the other does not have; both are over the same rows.
    pub(super) fn retain(&mut self, other: &Self) {
        self.count = 0;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
            self.count += word.count_ones();
        }
    }

    pub(super) fn selection(&self, rows: u32) -> Selection {
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Selection::from_bitmap(rows, RoaringBitmap::from_lsb0_bytes(0, &bytes))
    }
}
