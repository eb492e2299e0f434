//! Rows whose value is one of very many: what a semi-join asks of each segment.
//!
//! Owns the set of values, hashed once, and its form for vectors. An index either tells the
//! rows exactly or nothing. Never reads a row.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};

use crate::kind::Index;
use crate::kind::codes::{CodesIndex, runs};
use crate::kind::vector::{KeySet, VectorForm};
use crate::values::sql_value;

/// A set of values of one column, null not among them.
#[derive(Debug, Default)]
pub struct MemberSet {
    values: HashSet<Value, RandomState>,
    /// The same set as keys, for each form of vector that was met: usually one.
    keys: Mutex<Vec<(VectorForm, Arc<KeySet>)>>,
}

impl MemberSet {
    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether the value is a member.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match value {
            Value::Float(_) => self.values.contains(&sql_value(value)),
            _ => self.values.contains(value),
        }
    }

    /// The rows of an index whose value is a member, exactly; `None` if its kind cannot tell.
    #[must_use]
    pub fn rows(&self, index: &Index) -> Option<Selection> {
        if self.is_empty() {
            return Some(Selection::none(index.rows()));
        }
        match index {
            Index::Codes(codes) => Some(codes.rows_within(&self.codes(codes))),
            Index::Bitmap(bitmaps) => bitmaps.rows_within(&self.positions(bitmaps.values())).ok(),
            Index::Vector(vector) => {
                let keys = self.keys_of(vector.form(), |value| vector.key_of(value));
                Some(vector.rows_in(&keys))
            }
            _ => None,
        }
    }

    /// The runs of codes whose values are members.
    fn codes(&self, codes: &CodesIndex) -> Vec<Range<usize>> {
        match codes.keys() {
            Some(keys) => {
                let form = keys.form();
                keys.codes_in(&self.keys_of(form, |value| form.key_of(value)))
            }
            None => self.positions(codes.dictionary()),
        }
    }

    /// The runs of a dictionary that are members.
    fn positions(&self, dictionary: &[Value]) -> Vec<Range<usize>> {
        let values = dictionary.iter().enumerate();
        runs(values.filter(|(_, value)| self.values.contains(*value)).map(|(code, _)| code))
    }

    fn keys_of(&self, form: &VectorForm, key_of: impl Fn(&Value) -> Option<i64>) -> Arc<KeySet> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = known.iter().find(|(of, _)| of == form) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(KeySet::new(self.values.iter().filter_map(key_of).collect()));
        known.push((form.clone(), Arc::clone(&keys)));
        keys
    }
}

impl FromIterator<Value> for MemberSet {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let values = values.into_iter().map(|value| sql_value(&value)).collect();
        Self { values, keys: Mutex::default() }
    }
}
