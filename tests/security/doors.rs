//! Every door of the server asks who is there: tickets, handles, metadata, sessions.

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::FlightDescriptor;
use arrow_flight::sql::{
    CommandGetDbSchemas, CommandGetTables, CommandStatementQuery, CommandStatementSubstraitPlan,
    CommandStatementUpdate, ProstMessageExt,
};
use futures::TryStreamExt;
use prost::Message;
use std::sync::Arc;

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "doors"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
cluster_key = ["outlet"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
[[table]]
name = "payroll"
mode = "replace"
  [[table.column]]
  name = "employee"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["payroll.csv"]
"#;

fn bundle(outlet_of_ann: &str, roles_of_bob: &str) -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"doors\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n\
             [[role]]\nname = \"auditor\"\ntables = [\"system.audit_record\"]\n[role.classes]\naudit = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"clerk\"]\ntables = [\"customer\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
             [[row_rule]]\nname = \"records\"\neffect = \"permit\"\nroles = [\"auditor\"]\ntables = [\"system.audit_record\"]\nall = true\n",
        )
        .principal("ann", "clerk", outlet_of_ann)
        .principal("bob", roles_of_bob, "b")
        .principal("eve", "auditor", "root")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write("customer.csv", "customer_id,outlet\n1,a\n2,a\n3,a\n4,b\n5,b\n")
        .write("payroll.csv", "employee\nwho\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle("a", "clerk")).await;
    mart
}

const COUNT: &str = "SELECT count(*) FROM customer";

/// StarRocks #78439: bearer tokens could be made up from a host's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_without_a_sign_in() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut nobody = Client::anonymous(server.address).await;
    assert!(nobody.query(COUNT).await.is_err());
    assert!(nobody.inner.get_catalogs().await.is_err());
    assert!(nobody.inner.prepare(COUNT.into(), None).await.is_err());
    nobody.inner.set_token("f".repeat(64));
    assert!(nobody.query(COUNT).await.is_err(), "a made-up token");
    assert!(nobody.inner.handshake("ann", "wrong").await.is_err());
}

/// StarRocks #78175, #58946: masks and row rules were asked at one port and not at Flight's; a ticket
/// is decided about when it is used, for whoever uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_worth_nothing_to_another() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut bob = Client::sign_in(server.address, "bob").await;
    let info = ann.inner.execute(COUNT.into(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let stolen = bob.inner.do_get(ticket.clone()).await.err().map(|error| error.to_string());
    let mut forged = ticket.clone();
    let mut bytes = forged.ticket.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    forged.ticket = bytes.into();
    let garbage = bob.inner.do_get(forged).await.err().map(|error| error.to_string());
    assert!(stolen.is_some() && garbage.is_some());
    assert_eq!(plain(&stolen), plain(&garbage), "foreign and forged look the same");
    assert_eq!(
        ann.fetch(info).await.unwrap()[0]
            .column(0)
            .as_primitive::<arrow::datatypes::Int64Type>()
            .value(0),
        3
    );
}

fn plain(text: &Option<String>) -> Option<String> {
    // Each refusal carries an id of its own for the help desk.
    text.as_ref().map(|text| text.chars().filter(|c| !c.is_ascii_hexdigit()).collect())
}

/// PostgreSQL CVE-2016-2193, CVE-2023-2455: a plan made for one role ran for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_rules_counts_for_tickets_and_handles_that_are_out() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut bob = Client::sign_in(server.address, "bob").await;
    let info = ann.inner.execute(COUNT.into(), None).await.unwrap();
    let mut prepared = bob.inner.prepare(COUNT.into(), None).await.unwrap();
    assert!(prepared.execute().await.is_ok());
    mart.apply(&bundle("b", "auditor")).await;
    server.engine.refresh().await.unwrap();
    let batches = ann.fetch(info).await.unwrap();
    assert_eq!(
        batches[0].column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0),
        2,
        "ann now sits in b"
    );
    assert!(prepared.execute().await.is_err(), "bob is no clerk any more");
}

/// ClickHouse #108464: the words of a refusal told whether there is such a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forbidden_and_missing_look_the_same() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let forbidden = ann.query("SELECT * FROM payroll").await.unwrap_err().to_string();
    let missing = ann.query("SELECT * FROM pbyroll").await.unwrap_err().to_string();
    let same = |text: &str| plain(&Some(text.replace("pbyroll", "payroll")));
    assert_eq!(same(&forbidden), same(&missing));
    let snapshot_table =
        ann.query("SELECT * FROM system.audit_record").await.unwrap_err().to_string();
    assert!(snapshot_table.contains("does not exist or is not granted"), "{snapshot_table}");
}

