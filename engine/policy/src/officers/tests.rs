use super::*;
use crate::check::check;
use crate::key::OfficerSecret;
use crate::testing::{customer, example_text, example_with};

fn key(seed: u8) -> String {
    OfficerSecret::from_bytes(&[seed; 32]).public().to_string()
}

fn officer(name: &str, key: &str) -> String {
    format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n")
}

fn with_officers(approvals: &str, officers: &str) -> BundleText {
    example_with("bundle.toml", |text| format!("{text}{approvals}\n{officers}"))
}

#[test]
fn a_bundle_without_officers_needs_no_approval() {
    assert_eq!(Officers::of(&example_text()).unwrap(), Officers::default());
    assert_eq!(Officers::default().needed(), 0);
}

#[test]
fn officers_are_read_with_their_keys() {
    let text =
        with_officers("approvals = 2", &(officer("ann", &key(1)) + &officer("王五", &key(2))));
    let officers = Officers::of(&text).unwrap();
    assert_eq!(officers.needed(), 2);
    assert_eq!(officers.named("王五").unwrap().key.to_string(), key(2));
    assert!(officers.named("bob").is_none());
    assert_eq!(check(&text, &[customer()]).unwrap().officers(), &officers);
}

#[test]
fn what_is_wrong_with_officers_is_found_in_its_place() {
    let two = officer("ann", &key(1)) + &officer("bob", &key(2));
    for (approvals, officers, expected) in [
        ("approvals = 3", two.clone(), "bundle.toml:5:13: `approvals` is a number from 0 to"),
        ("approvals = -1", two.clone(), "bundle.toml:5:13: `approvals` is a number from 0 to"),
        ("approvals = 1", String::new(), "which is 0: who would approve?"),
        ("approvals = \"1\"", two.clone(), "`approvals` has to be a whole number"),
        (
            "approvals = 1",
            officer("ann", &key(1)) + &officer("bob", &key(1)),
            "bundle.toml:11:7: `ann` and `bob` have one key",
        ),
        (
            "approvals = 1",
            officer("ann", &key(1)) + &officer("ann", &key(2)),
            "bundle.toml:10:8: the officer `ann` stands here a second time",
        ),
        ("approvals = 0", officer("ann", "00"), "an officer's `key` is an Ed25519 public key"),
        ("approvals = 0", officer(" ", &key(1)), "an officer's name is a text of one line"),
        ("approvals = 0", "[[officer]]\nname = \"ann\"\n".to_owned(), "`key` is missing"),
        ("approvals = 0", two + "keys = \"x\"\n", "unknown key `keys`"),
    ] {
        let text = with_officers(approvals, &officers);
        let findings = check(&text, &[customer()]).map(|_| ()).unwrap_err();
        let found = findings.iter().any(|finding| finding.to_string().contains(expected));
        assert!(found, "{expected}: {findings:?}");
        assert!(Officers::of(&text).is_err(), "{expected}: nobody can approve by such a file");
    }
}
