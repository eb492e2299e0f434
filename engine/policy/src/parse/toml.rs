//! TOML tables, taken apart key by key, so that everything that is wrong is found at once and
//! with its place.
//!
//! Knows the form only: which keys there are and that a text is a text.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use crate::finding::{Finding, Located, Place, Source};
use crate::rule::Literal;

/// A table whose keys are taken one after the other; what is left over in the end is unknown.
pub(crate) struct Keys<'a> {
    source: Source<'a>,
    entries: Vec<(Located<String>, Spanned<DeValue<'a>>)>,
    place: Place,
}

/// Reads a whole file; what cannot be read is a finding and left out.
pub(crate) fn read<'a>(source: Source<'a>, findings: &mut Vec<Finding>) -> Keys<'a> {
    let (table, errors) = DeTable::parse_recoverable(source.text);
    for error in errors {
        let place = source.place(error.span().map_or(0, |span| span.start));
        findings.push(place.finding(error.message()));
    }
    let start = Place::start(source.file);
    Keys::new(source, table.into_inner(), start)
}

impl<'a> Keys<'a> {
    fn new(source: Source<'a>, table: DeTable<'a>, place: Place) -> Self {
        let entries = table
            .into_iter()
            .map(|(key, value)| {
                let place = source.place(key.span().start);
                (Located { value: key.into_inner().into_owned(), place }, value)
            })
            .collect();
        Self { source, entries, place }
    }

    fn take(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        let index = self.entries.iter().position(|(name, _)| name.value == key)?;
        Some(self.entries.swap_remove(index).1)
    }

    /// Takes a value that has to have one form.
    fn take_as<T>(
        &mut self,
        key: &str,
        form: &str,
        findings: &mut Vec<Finding>,
        read: impl FnOnce(Source<'a>, DeValue<'a>, &mut Vec<Finding>) -> Option<T>,
    ) -> Option<Located<T>> {
        let found = self.take(key)?;
        let place = self.source.place(found.span().start);
        let known_findings = findings.len();
        let value = read(self.source.clone(), found.into_inner(), findings);
        if value.is_none() && findings.len() == known_findings {
            findings.push(place.finding(format!("`{key}` has to be {form}")));
        }
        value.map(|value| Located { value, place })
    }

    /// Where the table begins.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// Takes a text.
    pub(crate) fn text(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<String>> {
        self.take_as(key, "a text in quotes", findings, |_, value, _| text_of(value))
    }

    /// Takes a text that has to be there.
    pub(crate) fn required_text(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<String>> {
        if self.entries.iter().all(|(name, _)| name.value != key) {
            findings.push(self.place.finding(format!("`{key}` is missing")));
        }
        self.text(key, findings)
    }

    /// Takes a whole number.
    pub(crate) fn integer(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<i64>> {
        self.take_as(key, "a whole number", findings, |_, value, _| {
            let digits = value.as_integer()?;
            i64::from_str_radix(digits.as_str(), digits.radix()).ok()
        })
    }

    /// Takes `true` or `false`.
    pub(crate) fn boolean(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<bool>> {
        self.take_as(key, "true or false", findings, |_, value, _| value.as_bool())
    }

    /// Takes a list of texts; an absent one is empty.
    pub(crate) fn texts(&mut self, key: &str, findings: &mut Vec<Finding>) -> Vec<Located<String>> {
        self.list(key, "a list of texts", findings, text_of).map_or_else(Vec::new, |l| l.value)
    }

    /// Takes one constant.
    pub(crate) fn literal(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<Literal>> {
        let form = "a text, a number, a date or a truth value";
        self.take_as(key, form, findings, |_, value, _| literal_of(value))
    }

    /// Takes a list of constants.
    pub(crate) fn literals(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Located<Vec<Located<Literal>>>> {
        self.list(key, "a list of texts, numbers, dates or truth values", findings, literal_of)
    }

    fn list<T>(
        &mut self,
        key: &str,
        form: &str,
        findings: &mut Vec<Finding>,
        read: impl Fn(DeValue<'a>) -> Option<T>,
    ) -> Option<Located<Vec<Located<T>>>> {
        self.take_as(key, form, findings, |source, value, findings| {
            let DeValue::Array(items) = value else { return None };
            let mut values = Vec::new();
            for item in items {
                let place = source.place(item.span().start);
                match read(item.into_inner()) {
                    Some(value) => values.push(Located { value, place }),
                    None => findings.push(place.finding(format!("`{key}` has to be {form}"))),
                }
            }
            Some(values)
        })
    }

    /// Takes a table of texts, such as `[role.classes]`.
    pub(crate) fn text_table(
        &mut self,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> Vec<(Located<String>, Located<String>)> {
        let Some(keys) = self.table(key, findings) else { return Vec::new() };
        let mut texts = Vec::new();
        for (name, value) in keys.entries {
            let place = keys.source.place(value.span().start);
            match text_of(value.into_inner()) {
                Some(value) => texts.push((name, Located { value, place })),
                None => findings.push(place.finding("this has to be a text in quotes")),
            }
        }
        texts
    }

    fn table(&mut self, key: &str, findings: &mut Vec<Finding>) -> Option<Self> {
        let found = self.take_as(key, "a table", findings, |_, value, _| match value {
            DeValue::Table(table) => Some(table),
            _ => None,
        })?;
        Some(Self::new(self.source.clone(), found.value, found.place))
    }

    /// Takes every `[[key]]`.
    pub(crate) fn tables(&mut self, key: &str, findings: &mut Vec<Finding>) -> Vec<Self> {
        let tables = self.list(key, "written as [[…]] tables", findings, |value| match value {
            DeValue::Table(table) => Some(table),
            _ => None,
        });
        let source = self.source.clone();
        let make = |table: Located<_>| Self::new(source.clone(), table.value, table.place);
        tables.map_or_else(Vec::new, |tables| tables.value.into_iter().map(make).collect())
    }

    /// Ends the reading: every key that nobody took is unknown. A misspelt word of a policy
    /// must not be passed over.
    pub(crate) fn finish(self, findings: &mut Vec<Finding>) {
        for (name, _) in self.entries {
            findings.push(name.place.finding(format!("unknown key `{}`", name.value)));
        }
    }
}

fn text_of(value: DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.into_owned()),
        _ => None,
    }
}

fn literal_of(value: DeValue<'_>) -> Option<Literal> {
    match value {
        DeValue::String(text) => Some(Literal::Text(text.into_owned())),
        DeValue::Integer(digits) => {
            let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok()?;
            Some(Literal::Integer(number.to_string()))
        }
        DeValue::Float(digits) => Some(Literal::Float(digits.as_str().to_owned())),
        DeValue::Boolean(value) => Some(Literal::Boolean(value)),
        DeValue::Datetime(moment) => Some(Literal::Text(moment.to_string())),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
