//! `martlet policy`: check a bundle of rules, say what it would change, put it into force.
//!
//! Owns the order of the steps: nothing is published that was not checked against the tables
//! of the very snapshot it is published on. Must never publish a bundle with a finding.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use martlet_core::{BatchDate, ErrorKind, SnapshotNumber, TableSchema};
use martlet_ingest::LoadPlan;
use martlet_policy::{BundleText, CheckedBundle, Directory, Finding, check, diff, explain_named};
use martlet_store::{CommitOutcome, Snapshot, Store};

use super::exit::Failure;
use super::mart::{self, Expected};
use super::password;
use super::size::Count;
use crate::command::terminal::{note, say};

/// How often a publish is tried again on a snapshot that someone else has just published.
const ATTEMPTS_MAX: usize = 5;

const EXAMPLES: &str = "\
Examples:
  martlet policy check ./policy --mart ./mart
  martlet policy check ./policy --load night.toml      before there is a mart
  martlet policy diff ./policy --mart ./mart          lines with * let someone see more
  martlet policy apply ./policy --mart ./mart --principals principals.csv
  martlet policy apply --mart ./mart --principals principals.csv     only the people changed
  martlet policy explain kim --table customer --mart ./mart    why kim sees what kim sees
  martlet policy password                             a hash for the feed of principals

A bundle is a folder of bundle.toml, organization.csv, classes.toml, roles.toml and rules.toml.";

/// The commands of `martlet policy`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Check a bundle against a mart's tables; every finding with file, line and column
    #[command(after_help = EXAMPLES)]
    Check(CheckArguments),
    /// Say what a bundle would change in a mart
    #[command(after_help = EXAMPLES)]
    Diff(DiffArguments),
    /// Put a bundle, the people, or both into force
    #[command(after_help = EXAMPLES)]
    Apply(ApplyArguments),
    /// Say what somebody sees of a table, and which roles and rules decide it
    #[command(after_help = EXAMPLES)]
    Explain(ExplainArguments),
    /// Print a password's hash, for the column `password` of the feed of principals
    ///
    /// The password is MARTLET_PASSWORD, or it is asked for. It is not kept.
    #[command(after_help = EXAMPLES)]
    Password,
}

/// The options of `martlet policy check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The bundle's folder
    bundle: PathBuf,
    /// The mart whose tables the rules speak of
    #[arg(long, value_name = "DIR|URL", required_unless_present = "load")]
    mart: Option<String>,
    /// The load file whose tables the rules speak of, where there is no mart yet
    #[arg(long, value_name = "FILE", conflicts_with = "mart")]
    load: Option<PathBuf>,
}

/// The options of `martlet policy diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The bundle's folder
    bundle: PathBuf,
    /// The mart whose rules in force it is compared with
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
}

/// The options of `martlet policy apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The bundle's folder
    #[arg(required_unless_present = "principals")]
    bundle: Option<PathBuf>,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The feed of principals: name,roles,node,password and further attributes (CSV)
    #[arg(long, value_name = "FILE")]
    principals: Option<PathBuf>,
}

/// The options of `martlet policy explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The principal's name
    principal: String,
    /// Only this table; without it all that the principal could see
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// The mart whose rules and people are in force
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The day that it is decided for; today without it
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<BatchDate>,
}

/// Answers a `policy` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Check(arguments) => check_bundle(&arguments).await,
        Arguments::Diff(arguments) => show_diff(&arguments).await,
        Arguments::Apply(arguments) => apply_files(&arguments).await,
        Arguments::Explain(arguments) => explain_decisions(&arguments).await,
        Arguments::Password => password::print_hash(),
    }
}

/// What is to be put into force; at least one of the two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// The rules.
    pub(crate) bundle: Option<BundleText>,
    /// The text of the feed of principals.
    pub(crate) principals: Option<String>,
}

/// What came of a change.
#[derive(Debug)]
pub(crate) enum Applied {
    /// A new snapshot has it.
    Published(Snapshot),
    /// It was in force before.
    Unchanged(Snapshot),
}

