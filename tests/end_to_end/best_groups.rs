//! The best groups by a total, and the first rows of each value, over several segments in several
//! partitions, one of them with damaged indexes. The plain operators give the answers.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};
use martlet_index::{IndexChoice, IndexKind, build};
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};
use martlet_store::{BatchLabel, CommitOutcome, Store};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const SEGMENTS: u32 = 4;
const SEGMENT_ROWS: u32 = 12_000;

/// Sees every row.
pub(super) const WHOLE: &str = "whole";
/// Sees the rows of some outlets.
pub(super) const PART: &str = "part";

fn schema() -> TableSchema {
    let column = |name: &str, column_type| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: true,
        class: Some(ColumnName::new("open").unwrap()),
    };
    let columns = vec![
        column("outlet", ColumnType::Text),
        column("customer", ColumnType::Text),
        column("kind", ColumnType::Text),
        column("points", ColumnType::Int64),
        column("amount", ColumnType::Decimal { precision: 18, scale: 2 }),
        column("score", ColumnType::Float64),
        column("booked_on", ColumnType::Date),
        column("line", ColumnType::Int64),
        column("wide", ColumnType::Decimal { precision: 38, scale: 2 }),
    ];
    TableSchema::new(TableName::new("fact").unwrap(), columns, &[], &[]).unwrap()
}

/// A number that looks drawn at random, the same in every run.
fn mixed(row: u32, salt: u64) -> u64 {
    let mut bits = u64::from(row) << 32 | salt;
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits >> 33
}

/// Most customers are in one segment only, some in several, and some rows have none. There are
/// customers without any amount, and many of equal totals.
fn segment(number: u32) -> RecordBatch {
    let rows = || (number * SEGMENT_ROWS)..(number + 1) * SEGMENT_ROWS;
    let customer = |row: u32| match row % 17 {
        0 => None,
        1 | 2 => Some(mixed(row, 3) % 40),
        _ => Some(10_000 * u64::from(number + 1) + mixed(row, 3) % 3_000),
    };
    let has_amounts = |row: u32| customer(row).is_none_or(|customer| customer % 10 != 0);
    let outlet = rows().map(|row| Some(format!("v{}", mixed(row, 1) % 10)));
    let text = rows().map(|row| customer(row).map(|customer| format!("C{customer:06}")));
    let kind = rows().map(|row| (row % 19 != 0).then(|| format!("k{}", mixed(row, 2) % 6)));
    let points = rows().map(|row| (row % 7 != 0).then(|| (mixed(row, 4) % 9) as i64 - 4));
    let amount = rows().map(|row| {
        let amount = (mixed(row, 5) % 50) as i128 * 100 - 1_000;
        (row % 13 != 0 && has_amounts(row)).then_some(amount)
    });
    // Quarters add up to the same in any order.
    let score = rows().map(|row| (row % 3 != 0).then(|| (mixed(row, 6) % 800) as f64 / 4.0 - 90.0));
    let day = rows().map(|row| (row % 5 != 0).then(|| (mixed(row, 7) % 400) as i32));
    let amount = amount.collect::<Decimal128Array>().with_precision_and_scale(18, 2).unwrap();
    let wide = rows().map(|row| Some((mixed(row, 8) % 60) as i128 * 10_i128.pow(20)));
    let wide = wide.collect::<Decimal128Array>().with_precision_and_scale(38, 2).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(outlet.collect::<StringArray>()),
        Arc::new(text.collect::<StringArray>()),
        Arc::new(kind.collect::<StringArray>()),
        Arc::new(points.collect::<Int64Array>()),
        Arc::new(amount),
        Arc::new(score.collect::<Float64Array>()),
        Arc::new(day.collect::<Date32Array>()),
        Arc::new(rows().map(|row| Some(i64::from(row))).collect::<Int64Array>()),
        Arc::new(wide),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

async fn publish(store: &Store) {
    let schema = schema();
    let label = BatchLabel::new("night", "2026-11-20".parse().unwrap()).unwrap();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let vector = || IndexChoice::Kinds(vec![IndexKind::Vector]);
    let codes = || IndexChoice::Kinds(vec![IndexKind::Codes]);
    let choices =
        [codes(), codes(), codes(), vector(), vector(), vector(), codes(), vector(), codes()];
    let mut staged = Vec::new();
    for number in 0..SEGMENTS {
        let rows = segment(number);
        let batches = std::slice::from_ref(&rows);
        let mut segment = commit.stage_segment(&schema, &label, batches).await.unwrap();
        let built = build(&schema, &rows, &choices).unwrap();
        commit.attach(&mut segment, built.bytes, built.descriptor.encode()).await.unwrap();
        staged.push(segment);
    }
    commit.replace_table(&schema, staged).unwrap();
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
}

fn bundle() -> Bundle {
    let outlets: String = (0..10)
        .map(|outlet| format!("v{outlet},{},outlet,V\n", if outlet < 8 { "most" } else { "root" }))
        .collect();
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            &format!("node,parent,level,name\nroot,,head_office,R\nmost,root,province,M\n{outlets}"),
        )
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n[[class]]\nname = \"rules\"\nmask = \"redact\"\n")
        .file("roles.toml", "[[role]]\nname = \"below\"\ntables = [\"fact\"]\n[role.classes]\nopen = \"clear\"\n[[role]]\nname = \"whole\"\ntables = [\"fact\"]\nmay = [\"explain\"]\n[role.classes]\nopen = \"clear\"\n")
        .file("rules.toml", "[[row_rule]]\nname = \"below\"\neffect = \"permit\"\nroles = [\"below\"]\ntables = [\"fact\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"whole\"]\ntables = [\"fact\"]\nall = true\n")
        .principal(WHOLE, "whole", "root")
        .principal(PART, "below", "most")
}

