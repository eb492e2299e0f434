//! The commands of `martlet`: what may be written on the command line, and who answers it.
//!
//! Owns the argument parser, the log filter and the runtime; each command stands in a file of
//! its own. Must never decide who may see what: rows reach a user only over Flight SQL.

mod access_review;
mod alarms;
mod audit;
mod compact;
mod demo;
mod emergency;
mod exit;
mod grid;
mod index;
mod ldap;
mod load;
mod mart;
mod password;
mod policy;
mod progress;
mod serve;
mod sign_in;
mod size;
mod snapshot;
mod sql;
mod table;
mod terminal;
mod totp;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use martlet_core::ErrorKind;
use tracing_subscriber::EnvFilter;

use exit::Failure;

const EXAMPLES: &str = "\
Examples:
  martlet demo                                      a bank of 100,000 customers, loaded and served
  martlet load night.toml --mart ./mart --date 1994-03-31
  martlet policy apply ./policy --mart ./mart --principals principals.csv
  martlet serve --mart ./mart
  martlet sql --user teller -c 'SELECT count(*) FROM customer'

Exit codes: 0 done, 64 the command line is wrong, 65 correct the input, 70 call someone,
75 try again, 77 permission is missing. MARTLET_LOG=debug (or a filter such as
martlet_store=trace) writes a log to standard error.";

/// Martlet: an analytic customer data mart engine for banks.
#[derive(Debug, Parser)]
#[command(name = "martlet", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a synthetic bank, load it, serve it, and show what each person sees
    Demo(demo::Arguments),
    /// Load one night's files into a mart, all tables or none
    Load(load::Arguments),
    /// Serve a mart over Arrow Flight SQL until Ctrl-C
    Serve(Box<serve::Arguments>),
    /// Ask a server: one statement, or an interactive shell
    Sql(sql::Arguments),
    /// Check, compare and apply the rules of who may see what
    #[command(subcommand)]
    Policy(policy::Arguments),
    /// Let somebody see more for a few hours, by the word of several officers
    #[command(subcommand)]
    Emergency(emergency::Arguments),
    /// List and show the snapshots of a mart
    #[command(subcommand)]
    Snapshot(snapshot::Arguments),
    /// Merge small segments and drop deleted rows for good
    Compact(compact::Arguments),
    /// List, add and drop indexes
    #[command(subcommand)]
    Index(index::Arguments),
    /// Show how a table is stored and indexed
    #[command(subcommand)]
    Table(table::Arguments),
    /// Prove, read and prune the audit journal
    #[command(subcommand)]
    Audit(audit::Arguments),
    /// Check the rules of the alarms, read alarms, and let go whom they hold
    #[command(subcommand)]
    Alarms(alarms::Arguments),
    /// Write who may see what and who does, for the people who have to answer for it
    AccessReview(access_review::Arguments),
}

/// Reads the command line, runs the command and gives the process's exit code.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(&refusal),
    };
    match start_log().and_then(|()| answer(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// Help and version are answers, not failures.
fn refuse(refusal: &clap::Error) -> ExitCode {
    // Nothing is left to do where even the message cannot be written.
    let _ = refusal.print();
    if refusal.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS }
}

fn start_log() -> Result<(), Failure> {
    let Ok(filter) = std::env::var("MARTLET_LOG") else { return Ok(()) };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        Failure::invalid(error.to_string())
            .during(format!("MARTLET_LOG `{filter}` is not a log filter"))
            .advise("write a level (info, debug, trace) or a list such as martlet_store=debug")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|error| Failure::new(ErrorKind::Bug, error.to_string()))
}

fn answer(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ErrorKind::Retry, error.to_string()))?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Load(arguments) => load::run(arguments).await,
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Sql(arguments) => sql::run(arguments).await,
            Command::Policy(arguments) => policy::run(arguments).await,
            Command::Emergency(arguments) => emergency::run(arguments).await,
            Command::Snapshot(arguments) => snapshot::run(arguments).await,
            Command::Compact(arguments) => compact::run(arguments).await,
            Command::Index(arguments) => index::run(arguments).await,
            Command::Table(arguments) => table::run(arguments).await,
            Command::Audit(arguments) => audit::run(arguments),
            Command::Alarms(arguments) => alarms::run(arguments).await,
            Command::AccessReview(arguments) => access_review::run(arguments).await,
        }
    });
    // A query that is still running must not hold the process back.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
