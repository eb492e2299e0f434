use proptest::prelude::*;

use super::*;
use crate::key::OfficerSecret;
use crate::testing::example_text;

/// The example in a version of its own, with officers by name and seed, so many of them needed.
fn rules(version: &str, needed: usize, officers: &[(&str, u8)]) -> BundleText {
    let mut text = example_text();
    let file = text.files.get_mut("bundle.toml").unwrap();
    *file = file.replace("2026-11-22.1", version) + &format!("approvals = {needed}\n");
    for (name, seed) in officers {
        let key = OfficerSecret::from_bytes(&[*seed; 32]).public();
        file.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    text
}

const TWO: [(&str, u8); 2] = [("ann", 1), ("bob", 2)];

fn approved(by: &[(&str, u8)], text: &BundleText, base: &StoredBundle) -> Vec<Approval> {
    let step = Step { bundle: text.digest(), base: base.edition() };
    by.iter()
        .map(|(name, seed)| {
            Approval::sign(name, &OfficerSecret::from_bytes(&[*seed; 32]), step, 0).unwrap()
        })
        .collect()
}

fn follow(
    text: &BundleText,
    base: &StoredBundle,
    by: &[(&str, u8)],
) -> Result<StoredBundle, Unapproved> {
    StoredBundle::following(text.clone(), base, &approved(by, text, base))
}

#[test]
fn the_first_rules_are_stored_as_their_text() {
    let first = StoredBundle::first(rules("1", 2, &TWO));
    assert_eq!(first.to_bytes(), first.text().to_bytes());
    assert_eq!(StoredBundle::from_bytes(&first.to_bytes()).unwrap(), first);
    assert_eq!(first.own_proof(), Ok(()));
    assert_eq!(first.base(), None);
}

#[test]
fn what_is_stored_is_read_again_with_its_approvals() {
    let first = StoredBundle::first(rules("1", 2, &TWO));
    let next = follow(&rules("2", 2, &TWO), &first, &TWO).unwrap();
    let read = StoredBundle::from_bytes(&next.to_bytes()).unwrap();
    assert_eq!(read, next);
    assert_eq!(read.text().digest(), rules("2", 2, &TWO).digest(), "the digest is the text's");
    assert_eq!(read.base(), Some(first.edition()));
    assert_eq!(read.approvals().iter().map(Approval::officer).collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!(read.approving_officers().unwrap().needed(), 2);
    assert_eq!(read.own_proof(), Ok(()));
    assert_eq!(read.may_follow(&first), Ok(()));
}

#[test]
fn the_number_and_the_officers_are_those_in_force() {
    let first = StoredBundle::first(rules("1", 2, &TWO));
    let one_is_enough = rules("2", 1, &TWO);
    let refused = follow(&one_is_enough, &first, &TWO[..1]).unwrap_err();
    assert_eq!(refused, Unapproved::TooFew { needed: 2, counted: 1 });
    let let_in = rules("2", 1, &[("eve", 9)]);
    let refused = follow(&let_in, &first, &[("eve", 9)]).unwrap_err();
    assert_eq!(refused, Unapproved::TooFew { needed: 2, counted: 0 });
    let without = example_text();
    assert!(follow(&without, &first, &[]).is_err(), "nor are the officers done away with alone");
    let removed = follow(&rules("2", 1, &TWO[..1]), &first, &TWO).unwrap();
    assert!(follow(&rules("3", 1, &TWO[..1]), &removed, &TWO[1..]).is_err(), "bob is no more");
    assert!(follow(&rules("3", 1, &TWO[..1]), &removed, &TWO[..1]).is_ok());
}

#[test]
fn without_officers_in_force_nothing_is_needed() {
    let first = StoredBundle::first(example_text());
    let next = follow(&rules("2", 2, &TWO), &first, &[]).unwrap();
    assert_eq!(next.own_proof(), Ok(()));
    assert_eq!(StoredBundle::first(rules("2", 2, &TWO)).may_follow(&first), Ok(()));
}

#[test]
fn an_approval_is_used_up() {
    let first = StoredBundle::first(rules("1", 1, &TWO));
    let wide = rules("2", 1, &TWO);
    let of_wide = approved(&TWO[..1], &wide, &first);
    let second = StoredBundle::following(wide.clone(), &first, &of_wide).unwrap();
    // The rules go back to what they were, by the other officer.
    let back = follow(first.text(), &second, &TWO[1..]).unwrap();
    assert_eq!(back.text(), first.text());
    assert_ne!(back.edition(), first.edition());
    let again = StoredBundle::following(wide, &back, &of_wide);
    assert_eq!(again.unwrap_err(), Unapproved::TooFew { needed: 1, counted: 0 });
    assert!(second.may_follow(&back).is_err(), "nor is what was stored worth anything again");
    assert!(StoredBundle::first(first.text().clone()).may_follow(&second).is_err());
}

#[test]
fn an_edition_stands_for_who_approved_it() {
    let first = StoredBundle::first(rules("1", 1, &TWO));
    let text = rules("2", 1, &TWO);
    let [by_ann, by_bob] =
        [&TWO[..1], &TWO[1..]].map(|by| follow(&text, &first, by).unwrap().edition());
    assert_ne!(by_ann, by_bob);
    assert_ne!(by_ann, StoredBundle::first(text).edition(), "and for what it followed");
}

#[test]
fn rules_that_say_they_follow_others_do_not_follow_these() {
    let first = StoredBundle::first(rules("1", 1, &TWO));
    // Whoever can write the mart can make a whole line of rules of their own.
    let own = StoredBundle::first(rules("1", 1, &[("eve", 9)]));
    let forged = follow(&rules("2", 0, &[]), &own, &[("eve", 9)]).unwrap();
    assert_eq!(forged.own_proof(), Ok(()), "it is whole by itself");
    assert_eq!(forged.may_follow(&first), Err(Unapproved::OtherBase { needed: 1 }));
    let bare = StoredBundle::first(rules("2", 1, &TWO));
    assert_eq!(bare.may_follow(&first), Err(Unapproved::OtherBase { needed: 1 }));
    assert_eq!(first.may_follow(&first), Ok(()));
}

#[test]
fn officers_that_cannot_be_read_cannot_approve() {
    let mut text = rules("1", 1, &TWO);
    text.files.get_mut("bundle.toml").unwrap().push_str("odd = 1\n");
    let first = StoredBundle::first(text);
    assert_eq!(follow(&example_text(), &first, &TWO).unwrap_err(), Unapproved::NoOfficers);
}

#[test]
fn approvals_that_do_not_count_are_not_kept() {
    let first = StoredBundle::first(rules("1", 1, &TWO));
    let next = rules("2", 1, &TWO);
    let mut approvals = approved(&[("eve", 9), ("ann", 1), ("ann", 1)], &next, &first);
    approvals.extend(approved(&TWO[1..], &rules("3", 1, &TWO), &first));
    let stored = StoredBundle::following(next, &first, &approvals).unwrap();
    assert_eq!(stored.approvals().len(), 1);
    assert_eq!(stored.approvals()[0].officer(), "ann");
}

#[test]
fn every_changed_byte_is_found_or_worth_nothing() {
    let first = StoredBundle::first(rules("1", 2, &TWO));
    let next = follow(&rules("2", 2, &TWO), &first, &TWO).unwrap();
    let bytes = next.to_bytes();
    for at in (0..bytes.len()).step_by(29) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(read) = StoredBundle::from_bytes(&changed) {
            let worthless = read.may_follow(&first).is_err() || read.edition() == next.edition();
            assert!(worthless, "byte {at}");
        }
    }
    assert!((0..bytes.len()).all(|end| StoredBundle::from_bytes(&bytes[..end]).is_err()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut begun = MAGIC.to_vec();
        begun.extend(&bytes);
        let _ = StoredBundle::from_bytes(&bytes);
        prop_assert!(StoredBundle::from_bytes(&begun).is_err());
    }
    /// Against the plain version: whose names are on the list, and how many of them signed.
    #[test]
    fn rules_follow_if_and_only_if_enough_officers_in_force_say_so(
        steps in prop::collection::vec((0_u8..8, 0_usize..4, 0_u8..16), 1..6)
    ) {
        let all = [("ann", 1_u8), ("bob", 2), ("cas", 3), ("eve", 9)];
        let chosen = |mask: u8| -> Vec<(&str, u8)> {
            (0..4).filter(|at| mask & (1 << at) != 0).map(|at| all[at]).collect()
        };
        let mut in_force = StoredBundle::first(rules("0", 2, &all[..3]));
        let (mut officers, mut needed) = (0b111_u8, 2);
        let mut earlier = vec![in_force.clone()];
        for (number, (next_officers, next_needed, signers)) in steps.into_iter().enumerate() {
            let next_needed = next_needed.min(next_officers.count_ones() as usize);
            let version = (number + 1).to_string();
            let text = rules(&version, next_needed, &chosen(next_officers));
            let says_so = (signers & officers).count_ones() as usize >= needed;
            let next = follow(&text, &in_force, &chosen(signers));
            prop_assert_eq!(next.is_ok(), says_so);
            let Ok(next) = next else { continue };
            prop_assert_eq!(StoredBundle::from_bytes(&next.to_bytes()).unwrap(), next.clone());
            for old in &earlier {
                let free = next_needed == 0;
                prop_assert_eq!(old.may_follow(&next).is_ok(), free, "nothing comes back by itself");
            }
            earlier.push(next.clone());
            (in_force, officers, needed) = (next, next_officers, next_needed);
        }
    }
}
