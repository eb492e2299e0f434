//! The groups of many segments, merged by the values of their keys.
//!
//! A value is numbered once per partition; groups are found by the numbers of their values.

use std::collections::HashMap;

use martlet_core::Value;
use martlet_index::grouping::KEY_COLUMNS_MAX;

use super::distinct::DistinctValues;
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

    /// Takes in a row's value.
    pub(super) fn take(&mut self, value: Value, note_extremes: bool) {
        self.present += 1;
        match &value {
            Value::Float(float) => self.float_sum += float,
            Value::Int(number) => self.sum += i128::from(*number),
            Value::Decimal(number) => self.sum += number,
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
    numbers: HashMap<[u32; KEY_COLUMNS_MAX], usize>,
    pub(super) keys: Vec<[u32; KEY_COLUMNS_MAX]>,
    pub(super) counts: Vec<u64>,
    /// For each measure, one total per group.
    pub(super) totals: Vec<Vec<Total>>,
    /// For each column whose distinct values are counted.
    pub(super) distincts: Vec<DistinctValues>,
}

/// The values of one grouping column.
#[derive(Debug, Default)]
struct Numbered {
    numbers: HashMap<Option<Value>, u32>,
    values: Vec<Option<Value>>,
}

impl Merged {
    pub(super) fn new(spec: &Spec) -> Self {
        let keys = spec.keys.len();
        let mut merged = Self {
            columns: (0..keys).map(|_| Numbered::default()).collect(),
            numbers: HashMap::new(),
            keys: Vec::new(),
            counts: Vec::new(),
            totals: vec![Vec::new(); spec.measures.len()],
            distincts: spec.distincts.iter().map(|_| DistinctValues::default()).collect(),
        };
        if keys == 0 {
            // Without grouping there is one group, even of no rows.
            merged.group([0; KEY_COLUMNS_MAX]);
        }
        merged
    }

    /// The number of a value of a grouping column.
    pub(super) fn number(&mut self, column: usize, value: Option<Value>) -> u32 {
        let Numbered { numbers, values } = &mut self.columns[column];
        if let Some(known) = numbers.get(&value) {
            return *known;
        }
        // Groups are bounded by memory, far below 2^32.
        let number = u32::try_from(values.len()).unwrap_or(u32::MAX);
        values.push(value.clone());
        numbers.insert(value, number);
        number
    }

    /// The position of the group whose values have these numbers.
    pub(super) fn group(&mut self, key: [u32; KEY_COLUMNS_MAX]) -> usize {
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let position = self.keys.len();
        self.numbers.insert(key, position);
        self.keys.push(key);
        self.counts.push(0);
        self.totals.iter_mut().for_each(|totals| totals.push(Total::default()));
        position
    }

    /// Takes in the groups of another partition.
    pub(super) fn absorb(&mut self, other: Self) {
        let numbers: Vec<Vec<u32>> = (0..self.columns.len())
            .map(|column| {
                let values = other.columns[column].values.iter();
                values.map(|value| self.number(column, value.clone())).collect()
            })
            .collect();
        let mut groups = Vec::with_capacity(other.keys.len());
        for (position, key) in other.keys.iter().enumerate() {
            let mut renumbered = [0; KEY_COLUMNS_MAX];
            for ((slot, numbers), number) in renumbered.iter_mut().zip(&numbers).zip(key) {
                *slot = numbers[*number as usize];
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
        values + distincts + self.keys.len() * group
    }
}
