//! Distinguished names (RFC 4514): the one of a person, made from a template, and those of groups,
//! compared as directories compare them.
//!
//! Owns the escaping of a name and the form in which names are equal. Must never let a person's
//! name become more than a value, and never take two names for one because it could not read them:
//! what is no name is no name.

use std::collections::BTreeSet;

use super::template::{Part, parts};

/// A name has at most so many parts.
const DEPTH_MAX: usize = 64;

/// Types that have a number beside their name (RFC 4519).
const NUMBERED: [(&str, &str); 10] = [
    ("2.5.4.3", "cn"),
    ("2.5.4.4", "sn"),
    ("2.5.4.6", "c"),
    ("2.5.4.7", "l"),
    ("2.5.4.8", "st"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "o"),
    ("2.5.4.11", "ou"),
    ("0.9.2342.19200300.100.1.1", "uid"),
    ("0.9.2342.19200300.100.1.25", "dc"),
];

/// A distinguished name in the form in which it is compared: without regard to case, to blanks
/// that do not count, to how it is escaped and to the order within one part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct DistinguishedName(Vec<BTreeSet<(String, Value)>>);

/// A value: a text, or the bytes of one that no text is given for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Value {
    Text(String),
    Bytes(String),
}

impl DistinguishedName {
    /// Reads a name; `None` if it is none. The empty name is nobody's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts = split(text, ',')?;
        if parts.len() > DEPTH_MAX {
            return None;
        }
        let part = |part: &str| split(part, '+')?.into_iter().map(assertion).collect();
        parts.into_iter().map(part).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// The parts between separators that are not escaped.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == separator => {
                parts.push(&text[begin..at]);
                begin = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!escaped).then_some(parts)
}

fn assertion(text: &str) -> Option<(String, Value)> {
    let (of, value) = text.split_once('=')?;
    let of = of.trim_matches(' ').to_ascii_lowercase();
    let of = of.strip_prefix("oid.").unwrap_or(&of);
    let is_type = !of.is_empty()
        && of.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let of = NUMBERED.iter().find(|(number, _)| *number == of).map_or(of, |(_, name)| *name);
    if !is_type {
        return None;
    }
    let value = trim(value);
    match value.strip_prefix('#') {
        Some(digits) => {
            let is_hex = digits.len() % 2 == 0
                && !digits.is_empty()
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| (of.to_owned(), Value::Bytes(digits.to_ascii_lowercase())))
        }
        None => {
            let text = unescaped(value)?.to_lowercase();
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            let text = words.join(" ");
            (!text.is_empty()).then(|| (of.to_owned(), Value::Text(text)))
        }
    }
}

/// Without the blanks around it that are not escaped.
fn trim(value: &str) -> &str {
    let value = value.trim_start_matches(' ');
    let trimmed = value.trim_end_matches(' ');
    let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    let escaped = backslashes % 2 == 1 && trimmed.len() < value.len();
    if escaped { &value[..=trimmed.len()] } else { trimmed }
}

fn unescaped(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), value.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next()? {
                sign @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\') => {
                    bytes.push(sign);
                }
                high => bytes.push((hex(high)? << 4) | hex(rest.next()?)?),
            },
            // What has to be escaped and is not is another dialect (RFC 2253 and before).
            b'"' | b';' | b'<' | b'>' | 0 => return None,
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The distinguished name of a person, with a place for their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PersonName(Vec<Part>);

impl PersonName {
    /// Reads a template such as `uid={name},ou=people,dc=bank`; the error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = parts(text, &["name"])?;
        if !parts.iter().any(|part| matches!(part, Part::Place(_))) {
            return Err("has no `{name}`, so everybody would be one person");
        }
        let template = Self(parts);
        // Names that do harm where they are taken for more than a value.
        let of = |name: &str| DistinguishedName::parse(&template.of(name));
        let (plain, nasty) = (of("probe"), of(" a,uid=b+c=d\"\\;<>#=é\0 "));
        match (plain, nasty) {
            (Some(plain), Some(nasty)) if same_shape(&plain, &nasty) => Ok(template),
            _ => Err("is no distinguished name with `{name}` as a value, or a part of one"),
        }
    }

    /// The distinguished name of the person of this name.
    pub(super) fn of(&self, name: &str) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(_) => escaped(name),
        };
        self.0.iter().map(text).collect()
    }
}

fn same_shape(one: &DistinguishedName, other: &DistinguishedName) -> bool {
    let shape = |name: &DistinguishedName| -> Vec<Vec<String>> {
        let types =
            |part: &BTreeSet<(String, Value)>| part.iter().map(|(of, _)| of.clone()).collect();
        name.0.iter().map(types).collect()
    };
    shape(one) == shape(other)
}

/// Everything but letters, digits and the two signs that mean nothing anywhere is escaped, byte by
/// byte: more than has to be, and nothing less.
fn escaped(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("\\{byte:02x}"),
        })
        .collect()
}

#[cfg(test)]
#[path = "distinguished_name_tests.rs"]
mod tests;
