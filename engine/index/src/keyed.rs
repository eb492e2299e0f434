//! Values of one column on their way into a set or a numbering: as keys, wherever they have some.
//!
//! A text of a bank's key is copied and compared as a number a hundred times faster than as a
//! text. The first value that has a key decides the form of all keys, so one that is unlike all
//! others makes these slower, never wrong: values without a key in that form are kept as they
//! are. Knows no index and no row beyond the arrays that it is given.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use martlet_core::Value;

use crate::kind::vector::{KeySet, VectorForm};
use crate::values::value_at;

/// Values, each with something that is told of it; repeats are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedValues<T> {
    /// What the keys stand for; `None` while there is none.
    pub(crate) form: Option<VectorForm>,
    pub(crate) keys: Vec<(i64, T)>,
    pub(crate) others: Vec<(Value, T)>,
    /// Bytes of the texts among the others.
    texts: usize,
    /// Repeats are looked for once there are so many.
    full: usize,
}

/// What a text costs beside its bytes.
const TEXT_BYTES: usize = 32;

/// Fewer are kept with all repeats.
const FULL_FROM: usize = 1 << 22;

impl<T> Default for KeyedValues<T> {
    fn default() -> Self {
        Self { form: None, keys: Vec::new(), others: Vec::new(), texts: 0, full: FULL_FROM }
    }
}

impl<T> KeyedValues<T> {
    /// Adds the values of an array of a stored type, each with what is told of its row. Nulls
    /// are left out.
    pub fn add(&mut self, array: &dyn Array, told_of: impl Fn(usize) -> T) {
        match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                let present = texts.iter().enumerate();
                for (row, text) in present.filter_map(|(row, text)| Some((row, text?))) {
                    self.add_text(text, told_of(row));
                }
            }
            _ => {
                for row in 0..array.len() {
                    let Some(value) = value_at(array, row) else { continue };
                    self.add_value(value, told_of(row));
                }
            }
        }
    }

    /// Adds one value.
    pub fn add_value(&mut self, value: Value, told: T) {
        if self.form.is_none() {
            self.form = VectorForm::of_value(&value);
        }
        match self.form.as_ref().and_then(|form| form.key_of(&value)) {
            Some(key) => self.keys.push((key, told)),
            None => self.add_other(value, told),
        }
    }

    fn add_text(&mut self, text: &str, told: T) {
        if self.form.is_none() {
            self.form = VectorForm::of_digit_text(text);
        }
        match self.form.as_ref().and_then(|form| form.key_of_text(text)) {
            Some(key) => self.keys.push((key, told)),
            None => self.add_other(Value::text(text), told),
        }
    }

    fn add_other(&mut self, value: Value, told: T) {
        if let Value::Text(text) = &value {
            self.texts += text.len() + TEXT_BYTES;
        }
        self.others.push((value, told));
    }

    /// How many there are, repeats counted.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len() + self.others.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.others.is_empty()
    }

    /// Bytes held, roughly.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        let others = self.others.capacity() * size_of::<(Value, T)>();
        self.keys.capacity() * size_of::<(i64, T)>() + others + self.texts
    }
}

impl KeyedValues<()> {
    /// Once they have become twice as many as there were without repeats: drops the repeats.
    pub fn drop_repeats(&mut self) {
        if self.len() < self.full {
            return;
        }
        // Keys that lie close together are brought into order without comparing them.
        let keys = std::mem::take(&mut self.keys).into_iter().map(|(key, ())| key);
        self.keys = KeySet::new(keys.collect()).keys().iter().map(|key| (*key, ())).collect();
        without_repeats(&mut self.others, |(), ()| Some(()));
        self.count_anew();
    }
}

impl<T: Copy + Ord> KeyedValues<T> {
    /// Once they have become twice as many as there were without repeats: makes two that are told
    /// of the same value one, where `both` can.
    pub fn bound_repeats(&mut self, both: impl Fn(T, T) -> Option<T>) {
        if self.len() < self.full {
            return;
        }
        without_repeats(&mut self.keys, &both);
        without_repeats(&mut self.others, &both);
        self.count_anew();
    }

    fn count_anew(&mut self) {
        let length = |value: &Value| match value {
            Value::Text(text) => text.len() + TEXT_BYTES,
            _ => 0,
        };
        self.texts = self.others.iter().map(|(value, _)| length(value)).sum();
        self.full = FULL_FROM.max(2 * self.len());
    }

    /// Every value once, with what `folded` makes of all that was told of it, ascending.
    #[must_use]
    pub fn folded<U>(self, mut folded: impl FnMut(&[T]) -> U) -> KeyedValues<U> {
        let Self { form, keys, others, texts, full } = self;
        let keys = each_once(keys, &mut folded);
        KeyedValues { form, keys, others: each_once(others, folded), texts, full }
    }
}

fn without_repeats<K: Ord, T: Copy + Ord>(
    pairs: &mut Vec<(K, T)>,
    both: impl Fn(T, T) -> Option<T>,
) {
    pairs.sort_unstable();
    pairs.dedup_by(|(key, told), (before, kept)| {
        let one = if key == before { both(*kept, *told) } else { None };
        one.map(|one| *kept = one).is_some()
    });
    pairs.shrink_to_fit();
}

/// The keys, each once, with what is made of all that is told of it.
fn each_once<K: Ord, T: Copy + Ord, U>(
    mut pairs: Vec<(K, T)>,
    mut folded: impl FnMut(&[T]) -> U,
) -> Vec<(K, U)> {
    if !pairs.is_sorted() {
        pairs.sort_unstable();
    }
    let mut once: Vec<(K, U)> = Vec::with_capacity(pairs.len());
    let mut told: Vec<T> = Vec::new();
    let mut pairs = pairs.into_iter().peekable();
    while let Some((key, first)) = pairs.next() {
        told.clear();
        told.push(first);
        while let Some((_, next)) = pairs.next_if(|(other, _)| *other == key) {
            told.push(next);
        }
        once.push((key, folded(&told)));
    }
    once
}

#[cfg(test)]
#[path = "keyed_tests.rs"]
mod tests;
