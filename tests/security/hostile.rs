//! Statements that want the process, not an answer: they are refused and nobody else notices.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::{
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any,
    CommandGetSqlInfo, CommandPreparedStatementQuery, ProstMessageExt,
};
use arrow_flight::{Action, FlightData, FlightDescriptor, Ticket};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::IpcWriteOptions;
use bytes::Bytes;
use futures::{TryStreamExt, stream};
use martlet_server::audit::verify;
use prost::Message;

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "hostile"
[[table]]
name = "t"
mode = "replace"
  [[table.column]]
  name = "a"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "b"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "hidden"
  type = "text"
  [[table.source]]
  files = ["t.csv"]
"#;

async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("t.csv", "a,b,hidden\n1,10,x\n2,20,y\n,30,z\n");
    mart.load("load.toml", "2026-11-20").await;
    let bundle = Bundle::default()
        .file("bundle.toml", "name = \"hostile\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"all\"\ntables = [\"t\"]\n[role.classes]\nopen = \"clear\"\n\
             [[role]]\nname = \"auditor\"\ntables = [\"system.audit_record\"]\n[role.classes]\naudit = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"t\"\neffect = \"permit\"\nroles = [\"all\"]\ntables = [\"t\"]\nall = true\n\
             [[row_rule]]\nname = \"r\"\neffect = \"permit\"\nroles = [\"auditor\"]\ntables = [\"system.audit_record\"]\nall = true\n",
        )
        .principal("ann", "all", "root")
        .principal("bob", "all", "root")
        .principal("eve", "auditor", "root");
    mart.apply(&bundle).await;
    mart
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(", ")
}

