//! Conditions on masked columns: whatever was asked before, by whom and under which rules, each
//! reader is answered by what their own mask leaves of the rows that are theirs.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const LOAD: &str = r#"
name = "masked"
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
  nullable = true
  class = "birth_date"
  [[table.column]]
  name = "memo"
  type = "text"
  nullable = true
  class = "memo"
  [[table.source]]
  files = ["customer.csv"]
"#;

const CLASSES: &str = r#"
[[class]]
name = "open"
mask = "redact"
[[class]]
name = "mobile"
mask = "mobile"
[[class]]
name = "birth_date"
mask = "birth_date"
[[class]]
name = "memo"
mask = "free_text"
"#;

const ROLES: &str = r#"
[[role]]
name = "clerk"
tables = ["customer"]
lookup = ["mobile"]
[role.classes]
open = "clear"
mobile = "mask"
birth_date = "mask"
memo = "mask"
[[role]]
name = "tax"
tables = ["customer"]
[role.classes]
open = "clear"
mobile = "token:tax"
[[role]]
name = "marketing"
tables = ["customer"]
[role.classes]
open = "clear"
mobile = "token:marketing"
[[role]]
name = "owner"
tables = ["customer"]
[role.classes]
open = "clear"
mobile = "clear"
birth_date = "clear"
memo = "clear"
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
roles = ["tax", "marketing", "owner"]
tables = ["customer"]
all = true
"#;

fn bundle(profile: &str) -> Bundle {
    Bundle::default()
        .file(
            "bundle.toml",
            &format!("name = \"masked\"\nversion = \"{profile}\"\nprofile = \"{profile}\"\n"),
        )
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file("classes.toml", CLASSES)
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES)
        .principal("ann", "clerk", "a")
        .principal("ben", "clerk", "b")
        .principal("roy", "clerk", "root")
        .principal("tom", "tax", "root")
        .principal("mia", "marketing", "root")
        .principal("olga", "owner", "root")
}

/// Two hundred customers of each outlet. Numbers that are masked alike are in both outlets; some
/// of one outlet are in no other.
async fn mart() -> TestMart {
    let mart = TestMart::new();
    let row = |id: u64| {
        let outlet = if id.is_multiple_of(2) { "a" } else { "b" };
        let mobile = match id % 10 {
            7 => String::new(),
            of => format!("138{:04}{:04}", id, of * 1_000 + u64::from(id >= 200)),
        };
        let born = if id % 9 == 4 { String::new() } else { format!("19{:02}-03-05", 60 + id % 31) };
        format!("{id},{outlet},{mobile},{born},memo {id}\n")
    };
    let rows: String = (0..400).map(row).collect();
    mart.write("load.toml", LOAD)
        .write("customer.csv", format!("customer_id,outlet,mobile,born,memo\n{rows}"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle("doc")).await;
    mart
}

async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<String> {
    let mart = engine.mart();
    let signed_in = mart.directory().sign_in(user, PASSWORD).unwrap();
    let principal = mart.directory().principal(&signed_in).unwrap();
    let told = async {
        let rows = engine.session(&principal, &mart).prepare(sql).await?.execute(None).await?;
        rows.try_collect::<Vec<RecordBatch>>().await
    };
    let batches = match told.await {
        Ok(batches) => batches,
        Err(error) => return vec![format!("error: {error}")],
    };
    let text = |batch: &RecordBatch, row: usize| {
        let cells = batch.columns().iter().map(|cells| array_value_to_string(cells, row).unwrap());
        cells.collect::<Vec<_>>().join("|")
    };
    let rows =
        batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| text(batch, row)));
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    rows
}

