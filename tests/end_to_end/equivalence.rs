//! Index answer = scan answer = naive filter, for random tables, rules and predicates.
//!
//! The same SQL runs on an engine that may use indexes and on one that may not, under a random
//! row rule; both are compared with a filter written in plain Rust over the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};
use martlet_index::{IndexChoice, build};
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};
use martlet_store::{BatchLabel, Store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

type Row = (Option<String>, Option<String>, Option<i64>);

/// A condition in SQL, and what it says of a row: true, false or unknown.
#[derive(Debug, Clone)]
enum Condition {
    Equal(usize, i64),
    NotEqual(usize, i64),
    Less(usize, i64),
    In(usize, Vec<i64>),
    Between(usize, i64, i64),
    Null(usize),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

const COLUMNS: [&str; 3] = ["outlet", "kind", "number"];

impl Condition {
    fn sql(&self) -> String {
        let literal = |column: usize, value: i64| {
            if column == 2 { value.to_string() } else { format!("'v{value}'") }
        };
        match self {
            Self::Equal(c, v) => format!("{} = {}", COLUMNS[*c], literal(*c, *v)),
            Self::NotEqual(c, v) => format!("{} <> {}", COLUMNS[*c], literal(*c, *v)),
            Self::Less(c, v) => format!("{} < {}", COLUMNS[*c], literal(*c, *v)),
            Self::In(c, vs) => {
                let list: Vec<String> = vs.iter().map(|v| literal(*c, *v)).collect();
                format!("{} IN ({})", COLUMNS[*c], list.join(", "))
            }
            Self::Between(c, a, b) => {
                format!("{} BETWEEN {} AND {}", COLUMNS[*c], literal(*c, *a), literal(*c, *b))
            }
            Self::Null(c) => format!("{} IS NULL", COLUMNS[*c]),
            Self::Not(inner) => format!("NOT ({})", inner.sql()),
            Self::And(a, b) => format!("({}) AND ({})", a.sql(), b.sql()),
            Self::Or(a, b) => format!("({}) OR ({})", a.sql(), b.sql()),
        }
    }

    fn holds(&self, row: &Row) -> Option<bool> {
        // Values are v0 … v9 or 0 … 9, so one digit orders texts as numbers.
        let value = |column: usize| match column {
            0 => row.0.as_ref().map(|text| text[1..].parse::<i64>().unwrap()),
            1 => row.1.as_ref().map(|text| text[1..].parse::<i64>().unwrap()),
            _ => row.2,
        };
        match self {
            Self::Equal(c, v) => value(*c).map(|x| x == *v),
            Self::NotEqual(c, v) => value(*c).map(|x| x != *v),
            Self::Less(c, v) => value(*c).map(|x| x < *v),
            Self::In(c, vs) => value(*c).map(|x| vs.contains(&x)),
            Self::Between(c, a, b) => value(*c).map(|x| x >= *a && x <= *b),
            Self::Null(c) => Some(value(*c).is_none()),
            Self::Not(inner) => inner.holds(row).map(|truth| !truth),
            Self::And(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

fn conditions() -> impl Strategy<Value = Condition> {
    let leaf =
        (0_usize..3, 0_i64..10, 0_i64..10, 0_usize..6).prop_map(
            |(column, a, b, form)| match form {
                0 => Condition::Equal(column, a),
                1 => Condition::NotEqual(column, a),
                2 => Condition::Less(column, a),
                3 => Condition::In(column, vec![a, b]),
                4 => Condition::Between(column, a.min(b), a.max(b)),
                _ => Condition::Null(column),
            },
        );
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Condition::Not(Box::new(a))),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| Condition::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Condition::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = proptest::option::weighted(0.9, (0_i64..10).prop_map(|v| format!("v{v}")));
    proptest::collection::vec(
        (text.clone(), text, proptest::option::weighted(0.8, 0_i64..10)),
        1..300,
    )
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
        column("kind", ColumnType::Text),
        column("number", ColumnType::Int64),
    ];
    TableSchema::new(TableName::new("fact").unwrap(), columns, &[], &[]).unwrap()
}

/// The rows in several segments, some of them without indexes.
async fn publish(store: &Store, rows: &[Row], indexed: &[bool]) {
    let schema = schema();
    let label = BatchLabel::new("night", "2026-11-20".parse().unwrap()).unwrap();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let mut staged = Vec::new();
    for (part, indexed) in rows.chunks(rows.len().div_ceil(indexed.len())).zip(indexed) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(part.iter().map(|row| row.0.clone()).collect::<StringArray>()),
            Arc::new(part.iter().map(|row| row.1.clone()).collect::<StringArray>()),
            Arc::new(part.iter().map(|row| row.2).collect::<Int64Array>()),
        ];
        let batch = RecordBatch::try_new(schema.arrow(), columns).unwrap();
        let mut segment =
            commit.stage_segment(&schema, &label, std::slice::from_ref(&batch)).await.unwrap();
        if *indexed {
            let built =
                build(&schema, &batch, &[IndexChoice::Auto, IndexChoice::Auto, IndexChoice::Auto])
                    .unwrap();
            commit.attach(&mut segment, built.bytes, built.descriptor.encode()).await.unwrap();
        }
        staged.push(segment);
    }
    commit.replace_table(&schema, staged).unwrap();
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, martlet_store::CommitOutcome::Committed(_)));
}

