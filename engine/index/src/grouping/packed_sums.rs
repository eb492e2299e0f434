//! Count and sum of a group in one number, so that a row is one addition.
//!
//! The distance of a key above the column's lowest goes into the low bits, a one into the bits
//! above them. Before either could overflow, both are settled into wide totals. Only for so few
//! slots that settling costs nothing beside the rows between two of them.

/// Slots up to which settling is cheap.
const ENTRIES_MAX: usize = 4_096;

/// Rows between two settlings, as a power of two: at most, so that a segment has a few; and at
/// least, so that there are many rows to each settling.
const ROWS_BITS: std::ops::RangeInclusive<u32> = 14..=17;

/// Counts and sums by entry.
pub(super) struct PackedSums {
    lowest: i64,
    /// Bits of the sums; the counts stand above.
    sum_bits: u32,
    rows_max: usize,
    rows: usize,
    packed: Vec<u64>,
    counts: Vec<u64>,
    sums: Vec<i128>,
}

impl PackedSums {
    /// For keys within these bounds and so many entries; `None` if numbers would not do, or
    /// settling would cost too much.
    pub(super) fn of(lowest: i64, highest: i64, entries: usize) -> Option<Self> {
        if lowest > highest || entries > ENTRIES_MAX {
            return None;
        }
        let range_bits = u64::BITS - highest.abs_diff(lowest).leading_zeros();
        // As many bits for the rows in the sum as in the count, which needs one more.
        let rows_bits = ((u64::BITS - 1).saturating_sub(range_bits) / 2).min(*ROWS_BITS.end());
        ROWS_BITS.contains(&rows_bits).then(|| Self {
            lowest,
            sum_bits: range_bits + rows_bits,
            rows_max: 1 << rows_bits,
            rows: 0,
            packed: vec![0; entries],
            counts: vec![0; entries],
            sums: vec![0; entries],
        })
    }

    /// Adds a key to each of these entries; at most a block of them.
    pub(super) fn add(&mut self, entries: &[u32], keys: &[i64]) {
        if self.rows + keys.len() > self.rows_max {
            self.settle();
        }
        self.rows += keys.len();
        let one = 1_u64 << self.sum_bits;
        for (entry, key) in entries.iter().zip(keys) {
            // Not below zero: no key is below the lowest.
            let above = key.wrapping_sub(self.lowest).cast_unsigned();
            self.packed[*entry as usize] += one + above;
        }
    }

    fn settle(&mut self) {
        let of_sum = (1_u64 << self.sum_bits) - 1;
        let totals = self.counts.iter_mut().zip(&mut self.sums);
        for (packed, (count, sum)) in self.packed.iter_mut().zip(totals) {
            let rows = *packed >> self.sum_bits;
            *count += rows;
            *sum += i128::from(*packed & of_sum) + i128::from(rows) * i128::from(self.lowest);
            *packed = 0;
        }
        self.rows = 0;
    }

    /// The counts and the sums.
    pub(super) fn finish(mut self) -> (Vec<u64>, Vec<i128>) {
        self.settle();
        (self.counts, self.sums)
    }
}

#[cfg(test)]
#[path = "packed_sums_tests.rs"]
mod tests;