/// So many names, each of which stands for a query of the one before it.
fn names(query: &str, count: usize) -> String {
    let one = |at: usize| format!("a{} AS ({})", at + 1, query.replace("LAST", &format!("a{at}")));
    format!("WITH a0 AS (SELECT a AS x FROM t), {} SELECT count(*) FROM a{count}", many(count, one))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_cannot_take_the_process_down() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let long = "a".repeat(400_000);
    let chain = |operator: &str, terms: usize| vec!["1"; terms].join(operator);
    for hostile in [
        "SELECT repeat('x', 2147483647)".to_string(),
        "SELECT repeat(arrow_cast('x', 'LargeUtf8'), 1000000000000000)".into(),
        "SELECT lpad('x', 2147483647)".into(),
        "SELECT rpad('x', 1000000000)".into(),
        format!("SELECT replace('{long}', 'a', '{long}')"),
        format!("SELECT regexp_replace('{long}', 'a', '{long}', 'g')"),
        "SELECT repeat('x', b * 100000000) FROM t".into(),
        format!("SELECT {}", chain(" + ", 100_000)),
        format!("SELECT * FROM t WHERE {}", vec!["a = 1 OR b = 2"; 20_000].join(" OR ")),
        format!("SELECT {}", chain(" UNION ALL SELECT ", 5_000)),
        format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("SELECT {} true", "NOT ".repeat(50_000)),
        format!("SELECT {}1", "- ".repeat(50_000)),
        // Constants that a plan would hold all at once.
        format!("SELECT concat({})", vec!["repeat('x', 900000)"; 30].join(", ")),
        format!("SELECT {}", many(129, |at| format!("repeat('x', {at}) AS r{at}"))),
        // Constants that would be written out for each row.
        format!("SELECT '{}' FROM t", "x".repeat(20_000)),
        format!(
            "SELECT {} FROM generate_series(1, 8192)",
            many(20, |at| format!("repeat('x', {}) AS r{at}", 20_000 + at))
        ),
        // Wide rows beside each other.
        format!(
            "WITH w AS (SELECT * FROM (VALUES ({})) v) SELECT count(*) FROM {}",
            vec!["1"; 1_000].join(", "),
            many(1_000, |at| format!("w a{at}"))
        ),
        // What a short text stands for.
        names("SELECT l.x FROM LAST l, LAST r", 40),
        names("SELECT x + x AS x FROM LAST", 40) + " WHERE x > 1",
        names("SELECT coalesce(x, x) AS x FROM LAST", 30) + " WHERE x > 1",
        names("SELECT CAST(floor(x) = 1.0 AS double) AS x FROM LAST", 40) + " WHERE x > 0.5",
        names("SELECT r.x + r.x AS x FROM (VALUES (1)) l(k) RIGHT SEMI JOIN LAST r ON l.k > 0", 40)
            + " WHERE x > 1",
        names("SELECT CAST(x AS varchar) || CAST(x AS varchar) AS x FROM LAST", 14)
            + " WHERE x > 'y'",
        // A little too deep first: what is much too deep would take this test with it.
        names("SELECT x FROM LAST", 150),
        names("SELECT x FROM LAST", 20_000),
    ] {
        let refused = ann.query(&hostile).await.is_err();
        assert!(refused, "answered: {}", hostile.chars().take(60).collect::<String>());
    }
    assert_eq!(ann.number("SELECT count(*) FROM t").await, 3, "the server is as before");
    let widest = vec!["a = 1"; 400].join(" OR ");
    assert_eq!(ann.number(&format!("SELECT count(*) FROM t WHERE {widest}")).await, 1);
    let list: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    assert_eq!(
        ann.number(&format!("SELECT count(*) FROM t WHERE a IN ({})", list.join(", "))).await,
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounded_functions_still_work() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let sql = "SELECT concat(repeat('ab', 2), lpad('7', 3, '0'), rpad('x', 2, '-'), replace('cat', 'c', 'b'), regexp_replace('a1', '[0-9]', '#'))";
    assert_eq!(ann.texts(sql).await, ["abab007x-bata#"]);
    let today = ann
        .texts(
            "SELECT count(*) FROM t WHERE current_date > DATE '2026-01-01' AND now() IS NOT NULL",
        )
        .await;
    assert_eq!(today, ["3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_column_and_a_described_table_are_on_record() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let hidden = ann.query("SELECT hidden FROM t").await.unwrap_err().to_string();
    let absent = ann.query("SELECT hidder FROM t").await.unwrap_err().to_string();
    assert!(hidden.contains("does not exist or is not granted"), "{hidden}");
    let plain = |text: &str| {
        text.replace("hidder", "hidden")
            .chars()
            .filter(|c| !c.is_ascii_hexdigit())
            .collect::<String>()
    };
    assert_eq!(plain(&hidden), plain(&absent));
    assert_eq!(
        ann.query("DESCRIBE t")
            .await
            .unwrap()
            .iter()
            .map(arrow::array::RecordBatch::num_rows)
            .sum::<usize>(),
        2
    );
    assert!(ann.query("DESCRIBE information_schema.df_settings").await.is_err());
    let mut looked = ann.inner.prepare("SELECT b FROM t WHERE a = ?".into(), None).await.unwrap();
    let schema = arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
        "1",
        arrow::datatypes::DataType::Int64,
        true,
    )]);
    let one = arrow::array::RecordBatch::try_new(
        schema.into(),
        vec![std::sync::Arc::new(arrow::array::Int64Array::from(vec![2]))],
    )
    .unwrap();
    looked.set_parameters(one).unwrap();
    let info = looked.execute().await.unwrap();
    ann.fetch(info).await.unwrap();
    let mut eve = Client::sign_in(server.address, "eve").await;
    let on_record = |condition: &str| {
        format!("SELECT count(*) FROM system.audit_record WHERE principal = 'ann' AND {condition}")
    };
    assert!(
        eve.number(&on_record("statement = 'SELECT hidden FROM t' AND decision = 'denied'")).await
            >= 1
    );
    assert!(eve.number(&on_record("statement = 'DESCRIBE t' AND tables = 't'")).await >= 1);
    assert!(
        eve.number(&on_record("statement LIKE '%a = ?' AND columns LIKE '%t.a%' AND rows = 1"))
            .await
            >= 1
    );
    let shown = "column_access LIKE '%t.a clear%' AND fingerprint IS NOT NULL AND rows = 1";
    assert!(eve.number(&on_record(shown)).await >= 1);
    prove_journal(&mart);
}

/// The journal of a server that still runs is whole.
fn prove_journal(mart: &TestMart) {
    let folder = mart.folder.path().join("audit");
    let check =
        verify::Check { folder, anchor: None, keys: Vec::new(), now: std::time::SystemTime::now() };
    let report = verify::verify(&check, &mut |_, _| ()).unwrap();
    assert!(report.is_whole() && report.records > 5, "{report:?}");
}

/// How often a text stands in the journal.
fn written(mart: &TestMart, text: &str) -> usize {
    let files = std::fs::read_dir(mart.folder.path().join("audit")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).matches(text).count())
        .sum()
}

/// A short request that has long texts written again and again fills the journal's disk; but what a
/// record leaves out may not tell that somebody else asked the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_text_is_written_once_for_each_who_asks() {
    let mart = mart().await;
    let server = mart.serve().await;
    let long = many(20_000, |at| (at + 1).to_string());
    let sql = format!("SELECT count(*) FROM t WHERE a IN ({long})");
    for (name, whole) in [("ann", 1), ("bob", 2)] {
        let mut client = Client::sign_in(server.address, name).await;
        for _ in 0..3 {
            assert_eq!(client.number(&sql).await, 2);
        }
        assert_eq!(written(&mart, &long), whole, "{name}");
    }
    prove_journal(&mart);
}

