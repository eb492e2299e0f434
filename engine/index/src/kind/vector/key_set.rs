//! A set of keys to test millions of rows against: what a semi-join hands to a vector.
//!
//! Made once and asked by every segment. Dense sets are a bit per key of their span, others a
//! hash; either way the keys are also kept sorted, so that a block is settled by its bounds.

use std::collections::HashSet;

use foldhash::fast::RandomState;

/// A span of up to so many bits per key is kept as bits: half the bytes of a hash table's entry.
const SPAN_PER_KEY_MAX: u64 = 64;

/// A span of up to so many bits, 128 KiB of them, is kept as bits however few the keys are.
const SPAN_ALWAYS: u64 = 1 << 20;

/// A set of keys; see [`super::VectorIndex::key_of`].
#[derive(Debug, Clone)]
pub struct KeySet {
    sorted: Vec<i64>,
    members: Members,
}

#[derive(Debug, Clone)]
enum Members {
    /// One bit per key from the lowest on.
    Bits(Vec<u64>),
    Hash(HashSet<i64, RandomState>),
}

impl KeySet {
    /// The set of these keys, in any order and with repeats.
    #[must_use]
    pub fn new(mut keys: Vec<i64>) -> Self {
        let first = keys.iter().copied().min().unwrap_or(0);
        let span = keys.iter().copied().max().map_or(0, |last| last.abs_diff(first));
        if span < SPAN_ALWAYS || span / SPAN_PER_KEY_MAX < keys.len() as u64 {
            let words = bits(&keys, first, span);
            return Self { sorted: keys_of(&words, first), members: Members::Bits(words) };
        }
        keys.sort_unstable();
        keys.dedup();
        let members = Members::Hash(keys.iter().copied().collect());
        Self { sorted: keys, members }
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The keys, ascending.
    #[must_use]
    pub fn keys(&self) -> &[i64] {
        &self.sorted
    }

    /// Whether the key is one of them.
    #[must_use]
    pub fn contains(&self, key: i64) -> bool {
        match &self.members {
            Members::Bits(words) => {
                let Some(first) = self.sorted.first() else { return false };
                is_set(words, key.wrapping_sub(*first).cast_unsigned())
            }
            Members::Hash(keys) => keys.contains(&key),
        }
    }

    /// The keys from `lowest` to `highest`.
    pub(in crate::kind) fn within(&self, lowest: i64, highest: i64) -> &[i64] {
        let start = self.sorted.partition_point(|key| *key < lowest);
        let rest = &self.sorted[start..];
        &rest[..rest.partition_point(|key| *key <= highest)]
    }
}

fn bits(keys: &[i64], first: i64, span: u64) -> Vec<u64> {
    // Below 2^20 or 64 bits per key held in memory.
    let mut words = vec![0_u64; (span / 64) as usize + 1];
    for key in keys {
        let bit = key.wrapping_sub(first).cast_unsigned();
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    words
}

/// The keys whose bits are set, ascending: cheaper than to sort them.
fn keys_of(words: &[u64], first: i64) -> Vec<i64> {
    let count: usize = words.iter().map(|word| word.count_ones() as usize).sum();
    let mut keys = Vec::with_capacity(count);
    for (at, word) in (0_u64..).zip(words) {
        let mut rest = *word;
        while rest != 0 {
            let bit = at * 64 + u64::from(rest.trailing_zeros());
            keys.push(first.wrapping_add(bit.cast_signed()));
            rest &= rest - 1;
        }
    }
    keys
}

/// A key below the first wraps to a bit far behind the last.
fn is_set(words: &[u64], bit: u64) -> bool {
    usize::try_from(bit / 64)
        .ok()
        .and_then(|word| words.get(word))
        .is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

impl FromIterator<i64> for KeySet {
    fn from_iter<I: IntoIterator<Item = i64>>(keys: I) -> Self {
        Self::new(keys.into_iter().collect())
    }
}
