//! The few parts of a certificate's bytes (DER, X.690) that are read here.
//!
//! Owns walking over them. TLS has parsed and verified the certificate before; what has not the
//! expected form is nevertheless no value, and no bytes do harm.

/// A universal SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// A universal SET.
pub(super) const SET: u8 = 0x31;
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const NUMERIC_STRING: u8 = 0x12;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;

/// A value with its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The content, if the tag is this one.
    pub(super) fn of(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// Elements one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element; `None` at the end, and where the bytes are none.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            // One to four bytes of length; the open form is no DER.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(*first & 0x7f))?;
                let length = bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
                (usize::try_from(length).ok()?, rest)
            }
            _ => return None,
        };
        // A tag of several bytes stands nowhere in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag: *tag, content })
    }

    /// The content of the next element, if its tag is this one.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()?.of(tag)
    }

    /// Leaves the next element out, if its tag is this one.
    pub(super) fn skip(&mut self, tag: u8) {
        let mut ahead = *self;
        if ahead.next().is_some_and(|element| element.tag == tag) {
            *self = ahead;
        }
    }

    /// All elements; `None` if the bytes do not end with one.
    pub(super) fn all(mut self) -> Option<Vec<Element<'a>>> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(self.next()?);
        }
        Some(all)
    }
}

/// A text of one of the kinds that names are written in.
pub(super) fn text(element: Element<'_>) -> Option<&str> {
    let kinds = [UTF8_STRING, NUMERIC_STRING, PRINTABLE_STRING, IA5_STRING];
    let text = std::str::from_utf8(element.content).ok()?;
    let is_text = element.tag == UTF8_STRING || text.is_ascii();
    (kinds.contains(&element.tag) && is_text).then_some(text)
}

/// A time in seconds since 1970-01-01 00:00 UTC; certificates have whole seconds and `Z` (RFC
/// 5280, 4.1.2.5).
pub(super) fn seconds(element: Element<'_>) -> Option<i64> {
    let digits = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let is_time = digits.bytes().all(|byte| byte.is_ascii_digit());
    let full = match (element.tag, digits.len()) {
        (GENERALIZED_TIME, 14) => digits.to_owned(),
        // Two digits of the year: 50 is 1950, 49 is 2049.
        (UTC_TIME, 12) if digits < "50" => format!("20{digits}"),
        (UTC_TIME, 12) => format!("19{digits}"),
        _ => return None,
    };
    let time = chrono::NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%S").ok()?;
    is_time.then(|| time.and_utc().timestamp())
}

#[cfg(test)]
#[path = "der_tests.rs"]
mod tests;
