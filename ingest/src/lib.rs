//! The nightly load: files from the bank's systems to one published, indexed snapshot.
//!
//! Owns the load file, the decoding and checking of rows, the reject file, the order in which
//! rows are stored, and the promise that a batch is all or nothing and that loading it twice is
//! loading it once. Never knows the wire, a principal or a rule.
//!
//! Follow a row: [`config`] says what it should be, `arrive` finds its file, `decode` cuts it
//! out, `check` types it or `reject` keeps it, `shape` sorts it, `write` stores and indexes it,
//! `publish` makes it visible. [`load()`] is the road through all of them.

mod arrive;
mod check;
mod collect;
pub mod compact;
pub mod config;
mod decode;
pub mod error;
mod keys;
mod load;
mod memory;
mod origin;
mod progress;
mod publish;
mod reason;
pub mod reindex;
mod reject;
mod report;
mod shape;
mod supersede;
mod write;

pub use compact::{
    CompactReport, CompactRequest, CompactScope, CompactTables, Correctable, TableCompaction,
    compact,
};
pub use config::plan::{LoadMode, LoadPlan, RejectLimit};
pub use error::{IngestError, Place};
pub use load::{LoadOutcome, LoadRequest, ReplaceMode, load, load_within};
pub use progress::{Progress, Silent, Stage};
pub use report::{LoadReport, TableReport};
