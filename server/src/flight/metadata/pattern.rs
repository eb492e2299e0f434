//! The search patterns of metadata questions: `%`, `_` and `\` before either.
//!
//! Owns the match. Must take linear space and at most quadratic time on any pattern: patterns
//! come from strangers.

/// A pattern in which `%` stands for any text, `_` for any one character, and `\` makes the
/// character after it stand for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    AnyText,
    AnyCharacter,
    Character(char),
}

impl Pattern {
    /// Reads a pattern; every text is one.
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '%' => Part::AnyText,
                '_' => Part::AnyCharacter,
                // At the end of the pattern a backslash is itself.
                '\\' => Part::Character(characters.next().unwrap_or('\\')),
                other => Part::Character(other),
            });
        }
        Self(parts)
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at_part, mut at_text) = (0, 0);
        // Where to go on when a match fails: after the last `%`, one character further.
        let mut retry: Option<(usize, usize)> = None;
        while at_text < text.len() {
            match self.0.get(at_part) {
                Some(Part::AnyText) => {
                    retry = Some((at_part + 1, at_text));
                    at_part += 1;
                }
                Some(part) if part.takes(text[at_text]) => {
                    at_part += 1;
                    at_text += 1;
                }
                Some(_) | None => match &mut retry {
                    Some((part, start)) => {
                        *start += 1;
                        (at_part, at_text) = (*part, *start);
                    }
                    None => return false,
                },
            }
        }
        self.0[at_part..].iter().all(|part| *part == Part::AnyText)
    }
}

impl Part {
    fn takes(self, character: char) -> bool {
        match self {
            Self::AnyText | Self::AnyCharacter => true,
            Self::Character(own) => own == character,
        }
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
