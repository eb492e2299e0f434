//! Percentiles from indexes over more rows than are kept aside: both passes, several segments in
//! several partitions, one of them with damaged indexes. The plain operator gives the answers.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
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
const SEGMENT_ROWS: u32 = 50_000;

const MONEY: ColumnType = ColumnType::Decimal { precision: 18, scale: 2 };

fn schema() -> TableSchema {
    let column = |name: &str, column_type| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: true,
        class: Some(ColumnName::new("open").unwrap()),
    };
    let columns = vec![
        column("outlet", ColumnType::Text),
        column("kind", ColumnType::Text),
        column("customer", ColumnType::Int64),
        column("amount", MONEY),
        column("score", ColumnType::Float64),
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

/// Skewed amounts of both signs, some of them frequent; nulls; kinds that not every segment has.
fn segment(number: u32) -> RecordBatch {
    let rows = || (number * SEGMENT_ROWS)..(number + 1) * SEGMENT_ROWS;
    let outlet = rows().map(|row| Some(format!("v{}", mixed(row, 1) % 10)));
    let kind = rows().map(|row| {
        let kind = mixed(row, 2) % 7 + u64::from(number % 2) * 3;
        (kind != 5).then(|| format!("k{kind}"))
    });
    let customer = rows().map(|row| (row % 11 != 0).then(|| (mixed(row, 3) % 20_000) as i64));
    let amount = rows().map(|row| {
        let size = 4 + mixed(row, 4) % 30;
        let amount = match row % 5 {
            0 => 50_000,
            1 => -((mixed(row, 5) % (1 << (size / 2))) as i128),
            _ => (mixed(row, 5) % (1 << size)) as i128,
        };
        (row % 13 != 0).then_some(amount)
    });
    let score = rows().map(|row| (row % 3 != 0).then(|| mixed(row, 6) as f64 / 1e6 - 700.0));
    let amount = amount.collect::<Decimal128Array>().with_precision_and_scale(18, 2).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(outlet.collect::<StringArray>()),
        Arc::new(kind.collect::<StringArray>()),
        Arc::new(customer.collect::<Int64Array>()),
        Arc::new(amount),
        Arc::new(score.collect::<Float64Array>()),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

async fn publish(store: &Store) {
    let schema = schema();
    let label = BatchLabel::new("night", "2026-11-20".parse().unwrap()).unwrap();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let vector = IndexChoice::Kinds(vec![IndexKind::Vector]);
    let codes = IndexChoice::Kinds(vec![IndexKind::Codes]);
    let choices = [codes.clone(), codes, vector.clone(), vector.clone(), vector];
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
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,R\nv3,root,outlet,V\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n[[class]]\nname = \"rules\"\nmask = \"redact\"\n")
        .file("roles.toml", "[[role]]\nname = \"below\"\ntables = [\"fact\"]\n[role.classes]\nopen = \"clear\"\n[[role]]\nname = \"whole\"\ntables = [\"fact\"]\nmay = [\"explain\"]\n[role.classes]\nopen = \"clear\"\n")
        .file("rules.toml", "[[row_rule]]\nname = \"below\"\neffect = \"permit\"\nroles = [\"below\"]\ntables = [\"fact\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"whole\"]\ntables = [\"fact\"]\nall = true\n")
        .principal("whole", "whole", "root")
        .principal("v3", "below", "v3")
}

const QUESTIONS: [&str; 9] = [
    "SELECT kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount),
            percentile_cont(0.9) WITHIN GROUP (ORDER BY amount) FROM fact GROUP BY kind",
    "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY amount), count(*), count(amount),
            min(amount) FROM fact",
    "SELECT median(amount), median(customer), median(score) FROM fact",
    "SELECT kind, outlet, median(amount), sum(amount) FROM fact WHERE amount > 0
     GROUP BY kind, outlet",
    "SELECT kind, percentile_cont(0.25) WITHIN GROUP (ORDER BY score DESC), count(DISTINCT customer)
     FROM fact GROUP BY kind",
    "SELECT customer, percentile_cont(0.75) WITHIN GROUP (ORDER BY amount), median(score)
     FROM fact GROUP BY customer",
    "SELECT median(amount) FILTER (WHERE kind = 'k2'), median(amount) FILTER (WHERE outlet = 'v3'),
            median(amount) FROM fact",
    "SELECT kind, percentile_cont(0.001) WITHIN GROUP (ORDER BY customer) AS p FROM fact
     GROUP BY kind HAVING percentile_cont(0.001) WITHIN GROUP (ORDER BY customer) > 15",
    "SELECT median(customer) FROM fact WHERE kind = 'no such kind'",
];

async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<String> {
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
    rows.sort();
    rows
}

async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
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
async fn percentiles_from_indexes_are_those_of_sorting_the_rows() {
    let mart = TestMart::new();
    publish(&mart.store).await;
    mart.apply(&bundle()).await;
    let plain = engine(&mart, AccessPath::Scan).await;
    let mut expected = Vec::new();
    for question in QUESTIONS {
        for user in ["whole", "v3"] {
            expected.push((user, question, answer(&plain, user, question).await));
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
async fn explain_names_the_columns_of_percentiles() {
    let mart = TestMart::new();
    publish(&mart.store).await;
    mart.apply(&bundle()).await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for question in QUESTIONS {
        let plan = answer(&engine, "whole", &format!("EXPLAIN {question}")).await.concat();
        assert!(plan.contains("IndexAggregate") && plan.contains("percentiles=["), "{plan}");
        assert!(!plan.contains("SortExec"), "nothing is sorted for it: {plan}");
    }
    let plan = answer(&engine, "whole", &format!("EXPLAIN {}", QUESTIONS[0])).await.concat();
    assert!(plan.contains("percentiles=[amount]") && plan.contains("amount: vector"), "{plan}");
}
