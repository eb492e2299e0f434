//! The first pass of a partition: how many keys of each group lie in each bucket, or, while
//! they are few, the keys themselves.
//!
//! Holds at most a few million counts. Groups beyond keep their keys.

use super::super::blocks::BLOCK_ROWS;
use super::scale::KeyScale;

/// Fewer keys than this are kept as they are.
const KEPT: usize = 1 << 16;

/// At most so many counts, of four bytes.
const COUNTS_MAX: usize = 1 << 24;

/// Keys are counted once there are at most so many counts for each of them: from there on the
/// counts take hardly more room than the keys.
const COUNTS_PER_KEY: usize = 4;

const LIMITS: Limits =
    Limits { kept: KEPT, counts: COUNTS_MAX, counts_per_key: COUNTS_PER_KEY, carried: u32::MAX };

/// The keys of one column in the groups of one partition, as far as they were added.
#[derive(Debug, Clone)]
pub struct RankCounts {
    scale: KeyScale,
    buckets: usize,
    limits: Limits,
    way: Way,
    /// Where keys are counted, one count per bucket, group after group. They are short, so that
    /// they stay in the nearest cache.
    counts: Vec<u32>,
    /// How many keys were counted there.
    counted: u32,
    /// What was counted before the counts might have overflowed.
    carried: Vec<u64>,
    /// Keys that are not counted, each with its group.
    kept_groups: Vec<u32>,
    kept_keys: Vec<i64>,
    /// Every group is below.
    groups: usize,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    kept: usize,
    counts: usize,
    counts_per_key: usize,
    /// Keys after which counts are carried.
    carried: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Keys are kept; when there are so many, that is thought over.
    Kept { until: usize },
    /// Keys are counted.
    Counted,
}

impl RankCounts {
    /// Counts by the buckets of a scale, which is the same for all partitions.
    #[must_use]
    pub fn new(scale: KeyScale) -> Self {
        Self::within(scale, LIMITS)
    }

    /// Keeps all keys, however many there are.
    #[must_use]
    pub fn of_kept_keys(scale: KeyScale) -> Self {
        Self::within(scale, Limits { kept: usize::MAX, counts: 0, ..LIMITS })
    }

    /// Counts as soon as so many keys are kept, at most so many counts.
    #[cfg(test)]
    pub(super) fn limited(scale: KeyScale, kept: usize, counts: usize) -> Self {
        Self::within(scale, Limits { kept, counts, counts_per_key: usize::MAX, carried: 1_500 })
    }

    fn within(scale: KeyScale, limits: Limits) -> Self {
        Self {
            scale,
            buckets: scale.buckets(),
            limits,
            way: Way::Kept { until: limits.kept },
            counts: Vec::new(),
            counted: 0,
            carried: Vec::new(),
            kept_groups: Vec::new(),
            kept_keys: Vec::new(),
            groups: 0,
        }
    }

    /// Adds keys, each with its group.
    pub fn add(&mut self, groups: &[u32], keys: &[i64]) {
        if groups.is_empty() {
            return;
        }
        let highest = groups.iter().copied().fold(0, u32::max);
        self.groups = self.groups.max(highest as usize + 1);
        match self.way {
            Way::Kept { until } => {
                self.keep(groups, keys);
                if self.kept_keys.len() >= until {
                    self.think_over();
                }
            }
            Way::Counted if self.groups <= self.groups_max() => self.count(groups, keys),
            Way::Counted => self.count_some(groups, keys),
        }
    }

    /// Whether there are so many groups already that keys will never be counted.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.way != Way::Counted && self.groups > self.groups_max()
    }

    /// Bytes held.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.counts.len() * size_of::<u32>()
            + self.carried.len() * size_of::<u64>()
            + self.kept_keys.len() * (size_of::<u32>() + size_of::<i64>())
    }

    /// Keys that are not counted, each with its group.
    #[must_use]
    pub fn kept(&self) -> (&[u32], &[i64]) {
        (&self.kept_groups, &self.kept_keys)
    }

    /// How many groups have counts; they are the first ones.
    pub(super) const fn counted_groups(&self) -> usize {
        self.counts.len() / self.buckets
    }

    /// Adds a group's counts to those of its buckets; says how many keys that are.
    pub(super) fn add_counts(&self, group: usize, into: &mut [u64]) -> u64 {
        let place = group * self.buckets..(group + 1) * self.buckets;
        let mut keys = 0;
        let short = self.counts[place.clone()].iter().map(|count| u64::from(*count));
        for (sum, count) in into.iter_mut().zip(short) {
            *sum += count;
            keys += count;
        }
        let carried = self.carried.get(place).unwrap_or_default();
        for (sum, count) in into.iter_mut().zip(carried) {
            *sum += count;
            keys += count;
        }
        keys
    }

    fn groups_max(&self) -> usize {
        self.limits.counts / self.buckets
    }

    fn keep(&mut self, groups: &[u32], keys: &[i64]) {
        self.kept_groups.extend_from_slice(groups);
        self.kept_keys.extend_from_slice(keys);
    }

    /// Counts from now on if that costs no more than keeping.
    fn think_over(&mut self) {
        let cost = self.groups.saturating_mul(self.buckets);
        let kept = self.kept_keys.len();
        if cost > kept.saturating_mul(self.limits.counts_per_key) || self.groups > self.groups_max()
        {
            self.way = Way::Kept { until: kept.saturating_mul(2) };
            return;
        }
        self.way = Way::Counted;
        let groups = std::mem::take(&mut self.kept_groups);
        let keys = std::mem::take(&mut self.kept_keys);
        self.count(&groups, &keys);
    }

    /// Counts keys of groups that all have counts.
    fn count(&mut self, groups: &[u32], keys: &[i64]) {
        let counts = self.groups.min(self.groups_max()) * self.buckets;
        if self.counts.len() < counts {
            self.counts.resize(counts, 0);
        }
        let mut buckets = [0_u32; BLOCK_ROWS];
        for (groups, keys) in groups.chunks(BLOCK_ROWS).zip(keys.chunks(BLOCK_ROWS)) {
            // At most the rows of a block.
            if self.counted > self.limits.carried - keys.len() as u32 {
                self.carry();
            }
            self.counted += keys.len() as u32;
            let buckets = self.scale.buckets_of(keys, &mut buckets);
            let (counts, stride) = (self.counts.as_mut_slice(), self.buckets);
            for (group, bucket) in groups.iter().zip(buckets) {
                counts[*group as usize * stride + *bucket as usize] += 1;
            }
        }
    }

    /// Makes room in the short counts.
    fn carry(&mut self) {
        self.carried.resize(self.counts.len(), 0);
        for (sum, count) in self.carried.iter_mut().zip(&mut self.counts) {
            *sum += u64::from(std::mem::take(count));
        }
        self.counted = 0;
    }

    /// Counts the keys of groups that have counts and keeps the others.
    fn count_some(&mut self, groups: &[u32], keys: &[i64]) {
        let limit = self.groups_max();
        let pairs = groups.iter().copied().zip(keys.iter().copied());
        let (some, others): (Vec<_>, Vec<_>) =
            pairs.partition(|(group, _)| (*group as usize) < limit);
        let (some_groups, some_keys): (Vec<u32>, Vec<i64>) = some.into_iter().unzip();
        self.count(&some_groups, &some_keys);
        let (other_groups, other_keys): (Vec<u32>, Vec<i64>) = others.into_iter().unzip();
        self.keep(&other_groups, &other_keys);
    }
}
