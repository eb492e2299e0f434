//! The check: from the bundle's words to a policy that cannot fail at run time, or findings.
//!
//! Everything that a decision relies on is proven here: names that exist, trees without
//! cycles, masks that fit their columns, constants that fit theirs. All findings are given at
//! once. Receives: the text from the officer or the snapshot, and the tables' schemas.
//! Hands on: the only [`CheckedBundle`]s there are.

mod classes;
mod columns;
mod duties;
mod emergencies;
mod exposure;
mod minimum_group;
mod organization;
mod roles;
mod rules;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{ClassName, TableSchema};

use crate::bundle::{BundleText, PolicyVersion};
use crate::checked::{CheckedBundle, Class, Role, UtcOffset};
use crate::duty::Conflict;
use crate::emergency::one_line;
use crate::finding::{Finding, Place};
use crate::mask::Profile;
use crate::names::{AttributeName, RoleName};
use crate::officers::Officers;
use crate::parse::{RawBundle, Word, parse};

/// The tables that the policy is checked against, by name.
pub(crate) type Tables<'a> = BTreeMap<&'a str, &'a TableSchema>;

/// What was made of a bundle's words, for the check of what tables show under it.
pub(crate) struct Made<'a> {
    pub(crate) raw: &'a RawBundle,
    pub(crate) classes: &'a BTreeMap<ClassName, Class>,
    pub(crate) roles: &'a BTreeMap<RoleName, Role>,
    pub(crate) conflicts: &'a [Conflict],
}

/// What a bundle is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Officers want it to come into force: what is only untidy is a finding too.
    Change,
    /// It is in force, and tables or people came that are new. Only what would show too much is a
    /// finding, for where there is one nobody can be let go; what cannot be decided is denied.
    TakeOver,
}

/// Checks a bundle that is to come into force against all tables that there are, Martlet's own
/// included.
///
/// # Errors
/// Every finding, sorted by place.
pub fn check(text: &BundleText, tables: &[TableSchema]) -> Result<CheckedBundle, Vec<Finding>> {
    check_on(Occasion::Change, text, tables)
}

/// Checks a bundle on an occasion against all tables that there are, Martlet's own included.
///
/// # Errors
/// Every finding, sorted by place.
pub fn check_on(
    occasion: Occasion,
    text: &BundleText,
    tables: &[TableSchema],
) -> Result<CheckedBundle, Vec<Finding>> {
    let mut findings = Vec::new();
    let raw = parse(text, &mut findings);
    let profile = check_profile(&raw, &mut findings);
    let attributes = check_attributes(&raw, &mut findings);
    let organization = organization::check(&raw.nodes, &mut findings);
    let classes = classes::check(&raw.classes, profile, &mut findings);
    let mut classification = columns::check(raw.columns.as_deref(), &classes, &mut findings);
    let expected: Vec<_> = tables.iter().map(|table| classification.expected(table)).collect();
    let expected = by_name(&expected);
    let loaded = by_name(tables);
    let roles = roles::check(&raw.roles, &classes, &loaded, &mut findings);
    if occasion == Occasion::Change {
        minimum_group::check(&raw.roles, &roles, &expected, &mut findings);
    }
    let rules = rules::check(occasion, &raw.rules, &roles, &attributes, &loaded, &mut findings);

    let officers = Officers::check(&raw, &mut findings);
    let conflicts = duties::check(&raw, &roles, &mut findings);
    let made = Made { raw: &raw, classes: &classes, roles: &roles, conflicts: &conflicts };
    let accepted_risks =
        exposure::check(occasion, &made, tables, &mut classification, &mut findings);
    let emergencies =
        emergencies::check(&raw.emergencies, &roles, &conflicts, &officers, &mut findings);

    let utc_offset = check_utc_offset(&raw, &mut findings);
    let lookups_per_hour = check_lookups_per_hour(&raw, &mut findings);
    let version = check_version(&raw, text, &mut findings);
    if occasion == Occasion::Change {
        check_words_shown(&raw, &mut findings);
    }
    findings.sort();
    findings.dedup();
    match version {
        Some((name, version)) if findings.is_empty() => Ok(CheckedBundle {
            version,
            name,
            profile,
            attributes,
            organization,
            classes,
            classification,
            roles,
            rules,
            utc_offset,
            lookups_per_hour,
            officers,
            conflicts,
            accepted_risks,
            emergencies,
        }),
        _ => Err(findings),
    }
}

fn by_name<T: Borrow<TableSchema>>(tables: &[T]) -> Tables<'_> {
    tables.iter().map(Borrow::borrow).map(|table| (table.name().as_str(), table)).collect()
}

