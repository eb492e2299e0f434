//! The pattern of SQL's LIKE: `%` stands for any text, `_` for one character, `\` takes the
//! next character as it is.
//!
//! Owns matching, which neither fails nor allocates: of one text by the pattern itself, of many
//! by a [`LikeMatcher`] made once. Case counts; ILIKE is not here.

use std::collections::VecDeque;

use memchr::memmem::Finder;

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Element {
    AnyText,
    AnyCharacter,
    Character(char),
}

/// A pattern, read once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LikePattern {
    text: String,
    elements: Vec<Element>,
    shape: Shape,
}

/// A run of plain characters, which every match contains.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LikePart {
    /// The characters; none only where the pattern is the empty text.
    pub text: String,
    /// Whether every match begins with it.
    pub begins: bool,
    /// Whether every match ends with it; one that also begins them is the whole text.
    pub ends: bool,
}

/// A pattern made ready for many texts.
#[derive(Debug, Clone)]
pub struct LikeMatcher<'a>(Test<'a>);

#[derive(Debug, Clone)]
enum Test<'a> {
    Exactly(&'a [u8]),
    /// These runs of characters, in order, with any text between them.
    Runs {
        first: Vec<u8>,
        between: Vec<Finder<'static>>,
        last: Vec<u8>,
    },
    /// A pattern that counts characters.
    Characters(&'a [Element]),
}

/// Patterns that need no backtracking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shape {
    Exactly(String),
    Begins(String),
    Ends(String),
    Contains(String),
    Other,
}

impl LikePattern {
    /// Reads a pattern; every text is one.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let mut elements = Vec::with_capacity(pattern.len());
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            elements.push(match character {
                '%' if elements.last() == Some(&Element::AnyText) => continue,
                '%' => Element::AnyText,
                '_' => Element::AnyCharacter,
                '\\' => Element::Character(characters.next().unwrap_or('\\')),
                other => Element::Character(other),
            });
        }
        let shape = Shape::of(&elements);
        Self { text: pattern.to_owned(), elements, shape }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text is as the pattern says.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Exactly(wanted) => text == wanted,
            Shape::Begins(prefix) => text.starts_with(prefix.as_str()),
            Shape::Ends(suffix) => text.ends_with(suffix.as_str()),
            Shape::Contains(part) => text.contains(part.as_str()),
            Shape::Other => matches(&self.elements, text),
        }
    }

    /// The pattern made ready for many texts.
    #[must_use]
    pub fn matcher(&self) -> LikeMatcher<'_> {
        if let Shape::Exactly(text) = &self.shape {
            return LikeMatcher(Test::Exactly(text.as_bytes()));
        }
        if self.elements.contains(&Element::AnyCharacter) {
            return LikeMatcher(Test::Characters(&self.elements));
        }
        let runs = self.elements.split(|element| *element == Element::AnyText);
        let mut runs: VecDeque<String> = runs.map(text_of).collect();
        // A pattern that is no plain text has a `%`, and so two runs at least.
        let first = runs.pop_front().unwrap_or_default().into_bytes();
        let last = runs.pop_back().unwrap_or_default().into_bytes();
        let between = runs.iter().map(|run| Finder::new(run).into_owned()).collect();
        LikeMatcher(Test::Runs { first, between, last })
    }

    /// The texts that every match contains: the runs of plain characters, in order.
    #[must_use]
    pub fn required_parts(&self) -> Vec<LikePart> {
        let end = self.elements.len();
        let mut parts = Vec::new();
        let mut start = 0;
        for run in self.elements.split(|element| !matches!(element, Element::Character(_))) {
            let (begins, ends) = (start == 0, start + run.len() == end);
            if !run.is_empty() || (begins && ends) {
                parts.push(LikePart { text: text_of(run), begins, ends });
            }
            start += run.len() + 1;
        }
        parts
    }

    /// Whether every text that contains the parts where they have to stand is a match: there is
    /// at most one part, and nothing but `%` beside it.
    #[must_use]
    pub const fn is_decided_by_parts(&self) -> bool {
        !matches!(self.shape, Shape::Other)
    }

    /// The text that every match begins with; empty if there is none.
    #[must_use]
    pub fn prefix(&self) -> String {
        let end =
            self.elements.iter().position(|element| !matches!(element, Element::Character(_)));
        text_of(&self.elements[..end.unwrap_or(self.elements.len())])
    }
}

