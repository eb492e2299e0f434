use martlet_core::TableName;

use super::*;
use crate::bundle::BundleText;
use crate::check::check;
use crate::checked::CheckedBundle;
use crate::directory::Directory;
use crate::explain::explain_named;
use crate::key::OfficerSecret;
use crate::review::duty_conflicts;
use crate::testing::{customer, example_with, moment, table, today};
use crate::{Decision, Emergencies, decide};

/// A table of Martlet's own, by its name alone.
fn records() -> martlet_core::TableSchema {
    table("system.audit_record", &[("statement", martlet_core::ColumnType::Text, "open")])
}

const DUTIES: &str = r#"
[[role]]
name = "rule_writer"
duty = "rules"

[[role]]
name = "loader"
duty = "load"

[[role]]
name = "auditor"
duty = "audit"
tables = ["system.audit_record"]
[role.classes]
open = "clear"

[[role]]
name = "night_shift"
inherits = ["loader"]

[[conflict]]
roles = ["branch_reader", "analyst"]
"#;

fn text(more: &str) -> BundleText {
    let mut text = example_with("roles.toml", |roles| format!("{roles}{DUTIES}{more}"));
    let key = OfficerSecret::from_bytes(&[1; 32]).public();
    let bundle = text.files.get_mut("bundle.toml").unwrap();
    bundle.push_str(&format!("[[officer]]\nname = \"olga\"\nkey = \"{key}\"\n"));
    text
}

fn bundle() -> CheckedBundle {
    check(&text(""), &[customer(), records()]).unwrap()
}

fn feed(lines: &[&str]) -> Directory {
    let text = format!("name,roles,node,password,desk\n{}\n", lines.join("\n"));
    Directory::parse(&text).unwrap()
}

/// Who holds what, and what of it is broken.
const CASES: [(&str, &str, Option<&str>); 13] = [
    ("ann", "teller", None),
    ("ann", "rule_writer", None),
    ("ann", "loader;teller", None),
    ("ann", "auditor;teller", None),
    (
        "ann",
        "rule_writer;teller",
        Some("who has the duty `rules` reads no data, but the role `teller`"),
    ),
    ("ann", "rule_writer;loader", Some("the duties `rules` and `load` do not go together")),
    ("ann", "rule_writer;night_shift", Some("the duties `rules` and `load` do not go together")),
    ("ann", "rule_writer;auditor", Some("the duties `rules` and `audit` do not go together")),
    ("ann", "loader;auditor", Some("the duties `load` and `audit` do not go together")),
    ("ann", "teller;analyst", Some("nobody may hold the roles `analyst` and `branch_reader`")),
    ("olga", "teller", Some("an officer of the rules reads no data, but the role `teller` grants")),
    ("olga", "auditor", Some("the duties `rules` and `audit` do not go together")),
    ("olga", "rule_writer", None),
];

#[test]
fn the_feed_is_checked_and_the_decision_denies() {
    let bundle = bundle();
    let tables = [customer(), records()];
    for (name, roles, expected) in CASES {
        let directory = feed(&[&format!("{name},{roles},4403,,7")]);
        let findings = directory.check_against(&bundle);
        let principal = directory.principal_named(name).unwrap();
        let granted = tables.iter().any(|table| {
            matches!(decide(principal, table, &bundle, today()), Decision::Granted(_))
        });
        match expected {
            Some(expected) => {
                assert_eq!(findings.len(), 1, "{name} {roles}: {findings:?}");
                assert!(findings[0].message.contains(expected), "{roles}: {}", findings[0]);
                assert_eq!((findings[0].line, findings[0].column), (2, 1), "{roles}");
                assert!(!granted, "{name} with {roles} is denied everything");
                let why = explain_named(
                    &directory,
                    &Emergencies::default(),
                    name,
                    &customer(),
                    &bundle,
                    moment(),
                )
                .unwrap();
                assert!(why[0].contains(expected), "{why:?}");
            }
            None => {
                assert_eq!(findings, [], "{name} {roles}");
                let reads = roles.contains("teller") || roles.contains("auditor");
                assert_eq!(granted, reads, "{name} {roles}");
            }
        }
    }
}

#[test]
fn a_review_names_everybody_who_breaks_a_duty() {
    let directory = feed(&["ann,teller;analyst,4403,,7", "ben,teller,4403,,7", "olga,teller,,,"]);
    let bundle = bundle();
    let found: Vec<_> = duty_conflicts(&directory, &bundle).collect();
    let names: Vec<&str> = found.iter().map(|conflict| conflict.principal.as_str()).collect();
    assert_eq!(names, ["ann", "olga"]);
    assert_eq!(found[0].roles, ["analyst", "teller"]);
    assert!(found[1].what.starts_with("an officer of the rules reads no data"));
}

#[test]
fn who_has_all_duties_is_told_each() {
    let directory = feed(&["ann,rule_writer;loader;auditor;teller,4403,,7"]);
    let findings = directory.check_against(&bundle());
    assert_eq!(findings.len(), 3, "{findings:?}");
}

