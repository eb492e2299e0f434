//! A segment: one immutable Parquet object of at most 2^20 rows, sorted by the cluster key.
//!
//! [`writer`] turns rows into the object's bytes, [`reader`] gives selected rows and columns
//! back, and [`stretches`] says which rows it decodes for that. None of them knows what an index
//! or a rule is.

mod dictionary;
pub(crate) mod reader;
mod stretches;
pub(crate) mod writer;

#[cfg(test)]
mod tests;
