//! Indexes over a sealed segment: what is built at load, what a predicate can be answered from.
//!
//! Owns the index kinds (each a builder, a format and a reader), the zone maps, the choice of
//! kinds, the probe and the counting kernels. Never knows a principal, a file, the time of day or
//! an async runtime, and never holds the truth: an index may be missing or too wide, never too
//! narrow, and everything here can be made again from the segment.
//!
//! Receives: a segment's rows from the ingest; a predicate from the query.
//! Hands on: index bytes and a descriptor to the store; to the query the rows that satisfy a
//! predicate, and what of it is left open ([`Narrowed`]).
//!
//! When a kind helps: `bitmap` answers comparisons and null tests on a column of few values by
//! reading only the bitmaps that match; `codes` answers the same by a scan of packed codes and
//! is what GROUP BY counts; zone maps cost nothing and prove whole pages in or out where the
//! rows are sorted. On a column of many distinct values in random order `vector` answers
//! comparisons by a scan of packed numbers and is what sums gather from; `bit_sliced` answers
//! the same, and aggregates, by ANDs of whole bitmaps; `date_part` answers parts of dates and
//! whole months by few bitmaps; `binned` tells ranges that end at round values from a few bits
//! a row; `lookup` finds the rows of a key, and `ngram` those that hold
//! a part of a text.
//!
//! Floats compare as in SQL: `-0.0` equals `0.0`, so it is read as `0.0` here; a NaN equals a
//! NaN of the same bits and lies beyond the infinities, as in IEEE 754 `totalOrder`.
//!
//! Read in this order: [`kind`], [`zone`], [`descriptor`], [`build`](mod@build),
//! [`probe`](mod@probe), [`filter`], [`aggregate`], [`evaluate`](mod@evaluate).

pub mod aggregate;
pub mod amend;
pub mod build;
pub mod by_hand;
pub mod choose;
#[cfg(any(test, feature = "test-support"))]
pub mod conformance;
pub mod descriptor;
mod encode;
pub mod error;
pub mod evaluate;
mod file;
pub mod filter;
pub mod grouping;
pub mod in_memory;
pub mod inventory;
pub mod keyed;
pub mod kind;
mod logic;
pub mod members;
pub mod numbered;
pub mod probe;
pub mod short_texts;
pub mod statistics;
pub mod values;
pub mod zone;

#[cfg(test)]
mod tests;

pub use aggregate::{count_values, distinct_values, group_counts, value_counts};
pub use amend::{KeptSection, amend};
pub use build::{Built, build};
pub use by_hand::{HandChoice, HandChoices};
pub use choose::{IndexChoice, choose, is_as_auto_picks};
pub use descriptor::{Descriptor, SectionRef};
pub use error::IndexError;
pub use evaluate::evaluate;
pub use filter::{Narrowed, narrow};
pub use in_memory::{DerivedColumn, InMemory, described};
pub use inventory::{IndexFigures, inventory};
pub use keyed::KeyedValues;
pub use kind::binned::{BinnedIndex, WINDOW_ROWS, WINDOW_WORDS};
pub use kind::bit_sliced::BitSlicedIndex;
pub use kind::bitmap::BitmapIndex;
pub use kind::codes::CodesIndex;
pub use kind::date_part::DatePartIndex;
pub use kind::dictionary::Dictionary;
pub use kind::lookup::LookupIndex;
pub use kind::ngram::NgramIndex;
pub use kind::texts::TextsIndex;
pub use kind::vector::{KeyNumbers, KeySet, VECTOR_BLOCK_ROWS, VectorForm, VectorIndex};
pub use kind::{Index, IndexKind};
pub use members::MemberSet;
pub use numbered::{NumberedIndex, NumberedValues};
pub use probe::{probe, sections_settling, sections_wanted, settled};
pub use statistics::{ColumnStatistics, Role, Spread, TextStatistics};
pub use values::{key_of_value, value_at, value_of_key};
pub use zone::{Bounds, PAGE_ROWS, ZoneMap};
