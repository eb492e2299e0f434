//! Alarms of a running server: whoever is cut off is out at once and stays out over a restart,
//! alarms reach the record, the file and a webhook that was away, and carry no value. And the
//! simulator in a short form.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt as _;
use martlet_server::AlarmOptions;
use martlet_server::alarm::lifts::{Slip, lay_down};
use martlet_server::alarm::{Rules, held, newest};
use martlet_server::audit::search::{self, Query};
use martlet_server::audit::{Decision, Journal};
use martlet_tests::insiders::run::{Plan, rules, run};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "alarms"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
cluster_key = ["customer_id"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "note"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"alarms\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"teller\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"teller\"]\n\
             tables = [\"customer\"]\nall = true\n",
        )
        .principal("ann", "teller", "root")
        .principal("bob", "teller", "root")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    let rows: String = (0..60_000).map(|id| format!("{id},note of {id}\n")).collect();
    mart.write("load.toml", LOAD).write("customer.csv", format!("customer_id,note\n{rows}"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    mart
}

fn three_customers(actions: &str, more: &str) -> String {
    format!(
        "keys = [\"customer.customer_id\"]\n{more}\n[[rule]]\nname = \"three\"\nkind = \"many\"\n\
         counted = \"keys\"\ncount = 3\nwindow = \"1h\"\nactions = [{actions}]\n"
    )
}

fn alarms(mart: &TestMart, rules: &str) -> Option<AlarmOptions> {
    let rules = Rules::parse(rules).unwrap_or_else(|error| panic!("{error}"));
    Some(AlarmOptions { rules, folder: mart.folder.path().join("alarms") })
}

fn one(id: u64) -> String {
    format!("SELECT note FROM customer WHERE customer_id = {id}")
}

/// Waits for something that has to come within a minute.
async fn comes<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come within a minute");
}

fn recorded(mart: &TestMart) -> Vec<String> {
    let query = Query { decision: Some(Decision::Alarm), limit: 9, ..Query::default() };
    let found = search::newest(&mart.folder.path().join("audit"), &query).unwrap();
    found
        .into_iter()
        .map(|one| format!("{} {}", one.entry.principal, one.entry.statement))
        .collect()
}

