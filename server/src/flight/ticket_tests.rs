//! A ticket opens whole, for its own holder, in time, and in no other way.

use proptest::prelude::*;

use super::*;

fn ticket() -> Ticket {
    Ticket {
        statement_id: StatementId::from_bytes([7; 16]),
        snapshot: SnapshotNumber::new(3),
        sql: "SELECT name FROM customer WHERE id = ?".into(),
        parameters: Bytes::from_static(b"ipc"),
    }
}

fn holder(principal: &str, session: u8) -> Holder<'_> {
    Holder { principal, session: SessionId::from_bytes([session; 16]) }
}

#[test]
fn the_holder_gets_back_what_was_sealed() {
    let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
    let sealed = sealer.seal(&ticket(), holder("teller", 1), now).unwrap();
    assert_eq!(sealer.open(&sealed, holder("teller", 1), now), Ok(ticket()));
    assert_eq!(sealer.open(&sealed, holder("teller", 1), now), Ok(ticket()), "more than once");
}

#[test]
fn another_principal_or_session_or_server_gets_nothing() {
    let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
    let sealed = sealer.seal(&ticket(), holder("teller", 1), now).unwrap();
    assert_eq!(sealer.open(&sealed, holder("manager", 1), now), Err(TicketRefused));
    assert_eq!(sealer.open(&sealed, holder("teller", 2), now), Err(TicketRefused));
    let restarted = Sealer::new().unwrap();
    assert_eq!(restarted.open(&sealed, holder("teller", 1), now), Err(TicketRefused));
}

#[test]
fn a_ticket_expires() {
    let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
    let sealed = sealer.seal(&ticket(), holder("teller", 1), now).unwrap();
    let almost = now + TICKET_LIFETIME - Duration::from_millis(1);
    assert!(sealer.open(&sealed, holder("teller", 1), almost).is_ok());
    assert!(sealer.open(&sealed, holder("teller", 1), now + TICKET_LIFETIME).is_err());
}

#[test]
fn a_ticket_from_the_future_is_refused() {
    let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
    let later = now + Duration::from_secs(5);
    let sealed = sealer.seal(&ticket(), holder("teller", 1), later).unwrap();
    assert_eq!(sealer.open(&sealed, holder("teller", 1), now), Err(TicketRefused));
}

#[test]
fn bytes_sealed_as_something_else_are_no_ticket() {
    let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
    let message = TicketMessage { principal: "teller".into(), ..Default::default() };
    let sealed = sealer.seal_bytes(b"martlet.flight.ticket.v0", &message.encode_to_vec()).unwrap();
    assert_eq!(sealer.open(&sealed, holder("teller", 1), now), Err(TicketRefused));
}

#[test]
fn nothing_of_the_statement_can_be_read_from_a_ticket() {
    let sealer = Sealer::new().unwrap();
    let sealed = sealer.seal(&ticket(), holder("teller", 1), Instant::now()).unwrap();
    for secret in [&b"SELECT"[..], b"teller", b"customer"] {
        assert!(!sealed.windows(secret.len()).any(|window| window == secret));
    }
    let again = sealer.seal(&ticket(), holder("teller", 1), Instant::now()).unwrap();
    assert_ne!(sealed, again, "equal statements give different tickets");
}

proptest! {
    #[test]
    fn one_changed_bit_is_enough(bit in 0_usize..4096) {
        let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
        let mut sealed = sealer.seal(&ticket(), holder("teller", 1), now).unwrap().to_vec();
        let bit = bit % (sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(sealer.open(&sealed, holder("teller", 1), now), Err(TicketRefused));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let sealer = Sealer::new().unwrap();
        prop_assert_eq!(sealer.open(&bytes, holder("teller", 1), Instant::now()), Err(TicketRefused));
    }

    #[test]
    fn a_shortened_ticket_is_refused(keep in 0_usize..120) {
        let (sealer, now) = (Sealer::new().unwrap(), Instant::now());
        let sealed = sealer.seal(&ticket(), holder("teller", 1), now).unwrap();
        let keep = keep.min(sealed.len() - 1);
        prop_assert_eq!(sealer.open(&sealed[..keep], holder("teller", 1), now), Err(TicketRefused));
    }
}
