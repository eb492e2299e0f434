//! The rows of one window of a segment, one bit each.
//!
//! A window is what one container of a roaring bitmap covers, so that stored bitmaps are joined
//! without being unpacked first, and what fits the processor's nearest cache. Bits behind the
//! segment's last row may have any value; whoever makes rows of them cuts those off.

/// Rows of a window.
pub(crate) const WINDOW_ROWS: u32 = 1 << 16;

/// Words of a window.
pub(crate) const WINDOW_WORDS: usize = WINDOW_ROWS as usize / WORD_ROWS;

/// Rows of a word.
pub(crate) const WORD_ROWS: usize = u64::BITS as usize;

/// One bit per row, the lowest first.
#[derive(Clone)]
pub(crate) struct Bits([u64; WINDOW_WORDS]);

impl Bits {
    pub(crate) fn none() -> Box<Self> {
        Box::new(Self([0; WINDOW_WORDS]))
    }

    pub(crate) const fn words(&self) -> &[u64; WINDOW_WORDS] {
        &self.0
    }

    pub(crate) const fn words_mut(&mut self) -> &mut [u64; WINDOW_WORDS] {
        &mut self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Keeps the bits that the other has too; whether any is left.
    pub(crate) fn and(&mut self, other: &Self) -> bool {
        let mut any = 0;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
            any |= *word;
        }
        any != 0
    }

    /// Keeps the bits that the other has not; whether any is left.
    pub(crate) fn minus(&mut self, other: &Self) -> bool {
        let mut any = 0;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
            any |= *word;
        }
        any != 0
    }

    pub(crate) fn invert(&mut self) {
        self.0.iter_mut().for_each(|word| *word = !*word);
    }

    pub(crate) fn set(&mut self, row: u16) {
        self.0[usize::from(row) / WORD_ROWS] |= 1 << (usize::from(row) % WORD_ROWS);
    }

    /// Sets every bit from the first to the last.
    pub(crate) fn set_from_to(&mut self, first: u16, last: u16) {
        let (from, to) = (usize::from(first), usize::from(last));
        let words = from / WORD_ROWS..=to / WORD_ROWS;
        let above = u64::MAX << (from % WORD_ROWS);
        let below = u64::MAX >> (WORD_ROWS - 1 - to % WORD_ROWS);
        if from > to {
            return;
        }
        if words.start() == words.end() {
            self.0[*words.start()] |= above & below;
            return;
        }
        self.0[*words.start()] |= above;
        self.0[words.start() + 1..*words.end()].fill(u64::MAX);
        self.0[*words.end()] |= below;
    }
}

#[cfg(test)]
#[path = "bits_tests.rs"]
mod tests;