/// ClickHouse #98669, #90922: catalogs and settings listed what was not granted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_show_only_what_is_granted() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let tables = CommandGetTables { include_schema: true, ..CommandGetTables::default() };
    let info = ann.inner.get_tables(tables).await.unwrap();
    let listed: Vec<String> = ann
        .fetch(info)
        .await
        .unwrap()
        .iter()
        .flat_map(|batch| {
            batch
                .column_by_name("table_name")
                .unwrap()
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(String::from)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(listed, ["customer"]);
    let info = ann.inner.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap();
    let schemas = ann.fetch(info).await.unwrap();
    assert_eq!(schemas.iter().map(RecordBatch::num_rows).sum::<usize>(), 1, "no `system` for ann");
    assert_eq!(
        ann.texts("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mart'")
            .await,
        ["customer"]
    );
    assert!(ann.query("SELECT * FROM information_schema.df_settings").await.is_err());
}

/// PostgreSQL CVE-2024-10976: rules of the first execution stood for later ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_statements_bind_and_run_again() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    for sql in [
        "SELECT customer_id FROM customer WHERE customer_id = ?",
        "SELECT customer_id FROM customer WHERE customer_id = $1",
    ] {
        let mut prepared = ann.inner.prepare(sql.into(), None).await.unwrap();
        let parameters = prepared.parameter_schema().unwrap();
        assert_eq!(parameters.fields().len(), 1);
        assert_eq!(parameters.field(0).data_type(), &DataType::Int64);
        assert!(parameters.field(0).is_nullable());
        for (wanted, rows) in [(2_i64, 1_usize), (5, 0), (1, 1)] {
            prepared.set_parameters(one(wanted)).unwrap();
            let info = prepared.execute().await.unwrap();
            let mut stream =
                ann.inner.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
            let mut seen = 0;
            while let Some(batch) = stream.try_next().await.unwrap() {
                seen += batch.num_rows();
            }
            assert_eq!(seen, rows, "{sql} with {wanted}: 5 lies in the other outlet");
        }
        prepared.close().await.unwrap();
    }
}

fn one(value: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("1", DataType::Int64, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![value]))]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_on_record() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    ann.query("SELECT customer_id FROM customer").await.unwrap();
    ann.query("SELECT * FROM payroll").await.unwrap_err();
    let mut eve = Client::sign_in(server.address, "eve").await;
    let seen = "SELECT count(*) FROM system.audit_record WHERE principal = 'ann' AND statement = 'SELECT customer_id FROM customer' \
                AND decision = 'allowed' AND rows = 3 AND bytes > 0 AND columns LIKE '%customer.customer_id%' AND outcome = 'completed'";
    assert!(eve.number(seen).await >= 1);
    let denied = "SELECT count(*) FROM system.audit_record WHERE principal = 'ann' AND statement LIKE '%payroll%' AND decision <> 'allowed'";
    assert!(eve.number(denied).await >= 1);
    assert!(eve.query("SELECT * FROM customer").await.is_err(), "the auditor sees no customer");
}

/// Asked at the doors of questions, what would write ended without a line in the record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_undecided_is_on_record() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let delete =
        CommandStatementUpdate { query: "DELETE FROM customer".into(), transaction_id: None };
    let within = CommandStatementQuery {
        query: "SELECT 'within'".into(),
        transaction_id: Some(b"t".as_slice().into()),
    };
    let long = format!("SELECT 'long' -- {}", "x".repeat(1024 * 1024));
    let long = CommandStatementQuery { query: long, transaction_id: None };
    let plan = CommandStatementSubstraitPlan::default();
    for command in [delete.as_any(), within.as_any(), long.as_any(), plan.as_any()] {
        let mut asked = tonic::Request::new(FlightDescriptor::new_cmd(command.encode_to_vec()));
        let bearer = format!("Bearer {}", ann.inner.token().unwrap());
        asked.metadata_mut().insert("authorization", bearer.parse().unwrap());
        assert!(ann.inner.inner_mut().get_flight_info(asked).await.is_err());
    }
    let mut eve = Client::sign_in(server.address, "eve").await;
    for on_record in [
        "statement = 'DELETE FROM customer' AND decision = 'denied'",
        "statement = 'SELECT ''within''' AND decision = 'failed'",
        "statement LIKE 'SELECT ''long''%' AND decision = 'failed'",
        "statement = 'a Substrait plan' AND decision = 'denied'",
    ] {
        let sql = format!(
            "SELECT count(*) FROM system.audit_record WHERE principal = 'ann' AND {on_record}"
        );
        assert_eq!(eve.number(&sql).await, 1, "{on_record}");
    }
}
