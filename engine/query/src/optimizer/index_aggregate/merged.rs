//! The groups of many segments, merged by the values of their keys.
//!
//! A value is numbered once per partition; groups are found by the numbers of their values, and
//! of the tuples that their rows are joined to. What is sure to be new is not looked for: the
//! groups of a first segment are hashed only when those of a second one come.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use foldhash::fast::RandomState;
use martlet_core::Value;
use martlet_index::grouping::KEY_COLUMNS_MAX;
use martlet_index::grouping::ranks::RankCounts;

use super::distinct::DistinctValues;
use super::partners::Partners;
use super::spec::Spec;

/// Totals of one measure in one group.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    pub(super) present: u64,
    pub(super) sum: i128,
    pub(super) float_sum: f64,
    pub(super) lowest: Option<Value>,
    pub(super) highest: Option<Value>,
}

impl Total {
    fn absorb(&mut self, other: &Self) {
        self.present += other.present;
        self.sum += other.sum;
        self.float_sum += other.float_sum;
        if let (Some(lowest), Some(highest)) = (&other.lowest, &other.highest) {
            self.note(lowest.clone(), highest.clone());
        }
    }

    /// Takes in a row's value, as often as the row is joined.
    pub(super) fn take(&mut self, value: Value, times: u64, note_extremes: bool) {
        self.present += times;
        match &value {
            Value::Float(float) => self.float_sum += float * times as f64,
            Value::Int(number) => self.sum += i128::from(*number) * i128::from(times),
            Value::Decimal(number) => self.sum += number.wrapping_mul(times.into()),
            _ => {}
        }
        if note_extremes {
            self.note(value.clone(), value);
        }
    }

    /// Takes in a value that may be the lowest or highest.
    pub(super) fn note(&mut self, lowest: Value, highest: Value) {
        if self.lowest.as_ref().is_none_or(|known| lowest < *known) {
            self.lowest = Some(lowest);
        }
        if self.highest.as_ref().is_none_or(|known| highest > *known) {
            self.highest = Some(highest);
        }
    }
}

/// The groups of one partition.
#[derive(Debug)]
pub(super) struct Merged {
    columns: Vec<Numbered>,
    /// Whether every group that comes is another one, as those of a first segment are.
    comes_once: bool,
    /// The rows of each joined plan; their tuples are numbered for all partitions.
    pub(super) joined: Vec<Arc<Partners>>,
    numbers: HashMap<[u32; KEY_COLUMNS_MAX], usize, RandomState>,
    /// For each group the number of its value in each column, then of its tuple in each joined
    /// plan.
    pub(super) keys: Vec<[u32; KEY_COLUMNS_MAX]>,
    pub(super) counts: Vec<u64>,
    /// For each measure, one total per group.
    pub(super) totals: Vec<Vec<Total>>,
    /// For each column whose distinct values are counted.
    pub(super) distincts: Vec<DistinctValues>,
    /// What is shown by number, where it is not the value of a column: one per grouping.
    pub(super) shown: Vec<Option<ArrayRef>>,
    /// For each ranked column. They stay with their partition, in its groups.
    pub(super) ranks: Vec<RankCounts>,
}

/// The values of one grouping column.
#[derive(Debug, Default)]
struct Numbered {
    /// Of the first values; the others are taken in before one is looked for.
    numbers: HashMap<Option<Value>, u32, RandomState>,
    values: Vec<Option<Value>>,
}

impl Numbered {
    /// The number of a value that was not there before.
    fn push(&mut self, value: Option<Value>) -> u32 {
        // Groups are bounded by memory, far below 2^32.
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value);
        number
    }

    fn number(&mut self, value: Option<Value>) -> u32 {
        self.take_in();
        if let Some(known) = self.numbers.get(&value) {
            return *known;
        }
        let number = self.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    /// Hashes what is not hashed yet.
    fn take_in(&mut self) {
        let known = self.numbers.len();
        if known < self.values.len() {
            // Values are numbered in 32 bits.
            let new = (known as u32..).zip(&self.values[known..]);
            self.numbers.extend(new.map(|(number, value)| (value.clone(), number)));
        }
    }
}

