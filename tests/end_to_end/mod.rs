//! The picture as a test: nightly files in, answers out.

mod demo_bank;
mod equivalence;
mod night;
mod percentiles;
