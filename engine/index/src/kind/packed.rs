//! One number out of 128 that were packed together, without unpacking the others.
//!
//! The layout is that of the crate `bitpacking`, which has no such access of its own.

/// One of 128 packed numbers of 1 to 32 bits, without unpacking the others: number `i` lies in
/// lane `i % 4`, whose words stand every four words.
pub(super) fn unpack_one(packed: &[u8], width: u8, position: usize) -> u32 {
    PackedPlace::of(width, position).number(packed.as_chunks::<4>().0)
}

/// Where one of 128 packed numbers of 1 to 32 bits lies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PackedPlace {
    /// The word that it begins in, counted from where the 128 begin.
    pub(super) word: u32,
    shift: u8,
    width: u8,
}

impl PackedPlace {
    pub(super) const fn of(width: u8, position: usize) -> Self {
        let first_bit = position / 4 * width as usize;
        // Of 128 numbers of 32 bits: below 128 words, and below 32 bits.
        let (word, shift) = (first_bit / 32 * 4 + position % 4, first_bit % 32);
        Self { word: word as u32, shift: shift as u8, width }
    }

    /// The same place, counted from so many words before.
    pub(super) const fn behind(self, words: usize) -> Self {
        // A section's words are counted in 32 bits: its bytes are.
        Self { word: self.word + words as u32, ..self }
    }

    /// Whether the number has no bits, and so is 0.
    pub(super) const fn is_nowhere(self) -> bool {
        self.width == 0
    }

    /// The number, of the words in which it lies.
    pub(super) fn number(self, words: &[[u8; 4]]) -> u32 {
        let low = u64::from(u32::from_le_bytes(words[self.word as usize]));
        let is_split = self.shift + self.width > 32;
        let high = if is_split { words[self.word as usize + 4] } else { [0; 4] };
        let high = u64::from(u32::from_le_bytes(high));
        let mask = u64::MAX >> (64 - u32::from(self.width));
        // Masked to at most 32 bits.
        (((high << 32 | low) >> self.shift) & mask) as u32
    }
}
