//! The decision: what one principal may see of one table, under one policy.
//!
//! Denies by default, and denies whatever cannot be decided. The rules of composition:
//!
//! * A role grants a table by naming it (or by inheriting from one that does).
//! * Visible rows are those of any permit of a role that grants the table, less those outside
//!   any restriction of a role that the principal has.
//! * A column is as visible as the strictest role that grants the table makes it, where a
//!   role's silence about the column's class hides it; what the principal's other roles say
//!   about the class counts too, but their silence does not.
//! * A column's class counts only as the bundle's classification has it; otherwise the column
//!   has none and is hidden.
//! * Of several minimum group sizes the largest counts, and a role without one loosens none.
//! * Whoever breaks the separation of duties is denied everything.
//! * Whoever is under an emergency is decided about by its role alone: their own roles neither
//!   add to it nor narrow it, and what they break together counts as ever.
//!
//! So a cell that several roles show together is shown by one of them alone: roles never add
//! up to more than each gives by itself.
//!
//! Rules count on their days; so the decision is one of a day, and another day may decide anew.
//!
//! Receives: a principal from the directory, a schema from the snapshot, the checked bundle.
//! Hands on: a [`Grant`] to the query engine, or nothing.

use martlet_core::{BatchDate, ColumnName, ColumnSchema, TableSchema};

use crate::access::{Access, Sight};
use crate::checked::{Capability, CheckedBundle, Role};
use crate::duty::{Breach, breaches_by_feed};
use crate::emergency::counting::{Emergency, breach_under};
use crate::grant::{ExplainRight, Grant, GrantedColumn, LookupRight};
use crate::minimum_group::{MinimumGroup, Uncountable};
use crate::names::{RoleName, RuleName};
use crate::principal::Principal;
use crate::rule::{Effect, Meaningless, RowRule, Rows, Rule};

/// The answer.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "decisions are few and short-lived, and nearly all of them are grants"
)]
pub enum Decision {
    /// The principal may read what the grant says.
    Granted(Grant),
    /// The principal may not know that there is such a table.
    Denied,
}

/// Why a table is denied. For officers only: it tells of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denial {
    #[error("the policy has no role `{0}`, which the directory gives the principal")]
    UnknownRole(RoleName),
    #[error("separation of duties: {0}")]
    Duty(Breach),
    #[error("the emergency was proven under other rules")]
    OtherRules,
    #[error("no role of the principal grants the table")]
    NotGranted,
    #[error("no column of the table is visible")]
    NoColumn,
    #[error("the mask of the column `{0}` does not fit its type")]
    Mask(ColumnName),
    #[error("the row rule `{rule}` cannot be decided: {why}")]
    Rule { rule: RuleName, why: Meaningless },
    #[error("no group can be counted: {0}")]
    Counted(#[from] Uncountable),
    #[error("the column of persons `{0}` is hidden, so no group can be counted")]
    Persons(ColumnName),
}

/// Decides what the principal sees of the table on a day.
#[must_use]
pub fn decide(
    principal: &Principal,
    table: &TableSchema,
    bundle: &CheckedBundle,
    day: BatchDate,
) -> Decision {
    try_decide(principal, table, bundle, day).map_or(Decision::Denied, Decision::Granted)
}

/// Decides, and says why not.
pub(crate) fn try_decide(
    principal: &Principal,
    table: &TableSchema,
    bundle: &CheckedBundle,
    day: BatchDate,
) -> Result<Grant, Denial> {
    // Whatever follows, the grant too, knows the classes that count and no others.
    let table = bundle.classification().in_force(table);
    let table = table.as_ref();
    let held = held_roles(principal, bundle)?;
    let granting: Vec<&Role> =
        held.iter().filter(|role| role.tables.contains(table.name())).copied().collect();
    if granting.is_empty() {
        return Err(Denial::NotGranted);
    }
    let columns = visible_columns(table, &held, &granting)?;
    if columns.is_empty() {
        return Err(Denial::NoColumn);
    }
    let mut rules = rules_about(table, &held, bundle);
    rules.retain(|rule| rule.effective.includes(day));
    let rows = visible_rows(principal, table, bundle, &rules)?;
    let groups = minimum_group(table, &granting, &columns)?;
    // Figures of an execution count single rows.
    let may_explain = granting.iter().all(|role| role.may.contains(&Capability::Explain));
    let explain =
        if may_explain && groups.is_none() { ExplainRight::Given } else { ExplainRight::Absent };
    let rule_ids = rules.iter().map(|rule| rule.name.to_string()).collect();
    Ok(Grant::new(table, columns, rows, groups, rule_ids, explain, bundle.version()))
}

/// The minimum group size of the table. Persons who cannot be told apart cannot be counted.
fn minimum_group(
    table: &TableSchema,
    granting: &[&Role],
    columns: &[GrantedColumn],
) -> Result<Option<MinimumGroup>, Denial> {
    let group = MinimumGroup::of(table, granting)?;
    let is_shown = |name: &ColumnName| columns.iter().any(|column| column.name == *name);
    match group.as_ref().and_then(|group| group.persons.as_ref()) {
        Some(persons) if !is_shown(persons) => Err(Denial::Persons(persons.clone())),
        _ => Ok(group),
    }
}