/// The journal's lock goes with the last of the server's tasks.
async fn released(folder: &Path) {
    comes("the journal", || Journal::open(folder).ok().map(drop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_off_is_out_until_an_officer_lifts_it() {
    let mart = mart().await;
    let rules = three_customers("\"cut\"", "");
    let server = mart.serve_with(|config| config.alarms = alarms(&mart, &rules)).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut bob = Client::sign_in(server.address, "bob").await;
    // In another session of hers runs a statement of 60 million rows, of which little is read.
    let mut other = Client::sign_in(server.address, "ann").await;
    let long = "SELECT a.note FROM customer a CROSS JOIN customer b WHERE b.customer_id < 1000";
    let info = other.inner.execute(long.into(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut running = other.inner.do_get(ticket).await.unwrap();
    running.try_next().await.unwrap().unwrap();
    for id in 0..3 {
        // The third may already be refused when it is read.
        let _ = ann.query(&one(id)).await;
    }
    let folder = mart.folder.path().join("alarms");
    comes("the cut", || held(&folder).unwrap().contains_key("ann").then_some(())).await;
    let refused = ann.query(&one(1)).await.unwrap_err().to_string();
    assert!(refused.contains("the session has ended"), "{refused}");
    let ended = loop {
        match running.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => break "wholly".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    assert!(ended.contains("the answer was cut"), "{ended}");
    let mut again = Client::anonymous(server.address).await;
    let password = crate::support::mart::PASSWORD;
    let refused = again.inner.handshake("ann", password).await.unwrap_err().to_string();
    assert!(refused.contains("the name or the password is wrong"), "{refused}");
    assert_eq!(bob.texts(&one(5)).await, ["note of 5"]);
    let record = comes("the record", || recorded(&mart).into_iter().next()).await;
    assert!(record.starts_with("ann alarm three (medium): customers=3; record "), "{record}");

    // Over a restart, too.
    drop((ann, bob, other, again, running));
    server.end().await;
    released(&mart.folder.path().join("audit")).await;
    // Nobody goes free because the list is gone.
    let (list, away) = (folder.join("curbs.json"), folder.join("away.json"));
    std::fs::rename(&list, &away).unwrap();
    assert!(does_not_start(&mart, alarms(&mart, &rules)).await);
    std::fs::rename(&away, &list).unwrap();
    released(&mart.folder.path().join("audit")).await;
    let server = mart.serve_with(|config| config.alarms = alarms(&mart, &rules)).await;
    let mut again = Client::anonymous(server.address).await;
    again.inner.handshake("ann", password).await.unwrap_err();

    let slip = Slip { principal: "ann".into(), by: "officer".into(), reason: "asked her".into() };
    lay_down(&folder, &slip).unwrap();
    comes("the lift", || held(&folder).unwrap().is_empty().then_some(())).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    assert_eq!(ann.texts(&one(5)).await, ["note of 5"]);
    let lifted =
        recorded(&mart).into_iter().any(|text| text.contains("lifted by officer (account"));
    assert!(lifted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_from_before_the_cut_opens_nothing_after_it() {
    let mart = mart().await;
    let server = mart
        .serve_with(|config| config.alarms = alarms(&mart, &three_customers("\"cut\"", "")))
        .await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let _ = ann.query("SELECT note FROM customer WHERE customer_id IN (1, 2, 3)").await;
    let folder = mart.folder.path().join("alarms");
    comes("the cut", || held(&folder).unwrap().contains_key("ann").then_some(())).await;
    // Whoever goes on knocking must not keep the session alive by it.
    ann.query(&one(1)).await.unwrap_err();
    let slip = Slip { principal: "ann".into(), by: "officer".into(), reason: "asked her".into() };
    lay_down(&folder, &slip).unwrap();
    comes("the lift", || held(&folder).unwrap().is_empty().then_some(())).await;
    let refused = ann.query(&one(1)).await.unwrap_err().to_string();
    assert!(refused.contains("the session has ended"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_waits_for_a_webhook_that_is_away_and_carries_no_value() {
    let mart = mart().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let notify = format!("[notify]\nwebhook = \"http://{address}/in\"");
    let rules = three_customers("\"notify\"", "").replacen(
        "\n[[rule]]",
        &format!("\n{notify}\n[[rule]]"),
        1,
    );
    let server = mart.serve_with(|config| config.alarms = alarms(&mart, &rules)).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    for id in [40_001, 40_002, 40_003] {
        ann.query(&one(id)).await.unwrap();
    }
    let folder = mart.folder.path().join("alarms");
    let line = comes("the alarm", || newest(&folder, 1).unwrap().pop()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listener = TcpListener::bind(address).await.unwrap();
    let (mut stream, _) =
        tokio::time::timeout(Duration::from_secs(60), listener.accept()).await.unwrap().unwrap();
    let mut sent = vec![0; 8_192];
    let length = stream.read(&mut sent).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let sent = String::from_utf8(sent[..length].to_vec()).unwrap();
    assert!(sent.starts_with("POST /in HTTP/1.1\r\n"), "{sent}");
    let body: Value = serde_json::from_str(sent.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body, serde_json::from_str::<Value>(&line).unwrap());
    assert_eq!(body["principal"], "ann");
    assert_eq!(body["figures"]["customers"], 3);
    for told in [sent, recorded(&mart).join("\n")] {
        assert!(!told.contains("40003") && !told.contains("note of"), "{told}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_before_a_restart_still_counts() {
    let mart = mart().await;
    let rules = three_customers("", "");
    let server = mart.serve_with(|config| config.alarms = alarms(&mart, &rules)).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    for id in 0..2 {
        ann.query(&one(id)).await.unwrap();
    }
    drop(ann);
    server.end().await;
    released(&mart.folder.path().join("audit")).await;
    let server = mart.serve_with(|config| config.alarms = alarms(&mart, &rules)).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    ann.query(&one(2)).await.unwrap();
    let folder = mart.folder.path().join("alarms");
    let alarm = comes("the alarm", || newest(&folder, 1).unwrap().pop()).await;
    assert!(alarm.contains("\"rule\":\"three\""), "{alarm}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_does_not_start_without_knowing_whom_to_keep_out() {
    let mart = mart().await;
    let options = alarms(&mart, &three_customers("", "")).unwrap();
    std::fs::create_dir_all(&options.folder).unwrap();
    std::fs::write(options.folder.join("curbs.json"), "{\"ann\":").unwrap();
    assert!(does_not_start(&mart, Some(options)).await);
}

/// Whether a server refuses to start because of what its alarms hold.
async fn does_not_start(mart: &TestMart, alarms: Option<AlarmOptions>) -> bool {
    let (engine, journal) = mart.engine(martlet_query::EngineOptions::default()).await;
    let listen = "127.0.0.1:0".parse().unwrap();
    let config =
        martlet_server::ServeConfig { alarms, ..martlet_server::ServeConfig::new(listen, journal) };
    let refused = martlet_server::serve(engine, config, std::future::pending()).await;
    matches!(refused, Err(martlet_server::ServeError::Alarms(_)))
}

/// The same people, the same deeds and the same rules as in the long form, fewer of them.
#[test]
fn most_insiders_are_found_and_honest_people_are_left_alone() {
    let plan = Plan { seed: 20_261_122, users: 160, days: 20, per_family: 1 };
    let report = run(plan, rules(), &|_| {});
    assert_eq!(report.insiders, 13);
    assert!(report.within_a_minute >= 11, "{report}\n{:#?}", report.missed);
    assert!(report.false_rate() <= 2.0, "{report}\n{:#?}", report.mistaken);
    // The same seed is the same run.
    let small = Plan { users: 60, days: 6, ..plan };
    assert_eq!(run(small, rules(), &|_| {}).json(), run(small, rules(), &|_| {}).json());
}

/// Without rules nobody is found: it is the rules that find them.
#[test]
fn without_rules_nobody_is_found() {
    let plan = Plan { seed: 1, users: 120, days: 12, per_family: 1 };
    let report = run(plan, Rules::parse("").unwrap(), &|_| {});
    assert!(report.insiders > 0 && report.detected == 0 && report.false_alarms == 0);
}