#[test]
fn a_role_that_nobody_could_hold_is_found_in_its_place() {
    let offset = text("").files["roles.toml"].lines().count();
    for (more, line, expected) in [
        (
            "[[role]]\nname = \"mighty\"\nduty = \"rules\"\ntables = [\"customer\"]\n",
            3,
            "nobody could hold the role `mighty`: who has the duty `rules` reads no data",
        ),
        (
            "[[role]]\nname = \"mighty\"\ninherits = [\"rule_writer\", \"teller\"]\n",
            2,
            "nobody could hold the role `mighty`: who has the duty `rules` reads no data",
        ),
        (
            "[[role]]\nname = \"mighty\"\ninherits = [\"branch_reader\", \"analyst\"]\n",
            2,
            "nobody could hold the role `mighty`: nobody may hold the roles `analyst` and `branch_reader`",
        ),
        ("[[role]]\nname = \"mighty\"\nduty = \"all\"\n", 3, "`all` is no duty; these are rules"),
        ("[[conflict]]\nroles = [\"teller\", \"nobody\"]\n", 2, "there is no role `nobody`"),
        ("[[conflict]]\nroles = [\"teller\", \"teller\"]\n", 2, "`teller` stands here twice"),
        ("[[conflict]]\nroles = [\"teller\"]\n", 1, "name two at least"),
        ("[[conflict]]\nrolls = []\n", 2, "unknown key `rolls`"),
    ] {
        let findings = check(&text(more), &[customer(), records()]).map(|_| ()).unwrap_err();
        let found = findings.iter().find(|finding| finding.message.contains(expected));
        let found = found.unwrap_or_else(|| panic!("{expected}: {findings:?}"));
        assert_eq!(usize::try_from(found.line).unwrap(), offset + line, "{found}");
        assert_eq!(found.file, "roles.toml");
    }
}

#[test]
fn the_tables_with_the_rules_are_no_data() {
    assert!(TableName::new("system.role").unwrap().is_system());
    let more =
        "[[role]]\nname = \"reader\"\nduty = \"rules\"\ntables = [\"system.audit_record\"]\n";
    assert!(check(&text(more), &[customer(), records()]).is_ok());
}

/// The roles of [`random_bundle`]: what each inherits, its duty, whether it grants data.
type RandomRole = (Vec<usize>, Option<usize>, bool);

fn random_bundle(roles: &[RandomRole], conflict: &[usize]) -> BundleText {
    let mut text = "[[role]]\nname = \"other\"\n".to_owned();
    for (number, (inherits, duty, grants)) in roles.iter().enumerate() {
        let inherits: Vec<String> = inherits.iter().map(|of| format!("r{of}")).collect();
        text.push_str(&format!("[[role]]\nname = \"r{number}\"\ninherits = {inherits:?}\n"));
        if let Some(duty) = duty {
            text.push_str(&format!("duty = {:?}\n", Duty::ALL[*duty].word()));
        }
        if *grants {
            text.push_str("tables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n");
        }
    }
    let names: Vec<String> = conflict.iter().map(|of| format!("r{of}")).collect();
    if names.len() > 1 {
        text.push_str(&format!("[[conflict]]\nroles = {names:?}\n"));
    }
    let mut bundle = example_with("rules.toml", |_| String::new());
    bundle.files.insert("roles.toml".to_owned(), text);
    bundle
}

/// Everything that holding a role means, by walking up.
fn all_of(role: usize, roles: &[RandomRole]) -> BTreeSet<usize> {
    let mut all = BTreeSet::from([role]);
    for parent in &roles[role].0 {
        all.extend(all_of(*parent, roles));
    }
    all
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Against the plain version, which asks of every single role that somebody has.
    #[test]
    fn a_breach_is_what_the_rules_say(
        shapes in proptest::collection::vec(
            (proptest::collection::vec(0_usize..4, 0..2), proptest::option::of(0_usize..3), proptest::bool::ANY),
            4..5,
        ),
        held in proptest::collection::btree_set(0_usize..4, 0..3),
        conflict in proptest::collection::btree_set(0_usize..4, 0..4),
        is_officer in proptest::bool::ANY,
    ) {
        // A role inherits from earlier ones alone.
        let roles: Vec<RandomRole> = shapes
            .into_iter()
            .enumerate()
            .map(|(at, (up, duty, grants))| (up.into_iter().filter(|of| *of < at).collect::<BTreeSet<_>>().into_iter().collect(), duty, grants))
            .collect();
        let conflict: Vec<usize> = conflict.into_iter().collect();
        let plain = |held: &BTreeSet<usize>, is_officer: bool| {
            let all: BTreeSet<usize> = held.iter().flat_map(|role| all_of(*role, &roles)).collect();
            let mut duties: BTreeSet<usize> = all.iter().filter_map(|role| roles[*role].1).collect();
            if is_officer {
                duties.insert(0);
            }
            let reads = all.iter().any(|role| roles[*role].2);
            let together = conflict.iter().filter(|role| all.contains(role)).count();
            duties.len() > 1 || duties.contains(&0) && reads || conflict.len() > 1 && together > 1
        };
        let text = random_bundle(&roles, &conflict);
        let checked = check(&text, &[customer()]);
        let broken_alone = (0..roles.len()).any(|role| plain(&BTreeSet::from([role]), false));
        proptest::prop_assert_eq!(checked.is_err(), broken_alone);
        if let Ok(bundle) = checked {
            let names: Vec<String> = held.iter().map(|role| format!("r{role}")).collect();
            let key = OfficerSecret::from_bytes(&[1; 32]).public();
            let officer = format!("[[officer]]\nname = \"olga\"\nkey = \"{key}\"\n");
            let mut with_officer = text.clone();
            with_officer.files.get_mut("bundle.toml").unwrap().push_str(&officer);
            let bundle = if is_officer { check(&with_officer, &[customer()]).unwrap() } else { bundle };
            let roles = names.join(";");
            let directory = feed(&[&format!("olga,{roles},4403,,7")]);
            let findings = directory.check_against(&bundle);
            proptest::prop_assert_eq!(!findings.is_empty(), plain(&held, is_officer), "{:?}", findings);
        }
    }
}
