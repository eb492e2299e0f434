//! `martlet policy`: check a bundle of rules, say what it would change, approve it, put it into
//! force, and say what is in force.
//!
//! Owns what all of it have in common: the check against the tables of a snapshot, and findings.
//! `apply` alone publishes. Must never pass a bundle with a finding.

mod apply;
mod approve;
mod in_force;
mod show;
mod sql;

use std::fmt::Display;
use std::path::PathBuf;

use chrono::Utc;
use clap::{Args, Subcommand};
use martlet_core::{BatchDate, SnapshotNumber, TableSchema};
use martlet_ingest::LoadPlan;
use martlet_policy::{
    BundleText, CheckedBundle, Directory, Finding, Moment, Occasion, check, check_on, explain_named,
};
use martlet_store::{Snapshot, Store};

use super::exit::Failure;
use super::mart::{self, Expected};
use super::password;
use super::totp;
use crate::command::terminal::{harmless, note, say};
use apply::print_diff;
use in_force::current;

pub(crate) use apply::{Change, apply};
pub(crate) use approve::{officers_secret, read_small, write_new};
pub(crate) use in_force::{InForce, rules_in_force, rules_of};

const EXAMPLES: &str = "\
Examples:
  martlet policy check ./policy --mart ./mart
  martlet policy check ./policy --load night.toml      before there is a mart
  martlet policy diff ./policy --mart ./mart          lines with * let someone see more
  martlet policy apply ./policy --mart ./mart --principals principals.csv
  martlet policy apply --mart ./mart --principals principals.csv     only the people changed
  martlet policy officer-key ann.key                  an officer's key; prints the public one
  martlet policy approve ./policy --mart ./mart --as ann --key ann.key
  martlet policy apply ./policy --mart ./mart --approval ann-5f0c1a2b3c4d.approval
  martlet policy sql ./policy -f rules.sql            rules in PostgreSQL's words, into the bundle
  martlet policy show --mart ./mart --approvals       what is in force, and who approved it
  martlet policy explain kim --table customer --mart ./mart    why kim sees what kim sees
  martlet policy password                             a hash for the feed of principals
  martlet policy totp kim                             a secret of one-time codes for the feed

A bundle is a folder of bundle.toml, organization.csv, classes.toml, roles.toml and rules.toml, and of
columns.toml, where the officers say what each column is.";

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
    Apply(apply::Arguments),
    /// Say which rules are in force, who may change them and who approved them
    #[command(after_help = EXAMPLES)]
    Show(show::Arguments),
    /// Approve a bundle as an officer of the rules in force
    ///
    /// The bundle is checked, what it would change is printed, and a file is written that
    /// `martlet policy apply --approval` takes.
    #[command(after_help = EXAMPLES)]
    Approve(approve::Arguments),
    /// Make an officer's private key, and print the public one for `bundle.toml`
    ///
    /// A key that is there already stays as it is.
    #[command(after_help = EXAMPLES)]
    OfficerKey(approve::KeyArguments),
    /// Take rules in PostgreSQL's words into a bundle's files; puts nothing into force
    Sql(sql::Arguments),
    /// Say what somebody sees of a table, and which roles and rules decide it
    #[command(after_help = EXAMPLES)]
    Explain(ExplainArguments),
    /// Print a password's hash, for the column `password` of the feed of principals
    ///
    /// The password is MARTLET_PASSWORD, or it is asked for. It is not kept.
    #[command(after_help = EXAMPLES)]
    Password,
    /// Print a new secret of one-time codes: the first line is for the column `totp` of the feed
    /// of principals, the second for the person's authenticator app
    #[command(after_help = EXAMPLES)]
    Totp(TotpArguments),
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

/// The options of `martlet policy totp`.
#[derive(Debug, Args)]
pub(crate) struct TotpArguments {
    /// The principal's name, as the app shows it
    principal: String,
    /// The bank's name, as the app shows it
    #[arg(long, value_name = "NAME", default_value = "Martlet")]
    issuer: String,
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
        Arguments::Apply(arguments) => apply::apply_files(&arguments).await,
        Arguments::Show(arguments) => show::show(&arguments).await,
        Arguments::Approve(arguments) => approve::approve(&arguments).await,
        Arguments::OfficerKey(arguments) => approve::officer_key(&arguments),
        Arguments::Sql(arguments) => sql::run(&arguments),
        Arguments::Explain(arguments) => explain_decisions(&arguments).await,
        Arguments::Password => password::print_hash(),
        Arguments::Totp(arguments) => totp::print_secret(&arguments.principal, &arguments.issuer),
    }
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
    note_hidden(&bundle, &tables);
    say!("The bundle fits: version {}.", shown(bundle.version()));
    Ok(())
}

