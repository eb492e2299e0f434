//! Values of one column with a number each: what a join hands to the totals of its other side.
//!
//! Owns the values and their forms for the indexes that are asked, each made once. Tells, for
//! the index of a segment, how its rows fall to the numbers, exactly; rows whose value has no
//! number, null among them, are one more group. Never reads a row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray};
use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};

use crate::grouping::{CodeGroups, KeyColumn};
use crate::kind::Index;
use crate::kind::codes::CodesIndex;
use crate::kind::vector::{KeyNumbers, VectorForm, VectorIndex};
use crate::values::{sql_value, value_at};

/// See the module.
#[derive(Debug)]
pub struct NumberedValues {
    values: ArrayRef,
    numbers: Vec<u32>,
    groups: u32,
    by_value: OnceLock<HashMap<Value, u32, RandomState>>,
    /// By the keys of each form of vector that was met: usually one.
    by_key: Mutex<Vec<(VectorForm, Arc<KeyNumbers>)>>,
}

impl NumberedValues {
    /// Values of a stored type, each once, with their numbers, which are below `groups`. Null
    /// and values beyond the numbers have none.
    #[must_use]
    pub fn new(values: ArrayRef, numbers: Vec<u32>, groups: u32) -> Self {
        Self { values, numbers, groups, by_value: OnceLock::new(), by_key: Mutex::new(Vec::new()) }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().min(self.numbers.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a value.
    #[must_use]
    pub fn number(&self, value: &Value) -> Option<u32> {
        let by_value = self.by_value();
        match value {
            Value::Float(_) => by_value.get(&sql_value(value)).copied(),
            _ => by_value.get(value).copied(),
        }
    }

    /// How the rows of an index fall to the numbers; `None` if its kind cannot tell.
    #[must_use]
    pub fn over(&self, index: Arc<Index>) -> Option<NumberedIndex> {
        let of_index = match (index.as_codes(), index.as_vector()) {
            (Some(codes), _) => OfIndex::Codes(self.of_codes(codes)),
            (_, Some(vector)) => OfIndex::Keys(self.of_keys(vector)),
            _ => return None,
        };
        Some(NumberedIndex { index, of_index })
    }

    /// Bytes held, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        const ENTRY: usize = 2 * size_of::<(Value, u32)>();
        let by_value = self.by_value.get().map_or(0, |values| values.len() * ENTRY);
        let by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        let by_key: usize = by_key.iter().map(|(_, keys)| keys.memory_bytes()).sum();
        let own = self.values.get_array_memory_size() + size_of_val(self.numbers.as_slice());
        own + by_value + by_key
    }

    fn by_value(&self) -> &HashMap<Value, u32, RandomState> {
        self.by_value.get_or_init(|| {
            let value = |(row, number): (usize, &u32)| {
                Some((value_at(self.values.as_ref(), row)?, *number))
            };
            self.numbers.iter().enumerate().filter_map(value).collect()
        })
    }

    fn of_codes(&self, codes: &CodesIndex) -> CodeNumbers {
        let by_value = self.by_value();
        let mut numbers: Vec<u32> = Vec::new();
        let mut groups: HashMap<u32, u32, RandomState> = HashMap::default();
        let found: Vec<Option<u32>> = codes
            .dictionary()
            .iter()
            .map(|value| {
                let number = *by_value.get(value)?;
                Some(*groups.entry(number).or_insert_with(|| {
                    numbers.push(number);
                    // At most one per code.
                    (numbers.len() - 1) as u32
                }))
            })
            .collect();
        let none = numbers.len() as u32;
        let without = found.iter().filter(|group| group.is_none()).count();
        let null = std::iter::once(none);
        let of_code = found.into_iter().map(|group| group.unwrap_or(none)).chain(null).collect();
        CodeNumbers { groups: CodeGroups { of_code, groups: none + 1 }, numbers, without }
    }

    fn of_keys(&self, vector: &VectorIndex) -> Arc<KeyNumbers> {
        let mut known = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = known.iter().find(|(form, _)| form == vector.form()) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(KeyNumbers::new(&self.keyed(vector), self.groups));
        known.push((vector.form().clone(), Arc::clone(&keys)));
        keys
    }

    /// The keys of those values that can stand in the vector.
    fn keyed(&self, vector: &VectorIndex) -> Vec<(i64, u32)> {
        let numbers = self.numbers.iter().copied();
        match self.values.as_string_opt::<i32>() {
            // A text by itself costs less than as a value.
            Some(texts) => texts
                .iter()
                .zip(numbers)
                .filter_map(|(text, number)| Some((vector.key_of_text(text?)?, number)))
                .collect(),
            None => numbers
                .enumerate()
                .filter_map(|(row, number)| {
                    let value = value_at(self.values.as_ref(), row)?;
                    Some((vector.key_of(&value)?, number))
                })
                .collect(),
        }
    }
}

/// How the rows of one segment fall to the numbers.
#[derive(Debug)]
pub struct NumberedIndex {
    index: Arc<Index>,
    of_index: OfIndex,
}

#[derive(Debug)]
enum OfIndex {
    Codes(CodeNumbers),
    Keys(Arc<KeyNumbers>),
}

/// The codes of a dictionary by groups of their own, so that few groups stay few.
#[derive(Debug)]
struct CodeNumbers {
    /// The last group is of those without a number.
    groups: CodeGroups,
    /// The number of every group but the last.
    numbers: Vec<u32>,
    /// Values of the dictionary without a number.
    without: usize,
}

impl NumberedIndex {
    /// The column to group by; [`Self::number`] tells what its groups are.
    #[must_use]
    pub fn column(&self) -> Option<KeyColumn<'_>> {
        Some(match &self.of_index {
            OfIndex::Codes(codes) => KeyColumn::CodeGroups(self.index.as_codes()?, &codes.groups),
            OfIndex::Keys(keys) => KeyColumn::VectorNumbers(self.index.as_vector()?, keys),
        })
    }

