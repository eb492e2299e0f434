//! The proof: what one reader may not see has no effect on anything that reader is told.
//!
//! Random statements are asked of two worlds that the reader must not be able to tell apart, and
//! of a copy that holds only what the reader sees; statisticians, who are told groups only, ask beside the
//! reader. Five oracles look at every answer: hidden
//! bytes (O1), equal worlds (O2), the copy's answer (O3), uniform denial (O4), the audit record
//! (O5); and every statement takes one of several doors (O6). A seed determines everything.
//!
//! Reads like this: [`worlds`] makes the marts, [`grammar`] the statements, [`doors`] asks,
//! [`oracles`] decide, [`lab`] brings them together, [`shrink`] makes findings small, [`run`]
//! does many and [`mutants`] proves that the oracles can object: it plants faults in copies of
//! the source. Nothing here is part of the product, and nothing in the product knows of it.
//!
//! Beside it stand [`insiders`], which asks the alarms who misuses what may be seen, and [`evidence`], the
//! page of what all tests and the proof came to.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a proof fails by panicking, and its parts are named after what they are"
)]

pub mod doors;
#[path = "../evidence/mod.rs"]
pub mod evidence;
pub mod grammar;
#[path = "../insiders/mod.rs"]
pub mod insiders;
pub mod lab;
pub mod mutants;
pub mod oracles;
pub mod random;
pub mod report;
pub mod run;
pub mod shrink;
pub mod worlds;

#[allow(dead_code, reason = "the whole-system tests use more of it")]
#[path = "../support/mod.rs"]
mod support;
