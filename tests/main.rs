//! Whole-system tests in one binary: files in at one end, a stock Flight SQL client at the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attacks;
mod berka;
mod end_to_end;
mod proof;
mod recovery;
mod security;
mod sql;
mod support;
mod tidy;
mod tpch;
