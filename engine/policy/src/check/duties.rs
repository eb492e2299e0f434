//! Checks the conflicts, and that no role breaks the separation of duties by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::named;
use crate::checked::Role;
use crate::duty::{Conflict, breaches};
use crate::finding::Finding;
use crate::names::RoleName;
use crate::officers::Officers;
use crate::parse::RawBundle;
use crate::parse::governance::RawConflict;

/// Makes the conflicts; a role that nobody could hold is a finding.
pub(super) fn check(
    raw: &RawBundle,
    roles: &BTreeMap<RoleName, Role>,
    findings: &mut Vec<Finding>,
) -> Vec<Conflict> {
    let conflicts: Vec<Conflict> =
        raw.conflicts.iter().map(|conflict| check_conflict(conflict, roles, findings)).collect();
    let nobody = Officers::default();
    for raw in &raw.roles {
        let Some(role) = roles.get(raw.name.value.as_str()) else { continue };
        let place = raw.duty.as_ref().map_or(raw.name.place, |word| word.place);
        for breach in breaches(None, &[role], &nobody, &conflicts) {
            let message = format!("nobody could hold the role `{}`: {breach}", role.name);
            findings.push(place.finding(message));
        }
    }
    conflicts
}

fn check_conflict(
    raw: &RawConflict,
    roles: &BTreeMap<RoleName, Role>,
    findings: &mut Vec<Finding>,
) -> Conflict {
    let mut known = BTreeSet::new();
    for word in &raw.roles {
        let Some(name) = named(word, RoleName::new, findings) else { continue };
        if !roles.contains_key(&name) {
            findings.push(word.place.finding(format!("there is no role `{name}`")));
        }
        if !known.insert(name) {
            findings.push(word.place.finding(format!("`{}` stands here twice", word.value)));
        }
    }
    if raw.roles.len() < 2 {
        let message = "a conflict has `roles`, of which nobody may hold two: name two at least";
        findings.push(raw.place.finding(message));
    }
    Conflict { roles: known }
}
