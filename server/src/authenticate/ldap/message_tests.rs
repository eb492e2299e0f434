//! Requests have the bytes that directories know, and nothing but an answer is one.

use proptest::prelude::*;

use super::*;

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An answer's content, as it comes off the wire.
fn content(id: u32, kind: u8, parts: &[Vec<u8>], controls: &[Vec<u8>]) -> Vec<u8> {
    let mut content = [number(INTEGER, id), of_parts(kind, parts)].concat();
    if !controls.is_empty() {
        content.extend(of_parts(CONTROLS, controls));
    }
    content
}

fn outcome(code: u32) -> Vec<Vec<u8>> {
    vec![number(ENUMERATED, code), element(OCTET_STRING, b""), element(OCTET_STRING, b"text")]
}

fn control(kind: &str, value: Option<&[u8]>) -> Vec<u8> {
    let value = value.map(|value| element(OCTET_STRING, value));
    let kind = element(OCTET_STRING, kind.as_bytes());
    of_parts(SEQUENCE, &[Some(kind), value].into_iter().flatten().collect::<Vec<_>>())
}

#[test]
fn a_bind_has_the_bytes_of_the_protocol() {
    let bind = bind(1, "uid=ann", "secret");
    let head: &[u8] = &[0x30, 0x38, 2, 1, 1, 0x60, 0x14, 2, 1, 3, 4, 7];
    let control = [0xa0, 0x1d, 0x30, 0x1b, 4, 0x19];
    let whole = [head, b"uid=ann", &[0x80, 6], b"secret", &control, PASSWORD_POLICY.as_bytes()];
    assert_eq!(bind, bytes(&whole));
    assert_eq!(unbind(3), [0x30, 5, 2, 1, 3, 0x42, 0]);
    assert_eq!(start_tls(1)[..9], [0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22]);
}

#[test]
fn a_search_asks_for_what_it_says_and_for_nothing_else() {
    let asked = Search {
        base: "dc=bank",
        scope: Scope::Subtree,
        filter: &[0x87, 1, b'a'],
        attribute: None,
        entries_max: 2,
        seconds_max: 5,
    };
    let head: &[u8] = &[0x30, 0x27, 2, 1, 2, 0x63, 0x22, 4, 7];
    let rest: &[u8] = &[
        10, 1, 2, 10, 1, 0, 2, 1, 2, 2, 1, 5, 1, 1, 0, 0x87, 1, b'a', 0x30, 5, 4, 3, b'1', b'.',
        b'1',
    ];
    assert_eq!(search(2, &asked), bytes(&[head, b"dc=bank", rest]));
}

#[test]
fn an_answer_is_of_its_request_or_none() {
    let answer = content(4, BIND_ANSWER, &outcome(49), &[]);
    let read = Answer::read(&answer, 4).unwrap();
    assert_eq!(
        (read.kind, read.outcome()),
        (BIND_ANSWER, Some(Outcome { code: 49, refers: false }))
    );
    assert_eq!(read.policy_word(), Some(PolicyWord::Fine));
    for other in [0, 3, 5] {
        assert!(Answer::read(&answer, other).is_none());
    }
    let mut referral = outcome(10);
    referral.push(element(REFERRAL, &element(OCTET_STRING, b"ldap://elsewhere/")));
    let answer = content(4, BIND_ANSWER, &referral, &[]);
    assert!(Answer::read(&answer, 4).unwrap().outcome().unwrap().refers);
    for broken in [vec![], vec![number(ENUMERATED, 0)], outcome(0)[1..].to_vec()] {
        let answer = content(4, BIND_ANSWER, &broken, &[]);
        assert_eq!(Answer::read(&answer, 4).unwrap().outcome(), None);
    }
}

#[test]
fn an_expired_password_is_told_in_each_dialect() {
    let word = |control: Vec<u8>| {
        let answer = content(1, BIND_ANSWER, &outcome(0), &[control]);
        Answer::read(&answer, 1).unwrap().policy_word()
    };
    assert_eq!(word(control("1.2.3", Some(b"x"))), Some(PolicyWord::Fine), "another control");
    let expired = std::str::from_utf8(PASSWORD_EXPIRED).unwrap();
    assert_eq!(word(control(expired, Some(b"0"))), Some(PolicyWord::Expired));
    let policy = |value: &[u8]| word(control(PASSWORD_POLICY, Some(&element(SEQUENCE, value))));
    assert_eq!(policy(&[]), Some(PolicyWord::Fine));
    assert_eq!(policy(&[0xa0, 3, 0x80, 1, 9]), Some(PolicyWord::Fine), "nine seconds are left");
    assert_eq!(policy(&[0xa0, 3, 0x81, 1, 2]), Some(PolicyWord::Expired), "two sign-ins are left");
    for error in [0, 1, 2, 8] {
        assert_eq!(policy(&[0x81, 1, error]), Some(PolicyWord::Expired), "error {error}");
    }
    assert_eq!(policy(&[0xa0, 9]), None, "no form");
    assert_eq!(word(control(PASSWORD_POLICY, None)), None, "no word at all");
}

#[test]
fn an_entry_is_read_with_its_values() {
    let values = [element(OCTET_STRING, b"cn=a"), element(OCTET_STRING, b"cn=b")];
    let attribute =
        of_parts(SEQUENCE, &[element(OCTET_STRING, b"memberOf"), of_parts(SET, &values)]);
    let parts = [element(OCTET_STRING, b"uid=ann"), of_parts(SEQUENCE, &[attribute])];
    let answer = content(2, SEARCH_ENTRY, &parts, &[]);
    let entry = Answer::read(&answer, 2).unwrap().entry().unwrap();
    assert_eq!(entry.dn, "uid=ann");
    assert_eq!(entry.attributes, [("memberOf".into(), vec!["cn=a".into(), "cn=b".into()])]);
    let no_text = [element(OCTET_STRING, &[0xff]), of_parts(SEQUENCE, &[])];
    let answer = content(2, SEARCH_ENTRY, &no_text, &[]);
    assert_eq!(Answer::read(&answer, 2).unwrap().entry(), None);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(answer) = Answer::read(&bytes, 1) {
            let _ = (answer.outcome(), answer.entry(), answer.policy_word());
        }
    }

    #[test]
    fn a_broken_answer_is_survived(at in 0_usize..60, bit in 0_u8..8) {
        let attribute = of_parts(
            SEQUENCE,
            &[element(OCTET_STRING, b"memberOf"), of_parts(SET, &[element(OCTET_STRING, b"cn=a")])],
        );
        let parts = [element(OCTET_STRING, b"uid=ann"), of_parts(SEQUENCE, &[attribute])];
        let policy = control(PASSWORD_POLICY, Some(&[0x30, 3, 0x81, 1, 0]));
        let mut bytes = content(1, SEARCH_ENTRY, &parts, &[policy]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Some(answer) = Answer::read(&bytes, 1) {
            let _ = (answer.outcome(), answer.entry(), answer.policy_word());
        }
    }
}
