//! Distinct values from indexes over several segments that share some: groups of few and of many
//! bits, groups that joins and expressions make, deleted rows, a segment with damaged indexes.
//! The plain operators give the answers.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, Selection, TableName, TableSchema};
use martlet_index::{IndexChoice, IndexKind, build};
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};
use martlet_store::{BatchLabel, CommitOutcome, Store};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const SEGMENTS: u32 = 6;
const SEGMENT_ROWS: u32 = 4_000;

fn table() -> TableName {
    TableName::new("visit").unwrap()
}

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
        column("account", ColumnType::Int64),
        column("merchant", ColumnType::Int64),
        column("kind", ColumnType::Text),
        column("day", ColumnType::Date),
        column("moment", ColumnType::Timestamp),
    ];
    TableSchema::new(table(), columns, &[], &[]).unwrap()
}

/// A number that looks drawn at random, the same in every run.
fn mixed(row: u32, salt: u64) -> u64 {
    let mut bits = u64::from(row) << 32 | salt;
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits >> 33
}

/// Two outlets a segment, one of them its neighbour's as well, and customers of whom some are
/// its neighbour's and a few anybody's; few merchants but for one segment.
fn segment(number: u32) -> RecordBatch {
    let rows = || (number * SEGMENT_ROWS)..(number + 1) * SEGMENT_ROWS;
    let outlet = rows().map(|row| {
        let outlet = number + u32::from(row % SEGMENT_ROWS > SEGMENT_ROWS / 2);
        (row % 97 != 0).then(|| format!("{}{outlet:02}", if outlet < 4 { "n" } else { "s" }))
    });
    let customer = rows().map(|row| {
        let customer = match row % 50 {
            0 => mixed(row, 3) % 3_500,
            _ => u64::from(number) * 500 + mixed(row, 3) % 600,
        };
        (row % 11 != 0).then(|| format!("C{customer:06}"))
    });
    let account = rows().map(|row| (row % 13 != 0).then(|| (mixed(row, 4) % 900) as i64));
    let merchants = if number == 2 { 900 } else { 40 };
    let merchant = rows().map(|row| Some((mixed(row, 5) % merchants) as i64));
    let kind = rows().map(|row| {
        let kind = mixed(row, 6) % 7;
        (kind != 5).then(|| format!("k{kind}"))
    });
    let day = rows().map(|row| Some(20_000 + (mixed(row, 7) % 120) as i32));
    // Tenths of a second.
    let moment = rows().map(|row| Some((mixed(row, 8) % 2_000) as i64 * 100_000));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(outlet.collect::<StringArray>()),
        Arc::new(customer.collect::<StringArray>()),
        Arc::new(account.collect::<Int64Array>()),
        Arc::new(merchant.collect::<Int64Array>()),
        Arc::new(kind.collect::<StringArray>()),
        Arc::new(day.collect::<Date32Array>()),
        Arc::new(moment.collect::<TimestampMicrosecondArray>()),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

fn label(date: &str) -> BatchLabel {
    BatchLabel::new("night", date.parse().unwrap()).unwrap()
}

async fn publish(store: &Store) {
    let schema = schema();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let vector = IndexChoice::Kinds(vec![IndexKind::Vector]);
    let codes = IndexChoice::Kinds(vec![IndexKind::Codes]);
    let other = || codes.clone();
    let choices = [other(), other(), vector, other(), other(), other(), other()];
    let mut staged = Vec::new();
    for number in 0..SEGMENTS {
        let rows = segment(number);
        let batches = std::slice::from_ref(&rows);
        let mut segment =
            commit.stage_segment(&schema, &label("2026-11-20"), batches).await.unwrap();
        let built = build(&schema, &rows, &choices).unwrap();
        commit.attach(&mut segment, built.bytes, built.descriptor.encode()).await.unwrap();
        staged.push(segment);
    }
    commit.replace_table(&schema, staged).unwrap();
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
}

/// Deletes every third row of every second segment.
async fn delete(store: &Store) {
    let latest = store.latest().await.unwrap();
    let mut commit = store.begin(&latest);
    for segment in latest.table("visit").unwrap().segments().iter().step_by(2) {
        let rows = Selection::from_flags((0..segment.rows()).map(|row| row % 3 == 0));
        commit.delete_rows(&table(), segment.id(), &rows, &label("2026-11-21")).unwrap();
    }
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
}

/// Turns bits of one segment's indexes.
fn damage(mart: &TestMart) {
    let folder = mart.folder.path().join("mart/indexes/visit");
    let path = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x40);
    fs::write(&path, bytes).unwrap();
}

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,R\nn03,root,outlet,V\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n[[class]]\nname = \"rules\"\nmask = \"redact\"\n")
        .file("roles.toml", "[[role]]\nname = \"below\"\ntables = [\"visit\"]\n[role.classes]\nopen = \"clear\"\n[[role]]\nname = \"whole\"\ntables = [\"visit\"]\nmay = [\"explain\"]\n[role.classes]\nopen = \"clear\"\n")
        .file("rules.toml", "[[row_rule]]\nname = \"below\"\neffect = \"permit\"\nroles = [\"below\"]\ntables = [\"visit\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"whole\"]\ntables = [\"visit\"]\nall = true\n")
        .principal("whole", "whole", "root")
        .principal("n03", "below", "n03")
}

