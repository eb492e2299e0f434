//! The first rows in some order, and rows with partners: what hidden rows hold decides neither which
//! they are nor whether they can be had.
//!
//! Indexes find the first rows without looking at the others, and how far they look depends on what
//! is stored beside hidden rows: on the bounds of a segment, on the number of values in it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use martlet_policy::TokenKeys;
use martlet_query::{Engine, EngineOptions};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const LOAD: &str = r#"
name = "first_rows"
[[table]]
name = "entry"
mode = "append"
cluster_key = ["id"]
  [[table.column]]
  name = "id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "x"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["entry.csv"]
[[table]]
name = "partner"
mode = "append"
  [[table.column]]
  name = "k"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["partner.csv"]
"#;

/// Nights enough for each thread to read several of their segments.
const NIGHTS: i64 = 12;
/// Rows of one outlet that the reader sees in the first night.
const VISIBLE: i64 = 3_001;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"first_rows\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"teller\"\ntables = [\"entry\", \"partner\"]\n[role.classes]\nopen = \"clear\"\n\
             [[role]]\nname = \"clerk\"\ntables = [\"entry\", \"partner\"]\n[role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"teller\"]\n\
             tables = [\"entry\", \"partner\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
             [[row_rule]]\nname = \"own_partners\"\neffect = \"permit\"\nroles = [\"clerk\"]\n\
             tables = [\"partner\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
             [[row_rule]]\nname = \"all_entries\"\neffect = \"permit\"\nroles = [\"clerk\"]\n\
             tables = [\"entry\"]\nall = true\n",
        )
        .principal("teller", "teller", "a")
        .principal("clerk", "clerk", "a")
}

/// A mart in which the reader sees `shown(night)` and others see `hidden(night)` beside it.
async fn mart(
    shown: impl Fn(i64) -> Vec<(i64, i64)>,
    hidden: impl Fn(i64) -> Vec<(i64, String, i64)>,
) -> TestMart {
    with_partners(shown, hidden, |_| 0).await
}

/// The same, where each row but that of id 0 has a partner, beside so many that are hidden.
async fn with_partners(
    shown: impl Fn(i64) -> Vec<(i64, i64)>,
    hidden: impl Fn(i64) -> Vec<(i64, String, i64)>,
    hidden_partners: impl Fn(i64) -> i64,
) -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD);
    for night in 0..NIGHTS {
        let own = shown(night).into_iter().map(|(id, x)| format!("{id},a,{x}\n"));
        let others =
            hidden(night).into_iter().map(|(id, outlet, x)| format!("{id},{outlet},{x}\n"));
        let rows: String = own.chain(others).collect();
        mart.write("entry.csv", format!("id,outlet,x\n{rows}"));
        let own =
            shown(night).into_iter().filter(|(id, _)| *id != 0).map(|(id, _)| format!("{id},a\n"));
        let others = (0..hidden_partners(night)).map(|at| format!("{},b\n", at % 7_000));
        let partners: String = own.chain(others).collect();
        mart.write("partner.csv", format!("k,outlet\n{partners}"));
        mart.load("load.toml", &format!("2026-11-{:02}", night + 1)).await;
    }
    mart.apply(&bundle()).await;
    mart
}

/// What the reader is told by one thread: two race for who is first among rows that tie.
async fn told(mart: &TestMart, sql: &str) -> Result<String, String> {
    told_to("teller", mart, sql).await
}

