use martlet_core::ColumnType;

use super::*;
use crate::testing::{EXAMPLE, bundle_text, customer, example, example_text, example_with, table};

/// What the check says about the example with one change, as `file:line:column: message`.
fn findings(file: &str, old: &str, new: &str) -> Vec<String> {
    let text = example_with(file, |text| text.replacen(old, new, 1));
    let findings = check(&text, &[customer()]).map(|_| ()).unwrap_err();
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_a_policy() {
    let bundle = example();
    assert_eq!(bundle.version().text(), "2026-11-22.1");
    assert_eq!(bundle.version().digest(), &example_text().digest());
    assert_eq!(bundle.organization().len(), 8);
    let teller = bundle.role("teller").unwrap();
    assert_eq!(teller.tables, bundle.role("branch_reader").unwrap().tables, "inherited");
    assert_eq!(teller.sights.len(), 5, "four inherited words and an own one");
    assert!(teller.may.is_empty());
}

#[test]
fn the_documentation_shows_this_very_example() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    for (file, text) in EXAMPLE {
        assert!(documentation.contains(text), "{file} in docs/security.md is not the example's");
    }
}

/// Every case is one mistake in the example and what is said of it, with the place.
#[test]
fn each_mistake_is_found_in_its_place() {
    let mut missed = Vec::new();
    for (file, old, new, expected) in [
        ("bundle.toml", "\"doc\"", "\"dok\"", "bundle.toml:3:11: `profile` is either"),
        ("bundle.toml", "name =", "nane =", "bundle.toml:1:1: `name` is missing"),
        ("bundle.toml", "name =", "nane =", "bundle.toml:1:1: unknown key `nane`"),
        ("bundle.toml", "\"2026-11-22.1\"", "3", "bundle.toml:2:11: `version` has to be a text"),
        ("bundle.toml", "\"2026-11-22.1\"", "\" \"", "bundle.toml:2:11: this must be a text"),
        ("organization.csv", "4403,44,", "4403,45,", "organization.csv:4:6: there is no node `45`"),
        (
            "organization.csv",
            "44,00,",
            "44,440301,",
            "`44` is its own ancestor: the tree has a cycle",
        ),
        ("organization.csv", "44,00,", "44,,", "organization.csv:3:1: a second root; `00` is one"),
        ("organization.csv", "00,,", "00,44,", "organization.csv:1:1: there is no root"),
        (
            "organization.csv",
            "440302",
            "440301",
            "organization.csv:6:1: the node `440301` is already",
        ),
        ("organization.csv", "city", "town", "organization.csv:4:9: a node's level is one of"),
        ("organization.csv", "outlet", "province", "a province cannot stand below a city"),
        ("organization.csv", "00,,", "0 0,,", "organization.csv:2:1: a node's code has"),
        ("organization.csv", ",Shenzhen\n", "\n", "organization.csv:4:1: this line has 3 fields"),
        ("organization.csv", "parent", "above", "the header has no column `parent`"),
        (
            "classes.toml",
            "mask = \"name\"",
            "mask = \"nama\"",
            "classes.toml:18:8: `nama` is not a mask",
        ),
        (
            "classes.toml",
            "name = \"memo\"",
            "name = \"name\"",
            "the class `name` is already defined in line 15",
        ),
        (
            "classes.toml",
            "purpose = \"analysis\"",
            "#",
            "classes.toml:11:8: the mask \"token\" needs a `purpose`",
        ),
        (
            "classes.toml",
            "mask = \"name\"",
            "mask = \"name\"\npurpose = \"x\"",
            "only the mask \"token\" has a purpose",
        ),
        (
            "classes.toml",
            "level = 1",
            "level = 6",
            "classes.toml:5:9: `level` is a number from 1 to 5",
        ),
        (
            "classes.toml",
            "level = 1",
            "level = \"1\"",
            "classes.toml:5:9: `level` has to be a whole number",
        ),
        ("classes.toml", "\"C1\"", "\"C4\"", "classes.toml:4:7: `pfi` is \"C1\""),
        ("classes.toml", "\"C1\"", "\"C3\"", "the class `open` is C3, which is never shown clear"),
        (
            "classes.toml",
            "mask = \"birth_date\"",
            "mask = \"name\"",
            "classes.toml:24:8: the mask `name` cannot hide `customer.born`, which is date",
        ),
        (
            "classes.toml",
            "mask = \"name\"",
            "mask = \"birth_date\"",
            "cannot hide `customer.name`, which is text",
        ),
        (
            "classes.toml",
            "name = \"memo\"",
            "name = \"memos\"",
            "classes.toml:1:1: the class `memo` of `customer.note` is not defined",
        ),
        (
            "roles.toml",
            "[\"customer\"]",
            "[\"customers\"]",
            "roles.toml:3:11: there is no table `customers`",
        ),
        (
            "roles.toml",
            "[\"branch_reader\"]",
            "[\"reader\"]",
            "roles.toml:13:13: there is no role `reader`",
        ),
        (
            "roles.toml",
            "tables = [\"customer\"]",
            "inherits = [\"teller\"]",
            "inherits from itself: a cycle",
        ),
        ("roles.toml", "open =", "opne =", "roles.toml:6:1: there is no class `opne`"),
        ("roles.toml", "\"clear\"", "\"show\"", "roles.toml:6:8: `show` is not one of clear"),
        ("roles.toml", "token:campaign", "token:", "the token's purpose ``"),
        (
            "roles.toml",
            "birth_date = \"mask\"",
            "birth_date = \"token:x\"",
            "the mask `token` cannot hide `customer.born`",
        ),
        ("roles.toml", "open = \"clear\"", "open = \"mask\"", "the class `open` has no mask"),
        (
            "roles.toml",
            "balance = \"mask\"",
            "name = \"clear\"",
            "this word for `name` has no effect",
        ),
        ("roles.toml", "[\"explain\"]", "[\"all\"]", "`all` is nothing that a role may do"),
        (
            "roles.toml",
            "\"teller\"",
            "\"analyst\"",
            "the role `analyst` is already defined in line 12",
        ),
        (
            "roles.toml",
            "name = \"teller\"",
            "name = \"Teller\"",
            "`Teller`: a name has lower-case letters",
        ),
        ("roles.toml", "[[role]]", "[role]", "`role` has to be written as [[…]] tables"),
        ("rules.toml", "\"permit\"", "\"allow\"", "rules.toml:4:10: `effect` is either"),
        ("rules.toml", "[\"branch_reader\"]", "[]", "a row rule needs at least one role"),
        (
            "rules.toml",
            "\"outlet\"",
            "\"branch\"",
            "rules.toml:7:10: the table `customer` has no column `branch`",
        ),
        (
            "rules.toml",
            "\"outlet\"",
            "\"desk\"",
            "`within` compares codes, which are text; `customer.desk` is int32",
        ),
        ("rules.toml", "\"node\"", "\"region\"", "rules.toml:8:10: there is no attribute `region`"),
        (
            "rules.toml",
            "\"affluent\"]",
            "5]",
            "rules.toml:31:15: this is no value of `customer.segment`",
        ),
        ("rules.toml", "[\"mass\", \"affluent\"]", "[]", "`in` needs at least one value"),
        ("rules.toml", "all = true", "all = false", "`all` can only be true"),
        ("rules.toml", "all = true", "all = true\nequals = \"desk\"", "exactly one of `all`"),
        (
            "rules.toml",
            "column = \"segment\"\nin = [\"mass\", \"affluent\"]",
            "all = true",
            "restricts nothing",
        ),
        (
            "rules.toml",
            "name = \"my-desk\"",
            "name = \"whole-bank\"",
            "the row rule `whole-bank` is already",
        ),
        ("rules.toml", "all = true", "all = true\nal = true", "unknown key `al`"),
        ("rules.toml", "all = true", "all = true\nbelow = 5", "and a range (`at_least`"),
        (
            "rules.toml",
            "in = [\"mass\", \"affluent\"]",
            "at_least = 5",
            "rules.toml:31:12: this is no value of `customer.segment`, which is text",
        ),
        (
            "rules.toml",
            "in = [\"mass\", \"affluent\"]",
            "at_least = \"b\"\nbelow = \"b\"",
            "no value of `customer.segment` is in this range",
        ),
        (
            "rules.toml",
            "all = true",
            "all = true\neffective_from = \"soon\"",
            "a day is written as \"2026-11-22\"",
        ),
        (
            "rules.toml",
            "all = true",
            "all = true\neffective_from = 2026-02-02\neffective_until = 2026-02-01",
            "the rule would end before it begins",
        ),
        ("bundle.toml", "profile", "utc_offset = \"8\"\nprofile", "`utc_offset` is written as"),
        ("bundle.toml", "profile", "lookups_per_hour = 0\nprofile", "a number from 1 to 3600"),
        (
            "roles.toml",
            "may = [\"explain\"]",
            "lookup = [\"nama\"]",
            "roles.toml:21:11: there is no class `nama`",
        ),
        ("rules.toml", "all = true", "all = ", "rules.toml:"),
    ] {
        let found = findings(file, old, new).join("\n");
        if !found.contains(expected) {
            missed.push(format!("{file}: {old} -> {new}: expected {expected} in\n{found}\n"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn all_mistakes_are_found_at_once_and_in_order() {
    let mut text =
        example_with("roles.toml", |text| text.replacen("open = \"clear\"", "open = \"x\"", 1));
    let rules = text.files["rules.toml"].replace("\"node\"", "\"region\"").replace("permit", "p");
    text.files.insert("rules.toml".into(), rules);
    text.files.remove("organization.csv");
    text.files.insert("extra.toml".into(), String::new());
    let findings = check(&text, &[customer()]).map(|_| ()).unwrap_err();
    let files: Vec<&str> = findings.iter().map(|finding| finding.file.as_str()).collect();
    let missing = ["organization.csv", "organization.csv"];
    let rules = ["rules.toml"; 4];
    assert_eq!(files, [&["extra.toml"][..], &missing, &["roles.toml"], &rules].concat());
}

#[test]
fn an_empty_bundle_is_refused() {
    assert!(check(&bundle_text(&[]), &[]).is_err());
}

#[test]
fn classes_of_martlets_own_tables_matter_only_where_they_are_granted() {
    let audit = table("system.audit_record", &[("at", ColumnType::Timestamp, "audit")]);
    let tables = [customer(), audit];
    assert!(check(&example_text(), &tables).is_ok());
    let granting = example_with("roles.toml", |text| {
        text.replacen("[\"customer\"]", "[\"customer\", \"system.audit_record\"]", 1)
    });
    let findings = check(&granting, &tables).map(|_| ()).unwrap_err();
    assert!(findings[0].message.contains("the class `audit`"), "{findings:?}");
}
