//! `bit_sliced`: one roaring bitmap per binary digit of the values, over the lowest of them.
//!
//! After O'Neil and Quass, "Improved Query Performance with Variant Indexes" (SIGMOD 1997):
//! ranges by ANDs down the digits, sums by counting each digit's rows, extremes and percentiles
//! by descending the digits, all inside any selection and without looking at a row.

mod builder;
mod format;
mod reader;

pub(crate) use builder::build;
pub use reader::BitSlicedIndex;

use martlet_core::DatePart;

use crate::kind::Answers;
use crate::logic::Leaf;

/// Up to so many values are looked up one after the other, each down all digits.
const VALUES_MAX: usize = 16;

/// What bit slices say of a condition.
pub(super) fn answers(leaf: &Leaf<'_>) -> Answers {
    match leaf {
        Leaf::IsNull | Leaf::Compare(..) | Leaf::Part(DatePart::Year, ..) => Answers::Exactly,
        Leaf::In(values) if values.len() <= VALUES_MAX => Answers::Exactly,
        Leaf::In(_) | Leaf::Part(..) | Leaf::Like(_) | Leaf::Between(..) => Answers::Not,
    }
}