const QUESTIONS: [&str; 14] = [
    "SELECT count(*) FROM customer WHERE mobile = '138****4000'",
    "SELECT count(*) FROM customer WHERE mobile = '*********00'",
    "SELECT customer_id, mobile FROM customer WHERE mobile LIKE '138%1'",
    "SELECT count(*) FROM customer WHERE mobile NOT LIKE '%00'",
    "SELECT count(*) FROM customer WHERE mobile IN ('138****1000', '138****9001', 'x')",
    "SELECT count(*) FROM customer WHERE mobile IS NULL",
    "SELECT count(*) FROM customer WHERE mobile < '138****3' OR outlet = 'b'",
    "SELECT outlet, count(*) FROM customer WHERE NOT (mobile > '1') GROUP BY outlet",
    "SELECT customer_id FROM customer WHERE born = 1970",
    "SELECT count(*) FROM customer WHERE born BETWEEN 1965 AND 1985 AND mobile LIKE '%00'",
    "SELECT mobile, count(*) FROM customer WHERE customer_id < 90 GROUP BY mobile",
    "SELECT mobile, born, memo FROM customer WHERE memo IS NULL",
    "SELECT count(*) FROM customer WHERE memo LIKE '%memo%' OR memo = '***'",
    "SELECT count(*) FROM customer WHERE CAST(mobile AS bigint) > 5 AND born = 1970",
];

const USERS: [&str; 6] = ["olga", "tom", "mia", "roy", "ann", "ben"];

/// Whoever asks first fills what is kept, under another mask and for other rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_by_what_another_mask_leaves() {
    let mart = mart().await;
    let plain = engine(&mart, AccessPath::Scan).await;
    let mut expected = Vec::new();
    for user in USERS {
        for sql in QUESTIONS {
            expected.push((user, sql, answer(&plain, user, sql).await));
        }
    }
    let told = |user: &str, at: usize| {
        let found = expected.iter().find(|(of, sql, _)| *of == user && *sql == QUESTIONS[at]);
        found.unwrap().2.clone()
    };
    assert_eq!([told("roy", 0), told("ann", 0), told("ben", 0)], [["20"], ["20"], ["0"]]);
    assert_eq!([told("olga", 0), told("tom", 0)], [["0"], ["0"]], "other values are shown to them");
    for path in AccessPath::ALL {
        for backwards in [false, true] {
            let engine = engine(&mart, path).await;
            for turn in ["first", "again"] {
                let mut asked: Vec<_> = expected.iter().collect();
                if backwards {
                    asked.reverse();
                }
                for (user, sql, expected) in asked {
                    let found = answer(&engine, user, sql).await;
                    assert_eq!(found, *expected, "{path:?}, {turn}, {user}: {sql}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stricter_profile_counts_for_what_was_asked_before() {
    let mart = mart().await;
    for path in AccessPath::ALL {
        mart.apply(&bundle("doc")).await;
        let engine = engine(&mart, path).await;
        let sql = "SELECT mobile, born FROM customer WHERE mobile LIKE '138****400%' AND born > 0";
        let before = answer(&engine, "roy", sql).await;
        assert_eq!(before.len(), 35, "{path:?}");
        mart.apply(&bundle("strict")).await;
        engine.refresh().await.unwrap();
        assert!(answer(&engine, "roy", sql).await.is_empty(), "{path:?}");
        let sql = "SELECT DISTINCT mobile FROM customer WHERE mobile = '*********01'";
        assert_eq!(answer(&engine, "roy", sql).await, ["*********01"], "{path:?}");
        let sql = "SELECT count(*) FROM customer WHERE born % 5 <> 0 OR born = 1961";
        assert_eq!(answer(&engine, "roy", sql).await, ["0"], "{path:?}");
    }
}

/// A look-up asks what is stored, a condition what is shown; neither stands in for the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_beside_a_condition_asks_the_stored_value() {
    let mart = mart().await;
    for path in AccessPath::ALL {
        let engine = engine(&mart, path).await;
        for (user, found) in [("roy", "1"), ("ann", "1"), ("ben", "0")] {
            for (sql, expected) in [
                ("lookup(mobile, '13800144000') AND mobile = '138****4000'", found),
                ("lookup(mobile, '13800144000') AND mobile = '13800144000'", "0"),
                ("lookup(mobile, '138****4000')", "0"),
                ("mobile = '13800144000'", "0"),
            ] {
                let sql = format!("SELECT count(*) FROM customer WHERE {sql}");
                assert_eq!(
                    answer(&engine, user, &sql).await,
                    [expected],
                    "{path:?}, {user}: {sql}"
                );
            }
        }
    }
}
