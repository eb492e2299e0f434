//! A handle works in its own session, again and again, until it is closed, idle or crowded out.

use arrow::datatypes::Schema;

use super::*;

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn prepared(sql: &str) -> Prepared {
    Prepared {
        sql: sql.into(),
        parameters: Bytes::new(),
        schema: Arc::new(Schema::empty()),
        described_in: Weak::new(),
    }
}

#[test]
fn a_handle_is_found_again_and_again_in_its_own_session_only() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(session(1), prepared("select 1"), now).unwrap();
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
    let handle = statements.keep(session(1), prepared("select ?"), now).unwrap();
    for bound in [&b"one"[..], b"two", b""] {
        statements.bind(&handle, session(1), Bytes::from_static(bound), now).unwrap();
        assert_eq!(statements.find(&handle, session(1), now).unwrap().parameters, bound);
    }
}

#[test]
fn handles_of_any_other_shape_are_unknown() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(session(1), prepared("select 1"), now).unwrap();
    for wrong in [&b""[..], &handle[1..], &[0; 16], &[0; 64]] {
        assert!(statements.find(wrong, session(1), now).is_none());
        statements.close(wrong, session(1));
    }
    assert!(statements.find(&handle, session(1), now).is_some());
}

#[test]
fn idleness_ends_a_statement_and_use_keeps_it() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let handle = statements.keep(session(1), prepared("select 1"), now).unwrap();
    let later = now + PREPARED_IDLE_MAX - Duration::from_secs(1);
    assert!(statements.find(&handle, session(1), later).is_some());
    assert!(statements.find(&handle, session(1), later + PREPARED_IDLE_MAX).is_none());
}

#[test]
fn one_session_crowds_out_only_its_own_oldest() {
    let (statements, now) = (PreparedStatements::default(), Instant::now());
    let other = statements.keep(session(2), prepared("select 1"), now).unwrap();
    let large = "x".repeat(BYTES_PER_SESSION_MAX / 4);
    let handles: Vec<Bytes> = (0..5)
        .map(|second| {
            let at = now + Duration::from_secs(second);
            statements.keep(session(1), prepared(&large), at).unwrap()
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
