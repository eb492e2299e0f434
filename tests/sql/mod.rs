//! SQL cases: statements with their answers in text files, each run on every access path, as
//! somebody who sees everything and as somebody who does not.
//!
//! A case is `query` (rows in any order) or `query ordered`, the statement, and per principal
//! `---- name` with the rows, or `---- both`. Cells stand between `|`; `NULL` is none and
//! `(empty)` the empty text. `MARTLET_WRITE_SQL_ANSWERS=1` writes the answers of today into the
//! files instead of comparing them: read the difference before you commit it.

mod case;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use futures::TryStreamExt;
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};
use case::{Case, Order};

/// Sees every row and every column as stored.
const WHOLE: &str = "whole";
/// Sees two of four outlets, and names masked.
const BELOW: &str = "below";
/// Sees what [`WHOLE`] sees, and plans.
const PLANNER: &str = "planner";

/// Statements whose joins are looked up and whose expressions are computed for groups: no row is
/// read for them. One for each shape; the cases tell the answers.
const FROM_INDEXES: [&str; 9] = [
    "SELECT p.segment, count(*), sum(e.small) FROM entry e JOIN person p ON e.person_id = p.person_id GROUP BY p.segment",
    "SELECT p.segment, e.kind, avg(e.amount) FROM person p JOIN entry e ON e.person_id = p.person_id WHERE e.flag AND p.since IS NULL GROUP BY p.segment, e.kind",
    "SELECT p.segment, count(DISTINCT e.person_id) FROM entry e JOIN person p ON e.person_id = p.person_id GROUP BY p.segment",
    "SELECT extract(year FROM e.booked_on) AS y, count(*) FROM entry e JOIN person p ON e.person_id = p.person_id WHERE p.segment = 'gold' GROUP BY y",
    "SELECT upper(p.segment) AS s, lower(e.kind) AS k, count(*) FROM entry e JOIN person p ON e.person_id = p.person_id GROUP BY s, k",
    "SELECT s.n, count(*) FROM entry e JOIN (SELECT kind, count(*) AS n FROM entry GROUP BY kind) s ON s.kind = e.kind GROUP BY s.n",
    "SELECT p.segment, o.n, count(*) FROM entry e JOIN person p ON e.person_id = p.person_id JOIN (SELECT outlet, count(*) AS n FROM entry GROUP BY outlet) o ON o.outlet = e.outlet GROUP BY p.segment, o.n",
    "SELECT substr(outlet, 1, 1) AS province, sum(small), count(DISTINCT person_id) FROM entry GROUP BY province",
    "SELECT CASE WHEN kind = 'card' THEN 'plastic' ELSE 'other' END AS k, count(*) FROM entry GROUP BY k",
];

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sql")
}

