//! A token opens its own session, for as long as it is used and not too old; its successor takes
//! its place and nothing else does.

use super::*;

const IDLE: Duration = Duration::from_secs(15 * 60);
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
const AFTER: Duration = Duration::from_secs(10 * 60);
const OVERLAP: Duration = Duration::from_secs(60);
const SESSIONS_MAX_OF_ONE: usize = 20;

fn tokens_with(old: OldToken) -> Tokens<u8> {
    let rotation = TokenRotation { after: AFTER, overlap: OVERLAP, old };
    let sessions_max = SESSIONS_MAX_OF_ONE;
    Tokens::new(&SignInRules { sessions_max, rotation, ..SignInRules::default() }).unwrap()
}

fn tokens() -> Tokens<u8> {
    tokens_with(OldToken::UntilSuccessorIsUsed)
}

impl Tokens<u8> {
    /// For as long as sessions live.
    fn open(&self, name: &str, proof: u8, now: Instant) -> Result<String, Refused> {
        self.open_for(LIFETIME, name, proof, now)
    }
}

fn found(tokens: &Tokens<u8>, key: Key<'_>, now: Instant) -> Option<OpenSession<u8>> {
    tokens.find(key, now, |_| Ok::<(), Refused>(())).unwrap()
}

fn find(tokens: &Tokens<u8>, token: &str, now: Instant) -> Option<OpenSession<u8>> {
    found(tokens, Key::Token(token), now)
}

fn successor(tokens: &Tokens<u8>, token: &str, now: Instant) -> Option<String> {
    find(tokens, token, now).unwrap().successor.map(|next| next.text().to_owned())
}

#[test]
fn a_token_finds_its_session_and_no_other_text_does() {
    let (tokens, now) = (tokens(), Instant::now());
    let first = tokens.open("teller", 1, now).unwrap();
    let second = tokens.open("teller", 2, now).unwrap();
    assert_eq!(find(&tokens, &first, now).unwrap().proof, 1);
    assert_eq!(find(&tokens, &second, now).unwrap().proof, 2);
    assert!(find(&tokens, "", now).is_none());
    assert!(find(&tokens, &first[1..], now).is_none());
    let swapped: String = first.chars().rev().collect();
    assert!(find(&tokens, &swapped, now).is_none());
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
    assert!(find(&tokens, &token, later).is_some());
    assert!(find(&tokens, &token, later + IDLE - Duration::from_secs(1)).is_some());
    assert!(find(&tokens, &token, later + IDLE * 3).is_none());
}

#[test]
fn an_open_stream_is_use_until_the_session_is_too_old() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open("teller", 3, now).unwrap();
    let session = find(&tokens, &token, now).unwrap().session;
    let mut at = now;
    while at + IDLE / 2 < now + LIFETIME {
        at += IDLE / 2;
        assert_eq!(tokens.keep(session, at), Some(3));
    }
    assert_eq!(tokens.keep(session, now + LIFETIME), None);
    assert!(find(&tokens, &token, at).is_none(), "it is gone");
}

#[test]
fn age_ends_a_session_however_busy_it_is() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open("teller", 0, now).unwrap();
    let mut at = now;
    while at + IDLE / 2 < now + LIFETIME {
        at += IDLE / 2;
        assert!(find(&tokens, &token, at).is_some());
    }
    assert!(find(&tokens, &token, now + LIFETIME).is_none());
}

#[test]
fn closing_ends_one_session_only() {
    let (tokens, now) = (tokens(), Instant::now());
    let first = tokens.open("teller", 1, now).unwrap();
    let second = tokens.open("teller", 2, now).unwrap();
    let session = find(&tokens, &first, now).unwrap().session;
    tokens.close(session);
    assert!(find(&tokens, &first, now).is_none());
    assert_eq!(tokens.keep(session, now), None);
    assert!(find(&tokens, &second, now).is_some());
}

#[test]
fn one_principal_crowds_out_only_its_own_oldest_session() {
    let (tokens, now) = (tokens(), Instant::now());
    let other = tokens.open("teller", 0, now).unwrap();
    let apart = Duration::from_millis(1);
    let own: Vec<String> = (0..=SESSIONS_MAX_OF_ONE)
        .map(|number| tokens.open("pool", 0, now + apart * number as u32).unwrap())
        .collect();
    let end = now + Duration::from_secs(10);
    assert!(find(&tokens, &own[0], end).is_none());
    assert!(own[1..].iter().all(|token| find(&tokens, token, end).is_some()));
    assert!(find(&tokens, &other, end).is_some());
}