fn bundle() -> Bundle {
    let nodes: String = (0..10)
        .map(|n| format!("v{n},{},outlet,V\n", if n < 5 { "low" } else { "high" }))
        .collect();
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", &format!("node,parent,level,name\nroot,,head_office,R\nlow,root,province,L\nhigh,root,province,H\n{nodes}"))
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n[[class]]\nname = \"rules\"\nmask = \"redact\"\n")
        .file("roles.toml", "[[role]]\nname = \"below\"\ntables = [\"fact\"]\n[role.classes]\nopen = \"clear\"\n[[role]]\nname = \"whole\"\ntables = [\"fact\"]\n[role.classes]\nopen = \"clear\"\n")
        .file("rules.toml", "[[row_rule]]\nname = \"below\"\neffect = \"permit\"\nroles = [\"below\"]\ntables = [\"fact\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"whole\"]\ntables = [\"fact\"]\nall = true\n")
        .principal("whole", "whole", "root")
        .principal("low", "below", "low")
        .principal("v3", "below", "v3")
}

fn may_see(user: &str, row: &Row) -> bool {
    let outlet = row.0.as_ref().map(|text| text[1..].parse::<i64>().unwrap());
    match user {
        "whole" => true,
        "low" => outlet.is_some_and(|outlet| outlet < 5),
        _ => outlet == Some(3),
    }
}

async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<RecordBatch> {
    let mart = engine.mart();
    let proof = mart.directory().sign_in(user, PASSWORD).unwrap();
    let principal = mart.directory().principal(&proof).unwrap();
    let statement = engine.session(&principal, &mart).prepare(sql).await.unwrap();
    statement.execute(None).await.unwrap().try_collect().await.unwrap()
}

fn groups(batches: &[RecordBatch]) -> BTreeMap<Option<String>, i64> {
    batches
        .iter()
        .flat_map(|batch| {
            let kinds = batch.column(0).as_string::<i32>();
            let counts = batch.column(1).as_primitive::<Int64Type>();
            kinds
                .iter()
                .map(|kind| kind.map(String::from))
                .zip(counts.values().to_vec())
                .collect::<Vec<_>>()
        })
        .collect()
}

async fn agree(rows: Vec<Row>, condition: Condition, indexed: Vec<bool>) {
    let mart = TestMart::new();
    publish(&mart.store, &rows, &indexed).await;
    mart.apply(&bundle()).await;
    for path in AccessPath::ALL {
        let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
        let keys = TokenKeys::from_master(&[1; 32]);
        let engine =
            Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap();
        for user in ["whole", "low", "v3"] {
            check(&engine, user, &rows, &condition, path).await;
        }
    }
}

async fn check(engine: &Engine, user: &str, rows: &[Row], condition: &Condition, path: AccessPath) {
    let kept: Vec<&Row> = rows
        .iter()
        .filter(|row| may_see(user, row) && condition.holds(row) == Some(true))
        .collect();
    let mut naive = BTreeMap::new();
    for row in &kept {
        *naive.entry(row.1.clone()).or_insert(0_i64) += 1;
    }
    let place = format!("{path:?}, {user}, {}", condition.sql());
    let grouped = answer(
        engine,
        user,
        &format!("SELECT kind, count(*) FROM fact WHERE {} GROUP BY kind", condition.sql()),
    )
    .await;
    assert_eq!(groups(&grouped), naive, "grouped: {place}");
    let totals = answer(engine, user, &format!("SELECT count(*), count(number), cast(coalesce(sum(number), 0) AS bigint) FROM fact WHERE {}", condition.sql())).await;
    let total = |column: usize| totals[0].column(column).as_primitive::<Int64Type>().value(0);
    assert_eq!(total(0), i64::try_from(kept.len()).unwrap(), "counted: {place}");
    assert_eq!(
        total(1),
        kept.iter().filter(|row| row.2.is_some()).count() as i64,
        "non-null: {place}"
    );
    assert_eq!(total(2), kept.iter().filter_map(|row| row.2).sum::<i64>(), "summed: {place}");
}

#[test]
fn indexes_the_scan_and_a_naive_filter_agree() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let strategy =
        (rows(), conditions(), proptest::collection::vec(prop::bool::weighted(0.7), 1..4));
    runner
        .run(&strategy, |(rows, condition, indexed)| {
            runtime.block_on(agree(rows, condition, indexed));
            Ok(())
        })
        .unwrap();
}
