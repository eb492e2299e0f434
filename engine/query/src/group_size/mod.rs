//! Minimum group sizes: a table of which a reader sees groups of enough persons, and no single ones.
//!
//! A statement that reads such a table has to be a statistic of a form that is understood: groups of
//! its rows, counted, summed or averaged ([`written`], [`joined`]). Between the aggregation and everything that
//! the statement does with it stands a node that leaves out what may not be told, before any
//! condition, order or limit is asked ([`node`], [`exec`]). What is computed below it, on rows of
//! single persons, can neither fail nor tell otherwise ([`harmless`]). What may be told is decided by
//! who is in a group ([`crowd`], [`rows`]) and by all that the reader was told before ([`told`],
//! [`memory`]).
//!
//! Must never let a plan pass that it does not understand.

mod budget;
mod crowd;
mod exec;
mod harmless;
mod joined;
mod memory;
mod node;
mod rows;
mod told;
mod written;

pub(crate) use harmless::stay_harmless;
pub(crate) use memory::{GroupMemory, Memory, Shown};
pub(crate) use node::Planner;
pub(crate) use written::keep_groups;
