//! Search filters (RFC 4515) with places for a person's name and distinguished name.
//!
//! Owns reading the operator's text once, at start, and writing the filter's bytes for a person.
//! What is put into a place goes into the bytes as a value and never into a text, so that no name
//! can change the filter. Must never send what it did not understand whole.

use super::distinguished_name::hex;
use super::template::{Part, parts};
use super::wire::{element, of_parts};

/// Filters lie in each other so deep at most.
const DEPTH_MAX: usize = 16;

const AND: u8 = 0xa0;
const OR: u8 = 0xa1;
const NOT: u8 = 0xa2;
const EQUAL: u8 = 0xa3;
const PRESENT: u8 = 0x87;
const MATCHES: u8 = 0xa9;
const MATCHES_RULE: u8 = 0x81;
const MATCHES_ATTRIBUTE: u8 = 0x82;
const MATCHES_VALUE: u8 = 0x83;
const OCTET_STRING: u8 = super::wire::OCTET_STRING;

/// What stands in the places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'a> {
    /// The name in the feed.
    pub(super) name: &'a str,
    /// The distinguished name, as the directory writes it; empty where it is looked for.
    pub(super) dn: &'a str,
}

/// A filter with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Equal { attribute: String, value: Vec<Piece> },
    Present { attribute: String },
    Matches { attribute: String, rule: String, value: Vec<Piece> },
}

/// A piece of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Name,
    Dn,
}

impl Filter {
    /// The filter that everything passes.
    pub(super) fn anything() -> Self {
        Self::Present { attribute: "objectClass".to_owned() }
    }

    /// Reads a filter with these places; the error says what is wrong.
    pub(super) fn parse(text: &str, places: &[&str]) -> Result<Self, &'static str> {
        let mut reader = Reader { rest: text.trim(), places };
        let filter = reader.filter(0)?;
        if reader.rest.is_empty() { Ok(filter) } else { Err("goes on behind its last bracket") }
    }

    /// Whether the place of the distinguished name, or that of the name, stands in it.
    pub(super) fn speaks_of_a_person(&self) -> bool {
        let has_place =
            |value: &[Piece]| value.iter().any(|piece| !matches!(piece, Piece::Bytes(_)));
        match self {
            // Of alternatives, one that holds for everybody is as good as none at all.
            Self::Or(filters) => filters.iter().all(Self::speaks_of_a_person),
            Self::And(filters) => filters.iter().any(Self::speaks_of_a_person),
            Self::Not(_) | Self::Present { .. } => false,
            Self::Equal { value, .. } | Self::Matches { value, .. } => has_place(value),
        }
    }

    /// The filter's bytes for a person.
    pub(super) fn to_bytes(&self, person: Person<'_>) -> Vec<u8> {
        let all = |filters: &[Self]| -> Vec<Vec<u8>> {
            filters.iter().map(|filter| filter.to_bytes(person)).collect()
        };
        match self {
            Self::And(filters) => of_parts(AND, &all(filters)),
            Self::Or(filters) => of_parts(OR, &all(filters)),
            Self::Not(filter) => element(NOT, &filter.to_bytes(person)),
            Self::Equal { attribute, value } => {
                let of = element(OCTET_STRING, attribute.as_bytes());
                of_parts(EQUAL, &[of, element(OCTET_STRING, &filled(value, person))])
            }
            Self::Present { attribute } => element(PRESENT, attribute.as_bytes()),
            Self::Matches { attribute, rule, value } => {
                let rule = element(MATCHES_RULE, rule.as_bytes());
                let of = element(MATCHES_ATTRIBUTE, attribute.as_bytes());
                of_parts(MATCHES, &[rule, of, element(MATCHES_VALUE, &filled(value, person))])
            }
        }
    }
}

fn filled(value: &[Piece], person: Person<'_>) -> Vec<u8> {
    let bytes = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.clone(),
        Piece::Name => person.name.as_bytes().to_vec(),
        Piece::Dn => person.dn.as_bytes().to_vec(),
    };
    value.iter().flat_map(bytes).collect()
}

struct Reader<'a> {
    rest: &'a str,
    places: &'a [&'a str],
}

impl Reader<'_> {
    fn filter(&mut self, depth: usize) -> Result<Filter, &'static str> {
        if depth > DEPTH_MAX {
            return Err("lies in itself too deep");
        }
        self.expect('(')?;
        let filter = match self.rest.chars().next() {
            Some('&') => Filter::And(self.several(depth)?),
            Some('|') => Filter::Or(self.several(depth)?),
            Some('!') => {
                self.expect('!')?;
                Filter::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => self.item()?,
        };
        self.expect(')')?;
        Ok(filter)
    }

    fn several(&mut self, depth: usize) -> Result<Vec<Filter>, &'static str> {
        let mut filters = Vec::new();
        self.rest = self.rest.get(1..).unwrap_or_default();
        while self.rest.starts_with('(') {
            filters.push(self.filter(depth + 1)?);
        }
        if filters.is_empty() { Err("has an `&` or `|` of nothing") } else { Ok(filters) }
    }

    fn item(&mut self) -> Result<Filter, &'static str> {
        let end = self.rest.find(')').ok_or("has a bracket that is not closed")?;
        let (item, rest) = self.rest.split_at(end);
        self.rest = rest;
        let (left, right) = item.split_once('=').ok_or("has a condition without `=`")?;
        if let Some(left) = left.strip_suffix(':') {
            let (attribute, rule) = left.split_once(':').ok_or("has a `:=` without a rule")?;
            let attribute = description(attribute)?;
            return Ok(Filter::Matches {
                attribute,
                rule: description(rule)?,
                value: self.value(right)?,
            });
        }
        let attribute = description(left)?;
        if right == "*" {
            return Ok(Filter::Present { attribute });
        }
        Ok(Filter::Equal { attribute, value: self.value(right)? })
    }

    fn value(&self, text: &str) -> Result<Vec<Piece>, &'static str> {
        if text.contains(['*', '(', '\0']) {
            return Err(
                "has a value with `*` or `(`: write \\2a or \\28; parts of values are not asked for",
            );
        }
        parts(text, self.places)?
            .into_iter()
            .map(|part| match part {
                Part::Text(text) => unescaped(&text).map(Piece::Bytes),
                Part::Place(place) if place == "dn" => Ok(Piece::Dn),
                Part::Place(_) => Ok(Piece::Name),
            })
            .collect()
    }

    fn expect(&mut self, sign: char) -> Result<(), &'static str> {
        self.rest = self.rest.strip_prefix(sign).ok_or("has brackets that do not match")?;
        Ok(())
    }
}

/// An attribute or a rule: its name or number, with options.
fn description(text: &str) -> Result<String, &'static str> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';');
    if text.is_empty() || !text.bytes().all(is_sign) {
        return Err(
            "has a condition that is not `attribute=value`, `attribute=*` or `attribute:rule:=value`",
        );
    }
    Ok(text.to_owned())
}

fn unescaped(text: &str) -> Result<Vec<u8>, &'static str> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let pair = (rest.next().and_then(hex), rest.next().and_then(hex));
        let (Some(high), Some(low)) = pair else {
            return Err("has a backslash without two hexadecimal digits behind it");
        };
        bytes.push((high << 4) | low);
    }
    Ok(bytes)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
