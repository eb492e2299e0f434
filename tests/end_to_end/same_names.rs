//! Two columns of one name, one of each side of a join: what was learned of one is not asked of the
//! other.

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_by_one_of_two_columns_of_a_name_are_the_first() {
    let mart = mart().await;
    let options = EngineOptions { threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    let engine =
        Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap();
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
