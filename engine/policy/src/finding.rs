//! A finding: what is wrong in a text that people wrote, and where exactly.
//!
//! Never holds a password or a hash, even where one of them is what is wrong.

use std::fmt;

/// One thing to correct, with its place. Lines and columns count from 1; a column counts
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file's name inside the bundle (or `principals`).
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message } = self;
        write!(formatter, "{file}:{line}:{column}: {message}")
    }
}

/// Where something stands in one of the bundle's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// The beginning of a file: for what is missing from it altogether.
    pub(crate) const fn start(file: &'static str) -> Self {
        Self { file, line: 1, column: 1 }
    }

    /// The place of a byte offset in a text; an offset beyond the end is its end.
    pub(crate) fn at(file: &'static str, text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let before = &text[..offset.unwrap_or(0)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file,
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        }
    }

    /// A finding at this place.
    pub(crate) fn finding(self, message: impl Into<String>) -> Finding {
        Finding {
            file: self.file.to_owned(),
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// A number counted from 0 as one counted from 1, stopping at the end of its type.
fn count(from_zero: usize) -> u32 {
    u32::try_from(from_zero).unwrap_or(u32::MAX).saturating_add(1)
}

/// A value together with the place where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\n欧阳 = 2\n";
        let offset =
            text.find('=').and_then(|first| text[first + 1..].find('=').map(|n| first + 1 + n));
        let place = Place::at("roles.toml", text, offset.unwrap());
        assert_eq!((place.line, place.column), (2, 4));
        assert_eq!(place.finding("wrong").to_string(), "roles.toml:2:4: wrong");
    }

    #[test]
    fn an_offset_inside_a_character_or_beyond_the_end_is_still_a_place() {
        assert_eq!(Place::at("f", "欧", 1).column, 1);
        assert_eq!(Place::at("f", "欧", 99).column, 2);
    }
}