    /// The number that a group of [`Self::column`] stands for; `None` for that of the rows
    /// without one.
    #[must_use]
    pub fn number(&self, group: u32) -> Option<u32> {
        match &self.of_index {
            OfIndex::Codes(codes) => codes.numbers.get(group as usize).copied(),
            OfIndex::Keys(keys) => (group < keys.groups()).then_some(group),
        }
    }

    /// The number, if there is only one.
    #[must_use]
    pub fn only_number(&self) -> Option<u32> {
        match &self.of_index {
            OfIndex::Codes(codes) => match codes.numbers.as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            OfIndex::Keys(keys) => (keys.groups() == 1).then_some(0),
        }
    }

    /// The rows whose value has a number, exactly; `None` if the index is not what it was.
    #[must_use]
    pub fn rows(&self) -> Option<Selection> {
        Some(match &self.of_index {
            OfIndex::Codes(codes) => self.index.as_codes()?.rows_within(&codes.runs()),
            OfIndex::Keys(keys) => keys.rows(self.index.as_vector()?),
        })
    }

    /// Whether many rows must be expected to have no number.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        match &self.of_index {
            OfIndex::Codes(codes) => codes.without * 4 > codes.groups.of_code.len(),
            OfIndex::Keys(keys) => {
                self.index.as_vector().is_some_and(|vector| keys.is_sparse_in(vector))
            }
        }
    }
}

impl CodeNumbers {
    /// The runs of the dictionary that have numbers.
    fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let none = self.groups.groups - 1;
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        let numbered = self.groups.of_code.iter().enumerate().filter(|(_, group)| **group != none);
        for (position, _) in numbered {
            match runs.last_mut() {
                Some(run) if run.end == position => run.end += 1,
                _ => runs.push(position..position + 1),
            }
        }
        runs
    }
}
