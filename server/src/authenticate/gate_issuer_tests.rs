//! An issuer's tokens and cuts: what was issued before somebody was cut off stays worthless, also when
//! they are let go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;
use crate::alarm::{Curb, Curbed};
use crate::audit::RecordId;

/// A gate that believes an issuer, and the issuer's key.
struct Issuing {
    scene: Scene,
    key: Ed25519KeyPair,
    _folder: tempfile::TempDir,
}

impl Issuing {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let point = URL_SAFE_NO_PAD.encode(key.public_key());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": point}]});
        let file = folder.path().join("keys.json");
        std::fs::write(&file, keys.to_string()).unwrap();
        let issuer = IssuerRules {
            issuer: "https://id.bank".into(),
            audience: "mart".into(),
            keys: file,
            principal: PrincipalClaim::Subject,
            lifetime_max: ISSUER_LIFETIME_MAX,
        };
        let rules = SignInRules { issuer: Some(issuer), ..SignInRules::default() };
        let scene = Scene::new().await;
        let gate = Gate::new(scene.engine.clone(), &rules, Arc::clone(&scene.curbs)).unwrap();
        Self { scene: Scene { gate, ..scene }, key, _folder: folder }
    }

    /// A token of the teller, with these times.
    fn token(&self, times: Value) -> String {
        let mut claims = json!({"iss": "https://id.bank", "aud": "mart", "sub": "teller"});
        claims["exp"] = json!(now() + 600);
        for (name, time) in times.as_object().unwrap() {
            claims[name] = time.clone();
        }
        let header = json!({"alg": "EdDSA", "kid": "ed"});
        let text = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", text(header), text(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Why a token is refused, at both doors; `None` if it is taken at both.
    async fn refused_because(&self, token: &str) -> Option<&'static str> {
        let connection = Connection::default();
        let exchanged = Some(Credentials::Bearer(token.into()));
        let exchanged = self.scene.gate.enter(exchanged, None, &connection).await.err();
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let origin = Origin::new(None, &headers);
        let borne = self.scene.gate.admit(&headers, &connection, origin).err();
        assert_eq!(exchanged, borne, "both doors are one");
        let refusal = borne?;
        assert_eq!(refusal.told, Refused::WrongCredentials);
        assert!(refusal.is_no_guess(), "a tool that goes on with it shuts nobody out");
        refusal.attempted.unwrap().refused_because
    }

    /// Cuts the teller off as the alarms do, so many seconds ago, and lets go again.
    fn cut_and_let_go(&self, ago: i64) {
        let (how, alarm_id) = (Curbed::Cut, RecordId::draw().unwrap());
        let since = (now() - ago) * 1_000_000;
        let curb = Curb { how, rule: "rule".into(), alarm_id, since, until: None };
        self.scene.curbs.hold("teller", curb);
        self.scene.gate.close_all("teller");
        assert!(self.scene.curbs.lift("teller"));
    }
}

fn now() -> i64 {
    super::super::Clock::start().seconds().unwrap()
}

#[tokio::test]
async fn a_token_from_before_a_cut_stays_worthless_when_the_cut_is_lifted() {
    let issuing = Issuing::new().await;
    let before = issuing.token(json!({"iat": now() - 300}));
    let undated = issuing.token(json!({"nbf": now() - 300}));
    let late = issuing.token(json!({"iat": now() - 300, "nbf": now() - 5}));
    for token in [&before, &undated, &late] {
        assert_eq!(issuing.refused_because(token).await, None);
    }
    issuing.cut_and_let_go(200);
    for token in [&before, &undated, &late] {
        assert_eq!(issuing.refused_because(token).await, Some("from before a cut"));
    }
    let after = issuing.token(json!({"iat": now() - 10}));
    assert_eq!(issuing.refused_because(&after).await, None, "they sign in anew");
}

#[tokio::test]
async fn clocks_that_differ_make_no_token_of_before_one_of_after() {
    let issuing = Issuing::new().await;
    issuing.cut_and_let_go(100);
    // By an issuer whose clock is fifty seconds ahead.
    let before = issuing.token(json!({"iat": now() - 110 + 50}));
    assert_eq!(issuing.refused_because(&before).await, Some("from before a cut"));
    let after = issuing.token(json!({"iat": now() - 30}));
    assert_eq!(issuing.refused_because(&after).await, None);
}
