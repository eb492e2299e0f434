//! Whole-system tests in one binary: files in at one end, a stock Flight SQL client at the other.

mod berka;
mod end_to_end;
mod recovery;
mod security;
mod support;
mod tidy;