async fn show_diff(arguments: &DiffArguments) -> Result<(), Failure> {
    let new = BundleText::read_dir(&arguments.bundle)?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::latest(&store).await?;
    checked(Occasion::Change, &new, &snapshot)?;
    print_diff(current(&store, &snapshot).await?.text(), &new);
    Ok(())
}

async fn explain_decisions(arguments: &ExplainArguments) -> Result<(), Failure> {
    let InForce { bundle, directory, mut tables, day, emergencies, .. } =
        rules_in_force(&arguments.mart, arguments.day).await?;
    let moment = Moment { day, seconds: Utc::now().timestamp() };
    if let Some(name) = &arguments.table {
        tables.retain(|table| table.name().as_str() == name);
        if tables.is_empty() {
            return Err(Failure::invalid(format!("there is no table `{name}`")));
        }
    }
    for emergency in emergencies.of(&arguments.principal) {
        say!("{}", harmless(&emergency.in_words(moment.seconds)));
    }
    for table in &tables {
        let name = &arguments.principal;
        let lines = explain_named(&directory, &emergencies, name, table, &bundle, moment);
        let lines = lines.ok_or_else(|| {
            Failure::invalid(format!("there is no principal `{}`", arguments.principal))
        })?;
        for (number, line) in lines.iter().enumerate() {
            say!("{}{}", if number == 0 { "" } else { "  " }, harmless(line));
        }
    }
    Ok(())
}

/// What has words of a bundle's author in it, so that none of them steers the terminal of the officer
/// who has to judge them.
fn shown(what: impl Display) -> String {
    harmless(&what.to_string()).into_owned()
}

fn checked(
    occasion: Occasion,
    text: &BundleText,
    snapshot: &Snapshot,
) -> Result<CheckedBundle, Failure> {
    refuse(check_on(occasion, text, &schemas(snapshot))).map_err(|failure| {
        if snapshot.number() == SnapshotNumber::EMPTY {
            failure.advise("load the tables first, then apply the rules that speak of them")
        } else {
            failure
        }
    })
}

/// Says which loaded columns nobody sees, and why.
fn note_hidden(bundle: &CheckedBundle, tables: &[TableSchema]) {
    for hidden in bundle.classification().hidden_columns(tables) {
        note!("{}", shown(hidden));
    }
}

/// Says of a snapshot that was just published which of its columns nobody sees, or that servers do
/// not take it over.
pub(crate) async fn note_published(store: &Store, snapshot: &Snapshot) {
    notes_on(store, snapshot).await.iter().for_each(|line| note!("{}", harmless(line)));
}

async fn notes_on(store: &Store, snapshot: &Snapshot) -> Vec<String> {
    let number = snapshot.number();
    let Ok(current) = current(store, snapshot).await else {
        return vec![format!(
            "the rules in force cannot be read, so it is open whether servers take over snapshot {number}"
        )];
    };
    let Some(rules) = current.rules else { return Vec::new() };
    match checked(Occasion::TakeOver, rules.text(), snapshot) {
        Ok(bundle) => {
            let tables = schemas(snapshot);
            let hidden = bundle.classification().hidden_columns(&tables);
            hidden.map(|column| column.to_string()).collect()
        }
        Err(_) => {
            vec![format!("no server takes over snapshot {number}; `martlet policy show` says why")]
        }
    }
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
            note!("{}", shown(finding));
        }
        let what = match findings.len() {
            1 => "there is 1 finding".to_owned(),
            number => format!("there are {number} findings"),
        };
        Failure::invalid(what).advise("correct the places named above; nothing changed")
    })
}

#[cfg(test)]
#[path = "hidden_tests.rs"]
mod tests;
#[cfg(test)]
mod words_tests;
