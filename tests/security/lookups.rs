//! Look-ups of masked values: for whom they are granted, where they may stand, how often, and
//! that nothing but the one row of one's own is found by them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::error::ArrowError;
use martlet_server::audit::search::{Query, newest};

use crate::support::mart::Server;
use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "lookups"
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
  [[table.column]]
  name = "mobile"
  type = "text"
  nullable = true
  class = "mobile"
  [[table.column]]
  name = "born"
  type = "date"
  class = "birth_date"
  [[table.source]]
  files = ["customer.csv"]
"#;

const ROLES: &str = r#"
[[role]]
name = "clerk"
tables = ["customer"]
[role.classes]
open = "clear"
mobile = "mask"
birth_date = "mask"

[[role]]
name = "teller"
inherits = ["clerk"]
lookup = ["mobile", "birth_date"]

[[role]]
name = "desk"
tables = ["customer"]
may = ["explain"]
lookup = ["mobile", "birth_date"]
[role.classes]
open = "clear"
mobile = "mask"
birth_date = "mask"

[[role]]
name = "head"
tables = ["customer"]
may = ["explain"]
[role.classes]
open = "clear"
mobile = "mask"
birth_date = "clear"
"#;

const RULES: &str = r#"
[[row_rule]]
name = "own"
effect = "permit"
roles = ["clerk"]
tables = ["customer"]
column = "outlet"
within = "node"

[[row_rule]]
name = "everything"
effect = "permit"
roles = ["head", "desk"]
tables = ["customer"]
all = true
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file(
            "bundle.toml",
            "name = \"lookups\"\nversion = \"1\"\nprofile = \"doc\"\nlookups_per_hour = 12\n",
        )
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\nmask = \"redact\"\n\
             [[class]]\nname = \"mobile\"\nmask = \"mobile\"\n\
             [[class]]\nname = \"birth_date\"\nmask = \"birth_date\"\n",
        )
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES)
        .principal("ann", "teller", "a")
        .principal("bob", "clerk", "a")
        .principal("cas", "teller;clerk", "a")
        .principal("hal", "head", "root")
        .principal("dot", "desk", "root")
}

