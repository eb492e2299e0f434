//! The only home of DataFusion: SQL in, permitted and scrubbed rows out.
//!
//! Owns sessions, the one table provider ([`SecuredTable`](secured_table), private), the scan,
//! totals from indexes and the scrub. Never knows the wire, and never makes a grant: it asks
//! `martlet-policy` and takes what it is given.
//!
//! ```text
//! Engine -> Mart (snapshot + rules + principals) -> Session (one principal) -> Statement -> RowStream
//! ```
//!
//! Read in this order: [`engine`], [`mart`], [`session`], `secured_table`, `scan`, `scrub`.

mod access_path;
pub mod alter;
pub mod approved;
pub mod asked;
mod calendar;
mod catalog;
pub mod clock;
pub mod column_use;
pub mod constants;
mod contradictions;
mod convert;
mod dealing;
pub mod emergencies;
pub mod engine;
pub mod error;
mod explain_policy;
mod functions;
mod granted_rows;
mod group_size;
mod index_cache;
mod indexed_table;
mod joined_text;
mod leak_proof;
mod lookup;
pub mod mart;
mod masked_cache;
mod monotone;
mod names;
mod optimizer;
mod order_names;
mod overlap;
mod parameters;
mod parse;
mod row_stream;
mod rules;
mod run_once;
mod scan;
mod scrub;
mod secured_table;
pub mod session;
pub mod shared;
pub mod sights;
pub mod statement;
pub mod system;
mod unshown;
mod wire;
mod written_out;

pub use access_path::AccessPath;
pub use catalog::{VisibleCatalog, VisibleTable};
pub use engine::Engine;
pub use error::QueryError;
pub use mart::Mart;
pub use row_stream::RowStream;
pub use session::{Session, today};
pub use shared::EngineOptions;
pub use sights::Sights;
pub use statement::Statement;
pub use system::SystemRecords;
