//! Checks the roles and resolves their inheritance.
//!
//! What a role inherits can be narrowed, never widened: a role's own word that is milder than
//! an inherited one would have no effect, so it is a finding.

use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{ClassName, TableName};

use super::{Tables, check_duplicates, minimum_group, named};
use crate::access::{Access, Sight};
use crate::checked::{Capability, Class, Pfi, Role};
use crate::duty::Duty;
use crate::finding::Finding;
use crate::mask::Mask;
use crate::names::{Purpose, RoleName};
use crate::parse::{RawRole, Word};

/// A role as it is written, without what it inherits.
struct OwnRole<'a> {
    raw: &'a RawRole,
    role: Role,
    inherits: BTreeSet<RoleName>,
}

type OwnRoles<'a> = BTreeMap<RoleName, OwnRole<'a>>;

/// Makes the roles, by name, with everything that they inherit.
pub(super) fn check(
    raw: &[RawRole],
    classes: &BTreeMap<ClassName, Class>,
    tables: &Tables<'_>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<RoleName, Role> {
    check_duplicates("role", raw.iter().map(|role| &role.name), findings);
    let own: OwnRoles<'_> = raw
        .iter()
        .filter_map(|role| {
            let own = check_own(role, classes, tables, findings)?;
            Some((own.role.name.clone(), own))
        })
        .collect();
    for role in own.values() {
        check_inheritance(role, &own, findings);
    }
    own.values().map(|role| (role.role.name.clone(), resolve(role, &own, findings))).collect()
}

fn check_own<'a>(
    raw: &'a RawRole,
    classes: &BTreeMap<ClassName, Class>,
    tables: &Tables<'_>,
    findings: &mut Vec<Finding>,
) -> Option<OwnRole<'a>> {
    let name = named(&raw.name, RoleName::new, findings);
    let granted = raw.tables.iter().filter_map(|word| check_table(word, tables, findings));
    let granted = granted.collect();
    let may = raw.may.iter().filter_map(|word| check_capability(word, findings)).collect();
    let sights = raw
        .classes
        .iter()
        .filter_map(|(class, word)| check_word(class, word, classes, findings))
        .collect();
    let lookups =
        raw.lookup.iter().filter_map(|word| check_lookup(word, classes, findings)).collect();
    let duties = raw.duty.iter().filter_map(|word| check_duty(word, findings)).collect();
    let inherits = raw.inherits.iter().filter_map(|word| named(word, RoleName::new, findings));
    let inherits: BTreeSet<RoleName> = inherits.collect();
    let groups = minimum_group::read(&raw.groups, findings).into_iter().collect();
    let family = BTreeSet::from([name.clone()?]);
    Some(OwnRole {
        raw,
        role: Role { name: name?, family, tables: granted, sights, may, lookups, duties, groups },
        inherits,
    })
}

/// Reads the name of a table that exists.
pub(super) fn check_table(
    word: &Word,
    tables: &Tables<'_>,
    findings: &mut Vec<Finding>,
) -> Option<TableName> {
    let table = tables.get(word.value.as_str());
    if table.is_none() {
        findings.push(word.place.finding(format!("there is no table `{}`", word.value)));
    }
    table.map(|table| table.name().clone())
}

fn check_capability(word: &Word, findings: &mut Vec<Finding>) -> Option<Capability> {
    let capability = Capability::parse(&word.value);
    if capability.is_none() {
        let message = format!(
            "`{}` is nothing that a role may do; there are `explain` and `explain_policy`",
            word.value
        );
        findings.push(word.place.finding(message));
    }
    capability
}

fn check_duty(word: &Word, findings: &mut Vec<Finding>) -> Option<Duty> {
    let duty = Duty::parse(&word.value);
    if duty.is_none() {
        let message = format!("`{}` is no duty; these are rules, load and audit", word.value);
        findings.push(word.place.finding(message));
    }
    duty
}

/// Reads a class that may be asked by raw values. What authenticates a person may not: whoever
/// can try it can use it.
fn check_lookup(
    word: &Word,
    classes: &BTreeMap<ClassName, Class>,
    findings: &mut Vec<Finding>,
) -> Option<ClassName> {
    let class = classes.get(word.value.as_str());
    let message = match class {
        None => format!("there is no class `{}`", word.value),
        Some(class) if class.pfi == Some(Pfi::C3) => {
            format!("the class `{}` is C3, which nobody may ask by its values", class.name)
        }
        Some(class) => return Some(class.name.clone()),
    };
    findings.push(word.place.finding(message));
    None
}