#[test]
fn expired_sessions_give_their_places_back() {
    let (tokens, now) = (tokens(), Instant::now());
    for _ in 0..10 {
        tokens.open("pool", 0, now).unwrap();
    }
    tokens.open("pool", 0, now + IDLE).unwrap();
    let table = tokens.lock();
    assert_eq!((table.sessions.len(), table.by_key.len()), (1, 1));
}

#[test]
fn a_token_that_is_not_old_has_no_successor() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open("teller", 0, now).unwrap();
    assert_eq!(successor(&tokens, &token, now + AFTER - Duration::from_secs(1)), None);
}

#[test]
fn a_successor_takes_the_place_of_its_predecessor_once_it_is_used() {
    let (tokens, now) = (tokens(), Instant::now());
    let first = tokens.open("teller", 7, now).unwrap();
    let session = find(&tokens, &first, now).unwrap().session;
    let due = now + AFTER;
    let second = successor(&tokens, &first, due).unwrap();
    assert_ne!(first, second);
    assert_eq!(successor(&tokens, &first, due).unwrap(), second, "told again to who asks again");
    let used = due + OVERLAP * 3;
    assert!(find(&tokens, &first, used).is_some(), "a driver that does not rotate stays in");
    let next = find(&tokens, &second, used).unwrap();
    assert_eq!((next.session, next.proof, next.successor), (session, 7, None));
    let within = used + OVERLAP - Duration::from_secs(1);
    assert_eq!(successor(&tokens, &first, within).unwrap(), second, "requests on their way");
    assert!(find(&tokens, &first, used + OVERLAP).is_none(), "then it is worth nothing");
    assert!(find(&tokens, &second, used + OVERLAP).is_some());
}

#[test]
fn strict_rotation_ends_a_token_whose_successor_nobody_used() {
    let (tokens, now) = (tokens_with(OldToken::OverlapOnly), Instant::now());
    let first = tokens.open("teller", 0, now).unwrap();
    let due = now + AFTER;
    let second = successor(&tokens, &first, due).unwrap();
    assert!(find(&tokens, &first, due + OVERLAP - Duration::from_secs(1)).is_some());
    assert!(find(&tokens, &first, due + OVERLAP).is_none());
    assert!(find(&tokens, &second, due + OVERLAP).is_some());
}

#[test]
fn a_token_is_good_for_its_overlap_however_soon_the_next_would_be_due() {
    let rotation =
        TokenRotation { after: Duration::ZERO, overlap: OVERLAP, old: OldToken::OverlapOnly };
    let rules = SignInRules { rotation, ..SignInRules::default() };
    let (tokens, now) = (Tokens::<u8>::new(&rules).unwrap(), Instant::now());
    let first = tokens.open("teller", 0, now).unwrap();
    let second = successor(&tokens, &first, now).unwrap();
    assert_eq!(successor(&tokens, &second, now), None, "not while the first one may come");
    let within = now + OVERLAP - Duration::from_secs(1);
    assert_eq!(successor(&tokens, &first, within).unwrap(), second);
    let third = successor(&tokens, &second, now + OVERLAP).unwrap();
    assert!(find(&tokens, &third, now + OVERLAP).is_some());
    assert!(find(&tokens, &first, now + OVERLAP).is_none());
}

#[test]
fn generations_leave_nothing_behind() {
    let (tokens, now) = (tokens(), Instant::now());
    let mut token = tokens.open("teller", 0, now).unwrap();
    let mut all = vec![token.clone()];
    for turn in 1..=20 {
        let at = now + AFTER * turn;
        token = successor(&tokens, &token, at).unwrap();
        assert!(find(&tokens, &token, at).is_some());
        all.push(token.clone());
    }
    assert_eq!(tokens.lock().by_key.len(), 2, "the newest and the one before");
    let end = now + AFTER * 20 + OVERLAP;
    let good = all.iter().filter(|token| find(&tokens, token, end).is_some()).count();
    assert_eq!(good, 1);
    tokens.close(find(&tokens, &token, end).unwrap().session);
    assert!(tokens.lock().by_key.is_empty());
}

#[test]
fn nobody_makes_successors_without_the_key() {
    let (one, other, now) = (tokens(), tokens(), Instant::now());
    let token = one.open("teller", 0, now).unwrap();
    let next = successor(&one, &token, now + AFTER).unwrap();
    assert_ne!(other.successor_of(&token).text(), next);
    assert_eq!(format!("{:?}", one.successor_of(&token)), "Successor(..)");
    assert_eq!(URL_SAFE_NO_PAD.decode(&next).unwrap().len(), 32);
}

