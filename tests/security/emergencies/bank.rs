//! A bank with one emergency, its officers, and everything by which it is requested, approved, opened and
//! closed.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow_flight::decode::FlightRecordBatchStream;
use bytes::Bytes;
use futures::TryStreamExt as _;
use martlet_policy::{
    Closing, EmergencyApproval, EmergencyId, EmergencyLedger, EmergencyRequest, OfficerSecret,
    Opening, Span, StoredBundle,
};
use martlet_query::approved::rules_in_force;
use martlet_server::AlarmOptions;
use martlet_server::alarm::Rules;
use martlet_store::CommitOutcome;

use crate::support::mart::Server;
use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "emergencies"
[[table]]
name = "account"
mode = "replace"
primary_key = ["account_id"]
  [[table.column]]
  name = "account_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "phone"
  type = "text"
  class = "contact"
  [[table.source]]
  files = ["account.csv"]
"#;

/// Kim's outlet has two of these rows in three.
const ROWS: usize = 6_000;
pub(super) const OWN: i64 = 4_000;
pub(super) const ALL: i64 = 6_000;
pub(super) const COUNT: &str = "SELECT count(*) FROM account";
/// Far more than anybody reads in a test.
const LONG: &str = "SELECT a.account_id, b.outlet FROM account a CROSS JOIN account b";

const ROLES: &str = r#"
[[role]]
name = "clerk"
tables = ["account"]
[role.classes]
open = "clear"
[[role]]
name = "outage"
tables = ["account"]
[role.classes]
open = "clear"
contact = "clear"
[[role]]
name = "auditor"
duty = "audit"
may = ["explain_policy"]
tables = ["system.audit_record", "system.alarm"]
[role.classes]
audit = "clear"
[[role]]
name = "trainee"
inherits = ["clerk"]
[[conflict]]
roles = ["trainee", "outage"]
[[emergency]]
name = "core outage"
role = "outage"
may_ask = ["clerk"]
hours = 4
approvers = 2
"#;

const RULES: &str = r#"
[[row_rule]]
name = "own"
effect = "permit"
roles = ["clerk"]
tables = ["account"]
column = "outlet"
within = "node"
[[row_rule]]
name = "everything"
effect = "permit"
roles = ["outage"]
tables = ["account"]
all = true
[[row_rule]]
name = "records"
effect = "permit"
roles = ["auditor"]
tables = ["system.audit_record", "system.alarm"]
all = true
"#;

pub(super) const TWO: [(&str, u8); 2] = [("ann", 1), ("bob", 2)];

pub(super) fn secret(seed: u8) -> OfficerSecret {
    OfficerSecret::from_bytes(&[seed; 32])
}

pub(super) fn bundle(version: &str) -> Bundle {
    let mut header =
        format!("name = \"e\"\nversion = \"{version}\"\nprofile = \"doc\"\napprovals = 2\n");
    for (name, seed) in [("ann", 1), ("bob", 2), ("cas", 3)] {
        let key = secret(seed).public();
        header.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    let people = [
        ("kim", "clerk", "a"),
        ("lee", "clerk", "a"),
        ("tom", "trainee", "a"),
        ("eve", "auditor", "root"),
        ("ann", "clerk", "a"),
        ("thief", "outage", "root"),
    ];
    let bundle = Bundle::default()
        .file("bundle.toml", &header)
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\n[[class]]\nname = \"contact\"\n[[class]]\nname = \"audit\"\n",
        )
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES);
    people.iter().fold(bundle, |bundle, (name, roles, node)| bundle.principal(name, roles, node))
}

pub(super) async fn mart() -> TestMart {
    let mart = TestMart::new();
    let mut csv = String::from("account_id,outlet,phone\n");
    for row in 0..ROWS {
        let outlet = if row % 3 == 2 { "b" } else { "a" };
        csv.push_str(&format!("{row},{outlet},138{row:08}\n"));
    }
    mart.write("load.toml", LOAD).write("account.csv", csv);
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle("1")).await;
    mart
}

