//! The review as a page: what every set of roles sees, and which grants nobody uses.
//!
//! One file without a script and without a link to anywhere, so that it can be kept and printed.
//! People who hold the same roles see the same columns; so a page speaks of sets of roles, and the
//! sheet beside it of everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::findings::ReviewFinding;
use super::{Line, Review};
use crate::command::snapshot::time;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;\
color:#1b1f24}h1,h2,h3{line-height:1.2}table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}\
th,td{border:1px solid #d0d7de;padding:.25rem .6rem;text-align:left;vertical-align:top}\
th{background:#f6f8fa}td.n{text-align:right;font-variant-numeric:tabular-nums}\
.clear{background:#fff1e5}.filter{background:#fff8c5}.masked{background:#eef6ee}.hint{color:#57606a}";

/// People with the same roles, on one table.
#[derive(Debug, Default)]
struct Group<'a> {
    people: BTreeSet<&'a str>,
    unused: BTreeSet<&'a str>,
    last_used: Option<i64>,
    rows: BTreeSet<&'a str>,
    example: Option<&'a Line>,
}

/// By roles and table.
type Groups<'a> = BTreeMap<(String, &'a str), Group<'a>>;

/// The whole page.
pub(super) fn html(review: &Review) -> String {
    let groups = grouped(review);
    let mut page = String::new();
    put(
        &mut page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Access review</title>",
    );
    put(&mut page, &format!("<style>{STYLE}</style></head><body><h1>Access review</h1>"));
    put(&mut page, &figures(review));
    put(&mut page, &findings(&review.findings));
    put(&mut page, &unused(review, &groups));
    put(&mut page, "<h2>What each set of roles sees</h2>");
    for ((roles, table), group) in &groups {
        put(&mut page, &seen(roles, table, group));
    }
    put(&mut page, "</body></html>\n");
    page
}

fn put(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn grouped(review: &Review) -> Groups<'_> {
    let mut groups = Groups::new();
    for line in &review.lines {
        let key = (line.grant.roles.join(", "), line.grant.table.as_str());
        let group = groups.entry(key).or_default();
        group.people.insert(&line.grant.principal);
        if line.is_unused {
            group.unused.insert(&line.grant.principal);
        }
        group.last_used = group.last_used.max(line.last_used);
        group.rows.insert(&line.grant.rows);
        group.example.get_or_insert(line);
    }
    groups
}

fn figures(review: &Review) -> String {
    let rows = [
        ("policy", review.policy_version.clone()),
        ("decided for", review.day.to_string()),
        ("people", review.principals.to_string()),
        (
            "findings about duties, accepted risks and emergencies",
            review.findings.len().to_string(),
        ),
        ("grants (a principal and a table)", review.lines.len().to_string()),
        (
            "grants not used",
            match review.knows_uses {
                true => format!("{}, for {} days", review.unused(), review.unused_days),
                false => "not known: there is no audit journal".to_owned(),
            },
        ),
    ];
    let rows: String = rows
        .iter()
        .map(|(what, is)| format!("<tr><th>{what}</th><td>{}</td></tr>", text(is)))
        .collect();
    format!("<table>{rows}</table>")
}

/// What nobody may hold together and somebody does, what the rules let stand, and who was let see
/// more for a while.
fn findings(findings: &[ReviewFinding]) -> String {
    let mut part = "<h2>Duties, accepted risks and emergencies</h2>".to_owned();
    if findings.is_empty() {
        part.push_str("<p>Nobody holds what must not go together, no risk is accepted, and there was no emergency.</p>");
        return part;
    }
    part.push_str(
        "<p class=hint>Whoever breaks the separation of duties is denied everything.</p><table>\
         <tr><th>finding</th><th>who</th><th>roles</th><th>what</th></tr>",
    );
    for ReviewFinding { kind, who, roles, what } in findings {
        let _ = write!(
            part,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            kind.word(),
            text(who),
            text(&roles.join(", ")),
            text(what),
        );
    }
    part.push_str("</table>");
    part
}

fn unused(review: &Review, groups: &Groups<'_>) -> String {
    if !review.knows_uses {
        return String::new();
    }
    let mut part = "<h2>Proposed for removal</h2>".to_owned();
    let rows: String = groups
        .iter()
        .filter(|(_, group)| !group.unused.is_empty())
        .map(|((roles, table), group)| {
            format!(
                "<tr><td>{}</td><td>{}</td><td class=n>{} of {}</td><td>{}</td></tr>",
                text(roles),
                text(table),
                group.unused.len(),
                group.people.len(),
                group.last_used.map_or_else(|| "never".to_owned(), time),
            )
        })
        .collect();
    if rows.is_empty() {
        part.push_str("<p>Every grant was used.</p>");
    } else {
        part.push_str(
            "<p class=hint>Everybody by name is in access.csv, column <code>unused</code>.</p><table>\
             <tr><th>roles</th><th>table</th><th>people who did not use it</th><th>last used by any</th></tr>",
        );
        part.push_str(&rows);
        part.push_str("</table>");
    }
    part
}

fn seen(roles: &str, table: &str, group: &Group<'_>) -> String {
    let Some(line) = group.example else { return String::new() };
    let mut part = format!("<h3>{} on {}</h3>", text(roles), text(table));
    let rows = match group.rows.len() {
        1 => text(&line.grant.rows),
        others => {
            format!("{}, and {} others by node or attribute", text(&line.grant.rows), others - 1)
        }
    };
    let explain = if line.grant.may_explain { ", with execution details" } else { "" };
    let _ = write!(
        part,
        "<p>{} people{explain}. Rows: {rows}.</p><table><tr><th>column</th><th>shown</th></tr>",
        group.people.len(),
    );
    for column in &line.grant.columns {
        let kind = match column.shown.as_str() {
            "clear" => "clear",
            "filter" => "filter",
            _ => "masked",
        };
        let asked = if column.may_look_up { ", may be looked up" } else { "" };
        let _ = write!(
            part,
            "<tr class={kind}><td>{}</td><td>{}{asked}</td></tr>",
            text(&column.name),
            text(&column.shown),
        );
    }
    part.push_str("</table>");
    part
}

/// A text as a page may hold it: names come from feeds.
fn text(raw: &str) -> String {
    raw.chars()
        .map(|character| match character {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            _ => character.to_string(),
        })
        .collect()
}
