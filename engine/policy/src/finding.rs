//! A finding: what is wrong in a text that people wrote, and where exactly.
//!
//! Never holds a password or a hash, even where one of them is what is wrong.

use std::fmt;
use std::rc::Rc;

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

/// A file being read: places come from its text.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'static str,
    pub(crate) text: &'a str,
    /// Where each line begins: thousands of places are asked for, which must not each count from
    /// the beginning of the text.
    line_starts: Rc<[usize]>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'static str, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { file, text, line_starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The place of a byte offset; one beyond the end is the end.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let line_start = self.line_starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(line_start..offset).unwrap_or_default();
        Place { file: self.file, line: count(line), column: count(before.chars().count()) }
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
        let place = Source::new("roles.toml", text).place(offset.unwrap());
        assert_eq!((place.line, place.column), (2, 4));
        assert_eq!(place.finding("wrong").to_string(), "roles.toml:2:4: wrong");
    }

    #[test]
    fn an_offset_inside_a_character_or_beyond_the_end_is_still_a_place() {
        assert_eq!(Source::new("f", "欧").place(1).column, 1);
        assert_eq!(Source::new("f", "欧").place(99).column, 2);
    }

    #[test]
    fn every_place_is_where_counting_from_the_beginning_finds_it() {
        for text in ["", "\n", "a", "a\n", "\n\nb", "欧\n阳 = 2\r\n\nc\n"] {
            let source = Source::new("f", text);
            for offset in (0..=text.len()).filter(|offset| text.is_char_boundary(*offset)) {
                let before = &text[..offset];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                let place = source.place(offset);
                let found = (place.line as usize, place.column as usize);
                assert_eq!(found, (line, column), "{text:?} at {offset}");
            }
        }
    }
}
