//! `bitmap`: sorted distinct values, one roaring bitmap each, and one for null.
//!
//! Answers comparisons, IN and null tests exactly by joining the bitmaps that match; counts
//! per value stand beside them. Good up to a few thousand values.

mod builder;
mod format;
mod reader;

pub(crate) use builder::build;
pub use reader::BitmapIndex;
