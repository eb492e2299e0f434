use proptest::prelude::*;

use super::*;
use crate::testing::{NOON, officer_secret, request, request_of};

fn opening(id: u8, approvers: &[u8]) -> Opening {
    let request = request_of(id, "kim", "core outage", 0, 7_200);
    let sign =
        |seed: &u8| EmergencyApproval::sign("ann", &officer_secret(*seed), &request, NOON).unwrap();
    Opening { approvals: approvers.iter().map(sign).collect(), request }
}

fn closing(id: u8) -> Closing {
    Closing::new(EmergencyId::from_bytes([id; 16]), "bob", "it is up again", NOON).unwrap()
}

fn full() -> EmergencyLedger {
    let mut ledger = EmergencyLedger::default();
    ledger.open(opening(1, &[]));
    ledger.open(opening(2, &[1, 2]));
    ledger.close(closing(2));
    ledger.open(opening(3, &[1]));
    ledger
}

#[test]
fn it_comes_back_as_it_was() {
    for ledger in [EmergencyLedger::default(), full()] {
        assert_eq!(EmergencyLedger::from_bytes(&ledger.to_bytes()).unwrap(), ledger);
    }
    let ids: Vec<EmergencyId> = full().openings().map(|opening| opening.request.id()).collect();
    assert_eq!(ids, [1, 2, 3].map(|id| EmergencyId::from_bytes([id; 16])));
    assert_eq!(full().closing(ids[1]).unwrap().by(), "bob");
    assert_eq!(full().closing(ids[0]), None);
}

#[test]
fn what_was_learned_is_not_unlearned() {
    let mut knows = full();
    let mut forgetful = EmergencyLedger::default();
    forgetful.open(opening(2, &[1, 2]));
    knows.learn(&forgetful);
    assert_eq!(knows, full(), "a ledger without the closing takes nothing back");
    forgetful.learn(&full());
    assert!(forgetful.closing(EmergencyId::from_bytes([2; 16])).is_some());
}

#[test]
fn closings_can_be_learned_alone() {
    let mut ledger = EmergencyLedger::default();
    ledger.open(opening(2, &[1]));
    assert!(ledger.learn_closings(&full()));
    assert_eq!(ledger.openings().count(), 1);
    assert!(ledger.closing(EmergencyId::from_bytes([2; 16])).is_some());
    assert!(!ledger.learn_closings(&full()), "it is known");
}

#[test]
fn what_is_lost_closes_all_that_is_open() {
    let mut ledger = full();
    ledger.close_all(NOON);
    assert!(ledger.openings().all(|one| ledger.closing(one.request.id()).is_some()));
    assert_eq!(ledger.closing(EmergencyId::from_bytes([2; 16])).unwrap().by(), "bob");
    let again = ledger.clone();
    ledger.close_all(NOON + 1);
    assert_eq!(ledger, again);
}

#[test]
fn what_is_over_for_long_may_be_left_out_with_its_closing() {
    let mut ledger = full();
    ledger.leave_out_before(NOON);
    assert_eq!(ledger, full());
    ledger.leave_out_before(NOON + 7_201);
    assert_eq!(ledger, EmergencyLedger::default());
}

#[test]
fn other_bytes_are_damage() {
    let bytes = full().to_bytes();
    let mut cut = bytes.clone();
    cut.pop();
    let longer = [bytes.as_slice(), b"x"].concat();
    let long_part = [MAGIC, &u64::MAX.to_le_bytes()].concat();
    let spelled = String::from_utf8_lossy(&bytes).replace("by bob", "by  bob").into_bytes();
    for wrong in [&b""[..], b"martlet emergencies 2\n", &cut, &longer, &long_part, &spelled] {
        assert!(EmergencyLedger::from_bytes(wrong).is_err());
    }
    assert!(EmergencyLedger::from_bytes(request("kim", "x", 0, 1).to_string().as_bytes()).is_err());
}

#[test]
fn a_closing_is_of_single_lines() {
    let id = EmergencyId::from_bytes([1; 16]);
    assert!(Closing::new(id, "bob\nreason x", "y", 0).is_err());
    assert!(Closing::new(id, "bob", "", 0).is_err());
    assert!(Closing::new(id, "bob", "y", i64::MAX).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = EmergencyLedger::from_bytes(&bytes);
        let _ = EmergencyLedger::from_bytes(&[MAGIC, &bytes].concat());
    }

    #[test]
    fn one_changed_bit_is_seen_or_is_another_text(at in any::<usize>(), bit in 0_u8..8) {
        let mut bytes = full().to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(read) = EmergencyLedger::from_bytes(&bytes) {
            prop_assert_ne!(read, full());
        }
    }
}
