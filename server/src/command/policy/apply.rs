//! `martlet policy apply`: rules and people come into force.
//!
//! Owns the order of the steps: nothing is published that was not checked against the tables of
//! the very snapshot it is published on, and no rules that the officers of those in force did not
//! approve. Every command that publishes rules goes this way.

use std::path::{Path, PathBuf};

use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::{
    Approval, BundleText, Directory, Occasion, Officers, Step, StoredBundle, Unapproved, diff,
    judge,
};
use martlet_store::{CommitOutcome, Snapshot, Store};

use super::approve::read_approval;
use super::in_force::{Current, current};
use super::{EXAMPLES, check_people, checked, note_published, shown};
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};
use crate::command::size::Count;
use crate::command::terminal::{harmless, note, say};

/// How often a publish is tried again on a snapshot that someone else has just published.
const ATTEMPTS_MAX: usize = 5;

/// The options of `martlet policy apply`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The bundle's folder
    #[arg(required_unless_present = "principals")]
    bundle: Option<PathBuf>,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The feed of principals: name,roles,node,password and further attributes (CSV)
    #[arg(long, value_name = "FILE")]
    principals: Option<PathBuf>,
    /// An officer's approval of the bundle, as `martlet policy approve` writes it; repeatable
    #[arg(long, value_name = "FILE", requires = "bundle")]
    approval: Vec<PathBuf>,
}

/// What is to be put into force; rules or people at least.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// The rules.
    pub(crate) bundle: Option<BundleText>,
    /// The text of the feed of principals.
    pub(crate) principals: Option<String>,
    /// The officers' approvals of the rules.
    pub(crate) approvals: Vec<Approval>,
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
        let current = current(store, &base).await?;
        let wanted = change.bundle.as_ref().or(current.text());
        let occasion = occasion(change, &current);
        let checked = wanted.map(|bundle| checked(occasion, bundle, &base)).transpose()?;
        let people = change.principals.as_ref().or(current.principals.as_ref());
        if let Some(text) = people {
            check_people(text, checked.as_ref())?;
        }
        let rules = next_rules(change, &current)?;
        let same_people = change.principals.is_none() || change.principals == current.principals;
        if rules.is_none() && same_people {
            return Ok(Applied::Unchanged(base));
        }
        let mut commit = store.begin(&base);
        if let Some(rules) = rules {
            commit.set_policy(rules.to_bytes().into());
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

/// Rules that are in force already are not changed by giving them again with the people of a night:
/// no load keeps these from coming into force.
fn occasion(change: &Change, current: &Current) -> Occasion {
    match &change.bundle {
        Some(bundle) if Some(bundle) != current.text() => Occasion::Change,
        _ => Occasion::TakeOver,
    }
}

/// What the next snapshot has to hold; nothing if the latest holds it already. Rules that nobody
/// approved may lie over those in force: then these are published again.
fn next_rules(change: &Change, current: &Current) -> Result<Option<StoredBundle>, Failure> {
    let Some(rules) = &current.rules else {
        return Ok(change.bundle.clone().map(StoredBundle::first));
    };
    match &change.bundle {
        Some(text) if text != rules.text() => {
            StoredBundle::following(text.clone(), rules, &change.approvals)
                .map(Some)
                .map_err(|why| refused(&why, text, rules, &change.approvals))
        }
        _ => Ok(current.holds_others().then(|| (**rules).clone())),
    }
}

/// Says of each approval whether it counts, and of the whole why it does not suffice.
fn refused(
    why: &Unapproved,
    text: &BundleText,
    in_force: &StoredBundle,
    approvals: &[Approval],
) -> Failure {
    let officers = Officers::of(in_force.text()).unwrap_or_default();
    let step = Step { bundle: text.digest(), base: in_force.edition() };
    for (approval, verdict) in approvals.iter().zip(judge(approvals, &officers, &step)) {
        note!("approval of `{}`: {verdict}", harmless(approval.officer()));
    }
    let names: Vec<&str> = officers.iter().map(|officer| officer.name.as_str()).collect();
    Failure::new(ErrorKind::Denied, why.to_string())
        .during("the rules in force do not let these follow them")
        .advise(format!(
            "let officers of the rules in force ({}) approve this bundle with `martlet policy \
             approve`, and give each file with --approval; nothing changed",
            harmless(&names.join(", "))
        ))
}

pub(super) async fn apply_files(arguments: &Arguments) -> Result<(), Failure> {
    let bundle = arguments.bundle.as_deref().map(BundleText::read_dir).transpose()?;
    let principals = arguments.principals.as_deref().map(read_people).transpose()?;
    let approvals: Vec<Approval> =
        arguments.approval.iter().map(|file| read_approval(file)).collect::<Result<_, _>>()?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let before = current(&store, &mart::latest(&store).await?).await?;
    let change = Change { bundle, principals, approvals };
    match apply(&store, &change).await? {
        Applied::Unchanged(snapshot) => {
            say!("This is in force already; nothing changed (snapshot {}).", snapshot.number());
        }
        Applied::Published(snapshot) => {
            if before.holds_others() {
                note!("The snapshot before held rules that nobody approved; they are gone.");
            }
            if let Some(new) = &change.bundle {
                print_diff(before.text(), new);
            }
            if let Some(text) = &change.principals {
                // Its lines are principals, but for the header.
                let people = Directory::parse(text).map_or(0, |directory| directory.len());
                say!("{} principals.", Count(people as u64));
            }
            say!("Snapshot {} is published; servers take it over at once.", snapshot.number());
            note_published(&store, &snapshot).await;
        }
    }
    Ok(())
}

/// The lines of a difference, as an officer's terminal may have them.
pub(super) fn difference(old: &BundleText, new: &BundleText) -> Vec<String> {
    diff(old, new).into_iter().map(shown).collect()
}

/// What a bundle changes.
pub(super) fn print_diff(old: Option<&BundleText>, new: &BundleText) {
    let Some(old) = old else {
        say!("No rules are in force before: everything that the bundle grants is new.");
        return;
    };
    let lines = difference(old, new);
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

fn read_people(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::file("reading the feed of principals", file, &error))
}
