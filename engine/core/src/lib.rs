//! The vocabulary of Martlet: what every other crate speaks in, and nothing that acts.
//!
//! Owns the words (ids, schema, values, predicates, selections, limits, kinds of error).
//! Never knows a file, a clock, a network or an async runtime.
//!
//! Read in this order: [`ids`], [`schema`], [`value`], [`predicate`] (with
//! [`like`] and [`date_part`]), [`truth`], [`selection`].

pub mod date_part;
pub mod error;
pub mod ids;
pub mod like;
pub mod limits;
pub mod predicate;
pub mod proven;
pub mod schema;
pub mod selection;
pub mod truth;
pub mod value;

pub use date_part::{CivilDate, DatePart};
pub use error::{ErrorKind, Kinded};
pub use ids::{BatchDate, ColumnName, CommitId, SegmentId, SnapshotNumber, TableName};
pub use like::{LikeMatcher, LikePart, LikePattern};
pub use predicate::{Comparison, Predicate};
pub use proven::ProvenBytes;
pub use schema::{ClassName, ColumnSchema, ColumnType, SchemaError, TableSchema};
pub use selection::{Chunks, Selection};
pub use truth::Truth;
pub use value::Value;
