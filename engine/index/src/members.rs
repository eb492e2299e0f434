//! Rows whose value is one of very many: what a semi-join asks of each segment.
//!
//! Owns the set of values, as keys where they have some, and its form for other vectors. An
//! index either tells the rows exactly or nothing. Never reads a row.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};

use crate::filter::{having_codes, having_keys};
use crate::keyed::KeyedValues;
use crate::kind::Index;
use crate::kind::codes::{CodesIndex, WantedCodes, runs};
use crate::kind::dictionary::Dictionary;
use crate::kind::vector::{KeySet, VectorForm};
use crate::values::sql_value;

/// A set of values of one column, null not among them.
#[derive(Debug)]
pub struct MemberSet {
    /// What the keys stand for; `None` where no value has one.
    form: Option<VectorForm>,
    keys: Arc<KeySet>,
    /// Those values that have no key in the form.
    others: HashSet<Value, RandomState>,
    /// The same set as keys of other forms, for each form of index that was met: usually none.
    by_form: Mutex<Vec<(VectorForm, Arc<KeySet>)>>,
}

impl MemberSet {
    /// The set of these values.
    #[must_use]
    pub fn new(values: KeyedValues<()>) -> Self {
        let keys = KeySet::new(values.keys.into_iter().map(|(key, ())| key).collect());
        Self {
            form: values.form,
            keys: Arc::new(keys),
            others: values.others.into_iter().map(|(value, ())| sql_value(&value)).collect(),
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
        self.keys.is_empty() && self.others.is_empty()
    }

    /// Whether the value is a member.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        if let Some(key) = self.form.as_ref().and_then(|form| form.key_of(value)) {
            return self.keys.contains(key);
        }
        match value {
            Value::Float(_) => self.others.contains(&sql_value(value)),
            _ => self.others.contains(value),
        }
    }

    /// The rows of an index whose value is a member, exactly; `None` if its kind cannot tell.
    #[must_use]
    pub fn rows(&self, index: &Index) -> Option<Selection> {
        if self.is_empty() {
            return Some(Selection::none(index.rows()));
        }
        match index {
            Index::Codes(codes) => Some(codes.rows_within(&WantedCodes::new(self.codes(codes)))),
            Index::Bitmap(bitmaps) => bitmaps.rows_within(&self.positions(bitmaps.values())).ok(),
            Index::Vector(vector) => Some(vector.rows_in(&self.keys_of(vector.form()))),
            _ => None,
        }
    }

    /// The rows among these whose value is a member, exactly; `None` if its kind cannot tell. Of few
    /// rows nothing else is looked at.
    #[must_use]
    pub fn rows_among(&self, index: &Arc<Index>, among: &Selection) -> Option<Selection> {
        if self.is_empty() || among.is_none() {
            return Some(Selection::none(index.rows()));
        }
        match &**index {
            _ if among.is_all() => self.rows(index),
            Index::Codes(codes) => {
                Some(having_codes(index, WantedCodes::new(self.codes(codes)), among))
            }
            Index::Vector(vector) => Some(having_keys(index, self.keys_of(vector.form()), among)),
            _ => self.rows(index).map(|rows| rows.and(among)),
        }
    }

    /// The runs of codes whose values are members.
    fn codes(&self, codes: &CodesIndex) -> Vec<Range<usize>> {
        match codes.keys() {
            Some(keys) => keys.codes_in(&self.keys_of(keys.form())),
            None => self.positions(codes.dictionary()),
        }
    }

    /// The runs of a dictionary that are members.
    fn positions(&self, dictionary: &Dictionary) -> Vec<Range<usize>> {
        let values = dictionary.iter().enumerate();
        runs(values.filter(|(_, value)| self.contains(value)).map(|(code, _)| code))
    }

    /// Those members that have a key of the form, as such keys.
    fn keys_of(&self, form: &VectorForm) -> Arc<KeySet> {
        let Some(own) = &self.form else { return Arc::new(KeySet::new(Vec::new())) };
        if own == form {
            return Arc::clone(&self.keys);
        }
        let mut known = self.by_form.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = known.iter().find(|(of, _)| of == form) {
            return Arc::clone(keys);
        }
        let of_own = self.keys.keys().iter().map(|key| own.value_of(*key));
        let values = of_own.chain(self.others.iter().cloned());
        let keys: Arc<KeySet> = Arc::new(values.filter_map(|value| form.key_of(&value)).collect());
        known.push((form.clone(), Arc::clone(&keys)));
        keys
    }
}

impl FromIterator<Value> for MemberSet {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let mut keyed = KeyedValues::default();
        values.into_iter().for_each(|value| keyed.add_value(value, ()));
        Self::new(keyed)
    }
}
