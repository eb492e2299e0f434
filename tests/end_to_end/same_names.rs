//! Two columns of one name, one of each side of a join or of each part of a union: what was learned of
//! one is not asked of the other.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use martlet_policy::TokenKeys;
use martlet_query::{Engine, EngineOptions};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const LOAD: &str = r#"
name = "same_names"
[[table]]
name = "today"
mode = "append"
  [[table.column]]
  name = "k"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "balance"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["today.csv"]
[[table]]
name = "yesterday"
mode = "append"
  [[table.column]]
  name = "k"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "balance"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["yesterday.csv"]
"#;

const NIGHTS: i64 = 6;
const ROWS: i64 = 9_000;

/// Whoever has the least today had the most yesterday.
async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD);
    for night in 0..NIGHTS {
        let keys = night * ROWS..(night + 1) * ROWS;
        let today: String = keys.clone().map(|k| format!("{k},{k}\n")).collect();
        let yesterday: String = keys.map(|k| format!("{k},{}\n", NIGHTS * ROWS - k)).collect();
        mart.write("today.csv", format!("k,balance\n{today}"))
            .write("yesterday.csv", format!("k,balance\n{yesterday}"));
        mart.load("load.toml", &format!("2026-11-{:02}", night + 1)).await;
    }
    let bundle = Bundle::default()
        .file("bundle.toml", "name = \"same_names\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"all\"\ntables = [\"today\", \"yesterday\"]\n[role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"all\"]\n\
             tables = [\"today\", \"yesterday\"]\nall = true\n",
        )
        .principal("ann", "all", "root");
    mart.apply(&bundle).await;
    mart
}

async fn answer(engine: &Engine, sql: &str) -> Vec<(i64, i64)> {
    let mart = engine.mart();
    let signed_in = mart.directory().sign_in("ann", PASSWORD).unwrap();
    let principal = mart.directory().principal(&signed_in).unwrap();
    let statement = engine.session(&principal, &mart).prepare(sql).await.unwrap();
    let rows = statement.execute(None).await.unwrap();
    let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
    let values = |batch: &RecordBatch, column: usize| {
        batch.column(column).as_primitive::<Int64Type>().values().to_vec()
    };
    let pairs = |batch: &RecordBatch| values(batch, 0).into_iter().zip(values(batch, 1));
    batches.iter().flat_map(pairs).collect()
}

async fn engine(mart: &TestMart) -> Engine {
    let options = EngineOptions { threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_by_one_of_two_columns_of_a_name_are_the_first() {
    let mart = mart().await;
    let engine = engine(&mart).await;
    let all = NIGHTS * ROWS;
    for (order, expected) in [
        ("t.balance", vec![(0, all), (1, all - 1), (2, all - 2)]),
        ("y.balance", vec![(all - 1, 1), (all - 2, 2), (all - 3, 3)]),
        ("t.balance DESC", vec![(all - 1, 1), (all - 2, 2), (all - 3, 3)]),
    ] {
        for sides in ["today t JOIN yesterday y", "yesterday y JOIN today t"] {
            for columns in ["t.balance, y.balance, y.k + 1 AS n", "t.balance, y.balance, t.k, y.k"]
            {
                let sql =
                    format!("SELECT {columns} FROM {sides} ON t.k = y.k ORDER BY {order} LIMIT 3");
                assert_eq!(answer(&engine, &sql).await, expected, "{sql}");
            }
        }
    }
    // A condition that stays above, of a column whose name is another's, too.
    let sql = "SELECT t.balance, y.balance FROM today t JOIN yesterday y ON t.k = y.k \
               WHERE t.balance % 1000 = y.balance % 1000 AND t.balance + y.balance > 0 \
               ORDER BY t.balance LIMIT 2";
    assert_eq!(answer(&engine, sql).await, [(0, all), (500, all - 500)]);
}

/// A union calls its columns as its first part does, and finds them in the others by that name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_union_that_call_their_columns_otherwise_are_asked_about_the_right_ones() {
    let mart = mart().await;
    let engine = engine(&mart).await;
    let all = NIGHTS * ROWS;
    let parts = [
        "SELECT b, a FROM t UNION ALL SELECT b, a FROM t",
        "SELECT DISTINCT b, a FROM t UNION ALL SELECT DISTINCT b, a FROM t",
    ];
    for further in parts {
        let sql = format!(
            "WITH t AS (SELECT k AS a, balance AS b FROM yesterday) SELECT u.a, u.b
             FROM (SELECT k FROM today WHERE k % 100000 = 7) d
             JOIN (SELECT a, b FROM t UNION ALL ({further})) u ON u.a = d.k"
        );
        assert_eq!(answer(&engine, &sql).await, [(7, all - 7); 3], "{sql}");
        let sql = format!(
            "WITH t AS (SELECT k AS a, balance AS b FROM yesterday) SELECT u.a, u.b
             FROM (SELECT a, b FROM t UNION ALL ({further})) u ORDER BY u.a, u.b LIMIT 4"
        );
        let expected = [(0, all), (1, all - 1), (1, all - 1), (1, all - 1)];
        assert_eq!(answer(&engine, &sql).await, expected, "{sql}");
    }
}

/// What a semi-join looks at and does not show can be called as what it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_semi_join_hides_is_not_asked_about_what_it_shows() {
    let mart = mart().await;
    let engine = engine(&mart).await;
    for (further, found) in [("u.k > t.x", true), ("u.k < t.x", false)] {
        let sql = format!(
            "SELECT s.k, s.x FROM (SELECT k FROM today WHERE k % 100000 = 7) d JOIN
             (SELECT k, x FROM (SELECT k, balance AS x FROM today) t WHERE EXISTS
               (SELECT 1 FROM (SELECT balance AS k, k AS j FROM yesterday) u
                WHERE u.j = t.k AND {further})) s ON s.k = d.k"
        );
        let expected: &[(i64, i64)] = if found { &[(7, 7)] } else { &[] };
        assert_eq!(answer(&engine, &sql).await, expected, "{sql}");
    }
}
