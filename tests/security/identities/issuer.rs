//! Tokens of an issuer: exchanged or sent with every request, judged each time, and forged in
//! every way that has worked somewhere.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use martlet_server::authenticate::{IssuerRules, PrincipalClaim};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::super::sessions::journal_text;
use super::{COUNT, IN_A, ONE_TEXT, mart, rules, sign_ins};
use crate::support::mart::{PASSWORD, Server};
use crate::support::{Bundle, Client, TestMart};

/// Longer than the server goes on with keys that its file does not hold any more.
const KEYS_NOTICED: Duration = Duration::from_millis(1_500);

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The issuer's own key.
struct Identity {
    pair: EcdsaKeyPair,
}

impl Identity {
    fn new() -> Self {
        let (signing, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap() }
    }

    fn key(&self, name: &str) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (text(&point[1..33]), text(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "kid": name, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    fn signed(&self, header: &Value, claims: &str) -> String {
        let message = format!("{}.{}", text(header.to_string()), text(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", text(signature))
    }

    fn token(&self, name: &str) -> String {
        self.signed(&header(), &claims(name).to_string())
    }
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"})
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn claims(name: &str) -> Value {
    json!({"iss": "https://id.bank", "aud": ["mart"], "sub": name, "iat": now() - 5, "exp": now() + 300})
}

fn people() -> Bundle {
    rules()
        .principal("ann", "clerk", "a")
        .principal("bob", "clerk", "b")
        .principal("eve", "auditor", "root")
}

struct Scene {
    mart: TestMart,
    server: Server,
    identity: Identity,
    keys: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let mart = mart(people()).await;
        let identity = Identity::new();
        let keys = mart.folder.path().join("keys.json");
        std::fs::write(&keys, json!({"keys": [identity.key("one")]}).to_string()).unwrap();
        let rules = IssuerRules {
            issuer: "https://id.bank".into(),
            audience: "mart".into(),
            keys: keys.clone(),
            principal: PrincipalClaim::Subject,
            lifetime_max: Duration::from_secs(3_600),
        };
        let server = mart.serve_with(|config| config.sign_in.issuer = Some(rules)).await;
        Self { mart, server, identity, keys }
    }

    /// A client that sends this bearer with every request.
    async fn bearing(&self, token: &str) -> Client {
        let mut client = Client::anonymous(self.server.address).await;
        client.inner.set_token(token.to_owned());
        client
    }

    /// A client that exchanged this bearer for a session's token.
    async fn exchanged(&self, token: &str) -> Result<Client, String> {
        let mut client = self.bearing(token).await;
        match client.inner.handshake("", "").await {
            Ok(_) => Ok(client),
            Err(refused) => Err(refused.to_string()),
        }
    }

    /// Both doors refuse in the words of a wrong password.
    async fn refuses(&self, token: &str, why: &str) {
        let at_handshake = self.exchanged(token).await.err();
        let at_handshake = at_handshake.unwrap_or_else(|| panic!("exchanged: {why}"));
        assert!(at_handshake.contains(ONE_TEXT), "{why}: {at_handshake}");
        let asked = self.bearing(token).await.query(COUNT).await;
        let asked = asked.err().unwrap_or_else(|| panic!("answered: {why}")).to_string();
        assert!(asked.contains(ONE_TEXT), "{why}: {asked}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_exchanged_at_the_handshake() {
    let scene = Scene::new().await;
    let token = scene.identity.token("ann");
    let mut ann = scene.exchanged(&token).await.unwrap();
    assert_ne!(ann.inner.token(), Some(&token), "a session's token");
    assert_eq!(ann.number(COUNT).await, IN_A, "roles and node are the feed's");
    let mut eve = Client::sign_in(scene.server.address, "eve").await;
    let accepted = "principal = 'ann' AND method = 'oidc' AND decision = 'allowed'";
    assert_eq!(sign_ins(&mut eve, accepted).await, 1);
    assert!(!journal_text(&scene.mart).contains(&token));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_with_every_request_is_one_session() {
    let scene = Scene::new().await;
    let token = scene.identity.token("ann");
    let (mut one, mut other) = (scene.bearing(&token).await, scene.bearing(&token).await);
    assert_eq!(one.number(COUNT).await, IN_A);
    let info = one.inner.execute(COUNT.into(), None).await.unwrap();
    assert!(other.fetch(info).await.is_ok(), "connections of one token share tickets");
    let mut prepared = one.inner.prepare(COUNT.into(), None).await.unwrap();
    let close = arrow_flight::Action { r#type: "CloseSession".into(), body: Vec::new().into() };
    let mut request = tonic::Request::new(close);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    other.inner.inner_mut().do_action(request).await.unwrap();
    assert!(prepared.execute().await.is_ok(), "one connection's end is not the other's");
    let fresh = scene.identity.token("ann");
    assert_ne!(fresh, token);
    let info = one.inner.execute(COUNT.into(), None).await.unwrap();
    let foreign = scene.bearing(&fresh).await.fetch(info).await.unwrap_err().to_string();
    assert!(
        foreign.contains("there is no such ticket"),
        "another token, another session: {foreign}"
    );
    let mut eve = Client::sign_in(scene.server.address, "eve").await;
    let accepted = "principal = 'ann' AND method = 'oidc' AND decision = 'allowed'";
    assert_eq!(sign_ins(&mut eve, accepted).await, 2, "a session is recorded once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_tokens_are_refused_in_one_voice_and_recorded() {
    let scene = Scene::new().await;
    let good = claims("ann").to_string();
    let id = &scene.identity;
    let unsigned = |alg: &str| {
        format!("{}.{}.", text(json!({"alg": alg, "kid": "one"}).to_string()), text(&good))
    };
    scene.refuses(&unsigned("none"), "A04: no algorithm").await;
    scene.refuses(&unsigned("ES256"), "A04: no signature").await;
    let public = id.pair.public_key().as_ref();
    let message = format!("{}.{}", text(r#"{"alg":"HS256","kid":"one"}"#), text(&good));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), message.as_bytes());
    scene.refuses(&format!("{message}.{}", text(mac)), "A04: the public key as a secret").await;
    let stranger = Identity::new();
    scene.refuses(&stranger.token("ann"), "another's key under the name of the issuer's").await;
    let mut own = header();
    own["jwk"] = stranger.key("one");
    scene.refuses(&stranger.signed(&own, &good), "a key that the token brings along").await;
    for kid in ["two", "", "one\u{0}", "../keys.json", "' OR 1=1 --"] {
        let header = json!({"alg": "ES256", "kid": kid});
        scene.refuses(&id.signed(&header, &good), "confusion of keys").await;
    }
    for (name, value) in [
        ("iss", json!("https://evil")),
        ("aud", json!("another")),
        ("exp", json!(now() - 120)),
        ("exp", json!(now() + 1_000_000)),
        ("exp", json!((now() + 300).to_string())),
        ("exp", json!(null)),
        ("iat", json!(now() + 600)),
        ("nbf", json!("999")),
        ("sub", json!("ANN")),
        ("sub", json!("ann ")),
        ("sub", json!("nobody")),
        ("cnf", json!({"x5t#S256": "A"})),
    ] {
        let mut claims = claims("ann");
        claims[name] = value.clone();
        let token = id.signed(&header(), &claims.to_string());
        scene.refuses(&token, &format!("{name} is {value}")).await;
    }
    let twice = good.replacen('{', r#"{"sub":"bob","#, 1);
    scene.refuses(&id.signed(&header(), &twice), "a claim twice").await;
    let long = format!("{}{}", id.token("ann"), "A".repeat(8_000));
    scene.refuses(&long, "a signature of eight thousand letters").await;
    let mut client = scene.bearing(&format!("a.{}.c", "A".repeat(30_000))).await;
    assert!(client.query(COUNT).await.is_err(), "an enormous token is not even looked at");
    for (forged, why) in [("FE_HOST|0123", "A03"), ("ann", "a name"), ("", "nothing")] {
        assert!(scene.bearing(forged).await.query(COUNT).await.is_err(), "{why}");
    }
    assert!(scene.exchanged(&id.token("ann")).await.is_ok(), "the right one still comes in");
    let mut eve = Client::sign_in(scene.server.address, "eve").await;
    assert!(sign_ins(&mut eve, "method = 'oidc' AND decision = 'denied'").await >= 40);
    let journal = journal_text(&scene.mart);
    for reason in [
        "signature",
        "key of the token",
        "issuer",
        "audience",
        "time",
        "claims",
        "form of the token",
        "not in the feed",
    ] {
        assert!(journal.contains(&format!(r#""refused_because":"{reason}""#)), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_left_the_feed_is_nobody_whatever_the_issuer_says() {
    let scene = Scene::new().await;
    let token = scene.identity.token("ann");
    let (mut exchanged, mut bearing) =
        (scene.exchanged(&token).await.unwrap(), scene.bearing(&token).await);
    assert_eq!((exchanged.number(COUNT).await, bearing.number(COUNT).await), (IN_A, IN_A));
    let rest = Bundle::default().principal("eve", "auditor", "root");
    scene.mart.apply_people(&rest).await;
    scene.server.engine.refresh().await.unwrap();
    assert!(exchanged.query(COUNT).await.is_err() && bearing.query(COUNT).await.is_err());
    scene.refuses(&token, "gone from the feed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_usable_keys_nobody_comes_in_by_a_token_nor_stays() {
    let scene = Scene::new().await;
    let token = scene.identity.token("ann");
    let mut ann = scene.exchanged(&token).await.unwrap();
    assert_eq!(ann.number(COUNT).await, IN_A);
    let good = std::fs::read(&scene.keys).unwrap();
    for damaged in [None, Some(&good[..good.len() / 2]), Some(&b"{\"keys\":[]}"[..])] {
        match damaged {
            None => std::fs::remove_file(&scene.keys).unwrap(),
            Some(bytes) => std::fs::write(&scene.keys, bytes).unwrap(),
        }
        tokio::time::sleep(KEYS_NOTICED).await;
        scene.refuses(&token, "no keys").await;
        assert!(ann.query(COUNT).await.is_err(), "a session by a key that is not there");
    }
    assert!(Client::sign_in(scene.server.address, "bob").await.query(COUNT).await.is_ok());
    std::fs::write(&scene.keys, &good).unwrap();
    tokio::time::sleep(KEYS_NOTICED).await;
    assert!(scene.exchanged(&token).await.is_ok());
    // Keys change: what the old one signed is worth nothing, the session that it opened too.
    let mut ann = scene.exchanged(&token).await.unwrap();
    let next = Identity::new();
    std::fs::write(&scene.keys, json!({"keys": [next.key("one")]}).to_string()).unwrap();
    tokio::time::sleep(KEYS_NOTICED).await;
    assert!(ann.query(COUNT).await.is_err());
    scene.refuses(&token, "a key that was taken out").await;
    assert!(scene.exchanged(&next.token("ann")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bearer_is_not_good_beyond_its_own_end() {
    let scene = Scene::new().await;
    let mut claims = claims("ann");
    // The clocks may differ by a minute, so it ends in some seconds.
    claims["exp"] = json!(now() - 52);
    claims["iat"] = json!(now() - 300);
    let token = scene.identity.signed(&header(), &claims.to_string());
    let mut ann = scene.bearing(&token).await;
    assert_eq!(ann.number(COUNT).await, IN_A);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(ann.query(COUNT).await.is_err(), "its session was in use, and is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_with_a_token_that_ran_out_shuts_nobody_out() {
    let scene = Scene::new().await;
    let mut claims = claims("ann");
    claims["exp"] = json!(now() - 120);
    claims["iat"] = json!(now() - 300);
    let over = scene.identity.signed(&header(), &claims.to_string());
    let forged = Identity::new().token("ann");
    for _ in 0..110 {
        assert!(scene.exchanged(&over).await.is_err());
    }
    let mut bob = Client::anonymous(scene.server.address).await;
    assert!(bob.inner.handshake("bob", PASSWORD).await.is_ok(), "from the same address");
    for _ in 0..100 {
        assert!(scene.exchanged(&forged).await.is_err());
    }
    let stopped =
        scene.exchanged(&scene.identity.token("ann")).await.err().expect("guessing counts");
    assert!(stopped.contains("too many sign-ins"), "{stopped}");
}
