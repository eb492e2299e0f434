//! The numbers that stand for a dictionary's values: what a large set is matched against.
//!
//! Made when first asked for, then kept: a text of a bank's key is compared as a number a
//! hundred times faster than it is hashed as a text.

use crate::kind::dictionary::Dictionary;
use crate::kind::vector::{KeySet, VectorForm};

/// One key for each value of a sorted dictionary, ascending.
#[derive(Debug, Clone)]
pub(crate) struct DictionaryKeys {
    form: VectorForm,
    keys: Vec<i64>,
}

/// With so many values in the dictionary for each member, members are searched for.
const SEARCHED_FROM: usize = 16;

impl DictionaryKeys {
    /// The keys of the values; `None` if one has none.
    pub(super) fn of(values: &Dictionary) -> Option<Self> {
        let form = VectorForm::of_value(&values.value(0)?)?;
        if !values.is_of_texts() {
            return Some(Self { form, keys: values.narrow_keys()? });
        }
        // Of exactly this size, since it is kept.
        let mut keys = Vec::with_capacity(values.len());
        for position in 0..values.len() {
            keys.push(form.key_of_text(values.text(position)?)?);
        }
        Some(Self { form, keys })
    }

    pub(crate) const fn form(&self) -> &VectorForm {
        &self.form
    }

    /// One key for each code, ascending.
    pub(crate) fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The codes whose key is one of the set, as ascending runs that do not touch.
    pub(crate) fn codes_in(&self, set: &KeySet) -> Vec<std::ops::Range<usize>> {
        let (Some(lowest), Some(highest)) = (self.keys.first(), self.keys.last()) else {
            return Vec::new();
        };
        let members = set.within(*lowest, *highest);
        if members.len().saturating_mul(SEARCHED_FROM) < self.keys.len() {
            runs(members.iter().filter_map(|key| self.keys.binary_search(key).ok()))
        } else {
            let codes = self.keys.iter().enumerate();
            runs(codes.filter(|(_, key)| set.contains(**key)).map(|(code, _)| code))
        }
    }
}

/// Ascending positions as runs.
pub(crate) fn runs(positions: impl Iterator<Item = usize>) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for position in positions {
        match runs.last_mut() {
            Some(run) if run.end == position => run.end += 1,
            _ => runs.push(position..position + 1),
        }
    }
    runs
}
