//! Checks what roles say of minimum group sizes.
//!
//! A column of persons has to be in every table of the role and to be seen by it: rows in the place of
//! persons could all be one person's. That is for officers to be told: the decision denies a table
//! whose persons cannot be counted, so no load that takes their column away is refused for it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use martlet_core::{ColumnName, TableSchema};

use super::Tables;
use crate::access::Sight;
use crate::checked::Role;
use crate::finding::Finding;
use crate::minimum_group::{GroupRule, MinimumGroup, SIZES};
use crate::names::RoleName;
use crate::parse::{RawGroups, RawRole};

/// Reads a role's own rule.
pub(super) fn read(raw: &RawGroups, findings: &mut Vec<Finding>) -> Option<GroupRule> {
    let Some(number) = &raw.size else {
        if let Some(word) = &raw.by {
            let message = "`minimum_group_by` says nothing without `minimum_group`";
            findings.push(word.place.finding(message));
        }
        return None;
    };
    let size = SIZES.contains(&number.value).then(|| u32::try_from(number.value).ok());
    let Some(size) = size.flatten().and_then(NonZeroU32::new) else {
        let (least, most) = (SIZES.start(), SIZES.end());
        let message = format!("`minimum_group` is a number from {least} to {most}");
        findings.push(number.place.finding(message));
        return None;
    };
    let column = |name: &str| {
        ColumnName::new(name).map_err(|what| format!("`{name}` is not a column's name: {what}"))
    };
    match raw.by.as_ref().map(|word| (word, column(&word.value))) {
        None => Some(GroupRule { size, by: None }),
        Some((_, Ok(by))) => Some(GroupRule { size, by: Some(by) }),
        Some((word, Err(message))) => {
            findings.push(word.place.finding(message));
            None
        }
    }
}

/// Checks the columns of persons of all roles, with what these inherit.
pub(super) fn check(
    raw: &[RawRole],
    roles: &BTreeMap<RoleName, Role>,
    tables: &Tables<'_>,
    findings: &mut Vec<Finding>,
) {
    for raw in raw {
        let Some(role) = roles.get(raw.name.value.as_str()) else { continue };
        let granted = role.tables.iter().filter_map(|table| tables.get(table.as_str()).copied());
        let granted: Vec<&TableSchema> = granted.collect();
        let place = raw.groups.by.as_ref().map_or(raw.name.place, |word| word.place);
        let messages = granted.iter().filter_map(|table| cannot_count(role, table));
        findings.extend(messages.map(|message| place.finding(message)));
    }
}

/// Why no group of the table could be counted under the role alone.
fn cannot_count(role: &Role, table: &TableSchema) -> Option<String> {
    let name = table.name();
    let group = match MinimumGroup::of(table, &[role]) {
        Ok(group) => group?,
        Err(why) => {
            return Some(format!(
                "groups of `{name}` cannot be counted: {why}; grant the table by a role of its own"
            ));
        }
    };
    let column = table.column(group.persons?.as_str())?;
    let sight = column.class.as_ref().and_then(|class| role.sights.get(class));
    let is_hidden = sight.is_none_or(|sight| *sight == Sight::Hidden);
    is_hidden.then(|| {
        format!(
            "the role does not see `{}` of `{name}`, so no persons could be counted: say clear, \
             filter or token of its class",
            column.name
        )
    })
}
