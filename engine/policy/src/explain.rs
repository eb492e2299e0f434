//! Why a principal sees what they see, in lines for an officer.
//!
//! Tells of roles, rules and attributes: it is the officer's to read, never the principal's.

use martlet_core::{BatchDate, ColumnSchema, TableSchema};

use crate::checked::{CheckedBundle, Role};
use crate::classification::{Classification, HiddenColumn};
use crate::coherence::AcceptedRisk;
use crate::decide::{Denial, held_roles, rules_about, try_decide};
use crate::directory::Directory;
use crate::emergency::counting::Emergencies;
use crate::grant::{Grant, LookupRight};
use crate::principal::Principal;
use crate::rule::{RowRule, Rule};

/// Explains the decision on one table and day: the roles, the row rules by name, and every column.
#[must_use]
pub fn explain(
    principal: &Principal,
    table: &TableSchema,
    bundle: &CheckedBundle,
    day: BatchDate,
) -> Vec<String> {
    let title = format!("{} on `{}`", principal.name(), table.name());
    let held = held_roles(principal, bundle);
    let grant = try_decide(principal, table, bundle, day);
    let (held, grant) = match (held, grant) {
        (Ok(held), Ok(grant)) => (held, grant),
        (Err(denial), _) | (_, Err(denial)) => {
            let mut lines = vec![format!("{title}: denied: {denial}")];
            let tables = std::slice::from_ref(table);
            let hidden = bundle.classification().hidden_columns(tables);
            let is_why = matches!(denial, Denial::NoColumn | Denial::Persons(_));
            lines.extend(hidden.filter(|_| is_why).map(|column| explain_hidden(&column)));
            return lines;
        }
    };
    let mut lines = vec![format!("{title}: granted, policy {}", bundle.version())];
    lines.extend(principal.emergency().map(|it| format!("in an emergency, alone by it: {it}")));
    lines.extend(held.iter().map(|role| explain_role(role, table)));
    lines.push(explain_rows(&grant).to_owned());
    lines.extend(grant.minimum_group().map(|group| format!("groups: {group}")));
    let rules = rules_about(table, &held, bundle);
    lines.extend(rules.into_iter().map(|rule| explain_rule(rule, day)));
    let classification = bundle.classification();
    lines.extend(explain_columns(table, &grant, &held, classification));
    lines.extend(explain_risks(&classification.in_force(table), &held, bundle));
    lines
}

/// When something is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The bank's day, by which rules count.
    pub day: BatchDate,
    /// Seconds since 1970-01-01 00:00 UTC, by which emergencies do.
    pub seconds: i64,
}

/// The same for someone of the directory, who need not have signed in and is decided about as if
/// they asked at that moment; `None` if it does not know the name.
#[must_use]
pub fn explain_named(
    directory: &Directory,
    emergencies: &Emergencies,
    name: &str,
    table: &TableSchema,
    bundle: &CheckedBundle,
    moment: Moment,
) -> Option<Vec<String>> {
    let principal = directory.principal_named(name)?.clone();
    let principal = emergencies.elevate(principal, moment.seconds);
    Some(explain(&principal, table, bundle, moment.day))
}

fn explain_role(role: &Role, table: &TableSchema) -> String {
    let name = &role.name;
    if !role.tables.contains(table.name()) {
        return format!("role `{name}`: does not");
    }
    let size = role.groups.iter().map(|rule| rule.size).max();
    let groups = size.map_or_else(String::new, |size| format!(", in groups of at least {size}"));
    format!("role `{name}`: grants the table{groups}")
}

const fn explain_rows(grant: &Grant) -> &'static str {
    match grant.rows() {
        RowRule::All => "rows: all",
        RowRule::None => "rows: none",
        RowRule::Where(_) => "rows: those that the rules leave",
    }
}

fn explain_rule(rule: &Rule, day: BatchDate) -> String {
    let (name, effect, effective) = (&rule.name, rule.effect.word(), rule.effective);
    let counts = if effective.includes(day) { "" } else { ": not in force" };
    format!("rule `{name}`: {effect}s {}{effective}{counts}", rule.condition)
}

fn explain_columns(
    table: &TableSchema,
    grant: &Grant,
    held: &[&Role],
    classification: &Classification,
) -> Vec<String> {
    let explain_column = |(position, column): (usize, &ColumnSchema)| {
        let name = &column.name;
        let granted = grant.columns().iter().find(|granted| granted.position == position);
        let shown =
            granted.map_or_else(|| "hidden".to_owned(), |granted| granted.access.to_string());
        let asked = granted.is_some_and(|granted| granted.lookup == LookupRight::Given);
        let asked = if asked { ", may be looked up" } else { "" };
        let Some(class) = &column.class else {
            return format!("column `{name}`: hidden, it has no class");
        };
        if let Some(hidden) = classification.hides(table, column) {
            return explain_hidden(&hidden);
        }
        let says = |role: &&Role| {
            let sight = role.sights.get(class);
            let word = sight.map_or_else(|| "silent".to_owned(), ToString::to_string);
            format!("role `{}` {word}", role.name)
        };
        let words: Vec<String> = held.iter().map(says).collect();
        format!("column `{name}`: {shown}{asked} (class `{class}`: {})", words.join(", "))
    };
    table.columns().iter().enumerate().map(explain_column).collect()
}

fn explain_hidden(hidden: &HiddenColumn) -> String {
    format!("column `{}`: hidden, {}", hidden.column, hidden.reason())
}

/// The risks that the bundle takes for one of these roles with a column of the table.
fn explain_risks(table: &TableSchema, held: &[&Role], bundle: &CheckedBundle) -> Vec<String> {
    let is_theirs = |risk: &&AcceptedRisk| {
        held.iter().any(|role| !role.family.is_disjoint(&risk.roles))
            && table.columns().iter().any(|column| column.class.as_ref() == Some(&risk.hidden))
    };
    let risks = bundle.accepted_risks().iter().filter(is_theirs);
    risks.map(|risk| format!("accepted risk {risk}")).collect()
}

#[cfg(test)]
mod tests;
