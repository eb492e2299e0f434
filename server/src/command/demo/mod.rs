//! `martlet demo`: a synthetic bank, loaded like any night, served, and shown as people see it.
//!
//! Owns the order of the steps; each step is what production uses: the generator's files, the
//! nightly load, `policy apply`, the server, Flight SQL clients. Must never take a way that a
//! real bank could not take.

mod bank;
mod bars;
mod brake;
mod check;
mod connections;
mod panels;
mod people;
mod tour;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use martlet_core::{BatchDate, ErrorKind};
use martlet_ingest::{LoadPlan, LoadRequest, Progress, ReplaceMode, Silent};
use martlet_policy::{BundleText, TokenKeys};
use martlet_query::EngineOptions;
use martlet_server::alarm::Rules;
use martlet_server::audit::JournalOptions;
use martlet_server::{AlarmOptions, SignInRules, Transport};
use martlet_store::Store;
use tempfile::TempDir;

use super::exit::Failure;
use super::load;
use super::mart::{self, Expected};
use super::policy::{Change, apply};
use super::progress::progress;
use super::serve::{PORT_DEFAULT, Service, stop_signal, token_key};
use super::sql::connect::{Address, Credentials};
use crate::command::terminal::say;
use bank::{Bank, Size};
use people::{passwords, with_passwords};
use tour::People;

const EXAMPLES: &str = "\
Examples:
  martlet demo                                  in a temporary folder, removed at the end
  martlet demo --dir ./bank --customers 20000   kept; the next start uses it again
  martlet demo --check --port 0                 verify every answer against the files, one line

The people are teller (one outlet, masked), manager (a province), analyst (the whole bank,
identifiers as tokens), auditor (audit records, no customers), security (rules, no customers).";

const REMOVALS_MAX: usize = 20;
const REMOVAL_PAUSE: Duration = Duration::from_millis(50);

/// The options of `martlet demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where bank and mart are made, and kept; default: a temporary folder
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The port to serve on; 0 takes a free one
    #[arg(long, default_value_t = PORT_DEFAULT)]
    port: u16,
    /// How many customers the bank has
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    customers: u64,
    /// How many transactions; default: 20 for each customer
    #[arg(long, value_name = "N")]
    transactions: Option<u64>,
    /// The same seed makes the same bank
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One password for all five people; default: a random one for each
    #[arg(long)]
    password: Option<String>,
    /// Verify the answers against the generated files, print one line and end
    #[arg(long)]
    check: bool,
}

/// Where everything lies: a folder to keep, or one that is removed at the end.
#[derive(Debug)]
enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

/// Makes, loads, serves and shows the bank; Ctrl-C ends it at any step and leaves no
/// temporary folder behind.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let place = place(&arguments)?;
    let stop = stop_signal()?;
    let demonstrated = tokio::select! {
        outcome = demonstrate(&arguments, place.path()) => outcome,
        () = stop => interrupted(&arguments),
    };
    if let Place::Temporary(dir) = place {
        remove(&dir.keep()).await?;
    }
    demonstrated
}

/// Removes the folder for good: a write that was under way when the demo ended may make a part
/// of it again.
async fn remove(dir: &Path) -> Result<(), Failure> {
    let mut outcome = Ok(());
    for _ in 0..REMOVALS_MAX {
        outcome = std::fs::remove_dir_all(dir);
        tokio::time::sleep(REMOVAL_PAUSE).await;
        if !dir.exists() {
            return Ok(());
        }
    }
    outcome.map_err(|error| Failure::file("removing the demo's folder", dir, &error))
}

/// Ctrl-C is how the demo ends; a check that it ends has verified nothing.
fn interrupted(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.check {
        return Err(Failure::new(ErrorKind::Retry, "ended by a signal before all was verified"));
    }
    Ok(())
}