impl LikeMatcher<'_> {
    /// Whether the whole text, in UTF-8, is as the pattern says. Of bytes that are no UTF-8 the
    /// answer means nothing.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.0 {
            Test::Exactly(wanted) => text == *wanted,
            Test::Runs { first, between, last } => {
                between_ends(text, first, last).is_some_and(|rest| has_in_order(rest, between))
            }
            Test::Characters(elements) => {
                std::str::from_utf8(text).is_ok_and(|text| matches(elements, text))
            }
        }
    }
}

/// What stands in a text between its first and its last run; `None` if it has not both. An empty
/// run, the usual one, is not compared: that alone would fetch the text's ends.
fn between_ends<'a>(text: &'a [u8], first: &[u8], last: &[u8]) -> Option<&'a [u8]> {
    let rest = if first.is_empty() { text } else { text.strip_prefix(first)? };
    if last.is_empty() { Some(rest) } else { rest.strip_suffix(last) }
}

/// Whether the runs stand in the text one after the other. Each is taken where it comes first,
/// which leaves the most to the others.
fn has_in_order(text: &[u8], runs: &[Finder<'_>]) -> bool {
    let mut rest = text;
    runs.iter().all(|run| match run.find(rest) {
        Some(found) => {
            rest = &rest[found + run.needle().len()..];
            true
        }
        None => false,
    })
}

impl Shape {
    fn of(elements: &[Element]) -> Self {
        let is_plain =
            |run: &[Element]| run.iter().all(|element| matches!(element, Element::Character(_)));
        match elements {
            run if is_plain(run) => Self::Exactly(text_of(run)),
            [Element::AnyText, run @ .., Element::AnyText] if is_plain(run) => {
                Self::Contains(text_of(run))
            }
            [Element::AnyText, run @ ..] if is_plain(run) => Self::Ends(text_of(run)),
            [run @ .., Element::AnyText] if is_plain(run) => Self::Begins(text_of(run)),
            _ => Self::Other,
        }
    }
}

fn text_of(elements: &[Element]) -> String {
    let plain = elements.iter().filter_map(|element| match element {
        Element::Character(character) => Some(*character),
        Element::AnyText | Element::AnyCharacter => None,
    });
    plain.collect()
}

/// Greedy matching: only the last `%` ever has to be tried again, so the time is at most the
/// product of the lengths.
fn matches(elements: &[Element], text: &str) -> bool {
    let mut rest = text;
    let mut at = 0;
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let mut characters = rest.chars();
        match elements.get(at) {
            Some(Element::AnyText) => {
                retry = Some((at + 1, rest));
                at += 1;
                continue;
            }
            Some(element) if characters.next().is_some_and(|found| element.takes(found)) => {
                rest = characters.as_str();
                at += 1;
                continue;
            }
            None if rest.is_empty() => return true,
            Some(_) | None => {}
        }
        let Some((after, from)) = retry else { return false };
        let mut skipped = from.chars();
        if skipped.next().is_none() {
            return false;
        }
        rest = skipped.as_str();
        at = after;
        retry = Some((after, rest));
    }
}

impl Element {
    fn takes(self, found: char) -> bool {
        match self {
            Self::Character(wanted) => wanted == found,
            Self::AnyCharacter => true,
            Self::AnyText => false,
        }
    }
}

#[cfg(test)]
#[path = "like_tests.rs"]
mod tests;
