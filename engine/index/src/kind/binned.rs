//! `binned`: per row the number of the bin that its value falls into, one plain bit slice per
//! binary digit of that number.
//!
//! Bit slices are after O'Neil and Quass, "Improved Query Performance with Variant Indexes"
//! (SIGMOD 1997), bins that begin at values of low precision after Wu, Stockinger and Shoshani,
//! "Performance of Multi-Level and Multi-Component Compressed Bitmap Indexes" and FastBit. A
//! range over a measure or a date is told from four to six bits a row: exactly where it ends
//! where bins do, else but for the rows of the one or two bins that it cuts.

mod boundaries;
mod builder;
mod calendar;
mod condition;
mod format;
mod reader;
mod round_numbers;
mod slices;

pub(crate) use builder::build;
pub use reader::BinnedIndex;
pub use slices::{WINDOW_ROWS, WINDOW_WORDS};

use std::ops::Range;

use crate::kind::Answers;
use crate::logic::Leaf;

/// The bins that a condition takes, by their codes, as ascending and disjoint ranges. Code 0 is
/// null's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bins {
    /// Bins whose rows all satisfy it.
    pub(crate) sure: Vec<Range<u32>>,
    /// Bins of which some rows may satisfy it.
    pub(crate) open: Vec<Range<u32>>,
}

/// What bins say of a condition.
pub(super) const fn answers(leaf: &Leaf<'_>) -> Answers {
    match leaf {
        Leaf::IsNull => Answers::Exactly,
        Leaf::Compare(..) | Leaf::In(_) | Leaf::Part(..) | Leaf::Between(..) => Answers::AtMost,
        Leaf::Like(_) => Answers::Not,
    }
}
