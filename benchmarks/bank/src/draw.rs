//! Chance, addressed by (seed, purpose, index): the same address gives the same numbers
//! whoever asks, in whatever order. Holds no state beside the one stream it was made for.
//!
//! The stream is SplitMix64 (Steele, Lea, Flood 2014), started at a mixed address: a row costs
//! a few multiplications, where a block cipher per row would cost more than writing the row.

use rand::RngCore;
use rand_distr::{Distribution, StandardNormal};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a stream is for; streams of different purposes are independent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    OutletSize = 1,
    CustomerOutlet,
    Activity,
    Person,
    Accounts,
    Transactions,
    Cards,
    Loans,
    Contacts,
    Responses,
    Principals,
}

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Draw {
    /// The stream at this address.
    pub(crate) const fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let kind = mix(seed.wrapping_add((purpose as u64).wrapping_mul(GOLDEN)));
        Self(mix(kind ^ index.wrapping_mul(GOLDEN)))
    }

    /// A number below `bound` (0 for a bound of 0).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into `length` things.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One of them; the slice must not be empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.index(from.len())]
    }

    /// Happens `per_mille` times in a thousand.
    pub(crate) fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A log-normal amount in cents, at least one cent: `median` cents, `sigma` in logarithms.
    pub(crate) fn cents(&mut self, median: f64, sigma: f64) -> i64 {
        let z: f64 = StandardNormal.sample(self);
        // Far below i64: 10^15 cents, so that sums over a bank stay exact in 18 digits.
        ((median * (sigma * z).exp()) as i64).clamp(1, 1_000_000_000_000_000)
    }
}

impl RngCore for Draw {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// A choice between things of unequal weight.
#[derive(Debug, Clone)]
pub(crate) struct Skew {
    cumulated: Vec<u64>,
}

impl Skew {
    /// Weights in any unit; the sum must be above zero.
    pub(crate) fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let running = |sum: &mut u64, weight: u64| {
            *sum += weight;
            Some(*sum)
        };
        Self { cumulated: weights.into_iter().scan(0, running).collect() }
    }

    /// Picks an index.
    pub(crate) fn pick(&self, draw: &mut Draw) -> usize {
        let at = draw.below(self.cumulated.last().copied().unwrap_or(0));
        self.cumulated.partition_point(|end| *end <= at)
    }
}

/// A permutation of 0..10^`digits` that leaves no order to see: `index` must be below 10^digits.
pub(crate) const fn scrambled(index: u64, digits: u32) -> u64 {
    // Multiplying by a number that ends in 1, 3, 7 or 9 permutes the residues of a power of ten.
    let modulus = 10_u128.pow(digits);
    ((index as u128 * 618_033_988_749_897 + 271_828_182_845) % modulus) as u64
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