async fn told_to(who: &str, mart: &TestMart, sql: &str) -> Result<String, String> {
    let options = EngineOptions { threads: 1, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    let engine =
        Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap();
    let mart = engine.mart();
    let signed_in = mart.directory().sign_in(who, PASSWORD).unwrap();
    let principal = mart.directory().principal(&signed_in).unwrap();
    let rows = async {
        let rows = engine.session(&principal, &mart).prepare(sql).await?.execute(None).await?;
        rows.try_collect::<Vec<RecordBatch>>().await
    };
    let batches = rows.await.map_err(|error| error.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// One row in each night, all alike; `best` is the night beside whose row a hidden one is far ahead.
async fn beside(best: i64, x: impl Fn(i64) -> i64) -> TestMart {
    let ahead = |night| if night == best { 1_000 } else { 0 };
    mart(|night| vec![(night, x(night))], |night| vec![(100 + night, "b".to_owned(), ahead(night))])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_tie_come_in_the_same_order_whatever_is_hidden_beside_them() {
    let sql = "SELECT id FROM entry ORDER BY x DESC LIMIT 1";
    let first = told(&beside(0, |_| 5).await, sql).await.unwrap();
    for best in 1..NIGHTS {
        assert_eq!(told(&beside(best, |_| 5).await, sql).await.unwrap(), first, "{best}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_computed_fails_the_statement_whatever_is_hidden_beside_it() {
    let last = NIGHTS - 1;
    // The last row in the order, of the first night or of the last, when the sort has learned which
    // rows it no longer needs; with it the statement cannot be answered.
    for sql in [
        "SELECT x, 1 / id FROM entry ORDER BY x DESC LIMIT 1",
        "SELECT id FROM entry ORDER BY x DESC, 1 / id LIMIT 1",
        &format!("SELECT x, 1 / (id - {last}) FROM entry ORDER BY x LIMIT 1"),
        &format!("SELECT id FROM entry ORDER BY x, 1 / (id - {last}) LIMIT 1"),
        &format!("SELECT x FROM entry WHERE 1 / (id - {last}) >= 0 ORDER BY x LIMIT 1"),
    ] {
        for best in [0, 2, NIGHTS - 1] {
            let mart = beside(best, |night| night).await;
            let refused = told(&mart, sql).await.unwrap_err();
            assert!(refused.contains("division by zero"), "{best}: {sql}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_many_values_are_hidden_decides_nothing_about_the_first_of_each() {
    let numbered = "SELECT s.*, row_number() OVER (PARTITION BY outlet ORDER BY x DESC) AS rn FROM";
    let failing = "(SELECT id, outlet, x, 1 / id AS e FROM entry) s";
    let first = VISIBLE - 1;
    for sql in [
        format!("SELECT max(e) FROM ({numbered} {failing}) w WHERE rn <= {first}"),
        format!("SELECT max(rn) FROM ({numbered} entry s) w WHERE rn <= {first} AND 1 / id >= 0"),
        format!(
            "SELECT max(id) FROM (SELECT id, row_number() OVER (PARTITION BY outlet \
             ORDER BY x DESC, 1 / id) AS rn FROM entry) w WHERE rn <= {first}"
        ),
    ] {
        for outlets in [1, 1_000] {
            let hidden = |night: i64| {
                let many = if night == 0 { outlets } else { 0 };
                (0..many).map(|at| (10_000 + at, format!("b{at}"), 0)).collect()
            };
            let shown = |night: i64| match night {
                0 => (0..VISIBLE).map(|id| (id, id)).collect(),
                _ => Vec::new(),
            };
            let refused = told(&mart(shown, hidden).await, &sql).await.unwrap_err();
            assert!(refused.contains("division by zero"), "{outlets}: {sql}: {refused}");
        }
    }
}

/// Which side of a join is looked up, and whether an index is there to look it up in, depends on how
/// many rows and values there are, hidden ones too. What is computed on one side fails on rows
/// without a partner, or is not computed of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_side_of_a_join_is_larger_decides_nothing() {
    let shown = |night: i64| if night == 0 { (0..50).map(|id| (id, id)).collect() } else { vec![] };
    let computed = "(SELECT id, 100 / id AS e FROM entry) x";
    // The clerk sees all entries: of the partners alone rows are hidden, and nothing is computed of them.
    for who in ["teller", "clerk"] {
        let hidden_entries = if who == "clerk" { 0 } else { 20_000 };
        let mut told_of = Vec::new();
        for (entries, partners) in [(0, 0), (0, 20_000), (hidden_entries, 0)] {
            let hidden = |night: i64| {
                let many = if night == 0 { entries } else { 0 };
                (0..many).map(|at| (at % 7_000, "b".to_owned(), at)).collect()
            };
            let of_partners = |night: i64| if night == 0 { partners } else { 0 };
            let mart = with_partners(shown, hidden, of_partners).await;
            let mut answers = Vec::new();
            for sides in
                [format!("{computed} JOIN partner y"), format!("partner y JOIN {computed}")]
            {
                for total in ["x.e, count(*)", "count(*), sum(x.e)"] {
                    let grouped =
                        if total.starts_with("x.e") { "GROUP BY x.e ORDER BY x.e" } else { "" };
                    let sql = format!("SELECT {total} FROM {sides} ON x.id = y.k {grouped}");
                    answers.push(told_to(who, &mart, &sql).await);
                }
            }
            told_of.push(answers);
        }
        assert_eq!(told_of[0], told_of[1], "{who}");
        assert_eq!(told_of[0], told_of[2], "{who}");
    }
}