fn place(arguments: &Arguments) -> Result<Place, Failure> {
    match &arguments.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|error| Failure::file("making the demo's folder", dir, &error))?;
            Ok(Place::Kept(dir.clone()))
        }
        None => {
            let dir = tempfile::Builder::new().prefix("martlet-demo-").tempdir();
            dir.map(Place::Temporary)
                .map_err(|error| Failure::file("making a folder in", &std::env::temp_dir(), &error))
        }
    }
}

async fn demonstrate(arguments: &Arguments, dir: &Path) -> Result<(), Failure> {
    let voice = if arguments.check { Voice::Silent } else { Voice::Full };
    let size = Size {
        customers: arguments.customers,
        transactions: arguments.transactions,
        seed: arguments.seed,
    };
    let bank = Bank::obtain(dir, size, voice).await?;
    let store = load_bank(&bank, voice).await?;
    let credentials = passwords(arguments.password.as_deref())?;
    give_rules(&store, &bank, &credentials, voice).await?;
    let service = Service {
        options: EngineOptions::default(),
        listen: SocketAddr::from(([127, 0, 0, 1], arguments.port)),
        transport: Transport::PlainOnLoopback,
        sign_in: SignInRules::default(),
        audit: JournalOptions::in_folder(&dir.join("audit")),
        alarms: Some(AlarmOptions { rules: Rules::builtin()?, folder: dir.join("alarms") }),
    };
    let keys = TokenKeys::from_master(token_key(&dir.join("token.key"))?.bytes());
    // The demo's signals are heard in `run`; the server ends with the process.
    let (_, serving) = service.start(store, keys, std::future::pending()).await?;
    let listen = serving.local_addr();
    let address = Address { host: listen.ip().to_string(), port: listen.port(), tls_ca: None };
    let mut people = People::sign_in(&address, &credentials).await?;
    let nodes = bank.nodes()?;
    if arguments.check {
        let verified = check::verify(&mut people, &nodes, &bank).await?;
        say!("{verified}");
        return Ok(());
    }
    tour::show(&mut people, &nodes).await?;
    connections::print(listen, &credentials);
    Ok(serving.finished().await?)
}

/// Whether the steps are told on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// They are.
    Full,
    /// Only the last line is.
    Silent,
}

impl Voice {
    fn say(self, line: impl FnOnce() -> String) {
        if self == Self::Full {
            say!("{}", line());
        }
    }
}

/// The nightly load, as `martlet load` does it; a night that is there stays.
async fn load_bank(bank: &Bank, voice: Voice) -> Result<Store, Failure> {
    let folder = bank.dir().join("mart");
    let store = mart::open(&folder.to_string_lossy(), Expected::NewOrExisting)?;
    let date = BatchDate::new(bank.date());
    let latest = mart::latest(&store).await?;
    if latest.batches().iter().any(|batch| batch.date() == date) {
        voice.say(|| {
            format!("The night of {date} is loaded already: snapshot {}.", latest.number())
        });
        return Ok(store);
    }
    voice.say(|| format!("\nLoading the night of {date} …"));
    let plan = LoadPlan::read(&bank.load_file(), None)?;
    let progress = match voice {
        Voice::Full => progress(),
        Voice::Silent => Arc::new(Silent) as Arc<dyn Progress>,
    };
    let rejects_dir = bank.dir().join("rejects");
    let replace = ReplaceMode::Refuse;
    let request = LoadRequest { plan, date, replace, rejects_dir, progress };
    let outcome = martlet_ingest::load(&store, request).await?;
    voice.say(|| load::summary(&outcome, date));
    Ok(store)
}

/// Rules and people, as `martlet policy apply` does it.
async fn give_rules(
    store: &Store,
    bank: &Bank,
    credentials: &[Credentials],
    voice: Voice,
) -> Result<(), Failure> {
    let bundle = BundleText::read_dir(&bank.policy_dir())?;
    let feed = bank.principals()?;
    let principals = with_passwords(&feed, credentials)?;
    let (bundle, principals) = (Some(bundle), Some(principals));
    apply(store, &Change { bundle, principals, ..Change::default() }).await?;
    voice.say(|| "The rules and the people are applied.".to_owned());
    Ok(())
}
