//! `martlet audit`: prove the audit journal, read it, and remove what is old enough.
//!
//! An auditor's commands on the journal's folder; they need no mart and no server. Owns the
//! options; each command stands in a file of its own.

mod prune;
mod show;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use martlet_server::audit::public_key_of;

use super::exit::Failure;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet audit verify --journal ./mart-audit --anchor /worm/mart.anchor
  martlet audit verify --journal ./mart-audit --public-key audit.pub --json
  martlet audit show --journal ./mart-audit --principal teller --since 2026-11-01
  martlet audit show --journal ./mart-audit --decision denied --limit 50
  martlet audit prune --journal ./mart-audit --key ./mart-audit.key --dry-run
  martlet audit public-key --key ./mart-audit.key > audit.pub";

/// The commands of `martlet audit`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Prove that nothing was changed, taken out, put in or cut off
    #[command(after_help = EXAMPLES)]
    Verify(verify::Arguments),
    /// Show the newest records
    #[command(after_help = EXAMPLES)]
    Show(show::Arguments),
    /// Remove day files that are older than the bank keeps its records
    #[command(after_help = EXAMPLES)]
    Prune(prune::Arguments),
    /// Print the public key of the journal's signing key
    #[command(after_help = EXAMPLES)]
    PublicKey(KeyArguments),
}

/// The options of `martlet audit public-key`.
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    /// The file of the private key, by default `MART-audit.key`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Answers an `audit` command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Verify(arguments) => verify::run(arguments),
        Arguments::Show(arguments) => show::run(arguments),
        Arguments::Prune(arguments) => prune::run(arguments),
        Arguments::PublicKey(arguments) => {
            say!("{}", public_key_of(&arguments.key)?);
            Ok(())
        }
    }
}
