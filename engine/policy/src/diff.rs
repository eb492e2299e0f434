//! What changed between two bundles, in lines for whoever has to approve the change.
//!
//! A line that begins with `* ` is a change after which someone may see more. Where that is
//! not plain, the star stands: a reviewer may trust the lines without one. (A star speaks of a
//! role by itself; for who holds several roles, see `docs/security.md`.)
//!
//! Compares the words, not the tables: a bundle need not be checked to be compared.

mod columns;
mod governance;
mod minimum_group;

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::BundleText;
use crate::finding::Located;
use crate::parse::{RawBundle, RawClass, RawNode, RawRole, RawRule, Word, parse};
use crate::rule::Literal;

/// Whether a change may show someone more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Widens,
    Narrows,
}

impl Weight {
    fn line(self, text: impl AsRef<str>) -> String {
        let mark = if self == Self::Widens { "* " } else { "  " };
        format!("{mark}{}", text.as_ref())
    }
}

/// Compares two bundles; no line means no difference in meaning.
#[must_use]
pub fn diff(old: &BundleText, new: &BundleText) -> Vec<String> {
    let (mut old_findings, mut new_findings) = (Vec::new(), Vec::new());
    let (before, after) = (parse(old, &mut old_findings), parse(new, &mut new_findings));
    let mut lines: Vec<String> = [("old", old_findings), ("new", new_findings)]
        .into_iter()
        .flat_map(|(which, findings)| findings.into_iter().map(move |finding| (which, finding)))
        .map(|(which, finding)| Weight::Widens.line(format!("{which} bundle: {finding}")))
        .collect();
    lines.extend(diff_header(&before, &after));
    lines.extend(diff_named("node", &nodes(&before), &nodes(&after), Weight::Widens));
    lines.extend(diff_classes(&before, &after));
    lines.extend(columns::diff(before.columns.as_deref(), after.columns.as_deref()));
    lines.extend(diff_roles(&before, &after));
    lines.extend(diff_rules(&before, &after));
    lines.extend(governance::diff(&before, &after));
    lines
}

fn diff_header(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let mut lines = Vec::new();
    let texts = [
        ("name", &before.name, &after.name),
        ("version", &before.version, &after.version),
        ("profile", &before.profile, &after.profile),
    ];
    // Another clock moves the days on which rules count; more look-ups show more.
    let offset =
        ("utc_offset", value(before.utc_offset.as_ref()), value(after.utc_offset.as_ref()));
    let per_hour = |bundle: &RawBundle| {
        bundle.lookups_per_hour.as_ref().map_or_else(String::new, |count| count.value.to_string())
    };
    let (old, new) = (per_hour(before), per_hour(after));
    for (key, before, after) in [offset, ("lookups_per_hour", &old, &new)] {
        if before != after {
            lines.push(Weight::Widens.line(format!("bundle: {key} `{before}` -> `{after}`")));
        }
    }
    for (key, before, after) in texts {
        let (before, after) = (value(before.as_ref()), value(after.as_ref()));
        let weight =
            if key == "profile" && after != "strict" { Weight::Widens } else { Weight::Narrows };
        if before != after {
            lines.push(weight.line(format!("bundle: {key} `{before}` -> `{after}`")));
        }
    }
    lines.extend(diff_sets(
        "bundle: attribute",
        &words(&before.attributes),
        &words(&after.attributes),
    ));
    lines
}

/// The nodes: a new or moved one is seen from above it, and a removed one's rows are not.
fn nodes(bundle: &RawBundle) -> BTreeMap<&str, String> {
    let describe = |node: &RawNode| format!("below `{}`", node.parent.value);
    bundle.nodes.iter().map(|node| (node.code.value.as_str(), describe(node))).collect()
}

fn diff_classes(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let describe = |class: &RawClass| {
        let mask = class.mask.as_ref().map_or("no mask", |mask| &mask.value);
        let purpose = value(class.purpose.as_ref());
        let level = class.level.as_ref().map_or_else(String::new, |level| level.value.to_string());
        let (pfi, about) = (value(class.pfi.as_ref()), value(class.about.as_ref()));
        let about = if about.is_empty() { String::new() } else { format!(" about {about}") };
        format!("mask {mask} {purpose} pfi {pfi} level {level}{about}")
    };
    let collect = |bundle: &RawBundle| -> BTreeMap<String, String> {
        bundle.classes.iter().map(|c| (c.name.value.clone(), describe(c))).collect()
    };
    let (before, after) = (collect(before), collect(after));
    diff_named("class", &as_strs(&before), &as_strs(&after), Weight::Narrows)
}

fn diff_roles(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let (old, new) = (by_name(&before.roles, |r| &r.name), by_name(&after.roles, |r| &r.name));
    let mut lines = Vec::new();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(name), new.get(name)) {
            (Some(before), Some(after)) => lines.extend(diff_role(name, before, after)),
            (None, Some(after)) => {
                lines.push(Weight::Widens.line(format!("role `{name}`: new")));
                lines.extend(diff_role(name, &RawRole::silent(after.name.clone()), after));
            }
            _ => lines.push(Weight::Narrows.line(format!("role `{name}`: removed"))),
        }
    }
    lines
}