/// Only the best groups leave their segment.
const BEST: [&str; 15] = [
    "SELECT customer, count(*) AS n, sum(amount) AS total FROM fact WHERE kind <> 'k2'
     GROUP BY customer ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer
     ORDER BY total DESC, customer LIMIT 15",
    "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer
     ORDER BY total, customer NULLS FIRST LIMIT 12",
    "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer
     ORDER BY total NULLS FIRST, customer LIMIT 400",
    "SELECT customer, count(*) AS n FROM fact GROUP BY customer ORDER BY n, customer LIMIT 30",
    "SELECT customer, count(amount) AS n FROM fact GROUP BY customer
     ORDER BY n DESC, customer LIMIT 60",
    "SELECT customer, avg(amount) AS a, count(*) FROM fact GROUP BY customer
     ORDER BY a DESC NULLS LAST, customer LIMIT 25",
    "SELECT customer, avg(points) AS a FROM fact GROUP BY customer
     ORDER BY a NULLS LAST, customer LIMIT 25",
    "SELECT customer, sum(points) AS p, max(amount) FROM fact GROUP BY customer
     ORDER BY p DESC NULLS LAST, customer LIMIT 9 OFFSET 11",
    "SELECT customer, sum(score) AS s FROM fact GROUP BY customer
     ORDER BY s DESC NULLS LAST, customer LIMIT 10",
    "SELECT customer, max(booked_on) AS d, count(*) FROM fact GROUP BY customer
     ORDER BY d DESC NULLS LAST, customer LIMIT 10",
    "SELECT customer, min(amount) AS m, count(*) FROM fact WHERE points > 0 GROUP BY customer
     ORDER BY m, customer LIMIT 10",
    "SELECT customer, kind, count(*) AS n, sum(amount) AS total FROM fact GROUP BY customer, kind
     ORDER BY total DESC NULLS LAST, customer, kind LIMIT 20",
    "SELECT customer, extract(month FROM booked_on) AS m, sum(score) AS s FROM fact
     GROUP BY customer, m ORDER BY s, customer, m LIMIT 20",
    "SELECT who, t FROM (SELECT customer AS who, sum(-amount) AS t FROM fact GROUP BY customer) f
     ORDER BY t DESC NULLS LAST, who LIMIT 1",
];

/// Every group does.
const ALL: [&str; 10] = [
    "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer HAVING count(*) < 4
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, count(DISTINCT kind) AS n, sum(amount) AS total FROM fact GROUP BY customer
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, sum(amount) FILTER (WHERE kind = 'k1') AS total FROM fact GROUP BY customer
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, sum(wide) AS total FROM fact GROUP BY customer
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, max(wide) AS total, min(wide), count(*) FROM fact GROUP BY customer
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT substr(customer, 1, 5) AS c, sum(amount) AS total FROM fact GROUP BY c
     ORDER BY total DESC NULLS LAST, c LIMIT 20",
    "SELECT customer, sum(amount) * 2 AS total FROM fact GROUP BY customer
     ORDER BY total DESC NULLS LAST, customer LIMIT 20",
    "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer
     ORDER BY customer, total DESC LIMIT 20",
    "SELECT customer, max(kind) AS k, count(*) FROM fact GROUP BY customer
     ORDER BY k DESC NULLS LAST, customer LIMIT 20",
    "SELECT a.customer, b.n, sum(a.amount) AS total FROM fact a
     JOIN (SELECT kind, count(*) AS n FROM fact GROUP BY kind) b ON b.kind = a.kind
     GROUP BY a.customer, b.n ORDER BY total DESC NULLS LAST, customer, n LIMIT 20",
];

