//! `martlet index`: which indexes a mart has, and which it should have.
//!
//! An operator's commands on the mart's folder. Owns the options; each command stands in a file
//! of its own. They tell names, counts, sizes and times; none prints a value of a column.

mod list;

use clap::Subcommand;

use super::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  martlet index list --mart ./mart
  martlet index list --mart ./mart --table transaction --json

Kinds, and what each answers:
  bitmap      = IN <> IS NULL, ranges, counts, on columns of few values
  codes       the same by a scan, and GROUP BY
An index is never the truth: with or without it every answer is the same.";

/// The commands of `martlet index`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// List indexes: kinds, segments, bytes, distinct values, build time
    #[command(after_help = EXAMPLES)]
    List(list::Arguments),
}

/// Answers an `index` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::List(arguments) => list::run(arguments).await,
    }
}
