//! Values of one column with a number each: what a join hands to the totals of its other side.
//!
//! Owns the values, as keys where they have some, and their form for other vectors. Tells, for
//! the index of a segment, how its rows fall to the numbers, exactly; rows whose value has no
//! number, null among them, are one more group. Never reads a row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};

use crate::grouping::{CodeGroups, KeyColumn};
use crate::keyed::KeyedValues;
use crate::kind::Index;
use crate::kind::codes::{CodesIndex, WantedCodes};
use crate::kind::vector::{KeyNumbers, VectorForm, VectorIndex};
use crate::values::sql_value;

/// See the module.
#[derive(Debug)]
pub struct NumberedValues {
    groups: u32,
    /// What the keys stand for; `None` where no value has one.
    form: Option<VectorForm>,
    keys: Arc<KeyNumbers>,
    /// Those values that have no key in the form.
    others: HashMap<Value, u32, RandomState>,
    /// By keys of other forms, for each form of index that was met: usually none.
    by_form: Mutex<Vec<(VectorForm, Arc<KeyNumbers>)>>,
}

impl NumberedValues {
    /// Values of a stored type, each once, with their numbers, which are below `groups`.
    #[must_use]
    pub fn new(values: KeyedValues<u32>, groups: u32) -> Self {
        let others = values.others.into_iter();
        Self {
            groups,
            form: values.form,
            keys: Arc::new(KeyNumbers::new(&values.keys, groups)),
            others: others.map(|(value, number)| (sql_value(&value), number)).collect(),
            by_form: Mutex::default(),
        }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len() + self.others.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a value.
    #[must_use]
    pub fn number(&self, value: &Value) -> Option<u32> {
        if let Some(key) = self.form.as_ref().and_then(|form| form.key_of(value)) {
            return self.keys.number(key);
        }
        match value {
            Value::Float(_) => self.others.get(&sql_value(value)).copied(),
            _ => self.others.get(value).copied(),
        }
    }

    /// How the rows of an index fall to the numbers; `None` if its kind cannot tell.
    #[must_use]
    pub fn over(&self, index: Arc<Index>) -> Option<NumberedIndex> {
        let of_index = match (index.as_codes(), index.as_vector()) {
            (Some(codes), _) => OfIndex::Codes(CodeNumbers::new(self.numbers_of(codes))),
            (_, Some(vector)) => OfIndex::Keys(self.of_vector(vector)),
            _ => return None,
        };
        Some(NumberedIndex { index, of_index })
    }

    /// Bytes held, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        const ENTRY: usize = 2 * size_of::<(Value, u32)>();
        let by_form = self.by_form.lock().unwrap_or_else(PoisonError::into_inner);
        let by_form: usize = by_form.iter().map(|(_, keys)| keys.memory_bytes()).sum();
        self.keys.memory_bytes() + self.others.len() * ENTRY + by_form
    }

    /// The number of each value of the dictionary, if it has one.
    fn numbers_of(&self, codes: &CodesIndex) -> Vec<Option<u32>> {
        match (codes.keys(), &self.form) {
            (Some(keys), Some(form)) if keys.form() == form => {
                let mut numbers = vec![0; keys.keys().len()];
                self.keys.number_all(keys.keys(), &mut numbers);
                numbers
                    .into_iter()
                    .map(|number| Some(number).filter(|n| *n < self.groups))
                    .collect()
            }
            _ => codes.dictionary().iter().map(|value| self.number(&value)).collect(),
        }
    }

    fn of_vector(&self, vector: &VectorIndex) -> Arc<KeyNumbers> {
        if self.form.as_ref() == Some(vector.form()) {
            return Arc::clone(&self.keys);
        }
        let mut known = self.by_form.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = known.iter().find(|(form, _)| form == vector.form()) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(KeyNumbers::new(&self.keyed(vector.form()), self.groups));
        known.push((vector.form().clone(), Arc::clone(&keys)));
        keys
    }

    /// Those values that have a key of the form, as such keys.
    fn keyed(&self, form: &VectorForm) -> Vec<(i64, u32)> {
        let own = self
            .form
            .iter()
            .flat_map(|own| self.keys.iter().map(|(key, number)| (own.value_of(key), number)));
        let others = self.others.iter().map(|(value, number)| (value.clone(), *number));
        let values = own.chain(others);
        values.filter_map(|(value, number)| Some((form.key_of(&value)?, number))).collect()
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
            OfIndex::Codes(codes) => {
                self.index.as_codes()?.rows_within(&WantedCodes::new(codes.runs()))
            }
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
    /// Given the number of each value of a dictionary, if it has one.
    fn new(of_value: Vec<Option<u32>>) -> Self {
        let mut numbers: Vec<u32> = Vec::new();
        let mut groups: HashMap<u32, u32, RandomState> = HashMap::default();
        let mut group_of = |number: u32| {
            *groups.entry(number).or_insert_with(|| {
                numbers.push(number);
                // At most one per code.
                (numbers.len() - 1) as u32
            })
        };
        let found: Vec<Option<u32>> =
            of_value.into_iter().map(|number| number.map(&mut group_of)).collect();
        let none = numbers.len() as u32;
        let without = found.iter().filter(|group| group.is_none()).count();
        let null = std::iter::once(none);
        let of_code = found.into_iter().map(|group| group.unwrap_or(none)).chain(null).collect();
        Self { groups: CodeGroups { of_code, groups: none + 1 }, numbers, without }
    }

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
