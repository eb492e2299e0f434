use proptest::prelude::*;

use super::*;
use crate::approval::{Approval, Step};
use crate::testing::{EDITION, NOON, emergency_text, officer_secret, request};

fn officers() -> Officers {
    Officers::of(&emergency_text()).unwrap()
}

fn approval(name: &str, seed: u8, request: &EmergencyRequest, at: i64) -> EmergencyApproval {
    EmergencyApproval::sign(name, &officer_secret(seed), request, NOON + at).unwrap()
}

#[test]
fn only_a_genuine_approval_of_this_request_by_another_officer_counts() {
    let officers = officers();
    let asked = request("kim", "core outage", 0, 7_200);
    let by = |name: &str, seed: u8| approval(name, seed, &asked, 0);
    let of = |approvals: &[EmergencyApproval]| judge_emergency(approvals, &officers, &asked);
    use EmergencyVerdict as Verdict;
    assert_eq!(of(&[by("ann", 1), by("bob", 2)]), [Verdict::Counts, Verdict::Counts]);
    assert_eq!(of(&[by("ann", 1), by("ann", 1)]), [Verdict::Counts, Verdict::Repeated]);
    let later = approval("ann", 1, &asked, 60);
    assert_eq!(of(&[by("ann", 1), later]), [Verdict::Counts, Verdict::Repeated]);
    let day = 24 * 60 * 60;
    for (approval, verdict) in [
        (by("eve", 9), Verdict::UnknownOfficer),
        (by("eve", 1), Verdict::UnknownOfficer),
        (by("ann", 9), Verdict::OtherKey),
        (by("ann", 2), Verdict::OtherKey),
        (approval("ann", 1, &request("tim", "core outage", 0, 7_200), 0), Verdict::OtherRequest),
        (approval("ann", 1, &request("kim", "core outage", 0, 7_201), 0), Verdict::OtherRequest),
        (approval("ann", 1, &asked, 7_200), Verdict::OtherTime),
        (approval("ann", 1, &asked, -day - 1), Verdict::OtherTime),
        (approval("ann", 1, &asked, -day), Verdict::Counts),
        (approval("ann", 1, &asked, 7_199), Verdict::Counts),
    ] {
        assert_eq!(of(&[approval]), [verdict]);
    }
    let own = request("ann", "core outage", 0, 7_200);
    let verdict = judge_emergency(&[approval("ann", 1, &own, 0)], &officers, &own);
    assert_eq!(verdict, [Verdict::OwnRequest]);
}

#[test]
fn no_line_can_be_changed_after_the_signature() {
    let officers = officers();
    let asked = request("kim", "core outage", 0, 7_200);
    let text = approval("ann", 1, &asked, 0).to_string();
    let other = request("kim", "core outage", 0, 7_201);
    let hex =
        |digest: [u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (ann, bob) = (officer_secret(1).public(), officer_secret(2).public());
    for (from, to, judged) in [
        ("officer ann", "officer bob".to_owned(), &asked),
        (hex(asked.digest()).as_str(), hex(other.digest()), &other),
        ("T00:00:00Z", "T00:00:01Z".to_owned(), &asked),
        (ann.to_string().as_str(), bob.to_string(), &asked),
    ] {
        let changed = text.replacen(from, &to, 1);
        assert_ne!(changed, text);
        let changed = EmergencyApproval::parse(&changed).unwrap();
        let verdict = judge_emergency(&[changed], &officers, judged)[0];
        let refused = matches!(verdict, EmergencyVerdict::Forged | EmergencyVerdict::OtherKey);
        assert!(refused, "{from}: {verdict:?}");
    }
}

/// The same key signs both. Neither a file nor a signature of the one passes for the other.
#[test]
fn a_signature_for_rules_is_none_for_an_emergency_nor_the_other_way() {
    let asked = request("kim", "core outage", 0, 7_200);
    let emergency = approval("ann", 1, &asked, 0);
    let step = Step { bundle: asked.digest(), base: EDITION };
    let rules = Approval::sign("ann", &officer_secret(1), step, NOON).unwrap();
    assert!(EmergencyApproval::parse(&rules.to_string()).is_err());
    assert!(Approval::parse(&emergency.to_string()).is_err());
    let signature = |text: &str| text.lines().last().unwrap().to_owned();
    let (of_rules, of_emergency) = (rules.to_string(), emergency.to_string());
    let crossed = of_emergency.replace(&signature(&of_emergency), &signature(&of_rules));
    let crossed = EmergencyApproval::parse(&crossed).unwrap();
    assert_eq!(judge_emergency(&[crossed], &officers(), &asked), [EmergencyVerdict::Forged]);
    // The very same words, signed as an approval of rules would be.
    let bare = officer_secret(1).sign(emergency.body().as_bytes());
    assert!(!EmergencyApproval { signature: bare, ..emergency.clone() }.is_genuine());
    let mut other = b"martlet policy approval, form 1\n".to_vec();
    assert_eq!((other.len(), PURPOSE.len()), (32, 32));
    other.extend(emergency.body().as_bytes());
    let other = officer_secret(1).sign(&other);
    assert!(!EmergencyApproval { signature: other, ..emergency }.is_genuine());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = EmergencyApproval::parse(&text);
        let _ = EmergencyApproval::parse(&format!("{TITLE}\nofficer {text}"));
    }

    #[test]
    fn one_changed_bit_never_counts(at in 0_usize..1_000, bit in 0_u8..7) {
        let asked = request("kim", "core outage", 0, 7_200);
        let genuine = approval("ann", 1, &asked, 0);
        let mut bytes = genuine.to_string().into_bytes();
        let at = at % (bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(changed) = EmergencyApproval::parse(&text)
            && changed != genuine
        {
            let verdicts = judge_emergency(&[changed], &officers(), &asked);
            prop_assert_ne!(verdicts, [EmergencyVerdict::Counts]);
        }
    }
}
