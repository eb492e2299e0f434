//! Which codes of a segment stand for values that other segments may have as well.
//!
//! Told from hashes of the dictionaries: never too few codes, so that what is not among them is
//! surely in one segment alone. Never reads a row.

use std::collections::HashSet;

use foldhash::fast::{FixedState, RandomState};

use crate::kind::codes::CodesIndex;

/// The codes of one segment whose values may occur in other segments too: never too few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedCodes {
    words: Vec<u64>,
}

impl SharedCodes {
    /// The bits of 64 codes.
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Whether the value of a code may occur in other segments too. Null has no code here.
    #[must_use]
    pub fn contains(&self, code: u32) -> bool {
        self.word(code as usize / 64) >> (code % 64) & 1 == 1
    }
}

/// A number for each value of the dictionary, in order: the same value has the same number in
/// every segment.
#[must_use]
pub fn value_numbers(codes: &CodesIndex) -> Vec<u64> {
    let hasher = FixedState::with_seed(0x6d61_7274);
    codes.dictionary().hashes(&hasher)
}

/// For each segment, given the numbers of its values, the codes that others may have too.
#[must_use]
pub fn shared_codes(segments: &[Vec<u64>]) -> Vec<SharedCodes> {
    let mut all: Vec<u64> = segments.iter().flatten().copied().collect();
    all.sort_unstable();
    let repeated: HashSet<u64, RandomState> =
        all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    drop(all);
    let of_segment = |numbers: &Vec<u64>| {
        let mut words = vec![0_u64; numbers.len().div_ceil(64)];
        for (code, _) in numbers.iter().enumerate().filter(|(_, number)| repeated.contains(*number))
        {
            words[code / 64] |= 1 << (code % 64);
        }
        SharedCodes { words }
    };
    segments.iter().map(of_segment).collect()
}
