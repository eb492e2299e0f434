//! What a bundle's author writes does not steer the terminal of the officer who reads it.

use martlet_policy::{OfficerSecret, StoredBundle};

use super::*;

/// Turns the direction of writing, isolates a piece of it, and breaks a line.
const TURNING: [char; 3] = ['\u{202e}', '\u{2066}', '\u{2028}'];

fn bundle(version: &str, sign: &str) -> BundleText {
    let key = OfficerSecret::from_bytes(&[1; 32]).public();
    let header = format!(
        "name = \"p{sign}q\"\nversion = \"{version}{sign}q\"\nprofile = \"doc\"\n\
         [[officer]]\nname = \"ann{sign}q\"\nkey = \"{key}\"\n"
    );
    let roles = format!(
        "[[role]]\nname = \"clerk\"\n[role.classes]\nid = \"mask\"\nborn = \"mask\"\n\
         [[accepted_risk]]\nname = \"month{sign}\"\nroles = [\"clerk\"]\nhidden = \"born\"\n\
         beside = [\"id\"]\nreason = \"clerks need both{sign}\"\n"
    );
    let files = [
        ("bundle.toml", header.as_str()),
        ("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n"),
        (
            "classes.toml",
            "[[class]]\nname = \"id\"\nmask = \"id_number\"\n\
             [[class]]\nname = \"born\"\nmask = \"birth_date\"\n",
        ),
        ("roles.toml", &roles),
        ("rules.toml", ""),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    BundleText { files: files.into_iter().collect() }
}

#[test]
fn a_difference_shows_signs_that_turn_a_line_and_does_not_send_them() {
    for sign in TURNING {
        let lines = apply::difference(&bundle("1", ""), &bundle("2", &sign.to_string()));
        let told = lines.join("\n");
        assert!(!told.contains(sign), "{told}");
        let shown = sign.escape_default().to_string();
        for of in ["name `pq` -> `p", "version `1q` -> `2", "officer `ann", "`month", "need both"] {
            assert!(told.contains(&format!("{of}{shown}")), "{of}: {told}");
        }
    }
}

#[test]
fn rules_in_force_from_before_are_shown_so_too() {
    for sign in TURNING {
        let text = bundle("1", &sign.to_string());
        let checked = check_on(Occasion::TakeOver, &text, &[]).unwrap();
        let told = show::described(&checked, &StoredBundle::first(text)).join("\n");
        assert!(!told.contains(sign), "{told}");
        let shown = sign.escape_default().to_string();
        for of in ["rules       p", "version 1", "officers    ann", "need both"] {
            assert!(told.contains(&format!("{of}{shown}")), "{of}: {told}");
        }
    }
}

#[test]
fn a_finding_repeats_no_such_sign() {
    let found = check(&bundle("1", "\u{202e}"), &[]).unwrap_err();
    let told: Vec<String> = found.iter().map(shown).collect();
    assert!(told.iter().all(|line| !line.contains('\u{202e}')), "{told:?}");
}