/// Ten customers of each outlet; customer 3 is of outlet `a`, 13 of `b`.
async fn server() -> (TestMart, Server) {
    let mart = TestMart::new();
    let row = |id: u64| {
        let outlet = if id < 10 { "a" } else { "b" };
        format!("{id},{outlet},1380000{:04},19{:02}-03-05\n", id * 7, 60 + id)
    };
    let rows: String = (0..20).map(row).collect();
    mart.write("load.toml", LOAD)
        .write("customer.csv", format!("customer_id,outlet,mobile,born\n{rows}"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    let server = mart.serve().await;
    (mart, server)
}

async fn refusal(client: &mut Client, sql: &str) -> String {
    client.query(sql).await.err().unwrap_or_else(|| panic!("{sql} was answered")).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_the_value_in_hand_finds_the_row_and_sees_it_masked() {
    let (mart, server) = server().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let found = "SELECT mobile FROM customer WHERE lookup(mobile, '13800000021')";
    assert_eq!(ann.texts(found).await, ["138****0021"]);
    let asked = Query { table: Some("customer".into()), limit: 1, ..Query::default() };
    let record = &newest(&mart.folder.path().join("audit"), &asked).unwrap()[0].entry;
    assert_eq!((record.statement.as_str(), record.lookups), (found, 1));
    assert_eq!(record.column_access["customer.mobile"], "mask:mobile");
    let count =
        |value: &str| format!("SELECT count(*) FROM customer WHERE lookup(mobile, '{value}')");
    assert_eq!(ann.number(&count("13800000021")).await, 1);
    assert_eq!(ann.number(&count("13800000091")).await, 0, "another outlet's customer");
    assert_eq!(ann.number(&count("138****0021")).await, 0, "the masked value is not the value");
    let others = "SELECT c.customer_id FROM (SELECT * FROM customer c \
                  WHERE lookup(c.born, DATE '1963-03-05') AND c.customer_id > 0) c \
                  JOIN (SELECT outlet FROM customer WHERE lookup(mobile, '13800000021')) d \
                  ON c.outlet = d.outlet";
    assert_eq!(ann.texts(others).await, ["3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_look_up_takes_its_value_as_a_parameter() {
    let (_mart, server) = server().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let sql = "SELECT customer_id FROM customer WHERE lookup(mobile, $1)";
    let mut prepared = ann.inner.prepare(sql.into(), None).await.unwrap();
    for (value, rows) in [("13800000021", 1), ("13800000091", 0)] {
        let value: ArrayRef = Arc::new(StringArray::from(vec![value]));
        let row = RecordBatch::try_from_iter([("1", value)]).unwrap();
        prepared.set_parameters(row).unwrap();
        let info = prepared.execute().await.unwrap();
        let batches = ann.fetch(info).await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), rows);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_nothing_is_looked_up() {
    let (_mart, server) = server().await;
    let sql = "SELECT count(*) FROM customer WHERE lookup(mobile, '13800000021')";
    // One of the third's roles is silent about look-ups, and the strictest counts.
    for name in ["bob", "cas"] {
        let mut client = Client::sign_in(server.address, name).await;
        let refused = refusal(&mut client, sql).await;
        assert!(refused.contains("needs a role that may look the column up"), "{refused}");
    }
    // What is shown as it is may be asked so by anybody.
    let mut hal = Client::sign_in(server.address, "hal").await;
    let clear = "SELECT count(*) FROM customer WHERE lookup(born, DATE '1963-03-05')";
    assert_eq!(hal.number(clear).await, 1);
    refusal(&mut hal, sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_stands_alone_or_not_at_all() {
    let (_mart, server) = server().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    for sql in [
        "SELECT lookup(mobile, '13800000021') FROM customer",
        "SELECT count(*) FROM customer WHERE NOT lookup(mobile, '13800000021')",
        "SELECT count(*) FROM customer WHERE lookup(mobile, '13800000021') OR customer_id = 1",
        "SELECT count(*) FROM customer WHERE lookup(mobile, '13800000021') IS NOT TRUE",
        "SELECT count(*) FROM customer WHERE CASE WHEN lookup(mobile, '1') THEN 1 ELSE 0 END = 0",
        "SELECT count(*) FILTER (WHERE lookup(mobile, '13800000021')) FROM customer",
        "SELECT count(*) FROM customer WHERE lookup(concat(mobile, ''), '13800000021')",
        "SELECT count(*) FROM customer WHERE lookup(mobile, mobile)",
        "SELECT count(*) FROM customer WHERE lookup(mobile, NULL)",
        "SELECT count(*) FROM customer WHERE lookup(born, '1963-03-05')",
        "SELECT count(*) FROM customer a, customer b WHERE lookup(a.mobile, b.mobile)",
        "SELECT count(*) FROM customer a LEFT JOIN customer b ON a.customer_id = b.customer_id \
         WHERE lookup(b.mobile, '13800000021') IS NULL",
        "SELECT count(*) FROM (SELECT mobile FROM customer LIMIT 5) WHERE lookup(mobile, '1')",
        "SELECT max(customer_id) FROM customer GROUP BY lookup(mobile, '13800000021')",
        "SELECT customer_id FROM customer ORDER BY lookup(mobile, '13800000021')",
        "SELECT v FROM (SELECT mobile, '13800000021' AS v FROM customer UNION ALL \
         SELECT mobile, '13800000028' AS v FROM customer) t WHERE lookup(t.mobile, t.v)",
        "SELECT count(*) FROM (SELECT mobile FROM customer UNION ALL SELECT mobile FROM customer) t \
         WHERE lookup(t.mobile, '13800000021')",
        "SELECT count(*) FROM customer a JOIN customer b ON a.mobile = b.mobile \
         WHERE lookup(a.mobile, '13800000021')",
        "SELECT count(*) FROM customer a JOIN customer b ON a.customer_id = b.customer_id \
         AND lookup(a.mobile, '13800000021')",
        "SELECT mobile, count(*) FROM customer GROUP BY mobile HAVING lookup(mobile, '13800000021')",
        "SELECT lookup('a', 'a')",
        "SELECT customer_id FROM customer WHERE lookup(mobile)",
    ] {
        let refused = refusal(&mut ann, sql).await;
        assert!(!refused.contains("13800000021"), "{refused}");
    }
    // None of the refused was counted: there are twelve left.
    let count = "SELECT count(*) FROM customer WHERE lookup(mobile, '13800000021')";
    for _ in 0..12 {
        assert_eq!(ann.number(count).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_has_as_many_look_ups_as_the_policy_says() {
    let (_mart, server) = server().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    for tried in 0..12 {
        let sql =
            format!("SELECT count(*) FROM customer WHERE lookup(mobile, '1380000{tried:04}')");
        ann.number(&sql).await;
    }
    let sql = "SELECT count(*) FROM customer WHERE lookup(mobile, '13800000021')";
    let refused = refusal(&mut ann, sql).await;
    assert!(refused.contains("12 are allowed"), "{refused}");
    assert_eq!(ann.number("SELECT count(*) FROM customer").await, 10, "the rest goes on");
    // The bound is the person's, not the session's.
    let mut again = Client::sign_in(server.address, "ann").await;
    refusal(&mut again, sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn execution_details_are_told_to_who_sees_what_they_are_made_of() {
    let (_mart, server) = server().await;
    let mut hal = Client::sign_in(server.address, "hal").await;
    let explain = |what: &str, column: &str| {
        format!("EXPLAIN {what} SELECT {column} FROM customer WHERE outlet = 'a'")
    };
    let answered = async |client: &mut Client, sql: String| -> Result<usize, ArrowError> {
        Ok(client.query(&sql).await?.len())
    };
    assert!(answered(&mut hal, explain("", "mobile")).await.is_ok());
    assert!(answered(&mut hal, explain("ANALYZE", "born")).await.is_ok());
    let refused = answered(&mut hal, explain("ANALYZE", "mobile")).await.unwrap_err().to_string();
    assert!(
        refused.contains("explain analyze and the plan of a look-up need columns"),
        "{refused}"
    );
}

/// Which indexes a value would be asked of tells between which values the column's lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_of_a_look_up_is_not_told_and_no_plan_tells_of_masked_columns() {
    let (_mart, server) = server().await;
    let mut dot = Client::sign_in(server.address, "dot").await;
    let found = "SELECT count(*) FROM customer WHERE lookup(born, DATE '1963-03-05')";
    assert_eq!(dot.number(found).await, 1);
    assert!(refusal(&mut dot, &format!("EXPLAIN {found}")).await.contains("explain"));
    let mut told = Vec::new();
    for condition in ["outlet = 'a'", "mobile = '138****0021'", "mobile IS NULL"] {
        let plan = format!("EXPLAIN SELECT customer_id FROM customer WHERE {condition}");
        let batches = dot.query(&plan).await.unwrap();
        let lines = batches.iter().flat_map(|batch| batch.column(1).as_string::<i32>().iter());
        told.push(lines.flatten().collect::<Vec<&str>>().join("\n"));
    }
    assert!(told[0].contains("indexes=[outlet: "), "{}", told[0]);
    assert!(told[1..].iter().all(|plan| plan.contains("indexes=[]")), "{told:?}");
}
