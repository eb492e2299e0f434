//! Checks the row rules against roles, attributes and the tables' columns.
//!
//! The columns are for officers to be told of: the decision denies a table of which a rule cannot be
//! decided, so no load that takes a column away, or changes its type, is refused for it.

use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{BatchDate, ColumnName, ColumnType, TableName};

use super::roles::check_table;
use super::{Occasion, Tables, check_duplicates, named};
use crate::checked::Role;
use crate::finding::{Finding, Located, Place};
use crate::names::{AttributeName, RoleName, RuleName};
use crate::parse::{RawRule, Word};
use crate::rule::{Condition, Effect, Effective, Literal, Rule};

/// What a rule's words are checked against.
struct Known<'a> {
    occasion: Occasion,
    roles: &'a BTreeMap<RoleName, Role>,
    attributes: &'a BTreeSet<AttributeName>,
    tables: &'a Tables<'a>,
}

/// Makes the rules, sorted by name.
pub(super) fn check(
    occasion: Occasion,
    raw: &[RawRule],
    roles: &BTreeMap<RoleName, Role>,
    attributes: &BTreeSet<AttributeName>,
    tables: &Tables<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Rule> {
    check_duplicates("row rule", raw.iter().map(|rule| &rule.name), findings);
    let known = Known { occasion, roles, attributes, tables };
    let mut rules: Vec<Rule> =
        raw.iter().filter_map(|rule| check_rule(rule, &known, findings)).collect();
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    rules
}

fn check_rule(raw: &RawRule, known: &Known<'_>, findings: &mut Vec<Finding>) -> Option<Rule> {
    let name = named(&raw.name, RuleName::new, findings);
    let effect = check_effect(raw, findings);
    let roles = check_roles(raw, known, findings);
    let tables: BTreeSet<TableName> =
        raw.tables.iter().filter_map(|word| check_table(word, known.tables, findings)).collect();
    if raw.roles.is_empty() || raw.tables.is_empty() {
        let message = "a row rule needs at least one role and one table";
        findings.push(raw.name.place.finding(message));
    }
    let condition = check_condition(raw, known, findings);
    if let (Some(Effect::Restrict), Some(Condition::All)) = (effect, &condition) {
        let message = "a restriction to all rows restricts nothing; remove it";
        findings.push(raw.name.place.finding(message));
    }
    if let (Occasion::Change, Some(condition), Some(column)) =
        (known.occasion, &condition, &raw.column)
    {
        check_columns(raw, condition, column, &tables, known, findings);
    }
    let effective = check_effective(raw, findings)?;
    Some(Rule { name: name?, effect: effect?, roles, tables, condition: condition?, effective })
}

fn check_effect(raw: &RawRule, findings: &mut Vec<Finding>) -> Option<Effect> {
    let word = raw.effect.as_ref()?;
    let effect = Effect::parse(&word.value);
    if effect.is_none() {
        findings.push(word.place.finding("`effect` is either \"permit\" or \"restrict\""));
    }
    effect
}

fn check_roles(
    raw: &RawRule,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) -> BTreeSet<RoleName> {
    let mut roles = BTreeSet::new();
    for word in &raw.roles {
        match known.roles.get(word.value.as_str()) {
            Some(role) => {
                roles.insert(role.name.clone());
            }
            None => findings.push(word.place.finding(format!("there is no role `{}`", word.value))),
        }
    }
    roles
}

/// Exactly one of `all`, `within`, `equals`, `in` and a range, and a `column` for all but the
/// first.
fn check_condition(
    raw: &RawRule,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Condition> {
    let place = raw.name.place;
    let is_range = raw.at_least.is_some() || raw.below.is_some();
    let given = [
        raw.all.is_some(),
        raw.within.is_some(),
        raw.equals.is_some(),
        raw.one_of.is_some(),
        is_range,
    ];
    if given.into_iter().filter(|is_given| *is_given).count() != 1 {
        let message = "a row rule has exactly one of `all`, `within`, `equals`, `in` and a range \
                       (`at_least`, `below` or both)";
        findings.push(place.finding(message));
        return None;
    }
    if let Some(all) = &raw.all {
        return check_all(raw, all, findings);
    }
    let Some(column) = &raw.column else {
        findings.push(place.finding("`column` is missing"));
        return None;
    };
    let column = named(column, ColumnName::new, findings);
    if let Some(word) = &raw.within {
        let attribute = check_attribute(word, known, findings);
        return Some(Condition::Within { column: column?, attribute: attribute? });
    }
    if let Some(word) = &raw.equals {
        let attribute = check_attribute(word, known, findings);
        return Some(Condition::Equals { column: column?, attribute: attribute? });
    }
    if let Some(literals) = &raw.one_of {
        if literals.value.is_empty() {
            findings.push(literals.place.finding("`in` needs at least one value"));
        }
        let values = literals.value.iter().map(|literal| literal.value.clone()).collect();
        return Some(Condition::In { column: column?, values });
    }
    let bound = |bound: &Option<Located<Literal>>| bound.as_ref().map(|it| it.value.clone());
    let (at_least, below) = (bound(&raw.at_least), bound(&raw.below));
    Some(Condition::Range { column: column?, at_least, below })
}

/// The days on which the rule counts; the first is not behind the last.
fn check_effective(raw: &RawRule, findings: &mut Vec<Finding>) -> Option<Effective> {
    let from = check_day(raw.effective_from.as_ref(), findings);
    let until = check_day(raw.effective_until.as_ref(), findings);
    let effective = Effective { from: from.ok()?, until: until.ok()? };
    if let (Some(from), Some(until), Some(word)) =
        (effective.from, effective.until, &raw.effective_until)
        && until < from
    {
        findings.push(word.place.finding("the rule would end before it begins"));
        return None;
    }
    Some(effective)
}

/// What is written is no day; it was found.
struct NoDay;

fn check_day(
    literal: Option<&Located<Literal>>,
    findings: &mut Vec<Finding>,
) -> Result<Option<BatchDate>, NoDay> {
    let Some(literal) = literal else { return Ok(None) };
    let day = match &literal.value {
        Literal::Text(text) => text.parse().ok(),
        Literal::Integer(_) | Literal::Float(_) | Literal::Boolean(_) => None,
    };
    if day.is_none() {
        findings.push(literal.place.finding("a day is written as \"2026-11-22\""));
    }
    day.map(Some).ok_or(NoDay)
}

fn check_all(raw: &RawRule, all: &Located<bool>, findings: &mut Vec<Finding>) -> Option<Condition> {
    if !all.value {
        findings.push(all.place.finding("`all` can only be true; remove the rule instead"));
    }
    if let Some(column) = &raw.column {
        findings.push(column.place.finding("a rule for all rows has no `column`"));
    }
    all.value.then_some(Condition::All)
}

fn check_attribute(
    word: &Word,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) -> Option<AttributeName> {
    let found = known.attributes.get(word.value.as_str());
    if found.is_none() {
        let message = format!(
            "there is no attribute `{}`; declare it in bundle.toml's `attributes`",
            word.value
        );
        findings.push(word.place.finding(message));
    }
    found.cloned()
}

/// The column exists in every table of the rule, with a type that the condition can have.
fn check_columns(
    raw: &RawRule,
    condition: &Condition,
    column: &Word,
    tables: &BTreeSet<TableName>,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) {
    for table in tables.iter().filter_map(|table| known.tables.get(table.as_str())) {
        let name = table.name();
        let Some(found) = table.column(&column.value) else {
            let message = format!("the table `{name}` has no column `{}`", column.value);
            findings.push(column.place.finding(message));
            continue;
        };
        let type_name = found.column_type.name();
        if matches!(condition, Condition::Within { .. }) && found.column_type != ColumnType::Text {
            let message = format!(
                "`within` compares codes, which are text; `{name}.{}` is {type_name}",
                found.name
            );
            findings.push(column.place.finding(message));
        }
        for place in unfit_literals(raw, found.column_type) {
            let message =
                format!("this is no value of `{name}.{}`, which is {type_name}", found.name);
            findings.push(place.finding(message));
        }
        if is_empty_range(raw, found.column_type) {
            let message = format!("no value of `{name}.{}` is in this range", found.name);
            findings.push(column.place.finding(message));
        }
    }
}

/// Where the constants stand that are no values of the type.
fn unfit_literals(raw: &RawRule, column_type: ColumnType) -> Vec<Place> {
    let listed = raw.one_of.iter().flat_map(|literals| &literals.value);
    let literals = listed.chain(&raw.at_least).chain(&raw.below);
    let is_unfit = |literal: &&Located<Literal>| literal.value.value(column_type).is_none();
    literals.filter(is_unfit).map(|literal| literal.place).collect()
}

fn is_empty_range(raw: &RawRule, column_type: ColumnType) -> bool {
    let bound = |bound: &Option<Located<Literal>>| bound.as_ref()?.value.value(column_type);
    match (bound(&raw.at_least), bound(&raw.below)) {
        (Some(low), Some(high)) => high <= low,
        _ => false,
    }
}
