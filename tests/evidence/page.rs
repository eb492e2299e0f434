//! The page: for auditors, who want to know where a control is shown and when it was last.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::controls::Control;
use super::proof::{self, Asked, Planted};
use super::run::Run;

const HEAD: &str = "\
# Evidence: which controls are shown by which tests

Generated of a test run by `cargo run -p martlet-tests --bin evidence` from `tests/evidence/controls.toml`;
do not edit. Each line is a control that a bank has to show, the norms that ask for it, what Martlet does,
and the tests that fail when it does not. Norms: JR/T 0171-2020 (personal financial information), JR/T
0197-2020 (levels of financial data), GB/T 22239-2019 (等保2.0, third level), PCI DSS 4.0.1. The numbers
of clauses are pointers for the auditor, who has the texts; they are not a judgement of conformity.
";

/// The page of a run, and of what the proof came to where that is known.
pub fn written(
    controls: &[Control],
    run: &Run,
    of: &str,
    (asked, planted): (&[Asked], &[Planted]),
) -> String {
    let mut page = format!("{HEAD}\nThe last run: {of}, {} tests.\n", run.len());
    for control in controls {
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\nAsked for by: {}.\n\n",
            control.name,
            control.promise,
            control.asked_by.join("; ")
        );
        for test in &control.tests {
            let _ = writeln!(page, "- `{test}`: {}", run.came(test).word());
        }
        if let Some(open) = &control.open {
            let _ = write!(page, "\nNot there: {open}\n");
        }
    }
    if !asked.is_empty() {
        page.push_str(&proof::runs(asked));
    }
    if !planted.is_empty() {
        page.push_str(&proof::faults(planted));
    }
    let _ = write!(page, "\n## By norm\n\n| norm | controls |\n|---|---|\n");
    for (norm, names) in by_norm(controls) {
        let _ = writeln!(page, "| {norm} | {} |", names.join("; "));
    }
    page
}

fn by_norm(controls: &[Control]) -> BTreeMap<&str, Vec<&str>> {
    let mut norms: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for control in controls {
        for norm in &control.asked_by {
            norms.entry(norm).or_default().push(&control.name);
        }
    }
    norms
}
