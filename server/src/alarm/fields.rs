//! Reads one table of a TOML file field by field, and says what is missing, wrong or unknown.
//!
//! Owns the wording. Every field that nobody asked for is a finding: a misspelt threshold must
//! not be a threshold that is not there.

use toml::{Table, Value};

use super::clock::{duration, minute_of_day};

/// A table that is being read, under the name by which findings speak of it.
pub(crate) struct Fields<'a> {
    place: String,
    table: Table,
    findings: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(place: String, table: Table, findings: &'a mut Vec<String>) -> Self {
        Self { place, table, findings }
    }

    pub(crate) fn find(&mut self, what: &str) {
        self.findings.push(format!("{}: {what}", self.place));
    }

    /// A field of this form, if it is there.
    fn maybe<T>(&mut self, key: &str, form: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.table.remove(key)?;
        let read = read(&value);
        if read.is_none() {
            self.find(&format!("`{key}` must be {form}"));
        }
        read
    }

    /// A field that must be there.
    fn must<T: Default>(&mut self, key: &str, form: &str, read: impl Fn(&Value) -> Option<T>) -> T {
        if !self.table.contains_key(key) {
            self.find(&format!("`{key}` is missing: {form}"));
        }
        self.maybe(key, form, read).unwrap_or_default()
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.maybe(key, "a text", |value| value.as_str().map(ToOwned::to_owned))
    }

    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let of = |value: &Value| {
            value.as_array()?.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect()
        };
        self.maybe(key, "a list of texts", of).unwrap_or_default()
    }

    /// A whole number of at least one.
    pub(crate) fn count(&mut self, key: &str) -> u64 {
        self.must(key, "a whole number of 1 or more", count)
    }

    pub(crate) fn count_or(&mut self, key: &str, otherwise: u64) -> u64 {
        self.maybe(key, "a whole number of 1 or more", count).unwrap_or(otherwise)
    }

    pub(crate) fn factor(&mut self, key: &str) -> f64 {
        let read = |value: &Value| number(value).filter(|number| *number >= 1.0);
        self.must(key, "a number of 1 or more", read)
    }

    /// A share between 0 and 1.
    pub(crate) fn share(&mut self, key: &str) -> f64 {
        self.must(key, SHARE, share)
    }

    pub(crate) fn share_or(&mut self, key: &str, otherwise: f64) -> f64 {
        self.maybe(key, SHARE, share).unwrap_or(otherwise)
    }

    pub(crate) fn flag(&mut self, key: &str, otherwise: bool) -> bool {
        self.maybe(key, "true or false", Value::as_bool).unwrap_or(otherwise)
    }

    pub(crate) fn time(&mut self, key: &str) -> i64 {
        self.must(key, TIME, time)
    }

    pub(crate) fn maybe_time(&mut self, key: &str) -> Option<i64> {
        self.maybe(key, TIME, time)
    }

    pub(crate) fn minute(&mut self, key: &str) -> u32 {
        self.must(key, "a time of day such as \"22:00\"", |value| minute_of_day(value.as_str()?))
    }

    /// One of these words.
    pub(crate) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)], otherwise: T) -> T {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let of = |value: &Value| {
            let said = value.as_str()?;
            words.iter().find(|(word, _)| *word == said).map(|(_, meant)| *meant)
        };
        self.maybe(key, &format!("one of {}", list.join(", ")), of).unwrap_or(otherwise)
    }

    /// Whatever is left over.
    pub(crate) fn end(mut self) {
        for key in std::mem::take(&mut self.table).keys() {
            self.find(&format!("`{key}` has no meaning here"));
        }
    }
}

const TIME: &str = "a time such as \"90s\", \"30m\", \"24h\" or \"7d\"";

const SHARE: &str = "a number from 0 to 1";

fn number(value: &Value) -> Option<f64> {
    let whole = || value.as_integer().and_then(|whole| i32::try_from(whole).ok()).map(f64::from);
    value.as_float().or_else(whole).filter(|number| number.is_finite())
}

fn share(value: &Value) -> Option<f64> {
    number(value).filter(|number| (0.0..=1.0).contains(number))
}

fn time(value: &Value) -> Option<i64> {
    duration(value.as_str()?)
}

fn count(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0)
}
