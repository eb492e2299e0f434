//! Who may see what, for everybody at once: what a review of access is made of.
//!
//! Owns nothing but the words: every line is a decision of [`crate::decide`], for everybody whom
//! the directory knows. It is the officers' and auditors' to read, never a principal's.

use martlet_core::{BatchDate, TableSchema};

use crate::access::Access;
use crate::checked::{CheckedBundle, Role};
use crate::decide::try_decide;
use crate::directory::Directory;
use crate::duty::breaches_by_feed;
use crate::grant::{Grant, LookupRight};
use crate::names::{AttributeName, RoleName};
use crate::principal::Principal;
use crate::rule::{Condition, RowRule};

/// What one principal sees of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Who.
    pub principal: String,
    /// Their roles, sorted.
    pub roles: Vec<String>,
    /// Their node in the organization.
    pub node: Option<String>,
    /// The table's name.
    pub table: String,
    /// Which rows, in words, and how many there have to be in a group.
    pub rows: String,
    /// The row rules that count, sorted.
    pub rules: Vec<String>,
    /// The columns that exist for them, in order, each with how it is shown.
    pub columns: Vec<ReviewedColumn>,
    /// Whether execution details are told.
    pub may_explain: bool,
}

/// One column of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedColumn {
    /// Its name.
    pub name: String,
    /// How it is shown: `clear`, `filter`, `mask:…`, `token:…`.
    pub shown: String,
    /// Whether it is shown as it is.
    pub is_clear: bool,
    /// Whether its raw values may be looked up.
    pub may_look_up: bool,
}

/// Every grant that there is on a day, by principal and then by table. A table that is denied has
/// no line.
pub fn review<'a>(
    directory: &'a Directory,
    tables: &'a [TableSchema],
    bundle: &'a CheckedBundle,
    day: BatchDate,
) -> impl Iterator<Item = Reviewed> + 'a {
    let of = move |principal: &'a Principal| {
        tables.iter().filter_map(move |table| {
            let grant = try_decide(principal, table, bundle, day).ok()?;
            Some(reviewed(principal, &grant, bundle))
        })
    };
    directory.principals().flat_map(of)
}

/// Somebody who holds what nobody may hold together, and is denied everything for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyConflict {
    /// Who.
    pub principal: String,
    /// Their roles, sorted.
    pub roles: Vec<String>,
    /// What does not go together.
    pub what: String,
}

/// Everybody who breaks the separation of duties, by principal.
pub fn duty_conflicts<'a>(
    directory: &'a Directory,
    bundle: &'a CheckedBundle,
) -> impl Iterator<Item = DutyConflict> + 'a {
    directory.principals().flat_map(move |principal| {
        let held: Vec<&Role> =
            principal.roles().filter_map(|role| bundle.role(role.as_str())).collect();
        let broken = breaches_by_feed(Some(principal.name()), &held, bundle);
        broken.into_iter().map(move |breach| DutyConflict {
            principal: principal.name().to_owned(),
            roles: principal.roles().map(RoleName::to_string).collect(),
            what: breach.to_string(),
        })
    })
}

fn reviewed(principal: &Principal, grant: &Grant, bundle: &CheckedBundle) -> Reviewed {
    let column = |granted: &crate::grant::GrantedColumn| ReviewedColumn {
        name: granted.name.to_string(),
        shown: granted.access.to_string(),
        is_clear: granted.access == Access::Clear,
        may_look_up: granted.lookup == LookupRight::Given,
    };
    Reviewed {
        principal: principal.name().to_owned(),
        roles: principal.roles().map(RoleName::to_string).collect(),
        node: principal.attribute(AttributeName::NODE).map(str::to_owned),
        table: grant.table().to_string(),
        rows: with_groups(rows_in_words(principal, grant, bundle), grant),
        rules: grant.rule_ids().to_vec(),
        columns: grant.columns().iter().map(column).collect(),
        may_explain: grant.may_explain(),
    }
}

fn with_groups(rows: String, grant: &Grant) -> String {
    grant.minimum_group().map_or_else(|| rows.clone(), |group| format!("{rows}; groups: {group}"))
}

/// The rules that count, each with the value of the attribute that it speaks of.
fn rows_in_words(principal: &Principal, grant: &Grant, bundle: &CheckedBundle) -> String {
    match grant.rows() {
        RowRule::All => return "all".to_owned(),
        RowRule::None => return "none".to_owned(),
        RowRule::Where(_) => {}
    }
    let counting = bundle
        .rules()
        .iter()
        .filter(|rule| grant.rule_ids().iter().any(|id| *id == rule.name.as_str()));
    let in_words = |condition: &Condition| {
        let attribute = condition.attribute().map(AttributeName::as_str);
        let value = attribute.and_then(|attribute| principal.attribute(attribute));
        value.map_or_else(|| condition.to_string(), |value| format!("{condition} = {value}"))
    };
    counting
        .map(|rule| format!("{} {}", rule.effect.word(), in_words(&rule.condition)))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
