//! Who may see what, for everybody at once: what a review of access is made of.
//!
//! Owns nothing but the words: every line is a decision of [`crate::decide`], for everybody whom
//! the directory knows. It is the officers' and auditors' to read, never a principal's.

use martlet_core::{BatchDate, TableSchema};

use crate::access::Access;
use crate::checked::CheckedBundle;
use crate::decide::try_decide;
use crate::directory::Directory;
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
    /// Which rows, in words.
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
        rows: rows_in_words(principal, grant, bundle),
        rules: grant.rule_ids().to_vec(),
        columns: grant.columns().iter().map(column).collect(),
        may_explain: grant.may_explain(),
    }
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
