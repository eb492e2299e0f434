//! Checks what tables show under the rules: that each mask fits its column, and that no column is
//! given away by others.
//!
//! Owns what becomes of columns that rules in force cannot show as they were loaded: where the
//! bundle says what columns are, they are withheld, and the rest is shown as ever. So whoever loads
//! can hide columns and cannot keep rules or people from being taken over.

use martlet_core::TableSchema;

use super::{Made, Occasion, by_name, classes};
use crate::classification::Classification;
use crate::coherence::{self, AcceptedRisk};
use crate::finding::Finding;

/// Checks the tables, and withholds what cannot be shown; gives the risks that were accepted.
pub(super) fn check(
    occasion: Occasion,
    made: &Made<'_>,
    tables: &[TableSchema],
    classification: &mut Classification,
    findings: &mut Vec<Finding>,
) -> Vec<AcceptedRisk> {
    loop {
        let mut objections = Vec::new();
        // Checked is what a decision will see: a class that does not count is none here either.
        let in_force: Vec<_> = tables.iter().map(|table| classification.in_force(table)).collect();
        classes::check_tables(made, &by_name(&in_force), &mut objections);
        let together = match occasion {
            Occasion::Change => tables.iter().map(|table| classification.expected(table)).collect(),
            Occasion::TakeOver => in_force,
        };
        let risks = coherence::check(made, &by_name(&together), &mut objections, findings);
        // Other columns are shown together then, so they are looked at again.
        if occasion == Occasion::TakeOver && classification.withhold(&objections) {
            continue;
        }
        findings.extend(objections.into_iter().map(|objection| objection.finding));
        if occasion == Occasion::Change {
            coherence::report_needless(&risks, made.raw, findings);
        }
        return risks;
    }
}
