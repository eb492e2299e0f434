//! SQL as a tree that can be written out and made smaller.
//!
//! Knows nothing of what it says: whether something smaller still means anything, the engine
//! tells. Where leaving a part out would change what may be compared, the part is one text.

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sql {
    /// Words that stay as they are.
    Text(String),
    /// One after the other.
    Seq(Vec<Sql>),
    /// What may be left out.
    Optional(Box<Sql>),
    /// Parts with something between them, of which at least one stays.
    List(Vec<Sql>, &'static str),
    /// An expression, and others that may stand in its place.
    Expr(Box<Sql>, Vec<Sql>),
    /// Words, and those that ask the same of the copy, which has nothing under its masks.
    Copied { asked: String, of_copy: String },
}

/// Of whom a statement is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Worlds,
    Copy,
}

/// Words.
pub fn text(words: impl Into<String>) -> Sql {
    Sql::Text(words.into())
}

/// What may be left out.
pub fn optional(part: Sql) -> Sql {
    Sql::Optional(Box::new(part))
}

/// An expression of parts, in whose place one of `simpler` may stand.
pub fn expression(parts: Vec<Sql>, simpler: Vec<Sql>) -> Sql {
    Sql::Expr(Box::new(Sql::Seq(parts)), simpler)
}

/// Writes parts after each other: `seq!["a", part, "b"]`.
#[macro_export]
macro_rules! seq {
    ($($part:expr),* $(,)?) => { vec![$($crate::grammar::sql::Sql::from($part)),*] };
}

impl From<&str> for Sql {
    fn from(words: &str) -> Self {
        Self::Text(words.to_owned())
    }
}

impl From<String> for Sql {
    fn from(words: String) -> Self {
        Self::Text(words)
    }
}

impl Sql {
    /// The statement's text.
    #[must_use]
    pub fn written(&self, of: Of) -> String {
        let mut words = String::new();
        self.write(of, &mut words);
        words
    }

    fn write(&self, of: Of, into: &mut String) {
        match self {
            Self::Text(words) => put(words, into),
            Self::Copied { asked, of_copy } => {
                put(if of == Of::Worlds { asked } else { of_copy }, into);
            }
            Self::Seq(parts) => parts.iter().for_each(|part| part.write(of, into)),
            Self::Optional(part) => part.write(of, into),
            Self::Expr(whole, _) => whole.write(of, into),
            Self::List(parts, between) => {
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        put(between, into);
                    }
                    part.write(of, into);
                }
            }
        }
    }

    /// Every tree that is smaller by one step, the much smaller ones first.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Text(_) | Self::Copied { .. } => Vec::new(),
            Self::Seq(parts) => within(parts).into_iter().map(Self::Seq).collect(),
            Self::Optional(part) => {
                let rest = part.smaller().into_iter().map(|part| Self::Optional(Box::new(part)));
                std::iter::once(Self::Seq(Vec::new())).chain(rest).collect()
            }
            Self::List(parts, between) => {
                let list = |parts: Vec<Self>| Self::List(parts, between);
                let mut all = Vec::new();
                if parts.len() > 3 {
                    let half = parts.len() / 2;
                    all.push(list(parts[..half].to_vec()));
                    all.push(list(parts[half..].to_vec()));
                }
                if parts.len() > 1 {
                    all.extend((0..parts.len()).map(|at| {
                        let others = parts.iter().enumerate().filter(|(of, _)| *of != at);
                        list(others.map(|(_, part)| part.clone()).collect())
                    }));
                }
                all.extend(within(parts).into_iter().map(list));
                all
            }
            Self::Expr(whole, simpler) => {
                let rest = whole.smaller().into_iter();
                let rest = rest.map(|whole| Self::Expr(Box::new(whole), simpler.clone()));
                simpler.iter().cloned().chain(rest).collect()
            }
        }
    }
}

fn put(words: &str, into: &mut String) {
    let glued =
        into.is_empty() || into.ends_with([' ', '(', '.']) || words.starts_with([')', ',', '.']);
    if !glued && !words.is_empty() {
        into.push(' ');
    }
    into.push_str(words);
}

/// The parts with one of them made smaller.
fn within(parts: &[Sql]) -> Vec<Vec<Sql>> {
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        for smaller in part.smaller() {
            let mut parts = parts.to_vec();
            parts[at] = smaller;
            all.push(parts);
        }
    }
    all
}
