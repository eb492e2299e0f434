use super::*;
use crate::testing::{customer, example, principal};

#[test]
fn an_officer_reads_roles_rules_and_columns() {
    let lines = explain(&principal("teller", "4403", "7"), &customer(), &example()).join("\n");
    for expected in [
        "kim on `customer`: granted, policy 2026-11-22.1+",
        "role `teller`: grants the table",
        "rule `outlets-below-my-node`: permits outlet within node",
        "rule `no-private-banking`: restricts segment in [\"affluent\", \"mass\"]",
        "column `name`: mask:name (class `name`: role `teller` mask:name)",
        "column `note`: hidden (class `memo`: role `teller` silent)",
        "column `unclassed`: hidden, it has no class",
    ] {
        assert!(lines.contains(expected), "{expected} is not in\n{lines}");
    }
}

#[test]
fn a_denial_says_why() {
    let lines = explain(&principal("teller", "99", "7"), &customer(), &example());
    let [line] = lines.as_slice() else { panic!("one line") };
    assert!(line.contains("the row rule `outlets-below-my-node` cannot be decided"), "{line}");
}
