//! A token opens its own session, for as long as it is used and not too old.

use super::*;

const IDLE: Duration = Duration::from_secs(15 * 60);
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

fn tokens() -> Tokens<u8> {
    Tokens::new(IDLE, LIFETIME)
}

#[test]
fn a_token_finds_its_session_and_no_other_text_does() {
    let (tokens, now) = (tokens(), Instant::now());
    let first = tokens.open("teller", 1, now).unwrap();
    let second = tokens.open("teller", 2, now).unwrap();
    assert_eq!(tokens.find(&first, now).unwrap().signed_in, 1);
    assert_eq!(tokens.find(&second, now).unwrap().signed_in, 2);
    assert!(tokens.find("", now).is_none());
    assert!(tokens.find(&first[1..], now).is_none());
    let swapped: String = first.chars().rev().collect();
    assert!(tokens.find(&swapped, now).is_none());
}

#[test]
fn a_token_has_256_bits() {
    let token = tokens().open("teller", 0, Instant::now()).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(token).unwrap().len(), 32);
}

#[test]
fn use_keeps_a_session_open_and_idleness_ends_it() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open("teller", 0, now).unwrap();
    let later = now + IDLE - Duration::from_secs(1);
    assert!(tokens.find(&token, later).is_some());
    assert!(tokens.find(&token, later + IDLE - Duration::from_secs(1)).is_some());
    assert!(tokens.find(&token, later + IDLE * 3).is_none());
}

#[test]
fn age_ends_a_session_however_busy_it_is() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open("teller", 0, now).unwrap();
    let mut at = now;
    while at + IDLE / 2 < now + LIFETIME {
        at += IDLE / 2;
        assert!(tokens.find(&token, at).is_some());
    }
    assert!(tokens.find(&token, now + LIFETIME).is_none());
}

#[test]
fn closing_ends_one_session_only() {
    let (tokens, now) = (tokens(), Instant::now());
    let first = tokens.open("teller", 1, now).unwrap();
    let second = tokens.open("teller", 2, now).unwrap();
    tokens.close(tokens.find(&first, now).unwrap().session);
    assert!(tokens.find(&first, now).is_none());
    assert!(tokens.find(&second, now).is_some());
}

#[test]
fn one_principal_crowds_out_only_its_own_oldest_session() {
    let (tokens, now) = (tokens(), Instant::now());
    let other = tokens.open("teller", 0, now).unwrap();
    let apart = Duration::from_millis(1);
    let own: Vec<String> = (0..=SESSIONS_PER_PRINCIPAL_MAX)
        .map(|number| tokens.open("pool", 0, now + apart * number as u32).unwrap())
        .collect();
    let end = now + Duration::from_secs(10);
    assert!(tokens.find(&own[0], end).is_none());
    assert!(own[1..].iter().all(|token| tokens.find(token, end).is_some()));
    assert!(tokens.find(&other, end).is_some());
}

#[test]
fn expired_sessions_give_their_places_back() {
    let (tokens, now) = (tokens(), Instant::now());
    for _ in 0..10 {
        tokens.open("pool", 0, now).unwrap();
    }
    tokens.open("pool", 0, now + IDLE).unwrap();
    assert_eq!(tokens.lock().len(), 1);
}