/// Reads `mobile = "mask"`.
fn check_word(
    class: &Word,
    word: &Word,
    classes: &BTreeMap<ClassName, Class>,
    findings: &mut Vec<Finding>,
) -> Option<(ClassName, Sight)> {
    let Some(found) = classes.get(class.value.as_str()) else {
        let message = format!("there is no class `{}`", class.value);
        findings.push(class.place.finding(message));
        return None;
    };
    match read_word(&word.value, found) {
        Ok(sight) => Some((found.name.clone(), sight)),
        Err(message) => {
            findings.push(word.place.finding(message));
            None
        }
    }
}

fn read_word(word: &str, class: &Class) -> Result<Sight, String> {
    let masked = |mask| Ok(Sight::Shown(Access::Masked(mask)));
    match (word, word.strip_prefix("token:")) {
        ("deny", _) => Ok(Sight::Hidden),
        ("clear" | "filter", _) if class.pfi == Some(Pfi::C3) => {
            Err(format!("the class `{}` is C3, which is never shown clear", class.name))
        }
        ("filter", _) => Ok(Sight::Shown(Access::Unshown)),
        ("clear", _) => Ok(Sight::Shown(Access::Clear)),
        ("mask", _) => class.mask.clone().map_or_else(
            || Err(format!("the class `{}` has no mask; give it one, or deny it", class.name)),
            masked,
        ),
        (_, Some(purpose)) => Purpose::new(purpose).map_or_else(
            |what| Err(format!("the token's purpose `{purpose}`: {what}")),
            |purpose| masked(Mask::Token(purpose)),
        ),
        _ => Err(format!("`{word}` is not one of clear, filter, mask, token:<purpose>, deny")),
    }
}

fn check_inheritance(role: &OwnRole<'_>, own: &OwnRoles<'_>, findings: &mut Vec<Finding>) {
    for word in &role.raw.inherits {
        let parent = own.get(word.value.as_str());
        if parent.is_none() {
            findings.push(word.place.finding(format!("there is no role `{}`", word.value)));
        }
        if parent.is_some_and(|parent| family(parent, own).contains(&role.role.name)) {
            let message = format!("`{}` inherits from itself: a cycle", role.role.name);
            findings.push(word.place.finding(message));
        }
    }
}

/// The role and all that it inherits from, at any distance; ends on a cycle too.
fn family(role: &OwnRole<'_>, own: &OwnRoles<'_>) -> BTreeSet<RoleName> {
    let mut family = BTreeSet::new();
    let mut open = vec![role.role.name.clone()];
    while let Some(name) = open.pop() {
        if let Some(next) = own.get(&name)
            && family.insert(name)
        {
            open.extend(next.inherits.iter().cloned());
        }
    }
    family
}

/// Unites a role with its family: all tables and capabilities, the strictest word per class.
fn resolve(role: &OwnRole<'_>, own: &OwnRoles<'_>, findings: &mut Vec<Finding>) -> Role {
    let family = family(role, own);
    let members: Vec<&Role> =
        family.iter().filter_map(|name| own.get(name)).map(|member| &member.role).collect();
    let classes: BTreeSet<&ClassName> = members.iter().flat_map(|m| m.sights.keys()).collect();
    let strictest = |class: &ClassName| {
        Sight::strictest(members.iter().filter_map(|member| member.sights.get(class)).cloned())
    };
    let sights: BTreeMap<ClassName, Sight> =
        classes.into_iter().map(|class| (class.clone(), strictest(class))).collect();
    check_own_words(role, &sights, findings);
    Role {
        name: role.role.name.clone(),
        tables: members.iter().flat_map(|member| member.tables.clone()).collect(),
        may: members.iter().flat_map(|member| member.may.clone()).collect(),
        lookups: members.iter().flat_map(|member| member.lookups.clone()).collect(),
        duties: members.iter().flat_map(|member| member.duties.clone()).collect(),
        groups: members.iter().flat_map(|member| member.groups.clone()).collect(),
        sights,
        family,
    }
}

/// A role's own word has to be the one that counts.
fn check_own_words(
    role: &OwnRole<'_>,
    resolved: &BTreeMap<ClassName, Sight>,
    findings: &mut Vec<Finding>,
) {
    for (class, word) in &role.raw.classes {
        let own = role.role.sights.get(class.value.as_str());
        if own.is_some() && own != resolved.get(class.value.as_str()) {
            let message = format!(
                "this word for `{}` has no effect: an inherited role says something stricter; \
                 say the same, or do not inherit from it",
                class.value
            );
            findings.push(word.place.finding(message));
        }
    }
}
