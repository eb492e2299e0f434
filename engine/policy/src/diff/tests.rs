use super::*;
use crate::testing::{example_text, example_with};

/// The lines of a change to the example.
fn lines(file: &str, old: &str, new: &str) -> Vec<String> {
    diff(&example_text(), &example_with(file, |text| text.replacen(old, new, 1)))
}

#[test]
fn nothing_changed_is_no_line_and_neither_is_a_comment() {
    assert!(diff(&example_text(), &example_text()).is_empty());
    assert!(lines("roles.toml", "# clear", "# CLEAR").is_empty());
}

#[test]
fn what_may_show_more_has_a_star() {
    for (file, old, new) in [
        ("roles.toml", "name = \"mask\"", "name = \"clear\""),
        ("roles.toml", "memo = \"deny\"", "memo = \"mask\""),
        ("roles.toml", "memo = \"deny\"", ""),
        ("roles.toml", "tables = [\"customer\"]", "tables = [\"customer\", \"account\"]"),
        (
            "roles.toml",
            "inherits = [\"branch_reader\"]",
            "inherits = [\"branch_reader\", \"analyst\"]",
        ),
        ("rules.toml", "effect = \"restrict\"", "effect = \"permit\""),
        ("rules.toml", "\"affluent\"]", "\"affluent\", \"private\"]"),
        ("rules.toml", "roles = [\"analyst\"]", "roles = [\"analyst\", \"teller\"]"),
        ("classes.toml", "mask = \"name\"", "mask = \"redact\""),
        ("organization.csv", "310101,3101", "310101,4403"),
        ("organization.csv", "00,,", "99,,head_office,New\n00,99,"),
        ("bundle.toml", "name = ", "name = = "),
    ] {
        let lines = lines(file, old, new);
        assert!(lines.iter().any(|line| line.starts_with("* ")), "{old} -> {new}: {lines:?}");
    }
}

#[test]
fn what_shows_less_has_none() {
    for (file, old, new) in [
        ("roles.toml", "balance = \"clear\"", "balance = \"mask\""),
        ("roles.toml", "name = \"mask\"", "name = \"deny\""),
        ("roles.toml", "may = [\"explain\"]", "may = []"),
        ("bundle.toml", "profile = \"doc\"", "profile = \"strict\""),
        ("bundle.toml", "2026-11-22.1", "2026-11-23.1"),
        ("organization.csv", "310101,3101,outlet,Shanghai Bund\n", ""),
    ] {
        let lines = lines(file, old, new);
        assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("  ")), "{lines:?}");
    }
}

#[test]
fn a_new_role_lists_all_that_it_gives() {
    let role =
        "[[role]]\nname = \"auditor\"\ntables = [\"account\"]\nclasses = {balance = \"clear\"}\n";
    let lines =
        diff(&example_text(), &example_with("roles.toml", |text| format!("{text}\n{role}")));
    assert_eq!(
        lines,
        [
            "* role `auditor`: new",
            "* role `auditor`: grants `account`: added",
            "* role `auditor`: class `balance` (silent) -> clear",
        ]
    );
}
