//! `martlet policy show`: which rules are in force, who may change them, and who approved them.
//!
//! Says what is proven and what is only written there. Must never take rules that a snapshot
//! holds for rules in force.

use chrono::DateTime;
use clap::Args;
use martlet_policy::{CheckedBundle, EmergencyRule, Occasion, Officers, Step, StoredBundle, judge};
use martlet_store::{Snapshot, Store};

use super::in_force::{current, held};
use super::{EXAMPLES, checked, note_hidden, schemas, shown};
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};
use crate::command::terminal::{harmless, note, say};

/// The options of `martlet policy show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The rules that this snapshot holds, in force or not; without it those in force
    #[arg(long, value_name = "N")]
    snapshot: Option<u64>,
    /// Who approved them, each approval proven anew
    #[arg(long)]
    approvals: bool,
}

pub(super) async fn show(arguments: &Arguments) -> Result<(), Failure> {
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::snapshot(&store, arguments.snapshot).await?;
    let stored = match arguments.snapshot {
        Some(_) => held(&store, &snapshot).await?,
        None => in_force(&store, &snapshot).await?,
    };
    let Some(stored) = stored else {
        return Err(Failure::invalid("there are no rules, so nobody sees anything")
            .advise("put them into force with `martlet policy apply`"));
    };
    let bundle = checked(Occasion::TakeOver, stored.text(), &snapshot)?;
    described(&bundle, &stored).iter().for_each(|line| say!("{line}"));
    note_hidden(&bundle, &schemas(&snapshot));
    if arguments.approvals {
        print_approvals(&stored);
    }
    Ok(())
}

async fn in_force(store: &Store, snapshot: &Snapshot) -> Result<Option<StoredBundle>, Failure> {
    let current = current(store, snapshot).await?;
    if current.holds_others() {
        note!(
            "snapshot {} holds other rules than these, which nobody approved: no server takes it over. \
             Apply these again, or have others approved.",
            snapshot.number()
        );
    }
    Ok(current.rules.map(|rules| (*rules).clone()))
}

/// What the rules are, a line each, as an officer's terminal may have them.
pub(super) fn described(bundle: &CheckedBundle, stored: &StoredBundle) -> Vec<String> {
    let officers = bundle.officers();
    let names: Vec<&str> = officers.iter().map(|officer| officer.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut lines = vec![
        format!("rules       {}, version {}", bundle.name(), bundle.version()),
        format!("edition     {}", stored.edition()),
        format!("profile     {}", bundle.profile().word()),
        format!("columns     {}", bundle.classification()),
        format!("officers    {names}"),
        format!("approvals   {} for a change of these rules", officers.needed()),
    ];
    for role in bundle.roles().filter(|role| !role.duties.is_empty()) {
        let duties: Vec<&str> = role.duties.iter().map(|duty| duty.word()).collect();
        lines.push(format!("duty        role `{}`: {}", role.name, duties.join(", ")));
    }
    for conflict in bundle.conflicts() {
        let roles: Vec<String> = conflict.roles.iter().map(|role| format!("`{role}`")).collect();
        lines.push(format!("conflict    nobody holds two of {}", roles.join(", ")));
    }
    for emergency in bundle.emergencies() {
        let may_ask: Vec<String> =
            emergency.may_ask.iter().map(|role| format!("`{role}`")).collect();
        let EmergencyRule { name, role, hours, approvers, .. } = emergency;
        lines.push(format!(
            "emergency   {name}: role `{role}` for holders of {}, {hours} hours, {approvers} approvals",
            may_ask.join(", ")
        ));
    }
    lines.extend(bundle.accepted_risks().iter().map(|risk| format!("accepted    {risk}")));
    lines.into_iter().map(shown).collect()
}

/// Each approval of the rules, judged by the officers of the rules before them.
fn print_approvals(stored: &StoredBundle) {
    let (Some(base), Some(officers)) = (stored.base(), stored.approving_officers()) else {
        say!("These are the first rules: nobody had to approve them.");
        return;
    };
    say!("follows     {base}");
    print_needed(&officers, stored);
    let step = Step { bundle: stored.text().digest(), base };
    let verdicts = judge(stored.approvals(), &officers, &step);
    for (approval, verdict) in stored.approvals().iter().zip(verdicts) {
        let at = DateTime::from_timestamp(approval.at(), 0);
        let at = at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M:%SZ").to_string());
        let (officer, key) = (harmless(approval.officer()), approval.key());
        say!("approved    {officer}, {at}, key {key}: {verdict}");
    }
}

fn print_needed(officers: &Officers, stored: &StoredBundle) {
    match stored.own_proof() {
        Ok(()) if officers.needed() == 0 => say!("needed      none"),
        Ok(()) => say!("needed      {}, which are there and proven", officers.needed()),
        Err(why) => say!("NOT PROVEN  {why}"),
    }
}
