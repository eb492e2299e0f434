//! The gate over a real directory: one answer to every refusal, and a proof at every request.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use martlet_policy::{PasswordCost, TokenKeys, hash_password};
use martlet_query::{EngineOptions, SystemRecords};
use martlet_store::{CommitOutcome, Store};
use tonic::metadata::MetadataValue;

use super::*;

#[derive(Debug)]
struct NoRecords;

impl SystemRecords for NoRecords {
    fn audit_records(&self, _limit: usize) -> Result<RecordBatch, String> {
        Ok(RecordBatch::new_empty(martlet_query::system::audit_record_schema()))
    }
}

#[path = "gate_issuer_tests.rs"]
mod issuer;

struct Scene {
    store: Store,
    engine: Engine,
    gate: Gate,
    curbs: Arc<Curbs>,
}

async fn publish_principals(store: &Store, names: &[&str]) {
    let mut feed = String::from("name,roles,node,password\n");
    for name in names {
        let hash = hash_password(&format!("{name}:secret"), [7; 16], PasswordCost::Test);
        feed.push_str(&format!("{name},teller,,\"{hash}\"\n"));
    }
    let mut commit = store.begin(&store.latest().await.unwrap());
    commit.set_principals(Bytes::from(feed));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
}

impl Scene {
    async fn new() -> Self {
        let store = Store::open("memory://").unwrap();
        publish_principals(&store, &["teller", "manager"]).await;
        let keys = TokenKeys::from_master(&[1; 32]);
        let options = EngineOptions::default();
        let engine = Engine::open(store.clone(), options, Arc::new(NoRecords), keys).await.unwrap();
        let curbs = Arc::default();
        let gate = Gate::new(engine.clone(), &SignInRules::default(), Arc::clone(&curbs)).unwrap();
        Self { store, gate, engine, curbs }
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<String, Refused> {
        self.sign_in_from(None, name, password).await
    }

    async fn sign_in_from(
        &self,
        source: Option<Source>,
        name: &str,
        password: &str,
    ) -> Result<String, Refused> {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD_NO_PAD;
        let header = format!("Basic {}", STANDARD_NO_PAD.encode(format!("{name}:{password}")));
        let connection = Connection { source, certificate: None };
        let entered = self.gate.enter(Credentials::parse(header.as_bytes()), None, &connection);
        match entered.await {
            Ok(Entered::New { token, .. } | Entered::Again { token }) => Ok(token),
            Err(refusal) => Err(refusal.told),
        }
    }

    async fn again(&self, token: &str) -> Result<Entered, Refused> {
        let credentials = Some(Credentials::Bearer(token.into()));
        let connection = Connection::default();
        let entered = self.gate.enter(credentials, None, &connection);
        entered.await.map_err(|refusal| refusal.told)
    }

    fn admit(&self, header: &str) -> Result<Caller, Refused> {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", MetadataValue::try_from(header).unwrap());
        let admitted =
            self.gate.admit(&headers, &Connection::default(), Origin::new(None, &headers));
        admitted.map(|admitted| admitted.caller).map_err(|refusal| refusal.told)
    }
}

#[tokio::test]
async fn a_password_gives_a_token_and_the_token_a_caller() {
    let scene = Scene::new().await;
    let token = scene.sign_in("teller", "teller:secret").await.unwrap();
    let caller = scene.admit(&format!("Bearer {token}")).unwrap();
    assert_eq!(caller.name(), "teller");
    assert_eq!(
        scene.engine.asker(&caller.signed_in, &scene.engine.mart()).unwrap().name(),
        "teller"
    );
    let again = scene.again(&token).await;
    assert!(matches!(again, Ok(Entered::Again { token: same }) if same == token));
    scene.gate.close(caller.session);
    assert_eq!(scene.admit(&format!("Bearer {token}")).unwrap_err(), Refused::NoSession);
}

#[tokio::test]
async fn a_request_is_proven_by_a_token_and_by_nothing_else() {
    let scene = Scene::new().await;
    let right = "Basic dGVsbGVyOnRlbGxlcjpzZWNyZXQ=";
    assert!(matches!(Credentials::parse(right.as_bytes()), Some(Credentials::Basic { .. })));
    assert_eq!(scene.admit(right).unwrap_err(), Refused::NoCredentials);
    assert_eq!(scene.admit("Bearer teller").unwrap_err(), Refused::NoSession);
    let none = MetadataMap::new();
    let connection = Connection::default();
    let refused = scene.gate.admit(&none, &connection, Origin::new(None, &none)).unwrap_err();
    assert_eq!(refused, Refused::NoCredentials.into());
}

#[tokio::test]
async fn several_headers_that_differ_prove_nothing() {
    let scene = Scene::new().await;
    let token = scene.sign_in("teller", "teller:secret").await.unwrap();
    let mut headers = MetadataMap::new();
    for _ in 0..2 {
        headers.append("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let connection = Connection::default();
    let admit = |headers: &MetadataMap| {
        scene.gate.admit(headers, &connection, Origin::new(None, headers)).map(|_| ())
    };
    assert!(admit(&headers).is_ok(), "the same twice says nothing new");
    headers.append("authorization", "Bearer another".parse().unwrap());
    assert_eq!(admit(&headers), Err(Refused::NoCredentials.into()));
}

#[tokio::test]
async fn an_attempt_is_told_to_the_record_and_not_to_who_tried() {
    let scene = Scene::new().await;
    let connection = Connection::default();
    let basic = |text: &[u8]| Credentials::parse(text);
    // teller:wrong, nobody:x
    for (header, name) in
        [(&b"Basic dGVsbGVyOndyb25n"[..], "teller"), (b"Basic bm9ib2R5Ong=", "nobody")]
    {
        let Err(refusal) = scene.gate.enter(basic(header), None, &connection).await else {
            panic!("{name} came in")
        };
        let attempted = refusal.attempted.unwrap();
        assert_eq!((attempted.name.as_str(), attempted.method), (name, Method::Password));
        assert_eq!(attempted.refused_because, Some("password"));
        assert_eq!(refusal.told, Refused::WrongCredentials);
    }
    for _ in 0..9 {
        scene.sign_in("teller", "wrong").await.unwrap_err();
    }
    let right = basic(b"Basic dGVsbGVyOnRlbGxlcjpzZWNyZXQ=");
    let Err(locked) = scene.gate.enter(right, None, &connection).await else { panic!("locked") };
    assert_eq!(locked.attempted.unwrap().refused_because, Some("locked"));
}

#[tokio::test]
async fn without_an_issuer_its_tokens_are_nothing() {
    let scene = Scene::new().await;
    let refused = scene.admit("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0ZWxsZXIifQ.").unwrap_err();
    assert_eq!(refused, Refused::WrongCredentials);
    assert!(matches!(scene.again("a.b.c").await, Err(Refused::WrongCredentials)));
}

#[tokio::test]
async fn unknown_wrong_and_locked_are_one_answer() {
    let scene = Scene::new().await;
    assert_eq!(scene.sign_in("nobody", "x").await, Err(Refused::WrongCredentials));
    for _ in 0..10 {
        assert_eq!(scene.sign_in("teller", "wrong").await, Err(Refused::WrongCredentials));
    }
    let locked = scene.sign_in("teller", "teller:secret").await;
    assert_eq!(locked, Err(Refused::WrongCredentials));
    assert!(scene.sign_in("manager", "manager:secret").await.is_ok());
}

#[tokio::test]
async fn who_leaves_the_feed_leaves_the_server() {
    let scene = Scene::new().await;
    let token = scene.sign_in("teller", "teller:secret").await.unwrap();
    let caller = scene.admit(&format!("Bearer {token}")).unwrap();
    publish_principals(&scene.store, &["manager"]).await;
    let mart = scene.engine.refresh().await.unwrap();
    assert_eq!(scene.admit(&format!("Bearer {token}")).unwrap_err(), Refused::NoSession);
    assert!(scene.engine.asker(&caller.signed_in, &mart).is_none(), "nor mid-request");
    assert!(matches!(scene.again(&token).await, Err(Refused::NoSession)));
    assert!(!scene.gate.still_open(caller.session), "nor for a stream that is open");
}

#[tokio::test]
async fn strangers_do_not_shut_the_owner_out() {
    let scene = Scene::new().await;
    let source = |last| Some(Source::from(std::net::IpAddr::from([10, 0, 0, last])));
    for _ in 0..peers::FAILURES_MAX {
        let refused = scene.sign_in_from(source(1), "teller", "wrong").await;
        assert_eq!(refused, Err(Refused::WrongCredentials));
    }
    let stopped = scene.sign_in_from(source(1), "nobody", "x").await;
    assert_eq!(stopped, Err(Refused::TooMany), "before a password is checked");
    assert!(scene.sign_in_from(source(2), "teller", "teller:secret").await.is_ok());
}

#[tokio::test]
async fn a_full_queue_is_nobodys_wrong_password() {
    let scene = Scene::new().await;
    let source = Some(Source::from(std::net::IpAddr::from([10, 0, 0, 9])));
    scene.gate.passwords.waiting.store(passwords::WAITING_MAX, Ordering::Relaxed);
    for _ in 0..peers::FAILURES_MAX {
        let refused = scene.sign_in_from(source, "teller", "teller:secret").await;
        assert_eq!(refused, Err(Refused::TooMany));
    }
    scene.gate.passwords.waiting.store(0, Ordering::Relaxed);
    assert!(scene.sign_in_from(source, "teller", "teller:secret").await.is_ok());
}

#[tokio::test]
async fn whose_password_another_directory_knows_has_none_here() {
    let scene = Scene::new().await;
    let mut commit = scene.store.begin(&scene.store.latest().await.unwrap());
    commit.set_principals(Bytes::from("name,roles,node,password\nteller,teller,,ldap\n"));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    scene.engine.refresh().await.unwrap();
    for password in ["ldap", "", "teller:secret"] {
        let refused = scene.sign_in("teller", password).await;
        assert_eq!(refused, Err(Refused::WrongCredentials), "no directory is asked");
    }
}

#[tokio::test]
async fn once_it_is_shut_nobody_is_let_in_and_nothing_goes_on() {
    let scene = Scene::new().await;
    let token = scene.sign_in("teller", "teller:secret").await.unwrap();
    let caller = scene.admit(&format!("Bearer {token}")).unwrap();
    scene.gate.shut();
    assert_eq!(scene.admit(&format!("Bearer {token}")).unwrap_err(), Refused::NoSession);
    assert!(!scene.gate.still_open(caller.session));
    assert_eq!(scene.sign_in("teller", "teller:secret").await, Err(Refused::Unchecked));
}
