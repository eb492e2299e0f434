//! Keys per row to bins and slices: bounds from a sample, then one pass over the keys.

use martlet_core::ColumnType;

use super::boundaries::{BINS_MAX, boundaries};
use super::format::{self, BinTable, digits};
use super::slices::{Place, WINDOW_ROWS, WORD_ROWS, stored_bytes, windows};
use crate::kind::flags::{PER_BYTE, gathered};
use crate::kind::vector::{VectorForm, keys_of};
use crate::values::ColumnKeys;

/// Keys from which the boundaries are chosen, beside the lowest and the highest.
const SAMPLE: usize = 4_096;

/// The section of a column; `None` if its values are not numbers of 64 bits.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    if column_type == ColumnType::Text {
        return None;
    }
    let (form, keys) = keys_of(column_type, column)?;
    let rows = u32::try_from(keys.len()).ok()?;
    let present = column.presence();
    let (bins, area) = binned(&form, rows, &keys, &present);
    format::write(&form, rows, &bins, &area)
}

fn binned(form: &VectorForm, rows: u32, keys: &[i64], present: &[u64]) -> (BinTable, Vec<u8>) {
    let sample = sample(keys, present);
    let ranks = Ranks::new(&boundaries(form, &sample));
    let bins = if sample.is_empty() { 0 } else { ranks.boundaries + 1 };
    let digits = digits(bins);
    let mut area = vec![0; stored_bytes(rows, digits)];
    let mut tally = Tally::default();
    let mut codes = [0; WORD_ROWS];
    for window in 0..windows(rows) {
        let place = Place::of(rows, digits, window);
        let first_word = window * WINDOW_ROWS / WORD_ROWS;
        let of_window = keys[window * WINDOW_ROWS..][..place.rows].chunks(WORD_ROWS);
        for (word, keys) in of_window.enumerate() {
            ranks.codes(keys, present[first_word + word], &mut codes);
            tally.add(keys, &codes);
            for digit in 0..digits {
                let at = place.word(digit, word);
                area[at..at + WORD_ROWS / PER_BYTE].copy_from_slice(&slice_of(&codes, digit));
            }
        }
    }
    (tally.bins(bins), area)
}

/// A sorted sample of the keys of rows that are not null: spread evenly over them, with the
/// lowest and the highest.
fn sample(keys: &[i64], present: &[u64]) -> Vec<i64> {
    let count: usize = present.iter().map(|word| word.count_ones() as usize).sum();
    let Some((lowest, highest)) = extremes(keys, present) else { return Vec::new() };
    let mut sample = vec![lowest, highest];
    let taken = count.min(SAMPLE);
    let (mut next, mut before) = (0, 0);
    for (word, bits) in present.iter().enumerate() {
        let end = before + bits.count_ones() as usize;
        while next < taken && next * count / taken < end {
            let row = word * WORD_ROWS + nth_one(*bits, next * count / taken - before);
            sample.push(keys[row]);
            next += 1;
        }
        before = end;
    }
    sample.sort_unstable();
    sample
}

/// The position of a one with so many below it.
fn nth_one(mut bits: u64, n: usize) -> usize {
    for _ in 0..n {
        bits &= bits - 1;
    }
    bits.trailing_zeros() as usize
}

/// The lowest and the highest key of the rows that are not null.
fn extremes(keys: &[i64], present: &[u64]) -> Option<(i64, i64)> {
    let (mut lowest, mut highest) = (i64::MAX, i64::MIN);
    for (keys, bits) in keys.chunks(WORD_ROWS).zip(present) {
        let is_whole = bits.count_ones() as usize == keys.len();
        let mut add = |key: i64| (lowest, highest) = (lowest.min(key), highest.max(key));
        if is_whole {
            keys.iter().for_each(|key| add(*key));
        } else {
            let rows = keys.iter().enumerate().filter(|(row, _)| bits >> row & 1 == 1);
            rows.for_each(|(_, key)| add(*key));
        }
    }
    (lowest <= highest).then_some((lowest, highest))
}

/// One digit of 64 codes.
fn slice_of(codes: &[u8; WORD_ROWS], digit: u32) -> [u8; WORD_ROWS / PER_BYTE] {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    let mut slice = [0; WORD_ROWS / PER_BYTE];
    for (byte, codes) in slice.iter_mut().zip(codes.as_chunks::<PER_BYTE>().0) {
        *byte = gathered((u64::from_le_bytes(*codes) >> digit & LOWEST).to_le_bytes());
    }
    slice
}

/// How many boundaries are not above a key, found without a branch.
struct Ranks {
    /// The boundaries, and behind them the highest key.
    table: [i64; BINS_MAX + 1],
    boundaries: usize,
}

impl Ranks {
    fn new(boundaries: &[i64]) -> Self {
        let mut table = [i64::MAX; BINS_MAX + 1];
        table.iter_mut().zip(boundaries).for_each(|(place, boundary)| *place = *boundary);
        Self { table, boundaries: boundaries.len().min(BINS_MAX) }
    }

    /// The codes of up to 64 keys; 0 where there is none.
    fn codes(&self, keys: &[i64], present: u64, codes: &mut [u8; WORD_ROWS]) {
        match digits(self.boundaries) {
            ..=4 => self.codes_by::<4>(keys, codes),
            5 => self.codes_by::<5>(keys, codes),
            _ => self.codes_by::<6>(keys, codes),
        }
        if present != u64::MAX {
            for (row, code) in codes.iter_mut().enumerate() {
                // Of one bit.
                *code *= (present >> row & 1) as u8;
            }
        }
    }

    fn codes_by<const STEPS: u32>(&self, keys: &[i64], codes: &mut [u8; WORD_ROWS]) {
        for (code, key) in codes.iter_mut().zip(keys) {
            let mut rank = 0;
            for step in (0..STEPS).rev() {
                let before = (rank + (1 << step) - 1) % self.table.len();
                rank += usize::from(self.table[before] <= *key) << step;
            }
            // At most 62; only the highest key is not below what fills the table up.
            *code = rank.min(self.boundaries) as u8 + 1;
        }
    }
}

/// What the rows of each code are.
struct Tally {
    lowest: [i64; BINS_MAX + 1],
    highest: [i64; BINS_MAX + 1],
    counts: [u32; BINS_MAX + 1],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            lowest: [i64::MAX; BINS_MAX + 1],
            highest: [i64::MIN; BINS_MAX + 1],
            counts: [0; BINS_MAX + 1],
        }
    }
}

impl Tally {
    fn add(&mut self, keys: &[i64], codes: &[u8; WORD_ROWS]) {
        for (key, code) in keys.iter().zip(codes) {
            let code = usize::from(*code) % self.counts.len();
            self.counts[code] += 1;
            if *key < self.lowest[code] {
                self.lowest[code] = *key;
            }
            if *key > self.highest[code] {
                self.highest[code] = *key;
            }
        }
    }

    /// The table of so many bins: without null, what is arbitrary under it.
    fn bins(&self, bins: usize) -> BinTable {
        BinTable {
            lowest: self.lowest[1..=bins].to_vec(),
            highest: self.highest[1..=bins].to_vec(),
            counts: self.counts[..=bins].to_vec(),
        }
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
