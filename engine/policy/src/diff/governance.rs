//! What changed of the rules about the rules: officers, duties, conflicts, accepted risks and
//! emergencies.
//!
//! Fewer approvals, other officers, a duty or a conflict less, a risk or an emergency more: each
//! makes it easier that someone sees more, so each has its star.

use std::collections::{BTreeMap, BTreeSet};

use super::{Weight, as_strs, by_name, value, words};
use crate::parse::RawBundle;
use crate::parse::governance::{RawEmergency, RawRisk};

/// The lines.
pub(super) fn diff(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let mut lines = diff_needed(before, after);
    lines.extend(diff_officers(before, after));
    lines.extend(diff_duties(before, after));
    lines.extend(diff_conflicts(before, after));
    lines.extend(diff_risks(before, after));
    lines.extend(diff_emergencies(before, after));
    lines
}

fn diff_needed(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let needed = |bundle: &RawBundle| bundle.approvals.as_ref().map_or(0, |number| number.value);
    let (before, after) = (needed(before), needed(after));
    let weight = if after < before { Weight::Widens } else { Weight::Narrows };
    let line = || weight.line(format!("bundle: approvals {before} -> {after}"));
    (before != after).then(line).into_iter().collect()
}

/// A new officer can let others see more, and so can those who stay when one goes.
fn diff_officers(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let keys = |bundle: &RawBundle| -> BTreeMap<String, String> {
        let key = |officer: &crate::parse::governance::RawOfficer| {
            (officer.name.value.clone(), format!("key {}", value(officer.key.as_ref())))
        };
        bundle.officers.iter().map(key).collect()
    };
    let (before, after) = (keys(before), keys(after));
    let (before, after) = (as_strs(&before), as_strs(&after));
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    let removed = removed.map(|name| Weight::Widens.line(format!("officer `{name}`: removed")));
    let stayed = after.iter().filter(|(name, key)| before.get(*name) != Some(*key));
    let changed = stayed.map(|(name, key)| match before.get(name) {
        Some(old) => Weight::Widens.line(format!("officer `{name}`: {old} -> {key}")),
        None => Weight::Widens.line(format!("officer `{name}`: new, {key}")),
    });
    removed.chain(changed).collect()
}

/// Of roles that are there now; a removed one has its own line.
fn diff_duties(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let (old, new) = (by_name(&before.roles, |r| &r.name), by_name(&after.roles, |r| &r.name));
    let mut lines = Vec::new();
    for (name, role) in &new {
        let was = old.get(name).map_or("", |old| value(old.duty.as_ref()));
        let is = value(role.duty.as_ref());
        if was != is {
            let weight = if was.is_empty() { Weight::Narrows } else { Weight::Widens };
            lines.push(weight.line(format!("role `{name}`: duty `{was}` -> `{is}`")));
        }
    }
    lines
}

fn diff_conflicts(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let sets = |bundle: &RawBundle| -> BTreeSet<String> {
        let listed = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
        bundle.conflicts.iter().map(|conflict| listed(words(&conflict.roles))).collect()
    };
    let (before, after) = (sets(before), sets(after));
    let gone = before.difference(&after);
    let gone = gone.map(|roles| Weight::Widens.line(format!("conflict of {roles}: removed")));
    let new = after.difference(&before);
    let new = new.map(|roles| Weight::Narrows.line(format!("conflict of {roles}: new")));
    gone.chain(new).collect()
}

fn diff_risks(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let all = |bundle: &RawBundle| -> BTreeSet<String> {
        bundle.accepted_risks.iter().map(describe).collect()
    };
    let (before, after) = (all(before), all(after));
    let gone = before.difference(&after);
    let gone = gone.map(|risk| Weight::Narrows.line(format!("accepted risk {risk}: removed")));
    let new = after.difference(&before);
    let new = new.map(|risk| Weight::Widens.line(format!("accepted risk {risk}: new")));
    gone.chain(new).collect()
}

/// A changed one is an old one less and a new one more.
fn diff_emergencies(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let all = |bundle: &RawBundle| -> BTreeSet<String> {
        bundle.emergencies.iter().map(describe_emergency).collect()
    };
    let (before, after) = (all(before), all(after));
    let gone = before.difference(&after);
    let gone = gone.map(|one| Weight::Narrows.line(format!("emergency {one}: removed")));
    let new = after.difference(&before);
    let new = new.map(|one| Weight::Widens.line(format!("emergency {one}: new")));
    gone.chain(new).collect()
}

fn describe_emergency(emergency: &RawEmergency) -> String {
    let number = |number: &Option<crate::finding::Located<i64>>| {
        number.as_ref().map_or_else(String::new, |number| number.value.to_string())
    };
    let may_ask: Vec<&str> = words(&emergency.may_ask).into_iter().collect();
    format!(
        "`{}`: role `{}` for {}, {} hours, {} approvals",
        emergency.name.value,
        value(emergency.role.as_ref()),
        may_ask.join(", "),
        number(&emergency.hours),
        number(&emergency.approvers),
    )
}

fn describe(risk: &RawRisk) -> String {
    let listed = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "`{}` for {}: `{}` beside {}: {}",
        risk.name.value,
        listed(words(&risk.roles)),
        value(risk.hidden.as_ref()),
        listed(words(&risk.beside)),
        value(risk.reason.as_ref()),
    )
}

#[cfg(test)]
#[path = "governance_tests.rs"]
mod tests;
