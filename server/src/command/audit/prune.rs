//! `martlet audit prune`: removes day files that are older than the bank keeps its records.
//!
//! Owns the steps: nothing is removed from a journal that does not prove, for that would remove
//! the evidence.

use std::path::PathBuf;
use std::time::SystemTime;

use martlet_core::ErrorKind;
use martlet_server::audit::JournalOptions;
use martlet_server::audit::prune::{KEPT_DAYS_DEFAULT, outdated, prune};
use martlet_server::audit::verify::Check;

use super::verify::prove;
use crate::command::exit::Failure;
use crate::command::size::Bytes;
use crate::command::terminal::say;

/// The options of `martlet audit prune`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the journal
    #[arg(long, value_name = "DIR", default_value = "mart-audit")]
    journal: PathBuf,
    /// The file of the private key that the journal is signed with
    #[arg(long, value_name = "FILE", default_value = "mart-audit.key")]
    key: PathBuf,
    /// The second place of its checkpoints, if the server has one
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Days that are kept, 180 at least
    #[arg(long, value_name = "DAYS", default_value_t = KEPT_DAYS_DEFAULT)]
    keep_days: u32,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes what is old enough.
pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let today = chrono::Utc::now().date_naive();
    let old = outdated(&arguments.journal, arguments.keep_days, today)?;
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        say!("No file is older than {} days.", arguments.keep_days);
        return Ok(());
    };
    if arguments.dry_run {
        say!("{} files would be removed, {first} to {last}.", old.len());
        return Ok(());
    }
    refuse_damaged(&arguments)?;
    if !arguments.key.is_file() {
        return Err(Failure::new(
            ErrorKind::NotFound,
            format!("there is no key in `{}`", arguments.key.display()),
        )
        .advise("give --key: what is removed is named in a signed line"));
    }
    let options = JournalOptions {
        folder: arguments.journal,
        key: arguments.key,
        anchor: arguments.anchor,
        new_anchor: false,
    };
    let pruned = prune(&options, arguments.keep_days, today)?;
    let lines = pruned.last.map(|last| format!(", up to line {last} of the chain"));
    say!(
        "{} files ({}) were removed{}; a signed line says so.",
        pruned.files.len(),
        Bytes(pruned.bytes),
        lines.unwrap_or_default()
    );
    Ok(())
}

fn refuse_damaged(arguments: &Arguments) -> Result<(), Failure> {
    let (folder, anchor) = (arguments.journal.clone(), arguments.anchor.clone());
    let report = prove(&Check { folder, anchor, keys: Vec::new(), now: SystemTime::now() })?;
    if report.is_whole() {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Damaged,
        format!("the journal in `{}` is not as it was written", arguments.journal.display()),
    )
    .during("nothing was removed")
    .advise("see `martlet audit verify`, keep everything as it is, and call the auditors"))
}
