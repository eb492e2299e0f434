//! What a mart has in force: rules, people, and what they speak of.
//!
//! Owns the difference between the rules in force and those that a snapshot holds: others count
//! only if the officers approved them. Must never take one for the other.

use std::sync::Arc;

use martlet_core::{BatchDate, ErrorKind, TableSchema};
use martlet_policy::{
    BundleText, CheckedBundle, Directory, Edition, Emergencies, Occasion, StoredBundle,
};
use martlet_query::{approved, emergencies};
use martlet_store::{Snapshot, Store};

use super::{checked, refuse, schemas};
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};

/// What a snapshot holds, and what of it is in force.
#[derive(Debug)]
pub(super) struct Current {
    /// The rules in force.
    pub(super) rules: Option<Arc<StoredBundle>>,
    /// The edition that the snapshot holds, if it can be read.
    pub(super) held: Option<Edition>,
    /// The text of the feed of principals.
    pub(super) principals: Option<String>,
}

impl Current {
    /// The text of the rules in force.
    pub(super) fn text(&self) -> Option<&BundleText> {
        self.rules.as_ref().map(|rules| rules.text())
    }

    /// Whether the snapshot holds rules that are not in force.
    pub(super) fn holds_others(&self) -> bool {
        self.held != self.rules.as_ref().map(|rules| rules.edition())
    }
}

/// Reads what is in force with a snapshot.
pub(super) async fn current(store: &Store, snapshot: &Snapshot) -> Result<Current, Failure> {
    let rules = approved::rules_in_force(store, snapshot).await?;
    let held = held(store, snapshot).await.ok().flatten().map(|stored| stored.edition());
    let principals = match snapshot.principals() {
        Some(object) => {
            let bytes = store.read(object).await?;
            Some(String::from_utf8(bytes.to_vec()).map_err(|_| not_utf8())?)
        }
        None => None,
    };
    Ok(Current { rules, held, principals })
}

/// The rules that a snapshot holds, in force or not.
pub(super) async fn held(
    store: &Store,
    snapshot: &Snapshot,
) -> Result<Option<StoredBundle>, Failure> {
    let Some(object) = snapshot.policy() else { return Ok(None) };
    Ok(Some(StoredBundle::from_bytes(&store.read(object).await?)?))
}

fn not_utf8() -> Failure {
    Failure::new(ErrorKind::Damaged, "the feed of principals in the mart is not UTF-8 text")
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
    /// What the mart keeps of emergencies, proven by these rules and people.
    pub(crate) emergencies: Emergencies,
    /// Which edition these rules are.
    pub(crate) edition: Edition,
}

/// Reads what a mart has in force, for decisions of a day; today without one.
pub(crate) async fn rules_in_force(mart: &str, day: Option<BatchDate>) -> Result<InForce, Failure> {
    let store = mart::open(mart, Expected::Existing)?;
    let snapshot = mart::latest(&store).await?;
    rules_of(&store, &snapshot, day).await
}

/// The same of a snapshot of an opened mart.
pub(crate) async fn rules_of(
    store: &Store,
    snapshot: &Snapshot,
    day: Option<BatchDate>,
) -> Result<InForce, Failure> {
    let Current { rules: Some(rules), principals: Some(people), .. } =
        current(store, snapshot).await?
    else {
        return Err(Failure::invalid(
            "the mart has no rules or no people, so nobody sees anything",
        )
        .advise("put them into force with `martlet policy apply`"));
    };
    let bundle = checked(Occasion::TakeOver, rules.text(), snapshot)?;
    let directory = refuse(Directory::parse(&people))?;
    let day = match day {
        Some(day) => day,
        None => martlet_query::today(&bundle).ok_or_else(|| {
            Failure::invalid("the clock of this machine shows no day of a calendar")
        })?,
    };
    let (edition, tables) = (rules.edition(), schemas(snapshot));
    let ledger = emergencies::known(store, snapshot).await?;
    let emergencies = Emergencies::judge(ledger, edition, &bundle, &directory);
    Ok(InForce { bundle, directory, tables, day, emergencies, edition })
}