fn bundle() -> Bundle {
    let class =
        |name: &str, mask: &str| format!("[[class]]\nname = \"{name}\"\nmask = \"{mask}\"\n");
    let classes = [("open", "redact"), ("name", "name"), ("audit", "redact"), ("rules", "redact")];
    let role = |name: &str, of_name: &str, may: &str| {
        format!(
            "[[role]]\nname = \"{name}\"\ntables = [\"entry\", \"person\"]\n{may}[role.classes]\nopen = \"clear\"\nname = \"{of_name}\"\n"
        )
    };
    Bundle::default()
        .file("bundle.toml", "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,R\nnorth,root,province,N\nsouth,root,province,S\n\
             n1,north,outlet,1\nn2,north,outlet,2\ns1,south,outlet,3\ns2,south,outlet,4\n",
        )
        .file("classes.toml", &classes.map(|(name, mask)| class(name, mask)).concat())
        .file(
            "roles.toml",
            &(role("all", "clear", "")
                + &role("part", "mask", "")
                + &role("plans", "clear", "may = [\"explain\"]\n")),
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"everything\"\neffect = \"permit\"\nroles = [\"all\", \"plans\"]\ntables = [\"entry\", \"person\"]\nall = true\n\
             [[row_rule]]\nname = \"mine\"\neffect = \"permit\"\nroles = [\"part\"]\ntables = [\"entry\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
             [[row_rule]]\nname = \"people\"\neffect = \"permit\"\nroles = [\"part\"]\ntables = [\"person\"]\nall = true\n",
        )
        .principal(WHOLE, "all", "root")
        .principal(BELOW, "part", "north")
        .principal(PLANNER, "plans", "root")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    for file in ["night.toml", "entry.csv", "person.csv"] {
        mart.write(file, fs::read(here().join(file)).unwrap());
    }
    mart.load("night.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    mart
}

/// The answer, or what its refusal is called.
async fn answer(engine: &Engine, user: &str, case: &Case) -> Vec<String> {
    let mart = engine.mart();
    let proof = mart.directory().sign_in(user, PASSWORD).unwrap();
    let principal = mart.directory().principal(&proof).unwrap();
    let session = engine.session(&principal, &mart);
    let batches = async {
        session.prepare(&case.sql).await?.execute(None).await?.try_collect::<Vec<_>>().await
    };
    match batches.await {
        Ok(batches) => case::rows_of(&batches, case.order),
        Err(error) => vec![format!("error: {error}")],
    }
}

/// Whether two answers are the same. Sums of floats depend on the order of the rows in their
/// last digits; everything else is compared letter by letter.
fn are_same(left: &[String], right: &[String]) -> bool {
    let is_close = |left: &str, right: &str| match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(a), Ok(b)) if left.contains('.') && right.contains('.') => {
            // Money up to a million has fewer digits than that, so it is still compared exactly.
            a.abs() < 1e6 && (a - b).abs() <= 1e-13 * a.abs().max(b.abs())
        }
        _ => false,
    };
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            let (left, right): (Vec<_>, Vec<_>) =
                (left.split('|').collect(), right.split('|').collect());
            left.len() == right.len()
                && left.iter().zip(&right).all(|(a, b)| a == b || is_close(a, b))
        })
}

async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_expressions_are_answered_from_indexes() {
    let mart = mart().await;
    let indexed = engine(&mart, AccessPath::ByCost).await;
    let mut read = Vec::new();
    for sql in FROM_INDEXES {
        let case = case::parse(&format!("query ordered\nEXPLAIN {sql}\n---- both\n"));
        let plan = answer(&indexed, PLANNER, &case[0]).await.join("\n");
        if !plan.contains("IndexAggregate") || plan.contains("HashJoinExec") {
            read.push(format!("{sql}\n{plan}"));
        }
    }
    assert!(read.is_empty(), "{}", read.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_gives_its_answer() {
    let mart = mart().await;
    let mut engines = Vec::new();
    for path in AccessPath::ALL {
        engines.push((path, engine(&mart, path).await));
    }
    let write = std::env::var_os("MARTLET_WRITE_SQL_ANSWERS").is_some();
    let mut wrong = Vec::new();
    let mut statements = 0;
    for file in case::files(&here()) {
        let mut cases = case::read(&file);
        for case in &mut cases {
            statements += 1;
            for user in [WHOLE, BELOW] {
                let place = format!("{}:{}, {user}: {}", file.display(), case.line, case.sql);
                let found = answer(&engines[0].1, user, case).await;
                for (path, engine) in &engines[1..] {
                    let other = answer(engine, user, case).await;
                    if !are_same(&found, &other) {
                        wrong.push(format!("{place}\nby cost: {found:#?}\n{path:?}: {other:#?}"));
                    }
                }
                if write {
                    case.answers.insert(user.to_owned(), found);
                } else if !case.answer_of(user).is_some_and(|known| are_same(known, &found)) {
                    wrong.push(format!(
                        "{place}\nfound: {found:#?}\nin the file: {:#?}",
                        case.answer_of(user)
                    ));
                }
            }
        }
        if write {
            fs::write(&file, case::write(&cases, [WHOLE, BELOW])).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} of {statements} are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(statements >= 150, "{statements} statements were found");
}

#[test]
fn a_file_of_cases_is_read_as_it_is_written() {
    let text = "# About it.\nquery ordered\nSELECT 1\nFROM t\n---- both\n1\n\nquery\nSELECT 2\n---- whole\n2\n---- below\n";
    let cases = case::parse(text);
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[0].order, Order::Given);
    assert_eq!(cases[0].sql, "SELECT 1\nFROM t");
    assert_eq!(cases[1].answer_of(BELOW), Some(&Vec::new()));
    assert_eq!(case::write(&cases, [WHOLE, BELOW]), text);
}
