//! Keys with a number each, to look up for millions of rows: what a join hands to a vector.
//!
//! Made once per form and asked by every segment. Keys that lie close together are an array
//! over their span, others a hash. Knows no row; a key that is not known is a group of its own.

use std::collections::HashMap;
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use martlet_core::Selection;

use super::key_set::KeySet;
use super::reader::VectorIndex;

/// A span of up to so many numbers per key is an array: an entry of a hash takes as much.
const SPAN_PER_KEY_MAX: u64 = 8;

/// A span of up to so many numbers, 256 KiB of them, is an array however few the keys are.
const SPAN_ALWAYS: u64 = 1 << 16;

/// See the module.
#[derive(Debug)]
pub struct KeyNumbers {
    numbers: Numbers,
    keys: usize,
    groups: u32,
    /// The keys alone, once rows are selected by them.
    set: OnceLock<KeySet>,
}

#[derive(Debug)]
enum Numbers {
    /// One per key from the first on.
    Span {
        first: i64,
        of_key: Vec<u32>,
    },
    Hash(HashMap<i64, u32, RandomState>),
}

impl KeyNumbers {
    /// Each key once, with a number below `groups`.
    #[must_use]
    pub fn new(numbered: &[(i64, u32)], groups: u32) -> Self {
        let keys = || numbered.iter().map(|(key, _)| *key);
        let (first, last) = (keys().min().unwrap_or(0), keys().max().unwrap_or(0));
        let span = last.abs_diff(first);
        let is_dense = span < SPAN_ALWAYS || span / SPAN_PER_KEY_MAX < numbered.len() as u64;
        let numbers = if is_dense {
            // Below 2^16 or eight per key held in memory.
            let mut of_key = vec![groups; span as usize + 1];
            for (key, number) in numbered {
                of_key[key.wrapping_sub(first).cast_unsigned() as usize] = *number;
            }
            Numbers::Span { first, of_key }
        } else {
            Numbers::Hash(numbered.iter().copied().collect())
        };
        Self { numbers, keys: numbered.len(), groups, set: OnceLock::new() }
    }

    /// How many keys there are.
    pub(crate) const fn len(&self) -> usize {
        self.keys
    }

    /// The keys, each with its number, in any order.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (i64, u32)> + '_> {
        match &self.numbers {
            Numbers::Span { first, of_key } => {
                let numbered = (0_i64..).zip(of_key).filter(|(_, number)| **number != self.groups);
                Box::new(numbered.map(|(above, number)| (first.wrapping_add(above), *number)))
            }
            Numbers::Hash(numbers) => Box::new(numbers.iter().map(|(key, number)| (*key, *number))),
        }
    }

    /// The number of a key.
    pub(crate) fn number(&self, key: i64) -> Option<u32> {
        let mut number = [0];
        self.number_all(&[key], &mut number);
        Some(number[0]).filter(|number| *number < self.groups)
    }

    /// How many numbers there are: every key's is below, and this one stands for no key.
    #[must_use]
    pub const fn groups(&self) -> u32 {
        self.groups
    }

    /// The number of each key; [`Self::groups`] for one that has none.
    pub(crate) fn number_all(&self, keys: &[i64], into: &mut [u32]) {
        let none = self.groups;
        let pairs = into.iter_mut().zip(keys);
        match &self.numbers {
            Numbers::Span { first, of_key } => pairs.for_each(|(number, key)| {
                // A key below the first wraps to one far behind the last.
                let at = usize::try_from(key.wrapping_sub(*first).cast_unsigned());
                *number = at.ok().and_then(|at| of_key.get(at)).copied().unwrap_or(none);
            }),
            Numbers::Hash(numbers) => pairs.for_each(|(number, key)| {
                *number = numbers.get(key).copied().unwrap_or(none);
            }),
        }
    }

    /// The rows of a vector whose key has a number; null has none.
    #[must_use]
    pub fn rows(&self, vector: &VectorIndex) -> Selection {
        if self.keys == 0 {
            return Selection::none(vector.rows());
        }
        vector.rows_in(self.set.get_or_init(|| self.iter().map(|(key, _)| key).collect()))
    }

    /// Whether the keys are clearly fewer than the values that can stand in the vector, so that
    /// many of its rows must be expected to have none.
    #[must_use]
    pub fn is_sparse_in(&self, vector: &VectorIndex) -> bool {
        let Some((lowest, highest)) = vector.bounds() else { return true };
        let possible = highest.abs_diff(lowest).saturating_add(1).min(vector.rows().into());
        (self.keys as u64).saturating_mul(4) < possible.saturating_mul(3)
    }

    /// Bytes held, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        const ENTRY: usize = 2 * size_of::<(i64, u32)>();
        let numbers = match &self.numbers {
            Numbers::Span { of_key, .. } => size_of_val(of_key.as_slice()),
            Numbers::Hash(numbers) => numbers.len() * ENTRY,
        };
        numbers + self.set.get().map_or(0, |set| 2 * size_of_val(set.keys()))
    }
}
