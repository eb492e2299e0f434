//! `texts`: every row's text, each compressed on its own, so that any of them is read alone.
//!
//! What `ngram` leaves open is settled here: the texts of the rows that may match are decoded,
//! a few dozen nanoseconds each, and tested. In a segment a text's neighbours come with it, a
//! page of thousands at a time. Columns of the result are read from here for the same reason.
//!
//! The texts are written in codes of one byte, each of which stands for a string of up to eight
//! bytes that is frequent in the column (FSST: Boncz, Neumann and Leis, "Fast random access
//! string compression", VLDB 2020). By itself the kind answers no condition on texts, because
//! it would have to walk over every row.

mod builder;
mod format;
mod reader;
mod symbols;
mod training;

pub(crate) use builder::build;
pub use reader::TextsIndex;

use crate::kind::Answers;
use crate::logic::Leaf;

pub(super) const fn answers(leaf: &Leaf<'_>) -> Answers {
    match leaf {
        Leaf::IsNull => Answers::Exactly,
        Leaf::Like(_) | Leaf::Compare(..) | Leaf::In(_) | Leaf::Part(..) | Leaf::Between(..) => {
            Answers::Not
        }
    }
}

/// Whether a row's text settles the condition.
pub(crate) const fn settles(leaf: &Leaf<'_>) -> bool {
    matches!(leaf, Leaf::IsNull | Leaf::Like(_) | Leaf::Compare(..) | Leaf::In(_))
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
