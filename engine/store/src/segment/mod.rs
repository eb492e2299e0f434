//! A segment: one immutable Parquet object of at most 2^20 rows, sorted by the cluster key.
//!
//! [`writer`] turns rows into the object's bytes, [`reader`] gives selected rows and columns
//! back. Neither knows what an index or a rule is.

pub(crate) mod reader;
pub(crate) mod writer;

#[cfg(test)]
mod tests;