/// A missing profile was found by the parser; the stricter one stands in until it is there.
fn check_profile(raw: &RawBundle, findings: &mut Vec<Finding>) -> Profile {
    let Some(word) = &raw.profile else { return Profile::Strict };
    Profile::parse(&word.value).unwrap_or_else(|| {
        findings.push(word.place.finding("`profile` is either \"doc\" or \"strict\""));
        Profile::Strict
    })
}

/// Without a word the days are those of UTC.
fn check_utc_offset(raw: &RawBundle, findings: &mut Vec<Finding>) -> UtcOffset {
    let Some(word) = &raw.utc_offset else { return UtcOffset::default() };
    UtcOffset::parse(&word.value).unwrap_or_else(|| {
        findings.push(word.place.finding("`utc_offset` is written as \"+08:00\" or \"-03:30\""));
        UtcOffset::default()
    })
}

/// What one principal has in an hour where the bundle does not say it.
const LOOKUPS_PER_HOUR: u32 = 60;

fn check_lookups_per_hour(raw: &RawBundle, findings: &mut Vec<Finding>) -> u32 {
    let Some(number) = &raw.lookups_per_hour else { return LOOKUPS_PER_HOUR };
    u32::try_from(number.value).ok().filter(|count| (1..=3_600).contains(count)).unwrap_or_else(
        || {
            findings.push(number.place.finding("`lookups_per_hour` is a number from 1 to 3600"));
            LOOKUPS_PER_HOUR
        },
    )
}

/// `node` and `name` can always be spoken of, others after they are declared.
fn check_attributes(raw: &RawBundle, findings: &mut Vec<Finding>) -> BTreeSet<AttributeName> {
    let built_in = [AttributeName::NODE, AttributeName::NAME];
    built_in
        .into_iter()
        .filter_map(|name| AttributeName::new(name).ok())
        .chain(raw.attributes.iter().filter_map(|word| named(word, AttributeName::new, findings)))
        .collect()
}

/// Name and version; `None` only with a finding that says why.
fn check_version(
    raw: &RawBundle,
    text: &BundleText,
    findings: &mut Vec<Finding>,
) -> Option<(String, PolicyVersion)> {
    let mut filled = |word: &Option<Word>| {
        let word = word.as_ref()?;
        let value = word.value.trim();
        if value.is_empty() || value.chars().any(char::is_control) {
            findings.push(word.place.finding("this must be a text of one line, and not empty"));
        }
        Some(value.to_owned())
    };
    let (name, version) = (filled(&raw.name), filled(&raw.version));
    Some((name?, PolicyVersion { text: version?, digest: text.digest() }))
}

/// Texts that officers read before they approve: nothing in one may move what stands beside it, and it
/// is shown as it was checked. Rules in force were checked before there was this, and stay.
fn check_words_shown(raw: &RawBundle, findings: &mut Vec<Finding>) {
    let header = [raw.name.as_ref(), raw.version.as_ref()];
    let risks = raw.accepted_risks.iter().flat_map(|risk| [Some(&risk.name), risk.reason.as_ref()]);
    let officers = raw.officers.iter().map(|officer| Some(&officer.name));
    for word in header.into_iter().chain(risks).chain(officers).flatten() {
        let text = word.value.as_str();
        // These two have findings of their own.
        let is_found = text.trim().is_empty() || text.chars().any(char::is_control);
        if !is_found && one_line(text, usize::MAX).is_none() {
            let message = "this text begins or ends with a blank, or has a sign that turns or breaks a \
                           line where it is shown: leave that out";
            findings.push(word.place.finding(message));
        }
    }
}

/// Reads a word as a name of some kind; what is none is a finding.
pub(crate) fn named<T, E: std::fmt::Display>(
    word: &Word,
    make: impl Fn(&str) -> Result<T, E>,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    make(&word.value)
        .map_err(|what| findings.push(word.place.finding(format!("`{}`: {what}", word.value))))
        .ok()
}

/// Adds a finding for every name that stands a second time.
pub(crate) fn check_duplicates<'a>(
    what: &str,
    names: impl IntoIterator<Item = &'a Word>,
    findings: &mut Vec<Finding>,
) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for word in names {
        let first = *seen.entry(&word.value).or_insert(word.place);
        if first != word.place {
            let (name, line) = (&word.value, first.line);
            let message = format!("the {what} `{name}` is already defined in line {line}");
            findings.push(word.place.finding(message));
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod occasion_tests;