/// A server whose file of alarms has no rule, and that asks open streams often.
pub(super) async fn serve(mart: &TestMart) -> Server {
    mart.serve_with(|config| {
        config.sign_in.streams_checked_every = Duration::from_millis(50);
        let rules = Rules::parse("").unwrap();
        let folder = mart.folder.path().join("alarms");
        config.alarms = Some(AlarmOptions { rules, folder });
    })
    .await
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(super) async fn in_force(mart: &TestMart) -> Arc<StoredBundle> {
    let latest = mart.store.latest().await.unwrap();
    rules_in_force(&mart.store, &latest).await.unwrap().unwrap()
}

/// A request for so many seconds from now on, under the rules in force.
pub(super) async fn request(
    mart: &TestMart,
    id: u8,
    principal: &str,
    span: (i64, i64),
) -> EmergencyRequest {
    let (from, until) = span;
    let span = Span { from: now() + from, until: now() + until };
    let rules = in_force(mart).await.edition();
    let id = EmergencyId::from_bytes([id; 16]);
    EmergencyRequest::new(id, principal, "core outage", "the core is down", span, rules).unwrap()
}

pub(super) fn approved(request: &EmergencyRequest, by: &[(&str, u8)]) -> Opening {
    let at = now().min(request.span().until - 1).max(request.span().from - 60);
    let sign = |(name, seed): &(&str, u8)| {
        EmergencyApproval::sign(name, &secret(*seed), request, at).unwrap()
    };
    Opening { request: request.clone(), approvals: by.iter().map(sign).collect() }
}

/// Publishes as somebody does who can write the mart and asks nobody.
pub(super) async fn publish(mart: &TestMart, server: &Server, ledger: Vec<u8>) {
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_emergencies(Bytes::from(ledger));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    server.engine.refresh().await.unwrap();
}

pub(super) async fn publish_opening(mart: &TestMart, server: &Server, opening: &Opening) {
    let mut ledger = EmergencyLedger::default();
    ledger.open(opening.clone());
    publish(mart, server, ledger.to_bytes()).await;
}

/// Opens an hour for kim, as it should be.
pub(super) async fn open_for_kim(mart: &TestMart, server: &Server, id: u8) -> Opening {
    let opening = approved(&request(mart, id, "kim", (-5, 3_600)).await, &TWO);
    publish_opening(mart, server, &opening).await;
    opening
}

pub(super) async fn close(mart: &TestMart, server: &Server, opening: &Opening) {
    let mut ledger = EmergencyLedger::default();
    ledger.open(opening.clone());
    let id = opening.request.id();
    ledger.close(Closing::new(id, "bob", "it is up again", now()).unwrap());
    publish(mart, server, ledger.to_bytes()).await;
}

pub(super) async fn sign_in(server: &Server, name: &str) -> Client {
    Client::sign_in(server.address, name).await
}

/// Waits until eve finds so many records.
pub(super) async fn recorded(eve: &mut Client, table: &str, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM system.{table} WHERE {condition}");
    for _ in 0..400 {
        let count = eve.number(&sql).await;
        if count > 0 {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is recorded where {condition}");
}

/// Begins a statement that does not end by itself, and reads its beginning.
pub(super) async fn begin(client: &mut Client) -> FlightRecordBatchStream {
    let info = client.inner.execute(LONG.into(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut stream = client.inner.do_get(ticket).await.unwrap();
    stream.try_next().await.unwrap().expect("a beginning");
    stream
}

/// How a stream ends that is read on.
pub(super) async fn ending(mut stream: FlightRecordBatchStream) -> String {
    loop {
        match stream.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => return "wholly".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

/// The names of a prepared statement's columns, as it is described now.
pub(super) async fn described(
    prepared: &mut arrow_flight::sql::client::PreparedStatement<tonic::transport::Channel>,
) -> Vec<String> {
    let info = prepared.execute().await.unwrap();
    let schema = info.try_decode_schema().unwrap();
    schema.fields().iter().map(|field| field.name().clone()).collect()
}