impl Merged {
    /// No group; without grouping the one group of all rows, even of none.
    pub(super) fn new(spec: &Spec, joined: Vec<Arc<Partners>>) -> Self {
        let mut merged = Self::none(spec, joined);
        if spec.groupings.is_empty() {
            merged.group([0; KEY_COLUMNS_MAX]);
        }
        merged
    }

    /// No group.
    pub(super) fn none(spec: &Spec, joined: Vec<Arc<Partners>>) -> Self {
        Self {
            columns: spec.keys.iter().map(|_| Numbered::default()).collect(),
            comes_once: false,
            joined,
            numbers: HashMap::default(),
            keys: Vec::new(),
            counts: Vec::new(),
            totals: vec![Vec::new(); spec.measures.len()],
            distincts: spec.distincts.iter().map(|_| DistinctValues::default()).collect(),
            shown: Vec::new(),
            ranks: spec.ranked.iter().map(|ranked| RankCounts::new(ranked.scale)).collect(),
        }
    }

    /// The number of a value of a grouping column.
    pub(super) fn number(&mut self, column: usize, value: Option<Value>) -> u32 {
        let of_column = &mut self.columns[column];
        if self.comes_once { of_column.push(value) } else { of_column.number(value) }
    }

    /// Calls with the groups of a segment expected, of which there is each only once, and which
    /// are not told again by another call. That saves looking for them where none is here yet.
    pub(super) fn with_each_once<T>(&mut self, take: impl FnOnce(&mut Self) -> T) -> T {
        self.comes_once = self.keys.is_empty();
        let taken = take(self);
        self.comes_once = false;
        taken
    }

    /// The position of the group whose values have these numbers.
    pub(super) fn group(&mut self, key: [u32; KEY_COLUMNS_MAX]) -> usize {
        let position = self.keys.len();
        if !self.comes_once {
            let known = self.numbers.len();
            if known < position {
                // Those that came without being looked for.
                self.numbers.extend((known..).zip(&self.keys[known..]).map(|(at, key)| (*key, at)));
            }
            if let Some(known) = self.numbers.get(&key) {
                return *known;
            }
            self.numbers.insert(key, position);
        }
        self.keys.push(key);
        self.counts.push(0);
        self.totals.iter_mut().for_each(|totals| totals.push(Total::default()));
        position
    }

    /// Puts into `places` the groups that a row of these values and combinations of joined rows
    /// falls into, each with how often.
    pub(super) fn places(
        &mut self,
        key: [u32; KEY_COLUMNS_MAX],
        combinations: &[u32; KEY_COLUMNS_MAX],
        places: &mut Vec<(usize, u64)>,
    ) {
        places.clear();
        if self.joined.is_empty() {
            places.push((self.group(key), 1));
            return;
        }
        let mut keys = vec![(key, 1_u64)];
        for (at, (partners, combination)) in self.joined.iter().zip(combinations).enumerate() {
            let slot = self.columns.len() + at;
            let parts = partners.parts(*combination);
            let joined = |(mut key, times): ([u32; KEY_COLUMNS_MAX], u64)| {
                parts.iter().map(move |(tuple, more)| {
                    key[slot] = *tuple;
                    (key, times.saturating_mul(*more))
                })
            };
            keys = keys.into_iter().flat_map(joined).collect();
        }
        places.extend(keys.into_iter().map(|(key, times)| (self.group(key), times)));
    }

    /// Takes in the groups of another partition; says where each of them stands here.
    pub(super) fn absorb(&mut self, other: Self) -> Vec<usize> {
        let numbers: Vec<Option<Vec<u32>>> = (0..self.columns.len())
            .map(|column| {
                let values = other.columns[column].values.iter();
                Some(values.map(|value| self.number(column, value.clone())).collect())
            })
            .collect();
        self.take_in(other, &numbers)
    }