/// The roles that decide about the principal: theirs, or that of the emergency that they are
/// under. One that the policy does not know might have held a restriction, and whoever breaks a
/// duty with them has none.
pub(crate) fn held_roles<'a>(
    principal: &Principal,
    bundle: &'a CheckedBundle,
) -> Result<Vec<&'a Role>, Denial> {
    let find = |name: &RoleName| {
        bundle.role(name.as_str()).ok_or_else(|| Denial::UnknownRole(name.clone()))
    };
    let held = principal.roles().map(find).collect::<Result<Vec<_>, _>>()?;
    if let Some(emergency) = principal.emergency() {
        return role_under(principal, emergency, held, bundle).map(|role| vec![role]);
    }
    let broken = breaches_by_feed(Some(principal.name()), &held, bundle);
    broken.into_iter().next().map_or(Ok(held), |breach| Err(Denial::Duty(breach)))
}

/// The role of the emergency that somebody with these roles is under.
fn role_under<'a>(
    principal: &Principal,
    emergency: &Emergency,
    held: Vec<&'a Role>,
    bundle: &'a CheckedBundle,
) -> Result<&'a Role, Denial> {
    if !emergency.is_under(bundle) {
        return Err(Denial::OtherRules);
    }
    let name = emergency.role();
    let role = bundle.role(name.as_str()).ok_or_else(|| Denial::UnknownRole(name.clone()))?;
    let breach = breach_under(principal, held, role, bundle);
    breach.map_or(Ok(role), |breach| Err(Denial::Duty(breach)))
}

/// Whether a role of the principal gives a right that is about no table. Whoever is denied every
/// table, for an unknown role or a breach of duties, has none of these either.
#[must_use]
pub fn may(principal: &Principal, bundle: &CheckedBundle, right: Capability) -> bool {
    held_roles(principal, bundle)
        .is_ok_and(|held| held.iter().any(|role| role.may.contains(&right)))
}

fn visible_columns(
    table: &TableSchema,
    held: &[&Role],
    granting: &[&Role],
) -> Result<Vec<GrantedColumn>, Denial> {
    let mut columns = Vec::new();
    for (position, column) in table.columns().iter().enumerate() {
        let Sight::Shown(access) = column_sight(table, column, held) else { continue };
        if let Access::Masked(mask) = &access
            && !mask.applies_to(column.column_type)
        {
            return Err(Denial::Mask(column.name.clone()));
        }
        let lookup = lookup_right(column, granting);
        columns.push(GrantedColumn { position, name: column.name.clone(), access, lookup });
    }
    Ok(columns)
}

/// A column may be asked by its raw values if every role that grants the table says so: no role's
/// rows can be asked for by what another role may know.
fn lookup_right(column: &ColumnSchema, granting: &[&Role]) -> LookupRight {
    let says_so = |class| granting.iter().all(|role| role.lookups.contains(class));
    match &column.class {
        Some(class) if says_so(class) => LookupRight::Given,
        _ => LookupRight::Absent,
    }
}

/// What is seen of a column: the strictest of what the roles say.
pub(crate) fn column_sight(table: &TableSchema, column: &ColumnSchema, held: &[&Role]) -> Sight {
    let Some(class) = &column.class else { return Sight::Hidden };
    let says = |role: &&Role| match role.sights.get(class) {
        Some(sight) => Some(sight.clone()),
        None => role.tables.contains(table.name()).then_some(Sight::Hidden),
    };
    Sight::strictest(held.iter().filter_map(says))
}

/// The rules that count, on their days, for someone with these roles on this table.
pub(crate) fn rules_about<'a>(
    table: &TableSchema,
    held: &[&Role],
    bundle: &'a CheckedBundle,
) -> Vec<&'a Rule> {
    let speaks_of = |rule: &Rule, role: &Role| !rule.roles.is_disjoint(&role.family);
    let counts = |rule: &&Rule| {
        rule.tables.contains(table.name())
            && held.iter().any(|role| {
                let may_permit = role.tables.contains(table.name());
                speaks_of(rule, role) && (rule.effect == Effect::Restrict || may_permit)
            })
    };
    bundle.rules().iter().filter(counts).collect()
}

fn visible_rows(
    principal: &Principal,
    table: &TableSchema,
    bundle: &CheckedBundle,
    rules: &[&Rule],
) -> Result<RowRule, Denial> {
    let rows_of = |effect: Effect| {
        let meaning = |rule: &&Rule| {
            rule.rows(principal, table, bundle.organization())
                .map_err(|why| Denial::Rule { rule: rule.name.clone(), why })
        };
        let chosen = rules.iter().filter(|rule| rule.effect == effect);
        chosen.map(meaning).collect::<Result<Vec<Rows>, Denial>>()
    };
    Ok(RowRule::combine(rows_of(Effect::Permit)?, rows_of(Effect::Restrict)?))
}

#[cfg(test)]
mod tests;