const QUESTIONS: [&str; 13] = [
    "SELECT count(DISTINCT customer) FROM visit",
    "SELECT count(DISTINCT customer), count(DISTINCT account), count(customer) FROM visit
     WHERE kind = 'k3' AND day >= DATE '2024-12-01'",
    "SELECT count(DISTINCT customer) FROM visit WHERE merchant = 7 AND kind = 'k2'",
    "SELECT day, count(*) AS visits, count(DISTINCT customer) FROM visit WHERE kind = 'k1'
     GROUP BY day ORDER BY visits DESC, day LIMIT 20",
    "SELECT substr(outlet, 1, 1) AS province, count(*), sum(account), count(DISTINCT customer)
     FROM visit WHERE kind <> 'k4' GROUP BY substr(outlet, 1, 1)",
    "SELECT merchant % 3 AS m, upper(kind) AS k, count(DISTINCT customer), count(DISTINCT merchant)
     FROM visit GROUP BY m, k",
    "SELECT merchant, kind, count(DISTINCT customer) FROM visit GROUP BY merchant, kind",
    "SELECT day, merchant, count(DISTINCT customer), count(DISTINCT kind) FROM visit
     GROUP BY day, merchant",
    "SELECT account, count(DISTINCT customer) FROM visit WHERE account < 50 GROUP BY account",
    "SELECT date_trunc('month', day) AS month, count(DISTINCT customer),
            count(*) FILTER (WHERE kind = 'k1') FROM visit GROUP BY month",
    "SELECT h.kind, count(*), count(DISTINCT v.customer), count(DISTINCT v.merchant) FROM visit v
     JOIN (SELECT outlet, kind, count(*) AS n FROM visit GROUP BY outlet, kind) h
     ON v.outlet = h.outlet GROUP BY h.kind",
    "SELECT h.n % 2 AS odd, lower(h.kind) AS k, count(DISTINCT v.customer) FROM visit v
     JOIN (SELECT merchant, kind, count(*) AS n FROM visit GROUP BY merchant, kind) h
     ON v.merchant = h.merchant WHERE v.kind = 'k1' GROUP BY odd, k",
    "SELECT 60 / (merchant - 7) AS m, count(DISTINCT customer) FROM visit WHERE merchant <> 7
     GROUP BY m",
];

/// Of seconds, where tenths are stored: values that differ become one.
const COARSER: [&str; 3] = [
    "SELECT count(DISTINCT CAST(moment AS TIMESTAMP(0))) FROM visit",
    "SELECT kind, count(DISTINCT CAST(moment AS TIMESTAMP(0))) FROM visit GROUP BY kind",
    "SELECT CAST(CAST(moment AS TIMESTAMP(0)) AS TIMESTAMP(6)) AS s, count(*) FROM visit GROUP BY s",
];

/// No division by the number of a merchant that many visits are to: in groups, in what gives the
/// members of a condition, and in what is joined.
const FAILING: [&str; 3] = [
    "SELECT 60 / (merchant - 7) AS m, count(DISTINCT customer) FROM visit GROUP BY m",
    "SELECT count(*) FROM visit WHERE account IN
     (SELECT account FROM visit WHERE 60 / (merchant - 7) > 0)",
    "SELECT h.n, count(*) FROM visit v
     JOIN (SELECT account, 60 / (merchant - 7) AS n FROM visit) h ON v.account = h.account
     GROUP BY h.n",
];

/// The rows in order, or what the refusal says.
async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<String> {
    let mart = engine.mart();
    let proof = mart.directory().sign_in(user, PASSWORD).unwrap();
    let principal = mart.directory().principal(&proof).unwrap();
    let session = engine.session(&principal, &mart);
    let batches = async {
        session.prepare(sql).await?.execute(None).await?.try_collect::<Vec<RecordBatch>>().await
    };
    let batches = match batches.await {
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

async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

/// Asks before it is known what segments share, while it is found out, and afterwards.
async fn compare(mart: &TestMart, state: &str) {
    let plain = engine(mart, AccessPath::Scan).await;
    let mut expected = Vec::new();
    for user in ["n03", "whole"] {
        for question in QUESTIONS.into_iter().chain(COARSER).chain(FAILING) {
            expected.push((user, question, answer(&plain, user, question).await));
        }
    }
    let failed = |(_, question, rows): &(&str, &str, Vec<String>)| {
        rows.concat().contains("error") == FAILING.contains(question)
    };
    assert!(expected.iter().all(failed), "{expected:#?}");
    for path in AccessPath::ALL {
        let engine = engine(mart, path).await;
        for turn in ["first", "again"] {
            for (user, question, expected) in &expected {
                let found = answer(&engine, user, question).await;
                assert_eq!(found, *expected, "{path:?}, {state}, {turn}, {user}: {question}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distinct_counts_from_indexes_are_those_of_the_rows() {
    let mart = TestMart::new();
    publish(&mart.store).await;
    mart.apply(&bundle()).await;
    compare(&mart, "as loaded").await;
    delete(&mart.store).await;
    compare(&mart, "with deleted rows").await;
    damage(&mart);
    compare(&mart, "with damaged indexes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distinct_counts_are_asked_of_indexes() {
    let mart = TestMart::new();
    publish(&mart.store).await;
    mart.apply(&bundle()).await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for question in QUESTIONS {
        let plan = answer(&engine, "whole", &format!("EXPLAIN {question}")).await.concat();
        assert!(plan.contains("IndexAggregate"), "{question}\n{plan}");
    }
}