    /// The same groups under other numbers; those that have become the same are one.
    pub(super) fn renumbered(mut self, numbers: &[Option<Vec<u32>>]) -> Self {
        let mut renumbered = Self {
            columns: std::mem::take(&mut self.columns),
            comes_once: false,
            joined: self.joined.clone(),
            numbers: HashMap::default(),
            keys: Vec::new(),
            counts: Vec::new(),
            totals: vec![Vec::new(); self.totals.len()],
            distincts: self.distincts.iter().map(|_| DistinctValues::default()).collect(),
            shown: Vec::new(),
            // Groups that become one have no ranks (see [`Spec::of`]).
            ranks: Vec::new(),
        };
        renumbered.take_in(self, numbers);
        renumbered
    }

    /// Takes in groups; `numbers` tells, by column and by number there, the number here, and
    /// nothing where they are the same. Says where each of them stands here.
    fn take_in(&mut self, other: Self, numbers: &[Option<Vec<u32>>]) -> Vec<usize> {
        let mut groups = Vec::with_capacity(other.keys.len());
        for (position, key) in other.keys.iter().enumerate() {
            let mut renumbered = *key;
            for (slot, numbers) in renumbered.iter_mut().zip(numbers) {
                if let Some(numbers) = numbers {
                    *slot = numbers[*slot as usize];
                }
            }
            let group = self.group(renumbered);
            groups.push(group);
            self.counts[group] += other.counts[position];
            for (totals, more) in self.totals.iter_mut().zip(&other.totals) {
                totals[group].absorb(&more[position]);
            }
        }
        for (values, more) in self.distincts.iter_mut().zip(other.distincts) {
            values.absorb(more, &groups);
        }
        groups
    }

    /// Where each group of another partition stands here; `None` if one is not here. Neither
    /// may be joined to another plan.
    pub(super) fn positions_of(&self, other: &Self) -> Option<Vec<usize>> {
        let number = |column: usize, number: u32| {
            let value = other.columns[column].values.get(number as usize)?;
            self.columns[column].numbers.get(value).copied()
        };
        let place = |key: &[u32; KEY_COLUMNS_MAX]| {
            let mut renumbered = [0; KEY_COLUMNS_MAX];
            let columns = renumbered.iter_mut().zip(key).take(self.columns.len());
            for (column, (slot, part)) in columns.enumerate() {
                *slot = number(column, *part)?;
            }
            self.numbers.get(&renumbered).copied()
        };
        other.keys.iter().map(place).collect()
    }

    /// The numbers that groups have in a column or joined plan, ascending, each once.
    pub(super) fn used(&self, slot: usize) -> Vec<u32> {
        let mut used: Vec<u32> = self.keys.iter().map(|key| key[slot]).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// The values of these numbers of a grouping column.
    pub(super) fn values_of(&self, column: usize, numbers: &[u32]) -> Vec<Option<Value>> {
        let values = &self.columns[column].values;
        numbers.iter().map(|number| values.get(*number as usize).cloned().flatten()).collect()
    }

    /// The values of one grouping column, one entry per group.
    pub(super) fn values(&self, column: usize) -> Vec<Option<Value>> {
        let of = |key: &[u32; KEY_COLUMNS_MAX]| {
            let values = &self.columns[column].values;
            values.get(key[column] as usize).cloned().flatten()
        };
        self.keys.iter().map(of).collect()
    }

    /// Bytes held, roughly; for the account with the memory pool.
    pub(super) fn memory_bytes(&self) -> usize {
        const VALUE: usize = 64;
        const GROUP: usize = 64;
        let values: usize = self.columns.iter().map(|column| column.values.len() * 3 * VALUE).sum();
        let group = GROUP + self.totals.len() * size_of::<Total>();
        let distincts: usize = self.distincts.iter().map(DistinctValues::memory_bytes).sum();
        let ranks: usize = self.ranks.iter().map(RankCounts::memory_bytes).sum();
        values + distincts + ranks + self.keys.len() * group
    }
}
