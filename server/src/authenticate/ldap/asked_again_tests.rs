//! Rounds over a small directory on this machine, whose answer each name chooses.

use martlet_policy::{Directory, SignedIn};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::super::distinguished_name::DistinguishedName;
use super::super::message::{BIND_ANSWER, SEARCH_DONE, SEARCH_ENTRY, SEARCH_REFERENCE};
use super::super::wire::{
    ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, as_number, element, number, of_parts, read_message,
};
use super::super::{Service, Vouched};
use super::*;
use crate::authenticate::der::Elements;
use crate::authenticate::{LdapPeople, LdapRules};

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;

fn message(id: u32, kind: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    of_parts(SEQUENCE, &[number(INTEGER, id), of_parts(kind, parts)])
}

fn octets(text: &str) -> Vec<u8> {
    element(OCTET_STRING, text.as_bytes())
}

fn success(id: u32, kind: u8) -> Vec<u8> {
    message(id, kind, &[number(ENUMERATED, 0), octets(""), octets("")])
}

/// Of `elsewhere…` it refers for a part, `twice…` it has many times, at `closed…` it closes the
/// connection, and everybody else is there once.
fn found(id: u32, dn: &str) -> Option<Vec<u8>> {
    let entry = message(id, SEARCH_ENTRY, &[octets(dn), element(SEQUENCE, &[])]);
    let done = success(id, SEARCH_DONE);
    match dn.strip_prefix("uid=")? {
        name if name.starts_with("closed") => None,
        name if name.starts_with("elsewhere") => {
            Some([message(id, SEARCH_REFERENCE, &[octets("ldap://elsewhere/")]), done].concat())
        }
        name if name.starts_with("twice") => Some([entry.repeat(5), done].concat()),
        _ => Some([entry, done].concat()),
    }
}

async fn answer_all(mut stream: TcpStream) -> Option<()> {
    loop {
        let content = read_message(&mut stream).await.ok()?;
        let mut parts = Elements::new(&content);
        let id = as_number(parts.expect(INTEGER)?)?;
        let asked = parts.next()?;
        let answer = match asked.tag {
            BIND => success(id, BIND_ANSWER),
            SEARCH => {
                let dn = Elements::new(asked.content).expect(OCTET_STRING)?;
                found(id, std::str::from_utf8(dn).ok()?)?
            }
            _ => return None,
        };
        stream.write_all(&answer).await.ok()?;
    }
}

async fn directory() -> Ldap {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream));
        }
    });
    let people = LdapPeople::Named { dn: "uid={name},dc=bank".into() };
    let mut ldap = Ldap::set_up(&LdapRules::new(url, people), None).unwrap();
    ldap.service = Some(Service { dn: "cn=martlet,dc=bank".into(), password: "secret".into() });
    ldap
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn signed_in(name: &str) -> SignedIn {
    let feed = format!("name,roles,node,password\n{name},,,ldap\n");
    Directory::parse(&feed).unwrap().vouched_for(name).unwrap()
}

fn stands(ldap: &Ldap, name: &str) -> bool {
    let entry = DistinguishedName::parse(&format!("uid={name},dc=bank")).unwrap();
    ldap.still_vouches(&signed_in(name), &Vouched(entry))
}

#[tokio::test]
async fn questions_that_are_left_open_keep_nobody_else_from_being_asked_about() {
    let ldap = directory().await;
    let asked = names(&["elsewhere-1", "elsewhere-2", "elsewhere-3", "elsewhere-4", "zoe"]);
    assert_eq!(ldap.ask_again(&asked).await, 5);
    assert!(stands(&ldap, "zoe"));
    assert!(!stands(&ldap, "elsewhere-1"), "nothing was said of them");
}

#[tokio::test]
async fn outages_one_after_the_other_break_a_round_off() {
    let ldap = directory().await;
    let asked = names(&["closed-1", "closed-2", "closed-3", "zoe"]);
    assert_eq!(ldap.ask_again(&asked).await, 3, "the next round goes on behind them");
    assert!(!stands(&ldap, "zoe"));
    let asked = names(&["closed-1", "closed-2", "ann", "closed-3", "closed-4", "zoe"]);
    assert_eq!(ldap.ask_again(&asked).await, 6, "between them it has answered");
    assert!(stands(&ldap, "ann") && stands(&ldap, "zoe"));
}

#[tokio::test]
async fn what_is_left_of_an_answer_is_none_to_the_next_question() {
    let ldap = directory().await;
    assert_eq!(ldap.ask_again(&names(&["twice", "zoe"])).await, 2);
    assert!(stands(&ldap, "zoe"), "on a connection of her own");
    assert!(!stands(&ldap, "twice"));
}

#[tokio::test]
async fn a_round_that_is_broken_off_goes_on_where_it_was() {
    let mut ldap = directory().await;
    ldap.asked_every = Duration::from_millis(1);
    let who = || names(&["closed-1", "closed-2", "closed-3", "zoe"]);
    let waits = tokio::time::timeout(Duration::from_secs(60), async {
        while !stands(&ldap, "zoe") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    tokio::select! {
        () = ldap.keep_asking(who) => {}
        _ = waits => {}
    }
    assert!(stands(&ldap, "zoe"));
}

#[test]
fn there_are_as_many_conversations_as_people_need() {
    assert_eq!([0, 1, 16, 17, 12_000].map(lanes_for), [0, 1, 1, 2, LANES_MAX]);
}
