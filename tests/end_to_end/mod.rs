//! The picture as a test: nightly files in, answers out.

mod best_groups;
mod demo_bank;
mod distinct_counts;
mod equivalence;
mod night;
mod paths;
mod percentiles;
mod same_names;
mod semi_joins;
