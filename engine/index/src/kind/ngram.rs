//! `ngram`: which rows hold a pair of characters, for LIKE on texts of many distinct values.
//!
//! A text is taken as its characters (Unicode scalar values, so Chinese and Latin alike)
//! between a mark of its beginning and one of its end; every two neighbours are a pair. A part
//! that a pattern demands leads to pairs, and only rows that have all of them can match. One
//! pair is an exact answer (`%ab%`, `a%`, `%a`); so is one character (`%a%`), which is found
//! by joining all pairs that begin with it; of more than one pair the rows are an upper bound;
//! and a pair that nowhere occurs proves that nothing matches.
//!
//! A pair of more than half of the rows is kept without its rows: it would exclude little.
//! Texts of one or two characters are answered best, texts of digits worst: they have few
//! pairs, and each is everywhere.

mod builder;
mod flags;
mod format;
mod postings;
mod reader;

pub(crate) use builder::build;
pub use reader::NgramIndex;

use martlet_core::Comparison;

use crate::kind::Answers;
use crate::logic::Leaf;

pub(super) const fn answers(leaf: &Leaf<'_>) -> Answers {
    match leaf {
        Leaf::IsNull => Answers::Exactly,
        Leaf::Like(_) | Leaf::Compare(Comparison::Equal, _) | Leaf::In(_) => Answers::AtMost,
        Leaf::Compare(..) | Leaf::Part(..) | Leaf::Between(..) => Answers::Not,
    }
}

/// What stands for the beginning and the end of a text; characters are counted from 1.
const MARK: u32 = 0;

/// The number that stands for a character.
const fn number(character: char) -> u32 {
    character as u32 + 1
}
