//! `martlet index`: which indexes a mart has, and which it should have.
//!
//! An operator's commands on the mart's folder. Owns the options; each command stands in a file
//! of its own. They tell names, counts, sizes and times; none prints a value of a column.

mod advise;
mod change;
mod list;
mod repair;

use clap::Subcommand;
use martlet_ingest::reindex::IndexDeed;

use super::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  martlet index list --mart ./mart
  martlet index list --mart ./mart --table transaction --json
  martlet index add customer.mobile bitmap codes --mart ./mart
  martlet index drop customer.segment codes --mart ./mart
  martlet index alter 'ALTER TABLE customer ADD INDEX bitmap (mobile)' --mart ./mart
  martlet index repair --mart ./mart
  martlet index advise --mart ./mart --since 2026-11-01

Kinds, and what each answers:
  bitmap      = IN <> IS NULL, ranges, counts, on columns of few values
  codes       the same by a scan, and GROUP BY
  vector      comparisons and sums on numbers, dates and numbered texts of many values
  binned      ranges on numbers and dates, by bins at round values
  bit_sliced  ranges, sums and percentiles by binary digits; by hand only
  date_part   months, days of the week, hours; by hand only
  lookup      the rows of one key among many
  ngram       LIKE on texts of many values
  texts       the texts themselves, one by one; goes with ngram
An index is never the truth: with or without it every answer is the same.";

/// The commands of `martlet index`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// List indexes: kinds, segments, bytes, distinct values, build time
    #[command(after_help = EXAMPLES)]
    List(list::Arguments),
    /// Build kinds of index over a column, now and at every later load
    #[command(after_help = EXAMPLES)]
    Add(change::Arguments),
    /// Drop kinds of index of a column; later loads do not build them
    #[command(after_help = EXAMPLES)]
    Drop(change::Arguments),
    /// The same by SQL: ALTER TABLE … ADD INDEX kind (column), DROP INDEX
    #[command(after_help = EXAMPLES)]
    Alter(change::AlterArguments),
    /// Say which indexes to add and to drop, by running recorded statements with and without
    #[command(after_help = EXAMPLES)]
    Advise(advise::Arguments),
    /// Prove every index, and build anew what is damaged or missing
    #[command(after_help = EXAMPLES)]
    Repair(repair::Arguments),
}

/// Answers an `index` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::List(arguments) => list::run(arguments).await,
        Arguments::Add(arguments) => change::run(arguments, IndexDeed::Add).await,
        Arguments::Drop(arguments) => change::run(arguments, IndexDeed::Drop).await,
        Arguments::Alter(arguments) => change::alter(arguments).await,
        Arguments::Advise(arguments) => advise::run(arguments).await,
        Arguments::Repair(arguments) => repair::run(arguments).await,
    }
}
