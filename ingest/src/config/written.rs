//! The load file's text, for errors that say where.
//!
//! Owns the way from a byte range to a line and a column, and the reading of values that may
//! be spelled in more than one way.

use std::ops::Range;
use std::path::Path;

use toml::{Spanned, Value};

use crate::error::{IngestError, Place};

/// The text of a load file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Written<'_> {
    /// The error that something in this range is wrong.
    pub(super) fn refuse(self, span: Range<usize>, problem: impl Into<String>) -> IngestError {
        IngestError::LoadFile {
            path: self.path.to_path_buf(),
            place: Place::of_byte(self.text, span.start),
            problem: problem.into(),
        }
    }

    /// One text, or a list of them.
    pub(super) fn texts(
        self,
        value: &Spanned<Value>,
        key: &str,
    ) -> Result<Vec<String>, IngestError> {
        let wrong = || self.refuse(value.span(), format!("`{key}` is a text or a list of texts"));
        match value.get_ref() {
            Value::String(text) => Ok(vec![text.clone()]),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_string).ok_or_else(wrong))
                .collect(),
            _ => Err(wrong()),
        }
    }

    /// Exactly one character.
    pub(super) fn character(self, value: &Spanned<String>, key: &str) -> Result<char, IngestError> {
        let mut characters = value.get_ref().chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(self.refuse(value.span(), format!("`{key}` is exactly one character"))),
        }
    }

    /// Exactly one ASCII character that cannot be part of a number.
    pub(super) fn separator(self, value: &Spanned<String>, key: &str) -> Result<u8, IngestError> {
        let character = self.character(value, key)?;
        match u8::try_from(character) {
            Ok(byte)
                if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"+-".contains(&byte) =>
            {
                Ok(byte)
            }
            _ => Err(self.refuse(
                value.span(),
                format!("`{key}` is one ASCII character that is no letter, digit or sign"),
            )),
        }
    }
}