/// Only the first rows of each value are read.
const OF_EACH: [&str; 8] = [
    "SELECT kind, amount, line, place FROM (SELECT kind, amount, line,
       rank() OVER (PARTITION BY kind ORDER BY amount DESC NULLS LAST) AS place FROM fact) r
     WHERE place <= 3",
    "SELECT * FROM (SELECT kind, amount, line,
       rank() OVER (PARTITION BY kind ORDER BY amount DESC) AS place FROM fact) r WHERE place < 3",
    "SELECT * FROM (SELECT kind, score, line,
       row_number() OVER (PARTITION BY kind ORDER BY score NULLS LAST, line) AS place FROM fact
       WHERE points > 0) r WHERE place <= 4",
    "SELECT * FROM (SELECT kind, score, line,
       row_number() OVER (PARTITION BY kind ORDER BY score DESC NULLS LAST, line DESC) AS place
       FROM fact) r WHERE place = 1",
    "SELECT * FROM (SELECT outlet, booked_on, line,
       dense_rank() OVER (PARTITION BY outlet ORDER BY booked_on DESC NULLS LAST, points) AS place
       FROM fact) r WHERE place <= 2",
    "SELECT * FROM (SELECT customer, points, line,
       dense_rank() OVER (PARTITION BY customer ORDER BY points) AS place
       FROM fact) r WHERE place = 2 AND line % 50 = 1",
    "SELECT * FROM (SELECT outlet, amount, line,
       rank() OVER (PARTITION BY outlet ORDER BY amount) AS place,
       dense_rank() OVER (PARTITION BY outlet ORDER BY amount) AS dense
       FROM fact) r WHERE place = 1",
    "SELECT kind, max(place), count(*) FROM (SELECT kind, row_number() OVER (PARTITION BY kind
       ORDER BY amount DESC, line) AS place FROM fact WHERE booked_on > '1970-03-01') r
     WHERE 5 >= place GROUP BY kind",
];

/// Every row is.
const OF_ALL: [&str; 3] = [
    "SELECT * FROM (SELECT kind, amount, line, rank() OVER (PARTITION BY kind ORDER BY amount) AS r,
       sum(points) OVER (PARTITION BY kind) AS s FROM fact) r WHERE r = 1",
    "SELECT * FROM (SELECT kind, outlet, line,
       row_number() OVER (PARTITION BY kind, outlet ORDER BY line) AS r FROM fact) r WHERE r = 2",
    "SELECT * FROM (SELECT kind, line, row_number() OVER (PARTITION BY kind ORDER BY line) AS r
       FROM fact) r WHERE r > 1650",
];

pub(super) async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<String> {
    let mart = engine.mart();
    let proof = mart.directory().sign_in(user, PASSWORD).unwrap();
    let principal = mart.directory().principal(&proof).unwrap();
    let statement = engine.session(&principal, &mart).prepare(sql).await.unwrap();
    let batches: Vec<RecordBatch> =
        statement.execute(None).await.unwrap().try_collect().await.unwrap();
    let text = |batch: &RecordBatch, row: usize| {
        let cells = batch.columns().iter().map(|cells| array_value_to_string(cells, row).unwrap());
        cells.collect::<Vec<_>>().join("|")
    };
    let rows =
        batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| text(batch, row)));
    let mut rows: Vec<String> = rows.collect();
    if sql.contains(" OVER ") {
        rows.sort();
    }
    rows
}

pub(super) async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

pub(super) async fn mart() -> TestMart {
    let mart = TestMart::new();
    publish(&mart.store).await;
    mart.apply(&bundle()).await;
    mart
}

/// Turns bits of one segment's indexes.
fn damage(mart: &TestMart) {
    let folder = mart.folder.path().join("mart/indexes/fact");
    let path = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x40);
    fs::write(&path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_are_those_of_sorting_everything() {
    let mart = mart().await;
    let plain = engine(&mart, AccessPath::Scan).await;
    let mut expected = Vec::new();
    for question in BEST.iter().chain(&ALL).chain(&OF_EACH).chain(&OF_ALL) {
        for user in [WHOLE, PART] {
            let answer = answer(&plain, user, question).await;
            assert!(!answer.is_empty(), "{question}");
            expected.push((user, question, answer));
        }
    }
    for is_damaged in [false, true] {
        if is_damaged {
            damage(&mart);
        }
        for path in AccessPath::ALL {
            let engine = engine(&mart, path).await;
            for (user, question, expected) in &expected {
                let found = answer(&engine, user, question).await;
                assert_eq!(found, *expected, "{path:?}, {is_damaged}, {user}: {question}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_where_only_the_best_are_looked_at() {
    let mart = mart().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    let explained = async |question: &str| {
        answer(&engine, WHOLE, &format!("EXPLAIN {question}")).await.concat()
    };
    for question in BEST {
        let plan = explained(question).await;
        assert!(plan.contains("IndexAggregate") && plan.contains(", best="), "{question}\n{plan}");
    }
    assert!(explained(BEST[0]).await.contains("best=20 by total desc"));
    for question in ALL {
        assert!(!explained(question).await.contains(", best="), "{question}");
    }
    for question in OF_EACH {
        let plan = explained(question).await;
        assert!(plan.contains(", top=") && plan.contains(" of each "), "{question}\n{plan}");
    }
    assert!(explained(OF_EACH[0]).await.contains("top=3 by amount of each kind"));
    for question in OF_ALL {
        assert!(!explained(question).await.contains(", top="), "{question}");
    }
}