/// Asks with one row of values bound; gives the single number of the answer.
async fn bound(client: &mut Client, sql: &str, values: Vec<ArrayRef>) -> Result<i64, String> {
    let fields = values
        .iter()
        .enumerate()
        .map(|(at, value)| Field::new((at + 1).to_string(), value.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut asked = client.inner.prepare(sql.into(), None).await.unwrap();
    asked.set_parameters(RecordBatch::try_new(schema, values).unwrap()).unwrap();
    let info = asked.execute().await.map_err(|error| error.to_string())?;
    let rows = client.fetch(info).await.map_err(|error| error.to_string())?;
    Ok(rows[0].column(0).as_primitive::<Int64Type>().value(0))
}

/// An alarm sees what stands on record: so what is compared stands there, as it is compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_bound_goes_on_record_as_it_is_compared() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let sql = "SELECT count(*) FROM t WHERE $1 <> '' AND a = $2";
    // Each of them is two in the record.
    let quotes: ArrayRef = Arc::new(StringArray::from(vec!["'".repeat(600_000)]));
    let two: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    let refused = bound(&mut ann, sql, vec![quotes, Arc::clone(&two)]).await.unwrap_err();
    assert!(refused.contains("the parameters are larger than"), "{refused}");
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let moment: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![2]));
    assert_eq!(bound(&mut ann, sql, vec![text, moment]).await.unwrap(), 1);
    let mut eve = Client::sign_in(server.address, "eve").await;
    let recorded = "SELECT parameters FROM system.audit_record \
                    WHERE parameters IS NOT NULL AND decision = 'allowed' ORDER BY at";
    assert_eq!(eve.texts(recorded).await, ["('x', 2)"]);
}

/// A handle of a prepared statement, as it goes over the wire.
async fn handle(client: &mut Client, sql: &str) -> Bytes {
    let request = ActionCreatePreparedStatementRequest { query: sql.into(), transaction_id: None };
    let body = request.as_any().encode_to_vec().into();
    let action = Action { r#type: "CreatePreparedStatement".into(), body };
    let mut results = client.inner.do_action(action).await.unwrap();
    let result = results.try_next().await.unwrap().unwrap();
    let result: ActionCreatePreparedStatementResult =
        Any::decode(result.body).unwrap().unpack().unwrap().unwrap();
    result.prepared_statement_handle
}

/// One parameter, packed, in a buffer that says that it holds a gibibyte: it could as well say so much
/// that asking for it ends the process, and this test with it.
async fn packed(handle: Bytes) -> Vec<FlightData> {
    let schema = Arc::new(Schema::new(vec![Field::new("1", DataType::Int64, true)]));
    let number = Arc::new(Int64Array::from(vec![7]));
    let row = RecordBatch::try_new(Arc::clone(&schema), vec![number]).unwrap();
    let lz4 = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_options(lz4.unwrap())
        .build(stream::iter([Ok(row)]));
    let mut messages: Vec<FlightData> = encoder.try_collect().await.unwrap();
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let command = command.as_any().encode_to_vec();
    messages[0].flight_descriptor = Some(FlightDescriptor::new_cmd(command));
    let last = messages.last_mut().unwrap();
    let mut body = last.data_body.to_vec();
    body.chunks_exact_mut(8).for_each(|eight| eight.copy_from_slice(&(1_i64 << 30).to_le_bytes()));
    last.data_body = body.into();
    messages
}

/// Room that cannot be had ends a process, whoever asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_says_how_much_room_it_takes_is_refused_and_the_server_goes_on() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut client = Client::sign_in(server.address, "ann").await;
    let handle = handle(&mut client, "SELECT $1 + 1").await;
    let messages = packed(handle).await;
    let refused = client.inner.do_put(stream::iter(messages)).await;
    let refused = match refused {
        Ok(mut answers) => answers.try_next().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(refused.contains("compressed"), "{refused}");
    assert_eq!(client.number("SELECT count(*) FROM t").await, 3);
}

/// Each code was a pass over all that the server can do, and none of it waits for a place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_questions_about_the_server_are_one() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut client = Client::sign_in(server.address, "ann").await;
    let command = CommandGetSqlInfo { info: (0..1_000_000).map(|code| code % 60_000).collect() };
    let ticket = Ticket::new(command.as_any().encode_to_vec());
    let answer = client.inner.do_get(ticket).await.unwrap();
    let rows: Vec<RecordBatch> = answer.try_collect().await.unwrap();
    let all = CommandGetSqlInfo { info: Vec::new() };
    let all = client.inner.do_get(Ticket::new(all.as_any().encode_to_vec())).await.unwrap();
    let all: Vec<RecordBatch> = all.try_collect().await.unwrap();
    assert_eq!(rows, all);
}
