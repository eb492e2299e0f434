//! A handle works in its own session, again and again, until it is closed, idle or crowded out.

use arrow::datatypes::Schema;

use super::*;

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn holder(principal: &str, number: u8) -> Holder<'_> {
    Holder { principal, session: session(number) }
}

fn prepared(sql: &str) -> Prepared {
    Prepared {
        sql: sql.into(),
        parameters: Bytes::new(),
        schema: Arc::new(Schema::empty()),
        described_in: Weak::new(),
        described_under: None,
    }
}

#[test]
fn a_handle_is_found_again_and_again_in_its_own_session_only() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(holder("teller", 1), prepared("select 1"), now).unwrap();
    for _ in 0..3 {
        assert_eq!(&*statements.find(&handle, session(1), now).unwrap().sql, "select 1");
    }
    assert!(statements.find(&handle, session(2), now).is_none());
    assert!(statements.bind(&handle, session(2), Bytes::from_static(b"x"), now).is_none());
    statements.close(&handle, session(2));
    assert!(statements.find(&handle, session(1), now).is_some(), "strangers close nothing");
    statements.close(&handle, session(1));
    assert!(statements.find(&handle, session(1), now).is_none());
}

#[test]
fn bound_parameters_stay_until_they_are_replaced() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(holder("teller", 1), prepared("select ?"), now).unwrap();
    for bound in [&b"one"[..], b"two", b""] {
        statements.bind(&handle, session(1), Bytes::from_static(bound), now).unwrap();
        assert_eq!(statements.find(&handle, session(1), now).unwrap().parameters, bound);
    }
}

#[test]
fn handles_of_any_other_shape_are_unknown() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(holder("teller", 1), prepared("select 1"), now).unwrap();
    for wrong in [&b""[..], &handle[1..], &[0; 16], &[0; 64]] {
        assert!(statements.find(wrong, session(1), now).is_none());
        statements.close(wrong, session(1));
    }
    assert!(statements.find(&handle, session(1), now).is_some());
}

#[test]
fn idleness_ends_a_statement_and_use_keeps_it() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(holder("teller", 1), prepared("select 1"), now).unwrap();
    let later = now + PREPARED_IDLE_MAX - Duration::from_secs(1);
    assert!(statements.find(&handle, session(1), later).is_some());
    assert!(statements.find(&handle, session(1), later + PREPARED_IDLE_MAX).is_none());
}

#[test]
fn one_session_crowds_out_only_its_own_oldest() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let other = statements.keep(holder("teller", 2), prepared("select 1"), now).unwrap();
    let large = "x".repeat(BYTES_PER_SESSION_MAX / 4 - BYTES_PER_STATEMENT);
    let handles: Vec<Bytes> = (0..5)
        .map(|second| {
            let at = now + Duration::from_secs(second);
            statements.keep(holder("teller", 1), prepared(&large), at).unwrap()
        })
        .collect();
    let end = now + Duration::from_secs(10);
    assert!(statements.find(&handles[0], session(1), end).is_none());
    assert!(handles[1..].iter().all(|handle| statements.find(handle, session(1), end).is_some()));
    assert!(statements.find(&other, session(2), end).is_some());
    statements.close_session(session(1));
    assert!(statements.find(&handles[4], session(1), end).is_none());
    assert!(statements.find(&other, session(2), end).is_some());
}

/// Keeps as many large statements as `sessions` sessions of each principal may hold.
fn fill(statements: &PreparedStatements, principals: &[&str], sessions: u8, from: Instant) {
    let large = "x".repeat(BYTES_PER_SESSION_MAX / 4 - BYTES_PER_STATEMENT);
    let mut at = from;
    for (number, principal) in (0_u8..).zip(principals) {
        for session in 0..sessions {
            for _ in 0..4 {
                at += Duration::from_millis(1);
                let holder = holder(principal, 10 + number * sessions + session);
                statements.keep(holder, prepared(&large), at).unwrap();
            }
        }
    }
}

fn bytes_of(statements: &PreparedStatements) -> usize {
    statements.lock().values().map(|entry| entry.prepared.bytes()).sum()
}

#[test]
fn more_sessions_give_a_principal_no_more_room() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let other = statements.keep(holder("manager", 1), prepared("select 1"), now).unwrap();
    let other_bytes = bytes_of(&statements);
    fill(&statements, &["teller"], 4, now);
    assert_eq!(bytes_of(&statements), BYTES_PER_PRINCIPAL_MAX + other_bytes);
    let end = now + Duration::from_secs(10);
    assert!(statements.find(&other, session(1), end).is_some());
}

#[test]
fn all_principals_together_have_a_bound() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let first = statements.keep(holder("manager", 1), prepared("select 1"), now).unwrap();
    let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fill(&statements, &names, 2, now);
    assert!(bytes_of(&statements) <= BYTES_MAX);
    let end = now + Duration::from_secs(10);
    assert!(statements.find(&first, session(1), end).is_none(), "the oldest goes first");
}
