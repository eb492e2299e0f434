//! `vector`: one fixed-width number per row, the numeric twin of `codes`.
//!
//! Numbers, dates, timestamps, decimals of 64 bits, and texts that are a shared prefix and a
//! run of digits, each as a 64-bit key whose order is the order of the values; packed above
//! the lowest key of each block of 1,024 rows. Sums and extremes gather from it, comparisons
//! are settled for whole blocks by their bounds. A column that does not fit is not built.

mod array;
mod builder;
mod condition;
mod form;
mod format;
mod key_numbers;
mod key_set;
mod reader;

pub(crate) use builder::build;
pub(super) use builder::{keys_of, nulls_of};
pub use form::VectorForm;
pub use format::BLOCK_ROWS as VECTOR_BLOCK_ROWS;
pub(super) use format::width_of;
pub use key_numbers::KeyNumbers;
pub use key_set::KeySet;
pub use reader::VectorIndex;