/// Checks the change against the latest snapshot and publishes it as the next one.
pub(crate) async fn apply(store: &Store, change: &Change) -> Result<Applied, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        let base = mart::latest(store).await?;
        let current = in_force(store, &base).await?;
        let wanted = change.bundle.as_ref().or(current.bundle.as_ref());
        let checked = wanted.map(|bundle| checked(bundle, &base)).transpose()?;
        let people = change.principals.as_ref().or(current.principals.as_ref());
        if let Some(text) = people {
            check_people(text, checked.as_ref())?;
        }
        let same_bundle = change.bundle.is_none() || change.bundle == current.bundle;
        let same_people = change.principals.is_none() || change.principals == current.principals;
        if same_bundle && same_people {
            return Ok(Applied::Unchanged(base));
        }
        let mut commit = store.begin(&base);
        if let Some(bundle) = &change.bundle {
            commit.set_policy(bundle.to_bytes().into());
        }
        if let Some(text) = &change.principals {
            commit.set_principals(text.clone().into_bytes().into());
        }
        match commit.publish().await? {
            CommitOutcome::Committed(snapshot) => return Ok(Applied::Published(snapshot)),
            // Someone published in between: check against the tables that are there now.
            CommitOutcome::Conflicted(_) => {}
        }
    }
    Err(Failure::new(ErrorKind::Retry, "others kept publishing snapshots at the same time"))
}

async fn check_bundle(arguments: &CheckArguments) -> Result<(), Failure> {
    let text = BundleText::read_dir(&arguments.bundle)?;
    let mut tables = martlet_query::system::schemas();
    if let Some(file) = &arguments.load {
        let plan = LoadPlan::read(file, None)?;
        tables.extend(plan.tables().map(|(schema, _)| schema.clone()));
    }
    if let Some(mart) = &arguments.mart {
        let store = mart::open(mart, Expected::Existing)?;
        tables = schemas(&mart::latest(&store).await?);
    }
    let bundle = refuse(check(&text, &tables))?;
    say!("The bundle fits: version {}.", bundle.version());
    Ok(())
}

async fn show_diff(arguments: &DiffArguments) -> Result<(), Failure> {
    let new = BundleText::read_dir(&arguments.bundle)?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::latest(&store).await?;
    checked(&new, &snapshot)?;
    print_diff(in_force(&store, &snapshot).await?.bundle.as_ref(), &new);
    Ok(())
}

async fn apply_files(arguments: &ApplyArguments) -> Result<(), Failure> {
    let bundle = arguments.bundle.as_deref().map(BundleText::read_dir).transpose()?;
    let principals = arguments.principals.as_deref().map(read_people).transpose()?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let before = in_force(&store, &mart::latest(&store).await?).await?;
    let change = Change { bundle, principals };
    match apply(&store, &change).await? {
        Applied::Unchanged(snapshot) => {
            say!("This is in force already; nothing changed (snapshot {}).", snapshot.number());
        }
        Applied::Published(snapshot) => {
            if let Some(new) = &change.bundle {
                print_diff(before.bundle.as_ref(), new);
            }
            if let Some(text) = &change.principals {
                // Its lines are principals, but for the header.
                let people = Directory::parse(text).map_or(0, |directory| directory.len());
                say!("{} principals.", Count(people as u64));
            }
            say!("Snapshot {} is published; servers take it over at once.", snapshot.number());
        }
    }
    Ok(())
}

async fn explain_decisions(arguments: &ExplainArguments) -> Result<(), Failure> {
    let InForce { bundle, directory, mut tables, day } =
        rules_in_force(&arguments.mart, arguments.day).await?;
    if let Some(name) = &arguments.table {
        tables.retain(|table| table.name().as_str() == name);
        if tables.is_empty() {
            return Err(Failure::invalid(format!("there is no table `{name}`")));
        }
    }
    for table in &tables {
        let lines = explain_named(&directory, &arguments.principal, table, &bundle, day);
        let lines = lines.ok_or_else(|| {
            Failure::invalid(format!("there is no principal `{}`", arguments.principal))
        })?;
        for (number, line) in lines.iter().enumerate() {
            say!("{}{line}", if number == 0 { "" } else { "  " });
        }
    }
    Ok(())
}

