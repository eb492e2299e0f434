//! Distinct values per group, over many segments: COUNT(DISTINCT …).
//!
//! Numbers, dates and texts that are one prefix and digits (customer and account numbers) are
//! kept as bitmaps of 64-bit keys, which grow and join in nanoseconds a value; anything else
//! in a hash set. Holds only values of rows that its reader may see.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use martlet_core::Value;
use martlet_index::key_of_value;
use roaring::RoaringTreemap;

/// More digits do not fit a 64-bit key.
const DIGITS_MAX: usize = 18;

/// The distinct values of one column in each group.
#[derive(Debug, Default)]
pub(super) struct DistinctValues {
    /// The shape of the texts that are kept as keys: the first text's.
    form: Option<TextForm>,
    groups: Vec<Group>,
    /// Values added one by one since this was last asked.
    added: u64,
}

#[derive(Debug, Default)]
struct Group {
    /// How many values there are that occur in one segment alone, each counted there.
    apart: u64,
    keys: RoaringTreemap,
    others: HashSet<Value, RandomState>,
}

/// Texts of one length and one prefix before their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TextForm {
    prefix: String,
    digits: usize,
}

impl TextForm {
    /// The form of a text; `None` if it does not end in digits or has too many.
    fn of(text: &str) -> Option<Self> {
        let start = text.trim_end_matches(|character: char| character.is_ascii_digit()).len();
        let digits = text.len() - start;
        ((1..=DIGITS_MAX).contains(&digits))
            .then(|| Self { prefix: text[..start].to_owned(), digits })
    }

    fn key(&self, text: &str) -> Option<u64> {
        let digits = text.strip_prefix(self.prefix.as_str())?.as_bytes();
        let is_number = digits.len() == self.digits && digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| digits.iter().fold(0, |key, digit| key * 10 + u64::from(digit - b'0')))
    }
}

impl DistinctValues {
    /// The 64-bit key of a value, if values of its kind are kept as keys.
    fn key(&mut self, value: &Value) -> Option<u64> {
        match value {
            Value::Text(text) => {
                if self.form.is_none() {
                    self.form = TextForm::of(text);
                }
                self.form.as_ref()?.key(text)
            }
            other => key_of_value(other).map(i64::cast_unsigned),
        }
    }

    /// Prepares values of a segment to be added to groups.
    pub(super) fn prepared(&mut self, value: &Value) -> Prepared {
        self.key(value).map_or_else(|| Prepared::Other(value.clone()), Prepared::Key)
    }

    pub(super) fn add(&mut self, group: usize, value: &Prepared) {
        self.added += 1;
        let group = self.group(group);
        match value {
            Prepared::Key(key) => group.keys.insert(*key),
            Prepared::Other(value) => group.others.insert(value.clone()),
        };
    }

    /// Adds values of which no other segment has one, and which are added nowhere else.
    pub(super) fn add_apart(&mut self, group: usize, values: u64) {
        self.group(group).apart += values;
    }

    /// How many values were added one by one since this was last asked.
    pub(super) const fn take_added(&mut self) -> u64 {
        std::mem::replace(&mut self.added, 0)
    }

    fn group(&mut self, group: usize) -> &mut Group {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Group::default);
        }
        &mut self.groups[group]
    }

    /// Takes in the values of another partition, whose group `g` is `groups[g]` here.
    pub(super) fn absorb(&mut self, other: Self, groups: &[usize]) {
        // Keys of texts mean the same only under one form; others are told again as texts.
        let same_form = self.form == other.form || self.form.is_none() || other.form.is_none();
        self.form = self.form.take().or_else(|| other.form.clone());
        for (from, more) in other.groups.into_iter().enumerate() {
            let Some(group) = groups.get(from).copied() else { continue };
            let into = self.group(group);
            into.apart += more.apart;
            if same_form {
                into.keys |= more.keys;
            } else if let Some(form) = &other.form {
                into.others.extend(more.keys.iter().map(|key| form.text(key)));
            }
            into.others.extend(more.others);
        }
        self.settle();
    }

    /// A text that is kept by its key is not kept as a text as well.
    fn settle(&mut self) {
        let Some(form) = &self.form else { return };
        for group in &mut self.groups {
            let keyed: Vec<(Value, u64)> = group
                .others
                .iter()
                .filter_map(|value| match value {
                    Value::Text(text) => Some((value.clone(), form.key(text)?)),
                    _ => None,
                })
                .collect();
            for (value, key) in keyed {
                group.others.remove(&value);
                group.keys.insert(key);
            }
        }
    }

    /// How many distinct values a group has.
    pub(super) fn count(&self, group: usize) -> u64 {
        let counted = |group: &Group| group.apart + group.keys.len() + group.others.len() as u64;
        self.groups.get(group).map_or(0, counted)
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        const OTHER: usize = 96;
        let held = |group: &Group| group.keys.serialized_size() + group.others.len() * OTHER;
        self.groups.iter().map(held).sum()
    }
}

/// A value ready to be added to any number of groups.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    Key(u64),
    Other(Value),
}

impl TextForm {
    fn text(&self, key: u64) -> Value {
        Value::text(&format!("{}{key:0digits$}", self.prefix, digits = self.digits))
    }
}

#[cfg(test)]
#[path = "distinct_tests.rs"]
mod tests;