#[test]
fn credentials_of_others_open_one_session_each_and_end_with_them() {
    let (tokens, now) = (tokens(), Instant::now());
    let (issued, digest) = (Key::Issued("a.b.c"), [7; 32]);
    let lasts = Duration::from_secs(60);
    let session = tokens.adopt(issued, "teller", 1, lasts, now).unwrap();
    assert_eq!(tokens.adopt(issued, "teller", 1, lasts, now).unwrap(), session, "at the same time");
    assert_eq!(found(&tokens, issued, now).unwrap().session, session);
    assert!(found(&tokens, issued, now + lasts).is_none());
    let bound = tokens.adopt(Key::Certificate(&digest), "teller", 1, LIFETIME * 9, now).unwrap();
    let mut at = now;
    while at + IDLE / 2 < now + LIFETIME {
        at += IDLE / 2;
        let open = found(&tokens, Key::Certificate(&digest), at).unwrap();
        assert_eq!((open.session, open.successor), (bound, None), "no successor either");
    }
    assert!(found(&tokens, Key::Certificate(&digest), now + LIFETIME).is_none());
}

#[test]
fn the_name_of_a_credential_is_no_token() {
    let (tokens, now) = (tokens(), Instant::now());
    let digest = *b"0123456789abcdef0123456789abcdef";
    tokens.adopt(Key::Certificate(&digest), "teller", 1, LIFETIME, now).unwrap();
    tokens.adopt(Key::Issued("a.b.c"), "teller", 1, LIFETIME, now).unwrap();
    let text = std::str::from_utf8(&digest).unwrap();
    assert!(find(&tokens, text, now).is_none() && find(&tokens, "a.b.c", now).is_none());
    assert!(found(&tokens, Key::Issued(text), now).is_none());
}

#[test]
fn closing_all_of_one_principal_leaves_the_others() {
    let (tokens, now) = (tokens(), Instant::now());
    let own = [tokens.open("teller", 1, now).unwrap(), tokens.open("teller", 2, now).unwrap()];
    let other = tokens.open("tellers", 3, now).unwrap();
    tokens.close_all("teller");
    assert!(own.iter().all(|token| find(&tokens, token, now).is_none()));
    assert!(find(&tokens, &other, now).is_some());
}

#[test]
fn whoever_is_refused_leaves_a_token_as_it_is() {
    let (tokens, now) = (tokens_with(OldToken::OverlapOnly), Instant::now());
    let refused = |token: &str, at| {
        let found = tokens.find(Key::Token(token), at, |_| Err(Refused::NoSession));
        assert_eq!(found.unwrap_err(), Refused::NoSession);
    };
    let token = tokens.open("teller", 0, now).unwrap();
    let idle = now + IDLE - Duration::from_secs(1);
    refused(&token, idle);
    assert!(find(&tokens, &token, now + IDLE).is_none(), "it was no use");
    let token = tokens.open("teller", 0, now).unwrap();
    refused(&token, now + AFTER);
    let later = now + AFTER + OVERLAP * 2;
    let next = successor(&tokens, &token, later).expect("nothing had begun its end");
    refused(&next, later);
    let with_the_old_one = later + OVERLAP - Duration::from_secs(1);
    assert!(find(&tokens, &token, with_the_old_one).is_some());
    assert!(find(&tokens, &next, with_the_old_one).is_some());
}

#[test]
fn a_session_can_be_opened_for_a_shorter_time_and_names_are_told_once() {
    let (tokens, now) = (tokens(), Instant::now());
    let token = tokens.open_for(IDLE / 3, "teller", 1, now).unwrap();
    tokens.open("teller", 1, now).unwrap();
    tokens.open("manager", 1, now).unwrap();
    tokens.open("auditor", 2, now).unwrap();
    assert_eq!(tokens.names(|proof| *proof == 1, now), ["manager", "teller"]);
    assert!(tokens.names(|_| true, now + IDLE).is_empty(), "their sessions are over");
    assert!(find(&tokens, &token, now + IDLE / 3 - Duration::from_secs(1)).is_some());
    assert!(find(&tokens, &token, now + IDLE / 3).is_none());
    assert!(tokens.open_for(LIFETIME * 2, "teller", 1, now).is_ok());
}