fn diff_role(name: &str, before: &RawRole, after: &RawRole) -> Vec<String> {
    let mut lines = Vec::new();
    for (what, before, after) in [
        ("grants", &before.tables, &after.tables),
        ("may", &before.may, &after.may),
        ("may look up", &before.lookup, &after.lookup),
    ] {
        lines.extend(diff_sets(&format!("role `{name}`: {what}"), &words(before), &words(after)));
    }
    lines.extend(minimum_group::diff(name, before, after));
    // What is inherited may hold restrictions as well as grants.
    let (old, new) = (words(&before.inherits), words(&after.inherits));
    for parent in old.symmetric_difference(&new) {
        let verb = if new.contains(parent) { "now inherits" } else { "no longer inherits" };
        lines.push(Weight::Widens.line(format!("role `{name}`: {verb} `{parent}`")));
    }
    let (old, new) = (class_words(before), class_words(after));
    for class in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let silent = "(silent)";
        let before = old.get(class).copied().unwrap_or(silent);
        let after = new.get(class).copied().unwrap_or(silent);
        // Going silent removes a word that a role that inherits this one may be bound by.
        let weight = if after == "deny" { Weight::Narrows } else { word_weight(before, after) };
        if before != after {
            lines.push(weight.line(format!("role `{name}`: class `{class}` {before} -> {after}")));
        }
    }
    lines
}

/// Only from `clear` to anything that hides is plainly narrower.
fn word_weight(before: &str, after: &str) -> Weight {
    match (before, after) {
        ("clear", "filter" | "mask" | "(silent)") => Weight::Narrows,
        ("clear", after) if after.starts_with("token:") => Weight::Narrows,
        _ => Weight::Widens,
    }
}

fn diff_rules(before: &RawBundle, after: &RawBundle) -> Vec<String> {
    let (old, new) = (by_name(&before.rules, |r| &r.name), by_name(&after.rules, |r| &r.name));
    let mut lines = Vec::new();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let permits = |rule: &RawRule| value(rule.effect.as_ref()) == "permit";
        let (weight, change) = match (old.get(name), new.get(name)) {
            (None, Some(rule)) if permits(rule) => (Weight::Widens, "new"),
            (None, Some(_)) => (Weight::Narrows, "new"),
            (Some(rule), None) if permits(rule) => (Weight::Narrows, "removed"),
            (Some(_), None) => (Weight::Widens, "removed"),
            (Some(old), Some(new)) if describe_rule(old) != describe_rule(new) => {
                (Weight::Widens, "changed")
            }
            _ => continue,
        };
        let rules = [old.get(name), new.get(name)];
        let texts: Vec<String> = rules.into_iter().flatten().map(|r| describe_rule(r)).collect();
        lines.push(weight.line(format!("row rule `{name}`: {change}: {}", texts.join(" -> "))));
    }
    lines
}

/// Everything that a rule says, in one line.
fn describe_rule(rule: &RawRule) -> String {
    let list = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
    let column = value(rule.column.as_ref());
    let bound = |word: &str, bound: &Option<Located<Literal>>| {
        bound.as_ref().map(|it| format!(" {word} {}", it.value))
    };
    let range = bound("at least", &rule.at_least).into_iter().chain(bound("below", &rule.below));
    let range: String = range.collect();
    let days = bound(", from", &rule.effective_from).into_iter();
    let days: String = days.chain(bound(", until", &rule.effective_until)).collect();
    let condition = match (&rule.within, &rule.equals, &rule.one_of) {
        (Some(attribute), ..) => format!("`{column}` within `{}`", attribute.value),
        (_, Some(attribute), _) => format!("`{column}` equals `{}`", attribute.value),
        (.., Some(values)) => {
            let literals: BTreeSet<String> =
                values.value.iter().map(|literal| literal.value.to_string()).collect();
            format!("`{column}` in {}", literals.into_iter().collect::<Vec<_>>().join(", "))
        }
        _ if !range.is_empty() => format!("`{column}`{range}"),
        _ => "all rows".to_owned(),
    };
    format!(
        "{} {} on {}: {condition}{days}",
        value(rule.effect.as_ref()),
        list(words(&rule.roles)),
        list(words(&rule.tables)),
    )
}

/// Things with a name and one line of description: new, changed, removed.
fn diff_named(
    what: &str,
    before: &BTreeMap<&str, String>,
    after: &BTreeMap<&str, String>,
    weight_of_new: Weight,
) -> Vec<String> {
    let mut lines = Vec::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (weight, change) = match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) if before != after => {
                (Weight::Widens, format!("{before} -> {after}"))
            }
            (Some(_), None) => (Weight::Narrows, "removed".to_owned()),
            (None, Some(after)) => (weight_of_new, format!("new, {after}")),
            _ => continue,
        };
        lines.push(weight.line(format!("{what} `{name}`: {change}")));
    }
    lines
}

/// Sets of words where every word adds a right.
fn diff_sets(what: &str, before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> Vec<String> {
    let added =
        after.difference(before).map(|w| Weight::Widens.line(format!("{what} `{w}`: added")));
    let removed =
        before.difference(after).map(|w| Weight::Narrows.line(format!("{what} `{w}`: removed")));
    added.chain(removed).collect()
}

fn value(word: Option<&Word>) -> &str {
    word.map_or("", |word| &word.value)
}

fn words(words: &[Word]) -> BTreeSet<&str> {
    words.iter().map(|word| word.value.as_str()).collect()
}

fn class_words(role: &RawRole) -> BTreeMap<&str, &str> {
    role.classes.iter().map(|(class, word)| (class.value.as_str(), word.value.as_str())).collect()
}

fn by_name<T>(items: &[T], name: impl Fn(&T) -> &Word) -> BTreeMap<&str, &T> {
    items.iter().map(|item| (name(item).value.as_str(), item)).collect()
}

fn as_strs(map: &BTreeMap<String, String>) -> BTreeMap<&str, String> {
    map.iter().map(|(name, text)| (name.as_str(), text.clone())).collect()
}

#[cfg(test)]
mod tests;
