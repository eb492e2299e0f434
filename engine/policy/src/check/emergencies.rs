//! Checks the emergencies for which a bundle provides: their bounds, and that somebody could ever
//! be given one.
//!
//! The bounds are not the bundle's to move: four hours, two officers, and rules that one officer
//! alone cannot change.

use std::collections::{BTreeMap, BTreeSet};

use super::{check_duplicates, named};
use crate::checked::Role;
use crate::duty::{Conflict, breaches};
use crate::emergency::{APPROVERS_MIN, EmergencyRule, HOURS_MAX, access_name};
use crate::finding::{Finding, Located};
use crate::names::RoleName;
use crate::officers::Officers;
use crate::parse::Word;
use crate::parse::governance::RawEmergency;

/// Makes the emergencies, in their order.
pub(super) fn check(
    raw: &[RawEmergency],
    roles: &BTreeMap<RoleName, Role>,
    conflicts: &[Conflict],
    officers: &Officers,
    findings: &mut Vec<Finding>,
) -> Vec<EmergencyRule> {
    check_duplicates("emergency", raw.iter().map(|emergency| &emergency.name), findings);
    let mut checked = Vec::new();
    for raw in raw {
        if officers.needed() < APPROVERS_MIN {
            let message = format!(
                "an emergency needs rules that nobody changes alone: `approvals` has to be {APPROVERS_MIN} at least"
            );
            findings.push(raw.name.place.finding(message));
        }
        let name = check_name(&raw.name, findings);
        let role = raw.role.as_ref().and_then(|word| check_role(word, roles, findings));
        let may_ask = check_askers(raw, role, roles, conflicts, findings);
        let hours = check_number(raw, &raw.hours, "hours", 1, i64::from(HOURS_MAX), findings);
        let most = officers.iter().count() as i64;
        let least = APPROVERS_MIN as i64;
        let approvers = check_number(raw, &raw.approvers, "approvers", least, most, findings);
        let bounds = hours.zip(approvers);
        if let (Some(name), Some(role), Some((hours, approvers))) = (name, role, bounds) {
            let (role, approvers) = (role.name.clone(), approvers as usize);
            checked.push(EmergencyRule { name, role, may_ask, hours, approvers });
        }
    }
    checked
}

fn check_name(word: &Word, findings: &mut Vec<Finding>) -> Option<String> {
    let name = access_name(&word.value);
    if name.is_none() {
        let message =
            "an emergency's name is a text of one line, of 128 bytes at most, and not empty";
        findings.push(word.place.finding(message));
    }
    name
}

/// The role that decides in the emergency: it is there for reading alone, and nobody comes by it
/// through another.
fn check_role<'a>(
    word: &Word,
    roles: &'a BTreeMap<RoleName, Role>,
    findings: &mut Vec<Finding>,
) -> Option<&'a Role> {
    let Some(role) = roles.get(word.value.as_str()) else {
        findings.push(word.place.finding(format!("there is no role `{}`", word.value)));
        return None;
    };
    if !role.duties.is_empty() {
        let message = format!("the role `{}` has a duty: an emergency is for reading", role.name);
        findings.push(word.place.finding(message));
    }
    let heirs = roles.values().filter(|heir| heir.name != role.name);
    for heir in heirs.filter(|heir| heir.family.contains(&role.name)) {
        let message = format!(
            "the role `{}` inherits from `{}`, which is for emergencies: its holders would have it always",
            heir.name, role.name
        );
        findings.push(word.place.finding(message));
    }
    Some(role)
}

/// The roles whose holders may be given it, each of which could be.
fn check_askers(
    raw: &RawEmergency,
    elevated: Option<&Role>,
    roles: &BTreeMap<RoleName, Role>,
    conflicts: &[Conflict],
    findings: &mut Vec<Finding>,
) -> BTreeSet<RoleName> {
    if raw.may_ask.is_empty() {
        let message = "an emergency says whose it can be: `may_ask` names a role at least";
        findings.push(raw.name.place.finding(message));
    }
    let nobody = Officers::default();
    let mut may_ask = BTreeSet::new();
    for word in &raw.may_ask {
        let Some(name) = named(word, RoleName::new, findings) else { continue };
        let Some(asker) = roles.get(&name) else {
            findings.push(word.place.finding(format!("there is no role `{name}`")));
            continue;
        };
        if let Some(elevated) = elevated {
            for breach in breaches(None, &[asker, elevated], &nobody, conflicts) {
                let message = format!("no holder of `{name}` could be given it: {breach}");
                findings.push(word.place.finding(message));
            }
            if elevated.name == name {
                let message = format!("nobody holds `{name}`, which is for emergencies");
                findings.push(word.place.finding(message));
            }
        }
        may_ask.insert(name);
    }
    may_ask
}

/// A number that has to be there, within bounds.
fn check_number(
    raw: &RawEmergency,
    number: &Option<Located<i64>>,
    key: &str,
    least: i64,
    most: i64,
    findings: &mut Vec<Finding>,
) -> Option<u32> {
    let place = number.as_ref().map_or(raw.name.place, |number| number.place);
    let found = number.as_ref().map(|number| number.value);
    let within = found.filter(|value| (least..=most).contains(value));
    if within.is_none() {
        let what = if most < least {
            format!("`{key}` is {least} at least, and there are {most} officers")
        } else {
            format!("`{key}` is a number from {least} to {most}")
        };
        findings.push(place.finding(what));
    }
    within.and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
#[path = "emergencies_tests.rs"]
mod tests;
