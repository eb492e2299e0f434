//! Bytes of a record to text, strictly.
//!
//! Owns the one place where an encoding is applied. It runs before a record is split into
//! fields, because in GBK and its kin the second byte of a character may look like a delimiter;
//! no byte of theirs looks like a line end, so cutting lines first is safe.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// The record's text, or `None` where the bytes are not of the encoding.
pub(crate) fn decode<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    if encoding == UTF_8 {
        std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
    } else {
        encoding.decode_without_bom_handling_and_without_replacement(bytes)
    }
}

/// The record's text with a mark in the place of every byte that is not of the encoding.
pub(crate) fn decode_roughly<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    encoding.decode_without_bom_handling(bytes).0
}

/// The text without the byte order mark that some programs write in front of a file.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
