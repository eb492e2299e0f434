//! One-time codes: needed by whoever has a secret, good once, and never seen again.

use std::time::{SystemTime, UNIX_EPOCH};

use martlet_policy::{PasswordCost, hash_password};
use ring::hmac;

use super::super::sessions::journal_text;
use super::{COUNT, IN_A, ONE_TEXT, mart, rules, sign_ins};
use crate::support::mart::{PASSWORD, Server};
use crate::support::{Client, TestMart};

/// `12345678901234567890` in base32.
pub(super) const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The code of a step, as an authenticator app would show it.
pub(super) fn code(step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(mac.as_ref()[19] & 15);
    let four: [u8; 4] = mac.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

pub(super) fn step() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30
}

/// Another code than those that are good now.
fn wrong_code() -> String {
    let good: Vec<String> = (step() - 2..step() + 4).map(code).collect();
    (0..100_u32).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap()
}

async fn served() -> (TestMart, Server) {
    let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
    let feed = format!(
        "name,roles,node,password,totp\nann,clerk,a,\"{hash}\",{SECRET}\nbob,clerk,b,\"{hash}\",{SECRET}\n\
         cat,clerk,a,\"{hash}\",\neve,auditor,root,\"{hash}\",\n"
    );
    let mart = mart(rules().feed(&feed)).await;
    let server = mart.serve().await;
    (mart, server)
}

async fn sign_in(
    server: &Server,
    name: &str,
    password: &str,
    header: Option<&str>,
) -> Result<Client, String> {
    let mut client = Client::anonymous(server.address).await;
    if let Some(code) = header {
        client.inner.set_header("martlet-totp", code);
    }
    match client.inner.handshake(name, password).await {
        Ok(_) => Ok(client),
        Err(refused) => Err(refused.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_secret_needs_its_code_and_each_code_is_good_once() {
    let (_mart, server) = served().await;
    let now = step();
    let with = |code: &str| format!("{PASSWORD}{code}");
    for (password, header) in [
        (PASSWORD.to_string(), None),
        (with(&wrong_code()), None),
        (with(""), Some(wrong_code())),
        (with(&code(now + 4)), None),
        (with(&code(now - 4)), None),
        (format!("wrong{}", code(now)), None),
        (with(&code(now)), Some(code(now))),
    ] {
        let refused = sign_in(&server, "ann", &password, header.as_deref()).await;
        let text = refused.err().expect("refused");
        assert!(text.contains(ONE_TEXT), "{text}");
    }
    let mut ann = sign_in(&server, "ann", &with(&code(now)), None).await.unwrap();
    assert_eq!(ann.number(COUNT).await, IN_A);
    for again in [with(&code(now)), with(&code(now - 1))] {
        assert!(sign_in(&server, "ann", &again, None).await.is_err(), "used, or before it");
    }
    let next = code(now + 1);
    let mut ann = sign_in(&server, "ann", PASSWORD, Some(&next)).await.unwrap();
    assert_eq!(ann.number(COUNT).await, IN_A, "by a header of its own");
    let replayed = sign_in(&server, "ann", PASSWORD, Some(&next)).await;
    assert!(replayed.err().expect("refused").contains(ONE_TEXT));
    // A tool that sends the header with all its connections takes nothing from others.
    assert!(sign_in(&server, "cat", PASSWORD, Some("123456")).await.is_ok());
    assert!(sign_in(&server, "bob", &with(&code(now + 1)), None).await.is_ok(), "bob's own memory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_codes_lock_as_wrong_passwords_do() {
    let (mart, server) = served().await;
    for _ in 0..10 {
        let guess = format!("{PASSWORD}{}", wrong_code());
        assert!(sign_in(&server, "ann", &guess, None).await.is_err());
    }
    let right = format!("{PASSWORD}{}", code(step()));
    let locked = sign_in(&server, "ann", &right, None).await;
    assert!(locked.err().expect("locked").contains(ONE_TEXT));
    let journal = journal_text(&mart);
    assert!(journal.contains(r#""refused_because":"locked""#));
    assert_eq!(journal.matches(r#""refused_because":"code""#).count(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_has_the_method_and_nothing_has_the_secret() {
    let (mart, server) = served().await;
    let good = code(step());
    sign_in(&server, "ann", &format!("{PASSWORD}{}", wrong_code()), None).await.err().unwrap();
    sign_in(&server, "ann", &format!("{PASSWORD}{good}"), None).await.unwrap();
    sign_in(&server, "cat", PASSWORD, None).await.unwrap();
    let mut eve = Client::sign_in(server.address, "eve").await;
    let of_ann = "principal = 'ann' AND method = 'totp'";
    assert_eq!(sign_ins(&mut eve, &format!("{of_ann} AND decision = 'denied'")).await, 1);
    assert_eq!(sign_ins(&mut eve, &format!("{of_ann} AND decision = 'allowed'")).await, 1);
    assert_eq!(sign_ins(&mut eve, "principal = 'cat' AND method = 'password'").await, 1);
    let journal = journal_text(&mart);
    assert!(journal.contains(r#""refused_because":"code""#));
    for secret in [SECRET, &good, PASSWORD] {
        assert!(!journal.contains(secret), "the record holds what signs in");
    }
}
