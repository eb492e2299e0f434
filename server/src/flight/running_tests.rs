//! A cancel reaches every run of its statement, also one that begins later, and no other.

use std::sync::Arc;
use std::time::Duration;

use super::*;

const ID: StatementId = StatementId::from_bytes([1; 16]);
const OTHER: StatementId = StatementId::from_bytes([2; 16]);

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

async fn is_cancelled(run: &mut Run) -> bool {
    tokio::time::timeout(Duration::from_millis(20), run.cancelled()).await.is_ok()
}

#[tokio::test]
async fn a_cancel_reaches_all_runs_of_one_statement_only() {
    let running = Arc::new(Running::default());
    let mut first = running.enter(ID, session(1), "ann").unwrap();
    let mut second = running.enter(ID, session(1), "ann").unwrap();
    let mut other = running.enter(OTHER, session(1), "ann").unwrap();
    running.cancel(&[ID], session(1), Instant::now());
    assert!(is_cancelled(&mut first).await && is_cancelled(&mut second).await);
    assert!(!is_cancelled(&mut other).await);
}

#[tokio::test]
async fn a_statement_cancelled_before_it_begins_never_runs() {
    let running = Arc::new(Running::default());
    running.cancel(&[ID], session(1), Instant::now());
    assert_eq!(running.enter(ID, session(1), "ann").err(), Some(AlreadyCancelled));
}

#[tokio::test]
async fn closing_a_session_cancels_its_statements_only() {
    let running = Arc::new(Running::default());
    let mut own = running.enter(ID, session(1), "ann").unwrap();
    let mut other = running.enter(OTHER, session(2), "ann").unwrap();
    running.cancel_session(session(1));
    assert!(is_cancelled(&mut own).await);
    assert!(!is_cancelled(&mut other).await);
}

#[test]
fn what_has_ended_is_forgotten() {
    let running = Arc::new(Running::default());
    drop(running.enter(ID, session(1), "ann").unwrap());
    assert!(running.lock().is_empty());
    let now = Instant::now();
    running.cancel(&[ID], session(1), now);
    running.cancel(&[OTHER], session(1), now + TICKET_LIFETIME);
    assert!(!running.lock().contains_key(&ID), "its ticket is dead");
    for number in 0..=CANCELLED_MAX {
        let mut bytes = [9; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
        running.cancel(&[StatementId::from_bytes(bytes)], session(1), now + TICKET_LIFETIME);
    }
    assert!(running.lock().len() <= CANCELLED_MAX);
    running.cancel(&[ID, OTHER], session(1), now + TICKET_LIFETIME);
    let kept = running.lock();
    assert!(kept.len() <= CANCELLED_MAX, "there is room for all that come");
    assert!(kept.contains_key(&ID) && kept.contains_key(&OTHER));
}

#[tokio::test]
async fn cutting_a_principal_off_reaches_all_of_its_sessions_and_nobody_else() {
    let running = Arc::new(Running::default());
    let mut first = running.enter(ID, session(1), "ann").unwrap();
    let mut second = running.enter(OTHER, session(2), "ann").unwrap();
    let third = StatementId::from_bytes([3; 16]);
    let mut other = running.enter(third, session(3), "bob").unwrap();
    running.cancel_principal("ann");
    assert!(is_cancelled(&mut first).await && is_cancelled(&mut second).await);
    assert!(!is_cancelled(&mut other).await);
}
