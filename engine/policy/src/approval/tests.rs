use proptest::prelude::*;

use super::*;
use crate::testing::{bundle_text, example_text};

fn secret(seed: u8) -> OfficerSecret {
    OfficerSecret::from_bytes(&[seed; 32])
}

/// Officers by name and seed of their key.
fn officers(of: &[(&str, u8)]) -> Officers {
    let mut text = "approvals = 1\n".to_owned();
    for (name, seed) in of {
        let key = secret(*seed).public();
        text.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    let mut bundle = example_text();
    bundle.files.get_mut("bundle.toml").unwrap().push_str(&text);
    Officers::of(&bundle).unwrap()
}

fn step(bundle: u8, base: u8) -> Step {
    Step { bundle: [bundle; 32], base: Edition([base; 32]) }
}

fn approval(name: &str, seed: u8, step: Step) -> Approval {
    Approval::sign(name, &secret(seed), step, 1_795_392_000).unwrap()
}

#[test]
fn an_approval_is_a_text_that_people_can_read() {
    let text = approval("Ann Lee", 1, step(0xab, 0xcd)).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "martlet policy approval 1");
    assert_eq!(lines[1], "officer Ann Lee");
    assert_eq!(lines[3], format!("bundle {}", "ab".repeat(32)));
    assert_eq!(lines[4], format!("base {}", "cd".repeat(32)));
    assert_eq!(lines[5], "at 2026-11-23T00:00:00Z");
    assert_eq!(lines.len(), 7);
    assert_eq!(Approval::parse(&text).unwrap().to_string(), text);
    assert!(Approval::parse(&text.replace('\n', "\r\n")).is_ok(), "as mail sends it");
}

#[test]
fn only_a_genuine_approval_of_this_step_by_another_officer_counts() {
    let officers = officers(&[("ann", 1), ("bob", 2)]);
    let of = |approvals: &[Approval]| judge(approvals, &officers, &step(1, 2));
    let ann = approval("ann", 1, step(1, 2));
    let bob = approval("bob", 2, step(1, 2));
    assert_eq!(of(&[ann.clone(), bob.clone()]), [Verdict::Counts, Verdict::Counts]);
    assert_eq!(of(&[ann.clone(), ann.clone()]), [Verdict::Counts, Verdict::Repeated]);
    let later = Approval::sign("ann", &secret(1), step(1, 2), 1_795_392_001).unwrap();
    assert_eq!(of(&[ann.clone(), later]), [Verdict::Counts, Verdict::Repeated]);
    for (approval, verdict) in [
        (approval("eve", 3, step(1, 2)), Verdict::UnknownOfficer),
        (approval("eve", 1, step(1, 2)), Verdict::UnknownOfficer),
        (approval("ann", 3, step(1, 2)), Verdict::OtherKey),
        (approval("ann", 2, step(1, 2)), Verdict::OtherKey),
        (approval("ann", 1, step(3, 2)), Verdict::OtherBundle),
        (approval("ann", 1, step(1, 3)), Verdict::OtherBase),
    ] {
        assert_eq!(of(&[approval]), [verdict]);
    }
    let none = judge(&[ann], &Officers::default(), &step(1, 2));
    assert_eq!(none, [Verdict::UnknownOfficer], "a bundle without officers has nobody to approve");
}

#[test]
fn no_line_can_be_changed_after_the_signature() {
    let officers = officers(&[("ann", 1), ("bob", 2)]);
    let text = approval("ann", 1, step(1, 2)).to_string();
    let (bob, ann) = (secret(2).public().to_string(), secret(1).public().to_string());
    for (from, to, bundle) in [
        ("officer ann", "officer bob".to_owned(), 1),
        ("bundle 01", "bundle 03".to_owned(), 1),
        ("base 02", "base 03".to_owned(), 1),
        ("at 2026-11-23T00:00:00Z", "at 2026-11-23T00:00:01Z".to_owned(), 1),
        (ann.as_str(), bob, 1),
    ] {
        let changed = Approval::parse(&text.replacen(from, &to, 1)).unwrap();
        let verdict = judge(&[changed], &officers, &step(bundle, 2))[0];
        assert!(matches!(verdict, Verdict::Forged | Verdict::OtherKey), "{from}: {verdict:?}");
    }
}

#[test]
fn what_is_no_approval_is_refused() {
    let text = approval("ann", 1, step(1, 2)).to_string();
    for changed in [
        String::new(),
        text.replacen('1', "2", 1),
        text.replace("officer ann", "officer "),
        text.replace("officer ann", "officer a\tn"),
        text.replace("2026-11-23", "2026-11-32"),
        text.replace("T00:00:00Z", "T0:0:0Z"),
        text.replace("bundle", "bundles"),
        text.replace("bundle 01", "bundle 1"),
        text.to_uppercase(),
        format!("{text}officer bob\n"),
        format!("{text}\n{text}"),
        text.lines().take(6).collect::<Vec<_>>().join("\n"),
    ] {
        assert!(Approval::parse(&changed).is_err(), "{changed}");
    }
    let two_lines = Approval::sign("ann\nkey x", &secret(1), step(1, 2), 0);
    assert!(two_lines.is_err(), "a name is one line");
    assert!(Approval::sign("ann", &secret(1), step(1, 2), i64::MAX).is_err());
}

#[test]
fn the_signed_words_say_what_they_are_for() {
    let approval = approval("ann", 1, step(1, 2));
    assert!(approval.message().starts_with(b"martlet policy approval, form 1\nmartlet policy"));
    let bare = secret(1).sign(approval.body().as_bytes());
    let forged = Approval { signature: bare, ..approval };
    assert!(!forged.is_genuine(), "a signature made for something else is worth nothing here");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Approval::parse(&text);
        let _ = Approval::parse(&format!("{TITLE}\nofficer {text}"));
    }

    #[test]
    fn one_changed_bit_never_counts(at in 0_usize..1_000, bit in 0_u8..7) {
        let officers = officers(&[("ann", 1)]);
        let mut bytes = approval("ann", 1, step(1, 2)).to_string().into_bytes();
        let at = at % (bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(changed) = Approval::parse(&text)
            && changed != approval("ann", 1, step(1, 2))
        {
            prop_assert_ne!(judge(&[changed], &officers, &step(1, 2)), [Verdict::Counts]);
        }
    }
}

#[test]
fn digests_of_bundles_name_them() {
    let other = bundle_text(&[("bundle.toml", "name = \"other\"\n")]);
    assert_ne!(example_text().digest(), other.digest());
}