/// The rules and the people of a mart's latest snapshot, and what they speak of.
#[derive(Debug)]
pub(crate) struct InForce {
    /// The rules.
    pub(crate) bundle: CheckedBundle,
    /// The people.
    pub(crate) directory: Directory,
    /// Every table, Martlet's own included.
    pub(crate) tables: Vec<TableSchema>,
    /// The day of the decisions.
    pub(crate) day: BatchDate,
}

/// Reads what a mart has in force, for decisions of a day; today without one.
pub(crate) async fn rules_in_force(mart: &str, day: Option<BatchDate>) -> Result<InForce, Failure> {
    let store = mart::open(mart, Expected::Existing)?;
    let snapshot = mart::latest(&store).await?;
    let Change { bundle: Some(bundle), principals: Some(people) } =
        in_force(&store, &snapshot).await?
    else {
        return Err(Failure::invalid(
            "the mart has no rules or no people, so nobody sees anything",
        )
        .advise("put them into force with `martlet policy apply`"));
    };
    let (bundle, directory) = (checked(&bundle, &snapshot)?, refuse(Directory::parse(&people))?);
    let day = match day {
        Some(day) => day,
        None => martlet_query::today(&bundle).ok_or_else(|| {
            Failure::invalid("the clock of this machine shows no day of a calendar")
        })?,
    };
    Ok(InForce { bundle, directory, tables: schemas(&snapshot), day })
}

fn print_diff(old: Option<&BundleText>, new: &BundleText) {
    let Some(old) = old else {
        say!("No rules are in force before: everything that the bundle grants is new.");
        return;
    };
    let lines = diff(old, new);
    if lines.is_empty() {
        say!("The rules are the same.");
    }
    for line in &lines {
        say!("{line}");
    }
    let widening = lines.iter().filter(|line| line.starts_with('*')).count();
    if widening > 0 {
        say!("{widening} of {} lines let someone see more (*).", lines.len());
    }
}

/// What a snapshot has in force.
async fn in_force(store: &Store, snapshot: &Snapshot) -> Result<Change, Failure> {
    let bundle = match snapshot.policy() {
        Some(object) => Some(BundleText::from_bytes(&store.read(object).await?)?),
        None => None,
    };
    let principals = match snapshot.principals() {
        Some(object) => {
            let bytes = store.read(object).await?;
            Some(String::from_utf8(bytes.to_vec()).map_err(|_| not_utf8())?)
        }
        None => None,
    };
    Ok(Change { bundle, principals })
}

fn not_utf8() -> Failure {
    Failure::new(ErrorKind::Damaged, "the feed of principals in the mart is not UTF-8 text")
}

fn read_people(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::file("reading the feed of principals", file, &error))
}

fn checked(text: &BundleText, snapshot: &Snapshot) -> Result<CheckedBundle, Failure> {
    refuse(check(text, &schemas(snapshot))).map_err(|failure| {
        if snapshot.number() == SnapshotNumber::EMPTY {
            failure.advise("load the tables first, then apply the rules that speak of them")
        } else {
            failure
        }
    })
}

/// Every table that a rule may speak of: the mart's and Martlet's own.
fn schemas(snapshot: &Snapshot) -> Vec<TableSchema> {
    let mut schemas = martlet_query::system::schemas();
    schemas.extend(snapshot.tables().values().map(|table| table.schema().clone()));
    schemas
}

fn check_people(text: &str, bundle: Option<&CheckedBundle>) -> Result<(), Failure> {
    let directory = refuse(Directory::parse(text))?;
    let findings = bundle.map(|bundle| directory.check_against(bundle)).unwrap_or_default();
    refuse(if findings.is_empty() { Ok(()) } else { Err(findings) })
}

/// Prints every finding with its place and refuses the whole.
fn refuse<T>(outcome: Result<T, Vec<Finding>>) -> Result<T, Failure> {
    outcome.map_err(|findings| {
        for finding in &findings {
            note!("{finding}");
        }
        let what = match findings.len() {
            1 => "there is 1 finding".to_owned(),
            number => format!("there are {number} findings"),
        };
        Failure::invalid(what).advise("correct the places named above; nothing changed")
    })
}
