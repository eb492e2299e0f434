//! No server takes over rules that the officers of those in force did not approve, whoever
//! published them and however.

use bytes::Bytes;
use martlet_policy::{Approval, BundleText, OfficerSecret, Step, StoredBundle, TokenKeys};
use martlet_query::approved::rules_in_force;
use martlet_query::{Engine, EngineOptions};
use martlet_store::{CommitOutcome, Snapshot};
use std::sync::Arc;

use crate::support::mart::NoRecords;
use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "approvals"
[[table]]
name = "customer"
mode = "replace"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
"#;

/// Who approves, by name and seed of their key.
const TWO: [(&str, u8); 2] = [("ann", 1), ("bob", 2)];

/// Rules by which `kim` sees these outlets.
fn bundle(version: &str, outlets: &str, needed: usize, officers: &[(&str, u8)]) -> Bundle {
    let mut header = format!(
        "name = \"approvals\"\nversion = \"{version}\"\nprofile = \"doc\"\napprovals = {needed}\n"
    );
    for (name, seed) in officers {
        let key = OfficerSecret::from_bytes(&[*seed; 32]).public();
        header.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    Bundle::default()
        .file("bundle.toml", &header)
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            &format!(
                "[[row_rule]]\nname = \"some\"\neffect = \"permit\"\nroles = [\"clerk\"]\n\
                 tables = [\"customer\"]\ncolumn = \"outlet\"\nin = [{outlets}]\n"
            ),
        )
        .principal("kim", "clerk", "root")
}

const ONE: &str = "\"a\"";
const ALL: &str = "\"a\", \"b\"";
const COUNT: &str = "SELECT count(*) FROM customer";

/// Two rows of outlet `a`, three of `b`; two officers, both of whom are needed.
async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("customer.csv", "outlet\na\na\nb\nb\nb\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle("1", ONE, 2, &TWO)).await;
    mart
}

/// Publishes as somebody does who can write the mart and asks nobody.
async fn publish(mart: &TestMart, policy: Vec<u8>) -> Snapshot {
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_policy(Bytes::from(policy));
    match commit.publish().await.unwrap() {
        CommitOutcome::Committed(snapshot) => snapshot,
        CommitOutcome::Conflicted(_) => panic!("nobody else commits here"),
    }
}

async fn in_force(mart: &TestMart) -> Arc<StoredBundle> {
    let latest = mart.store.latest().await.unwrap();
    rules_in_force(&mart.store, &latest).await.unwrap().unwrap()
}

fn approvals(text: &BundleText, base: &StoredBundle, by: &[(&str, u8)]) -> Vec<Approval> {
    let step = Step { bundle: text.digest(), base: base.edition() };
    let sign = |(name, seed): &(&str, u8)| {
        Approval::sign(name, &OfficerSecret::from_bytes(&[*seed; 32]), step, 0).unwrap()
    };
    by.iter().map(sign).collect()
}

/// Rules as they should be published.
async fn approved(mart: &TestMart, bundle: &Bundle) -> StoredBundle {
    let base = in_force(mart).await;
    let text = bundle.text();
    let approvals = approvals(&text, &base, &TWO);
    StoredBundle::following(text, &base, &approvals).unwrap()
}

async fn open(mart: &TestMart) -> Result<Engine, martlet_query::QueryError> {
    let keys = TokenKeys::from_master(&[9; 32]);
    Engine::open(mart.store.clone(), EngineOptions::default(), Arc::new(NoRecords), keys).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_keeps_its_rules_until_others_are_approved() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut kim = Client::sign_in(server.address, "kim").await;
    assert_eq!(kim.number(COUNT).await, 2);
    let first = in_force(&mart).await;
    let wide = bundle("2", ALL, 2, &TWO).text();
    let of_one = approvals(&wide, &first, &TWO[..1]);
    assert!(StoredBundle::following(wide.clone(), &first, &of_one).is_err());

    publish(&mart, StoredBundle::first(wide).to_bytes()).await;
    let refused = server.engine.refresh().await.unwrap_err().to_string();
    assert!(refused.contains("2 approvals of officers are needed"), "{refused}");
    assert_eq!(kim.number(COUNT).await, 2, "the last whole state stays");
    assert_eq!(server.engine.mart().bundle().unwrap().version().text(), "1");

    let approved = approved(&mart, &bundle("2", ALL, 2, &TWO)).await;
    publish(&mart, approved.to_bytes()).await;
    server.engine.refresh().await.unwrap();
    assert_eq!(kim.number(COUNT).await, 5);
    let stored = in_force(&mart).await;
    let who: Vec<&str> = stored.approvals().iter().map(Approval::officer).collect();
    assert_eq!((stored.own_proof(), who), (Ok(()), vec!["ann", "bob"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_bundle_lets_itself_in() {
    let mart = mart().await;
    let engine = open(&mart).await.unwrap();
    let first = in_force(&mart).await;
    let eve = [("eve", 9)];
    let own = StoredBundle::first(bundle("2", ALL, 1, &eve).text());
    let next = bundle("3", ALL, 0, &[]).text();
    let by_eve = approvals(&next, &own, &eve);
    let grown = StoredBundle::following(next.clone(), &own, &by_eve).unwrap();
    let unneeded = StoredBundle::first(bundle("4", ALL, 0, &[]).text());
    for attack in [own.to_bytes(), grown.to_bytes(), unneeded.to_bytes(), b"no rules".to_vec()] {
        publish(&mart, attack).await;
        assert!(engine.refresh().await.is_err());
        assert!(open(&mart).await.is_err(), "nor does a server that starts");
        assert_eq!(engine.mart().bundle().unwrap().version().text(), "1");
        assert_eq!(in_force(&mart).await.edition(), first.edition());
    }
    // Whoever loads a night on top brings no rules into force by it.
    mart.load("load.toml", "2026-11-21").await;
    assert!(engine.refresh().await.is_err());
    publish(&mart, first.to_bytes()).await;
    engine.refresh().await.unwrap();
    assert_eq!(open(&mart).await.unwrap().mart().policy_version(), engine.mart().policy_version());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_is_followed_however_many_come_at_once() {
    let mart = mart().await;
    let engine = open(&mart).await.unwrap();
    for version in ["2", "3", "4"] {
        let approved = approved(&mart, &bundle(version, ONE, 2, &TWO)).await;
        publish(&mart, approved.to_bytes()).await;
    }
    engine.refresh().await.unwrap();
    assert_eq!(engine.mart().bundle().unwrap().version().text(), "4");
    assert_eq!(open(&mart).await.unwrap().mart().bundle().unwrap().version().text(), "4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_come_back_do_not_bring_old_approvals_back() {
    let mart = mart().await;
    let engine = open(&mart).await.unwrap();
    let wide = approved(&mart, &bundle("2", ALL, 2, &TWO)).await;
    publish(&mart, wide.to_bytes()).await;
    let back = approved(&mart, &bundle("1", ONE, 2, &TWO)).await;
    publish(&mart, back.to_bytes()).await;
    engine.refresh().await.unwrap();
    publish(&mart, wide.to_bytes()).await;
    assert!(engine.refresh().await.is_err());
    assert_eq!(engine.mart().bundle().unwrap().version().text(), "1");
    assert!(open(&mart).await.is_err());
}
