//! The review as CSV: one line for every principal and table.

use super::{Line, Review};
use crate::command::exit::Failure;
use crate::command::snapshot::time;

const HEADER: [&str; 13] = [
    "principal",
    "roles",
    "node",
    "table",
    "rows",
    "row_rules",
    "columns_clear",
    "columns_hidden_in_part",
    "columns_in_conditions_only",
    "may_look_up",
    "may_explain",
    "last_used",
    "unused",
];

/// The bytes of the file.
///
/// # Errors
/// None that a text in memory could give.
pub(super) fn csv(review: &Review) -> Result<Vec<u8>, Failure> {
    let failed = |error: csv::Error| Failure::invalid(format!("writing the review: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(failed)?;
    for line in &review.lines {
        writer.write_record(fields(line)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Failure::invalid(format!("writing the review: {error}")))
}

fn fields(line: &Line) -> [String; 13] {
    let grant = &line.grant;
    let named = |wanted: &dyn Fn(&martlet_policy::ReviewedColumn) -> Option<String>| {
        grant.columns.iter().filter_map(wanted).collect::<Vec<_>>().join("; ")
    };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    [
        harmless(&grant.principal),
        grant.roles.join("; "),
        harmless(grant.node.as_deref().unwrap_or_default()),
        grant.table.clone(),
        harmless(&grant.rows),
        grant.rules.join("; "),
        named(&|column| column.is_clear.then(|| column.name.clone())),
        named(&|column| {
            let is_masked = !column.is_clear && column.shown != "filter";
            is_masked.then(|| format!("{} {}", column.name, column.shown))
        }),
        named(&|column| (column.shown == "filter").then(|| column.name.clone())),
        named(&|column| column.may_look_up.then(|| column.name.clone())),
        yes(grant.may_explain),
        line.last_used.map(time).unwrap_or_default(),
        yes(line.is_unused),
    ]
}

/// A name that a spreadsheet would take for a formula is quoted.
pub(super) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
