use super::*;
use crate::testing::{customer, example, example_with, principal, today};

#[test]
fn an_officer_reads_roles_rules_and_columns() {
    let lines =
        explain(&principal("teller", "4403", "7"), &customer(), &example(), today()).join("\n");
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
    let lines = explain(&principal("teller", "99", "7"), &customer(), &example(), today());
    let [line] = lines.as_slice() else { panic!("one line") };
    assert!(line.contains("the row rule `outlets-below-my-node` cannot be decided"), "{line}");
}

#[test]
fn a_rule_that_is_not_in_force_is_named_and_does_not_count() {
    let text = example_with("rules.toml", |text| {
        text.replacen("in = [", "effective_from = \"2026-12-01\"\nin = [", 1)
    });
    let bundle = crate::check(&text, &[customer()]).unwrap();
    let kim = principal("teller", "4403", "7");
    let line = |day: &str| {
        let lines = explain(&kim, &customer(), &bundle, day.parse().unwrap());
        lines.into_iter().find(|line| line.contains("no-private-banking")).unwrap()
    };
    assert!(line("2026-11-30").ends_with(", from 2026-12-01: not in force"));
    assert!(line("2026-12-01").ends_with(", from 2026-12-01"));
}
