use martlet_core::TableSchema;

use crate::check;
use crate::testing::{customer, emergency_text, example};

/// What the check says of the emergency's bundle with one change.
fn findings(file: &str, old: &str, new: &str) -> String {
    let mut text = emergency_text();
    let changed = text.files[file].replacen(old, new, 1);
    assert_ne!(changed, text.files[file], "{old}");
    text.files.insert(file.into(), changed);
    let tables: [TableSchema; 1] = [customer()];
    let found = check(&text, &tables).map(|_| ()).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_emergency_is_what_the_file_says() {
    let bundle = check(&emergency_text(), &[customer()]).unwrap();
    let rule = bundle.emergency("core outage").unwrap();
    assert_eq!((rule.role.as_str(), rule.hours, rule.approvers), ("outage", 2, 2));
    assert!(rule.may_ask.contains("teller"));
    assert!(bundle.emergency("fire").is_none());
    assert!(example().emergencies().is_empty());
}

#[test]
fn its_bounds_are_not_the_bundles_to_move() {
    for (file, old, new, expected) in [
        ("roles.toml", "hours = 2", "hours = 5", "`hours` is a number from 1 to 4"),
        ("roles.toml", "hours = 2", "hours = 0", "`hours` is a number from 1 to 4"),
        ("roles.toml", "hours = 2", "", "`hours` is a number from 1 to 4"),
        ("roles.toml", "approvers = 2", "approvers = 1", "`approvers` is a number from 2 to 3"),
        ("roles.toml", "approvers = 2", "approvers = 4", "`approvers` is a number from 2 to 3"),
        ("roles.toml", "approvers = 2", "", "`approvers` is a number from 2 to 3"),
        ("bundle.toml", "approvals = 2", "approvals = 1", "`approvals` has to be 2 at least"),
        ("bundle.toml", "approvals = 2", "approvals = 0", "`approvals` has to be 2 at least"),
        ("roles.toml", "\"core outage\"", "\" core\"", "an emergency's name is a text of one line"),
        ("roles.toml", "role = \"outage\"", "role = \"fire\"", "there is no role `fire`"),
        ("roles.toml", "role = \"outage\"", "role = \"writer\"", "has a duty"),
        ("roles.toml", "may_ask = [\"teller\"]", "may_ask = []", "`may_ask` names a role"),
        ("roles.toml", "may_ask = [\"teller\"]", "may_ask = [\"x\"]", "there is no role `x`"),
        (
            "roles.toml",
            "may_ask = [\"teller\"]",
            "may_ask = [\"writer\"]",
            "no holder of `writer` could be given it: who has the duty `rules` reads no data",
        ),
        (
            "roles.toml",
            "may_ask = [\"teller\"]",
            "may_ask = [\"developer\"]",
            "no holder of `developer` could be given it",
        ),
        (
            "roles.toml",
            "may_ask = [\"teller\"]",
            "may_ask = [\"outage\"]",
            "nobody holds `outage`, which is for emergencies",
        ),
        (
            "roles.toml",
            "name = \"developer\"",
            "name = \"developer\"\ninherits = [\"outage\"]",
            "its holders would have it always",
        ),
        ("roles.toml", "hours = 2", "hours = 2\nminutes = 5", "unknown key `minutes`"),
    ] {
        let found = findings(file, old, new);
        assert!(found.contains(expected), "{old} -> {new}: expected {expected} in\n{found}");
    }
    let twice = findings(
        "roles.toml",
        "[[emergency]]",
        "[[emergency]]\nname = \"core outage\"\nrole = \"outage\"\nmay_ask = [\"teller\"]\nhours = 1\napprovers = 2\n[[emergency]]",
    );
    assert!(twice.contains("the emergency `core outage` is already defined"), "{twice}");
}
