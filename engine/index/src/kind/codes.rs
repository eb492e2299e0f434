//! `codes`: a sorted dictionary and one bit-packed code per row, in blocks of 128.
//!
//! Answers what `bitmap` does by a scan of the codes that skips blocks, and is what GROUP BY
//! counts: a code is an array index. Good as long as the dictionary is small beside the rows.

mod array;
mod builder;
mod format;
mod keys;
mod reader;
mod wanted;

pub(crate) use builder::build;
pub use format::BLOCK_ROWS;
pub(crate) use keys::runs;
pub use reader::CodesIndex;
pub(crate) use wanted::WantedCodes;
