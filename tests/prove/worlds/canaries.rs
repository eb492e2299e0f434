//! What must never leave: texts, numbers and whole values that stand in hidden cells only.
//!
//! Every hidden text begins alike and ends in letters of its own, so that one search finds all of
//! them and the finding tells which cell it was. Numbers have four bytes that no visible number
//! has; of what consists of digits only, the whole raw value is kept.

use std::collections::HashSet;

/// How every hidden text begins. Letters only, so that it fits into names and addresses.
pub const MARK: &str = "Zqkanari";

/// The upper half of every hidden number of 64 bits; small enough for eighteen digits.
pub const NUMBER_MARK: u32 = 0x0CA7_A21E;

/// Digits that a raw value has at least to be kept.
pub(crate) const DIGITS_MIN: usize = 11;

/// Digits that a raw value has at most.
pub(crate) const DIGITS_MAX: usize = 19;

/// Makes canaries, and knows those that cannot be told by their beginning.
#[derive(Debug, Default)]
pub struct Canaries {
    made: u64,
    digits: HashSet<Vec<u8>>,
}

impl Canaries {
    /// Canaries that no other number's makes.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        Self { made: number << 32, digits: HashSet::new() }
    }

    /// A text that occurs nowhere else.
    pub fn text(&mut self) -> String {
        self.made += 1;
        let letters = (0..12).map(|at| {
            let nibble = (self.made >> (4 * at)) & 15;
            char::from(b'a' + u8::try_from(nibble).unwrap_or(0))
        });
        MARK.chars().chain(letters).collect()
    }

    /// A number that other canaries hardly make.
    pub fn number(&mut self) -> i64 {
        self.made += 1;
        // Which canaries these are stands above the 32 bits that there are room for.
        let spread = (self.made >> 32).wrapping_mul(0x9E37_79B9).wrapping_add(self.made);
        i64::from(NUMBER_MARK) << 32 | i64::try_from(spread & 0xFFFF_FFFF).unwrap_or(0)
    }

    /// Keeps a raw value of digits.
    pub fn digits(&mut self, raw: String) -> String {
        let run: Vec<u8> = raw.bytes().take_while(u8::is_ascii_digit).collect();
        if (DIGITS_MIN..=DIGITS_MAX).contains(&run.len()) {
            self.digits.insert(run);
        }
        raw
    }

    /// The raw values of digits only.
    #[must_use]
    pub const fn all_digits(&self) -> &HashSet<Vec<u8>> {
        &self.digits
    }
}
