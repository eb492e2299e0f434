//! TPC-H's 22 queries at scale 0.01, loaded by the real load and asked through a session, with
//! indexes and without, against plain DataFusion over the same text in memory.

mod plain;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};
use tables::{TABLES, Table};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const SCALE: f64 = 0.01;

/// The questions as the benchmark asks them, by name.
fn questions() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benchmarks/workloads/tpch");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    let fraction = format!("{:.12}", 0.0001 / SCALE);
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap().replace("{tpch_fraction}", &fraction);
        // What follows is another engine's spelling of the same question.
        let standard = text.split("\n-- clickhouse:").next().unwrap_or_default().to_owned();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), standard)
    };
    files.iter().map(read).collect()
}

fn load_file() -> String {
    let mut text = "name = \"tpch\"\n".to_owned();
    for table in TABLES {
        let Table { name, primary_key, cluster_key, .. } = table;
        write!(text, "\n[[table]]\nname = \"{name}\"\nmode = \"replace\"\nprimary_key = {primary_key:?}\ncluster_key = {cluster_key:?}\n").unwrap();
        for (at, (column, kind)) in table.columns.iter().enumerate() {
            write!(text, "\n  [[table.column]]\n  name = \"{column}\"\n  type = \"{kind}\"\n  class = \"open\"\n  nullable = false\n  field = {}\n", at + 1).unwrap();
        }
        write!(text, "\n  [[table.source]]\n  files = [\"{name}.tbl\"]\n  delimiter = \"|\"\n  quote = \"\"\n  header = false\n").unwrap();
    }
    text
}

fn bundle() -> Bundle {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let class = |name: &str| format!("[[class]]\nname = \"{name}\"\nmask = \"redact\"\n");
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,R\n")
        .file("classes.toml", &["open", "audit", "rules"].map(class).concat())
        .file(
            "roles.toml",
            &format!("[[role]]\nname = \"all\"\ntables = {tables:?}\n[role.classes]\nopen = \"clear\"\n"),
        )
        .file(
            "rules.toml",
            &format!("[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"all\"]\ntables = {tables:?}\nall = true\n"),
        )
        .principal("chief", "all", "root")
}

/// The rows as texts, in an order of their own: where a query asks for one, ties are free.
fn rows_of(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows: Vec<String> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| row_of(batch, row)).collect::<Vec<_>>())
        .collect();
    rows.sort();
    rows
}

fn row_of(batch: &RecordBatch, row: usize) -> String {
    let cell = |column: &arrow::array::ArrayRef| {
        arrow::util::display::array_value_to_string(column, row).unwrap()
    };
    batch.columns().iter().map(cell).collect::<Vec<_>>().join("|")
}

async fn answer(engine: &Engine, sql: &str) -> Vec<RecordBatch> {
    let mart = engine.mart();
    let proof = mart.directory().sign_in("chief", PASSWORD).unwrap();
    let principal = mart.directory().principal(&proof).unwrap();
    let statement = engine.session(&principal, &mart).prepare(sql).await.unwrap();
    statement.execute(None).await.unwrap().try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_22_queries_give_the_right_answers() {
    let mart = TestMart::new();
    mart.write("tpch.toml", load_file());
    for table in TABLES {
        mart.write(&format!("{}.tbl", table.name), table.text(SCALE));
    }
    mart.load("tpch.toml", "1998-12-31").await;
    mart.apply(&bundle()).await;
    let mut engines = Vec::new();
    for path in AccessPath::ALL {
        let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
        let keys = TokenKeys::from_master(&[1; 32]);
        let records = Arc::new(NoRecords);
        let engine = Engine::open(mart.store.clone(), options, records, keys).await.unwrap();
        engines.push((path, engine));
    }
    let plain = plain::tables(mart.folder.path());
    let questions = questions();
    assert_eq!(questions.len(), 22);
    for (name, sql) in questions {
        let expected = plain.sql(&sql).await.unwrap().collect().await.unwrap();
        let expected = rows_of(&expected);
        for (path, engine) in &engines {
            let answer = rows_of(&answer(engine, &sql).await);
            assert_eq!(answer, expected, "{name}, {path:?}");
        }
    }
}
