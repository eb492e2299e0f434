//! A small night: the same date twice, a correction, bad rows, a damaged index.

use std::fs;

use martlet_core::{ErrorKind, Kinded};
use martlet_ingest::{LoadOutcome, ReplaceMode, load};

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "night"
[[table]]
name = "sale"
mode = "append"
cluster_key = ["shop"]
  [[table.column]]
  name = "shop"
  type = "text"
  nullable = false
  class = "open"
  [[table.column]]
  name = "kind"
  type = "text"
  class = "open"
  [[table.column]]
  name = "amount"
  type = "decimal(10,2)"
  class = "open"
  [[table.source]]
  files = ["sale_{yyyymmdd}.csv"]
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"night\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\nx,root,outlet,X\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n[[class]]\nname = \"rules\"\nmask = \"redact\"\n")
        .file("roles.toml", "[[role]]\nname = \"all\"\ntables = [\"sale\"]\nmay = [\"explain\"]\n[role.classes]\nopen = \"clear\"\n[[role]]\nname = \"shop\"\ntables = [\"sale\"]\n[role.classes]\nopen = \"clear\"\n")
        .file("rules.toml", "[[row_rule]]\nname = \"everything\"\neffect = \"permit\"\nroles = [\"all\"]\ntables = [\"sale\"]\nall = true\n[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"shop\"]\ntables = [\"sale\"]\ncolumn = \"shop\"\nwithin = \"node\"\n")
        .principal("boss", "all", "root")
        .principal("clerk", "shop", "x")
}

fn day(rows: u32, kind: &str) -> String {
    (0..rows).fold("shop,kind,amount\n".into(), |text, row| {
        text + &format!("{},{kind}{},{row}.25\n", if row % 3 == 0 { "x" } else { "y" }, row % 4)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_twice_is_loading_once_and_a_correction_must_be_asked_for() {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write("sale_20261119.csv", day(90, "k"))
        .write("sale_20261120.csv", day(30, "k"));
    mart.load("load.toml", "2026-11-19").await;
    mart.load("load.toml", "2026-11-20").await;
    assert!(matches!(
        mart.load("load.toml", "2026-11-20").await,
        LoadOutcome::AlreadyLoaded { .. }
    ));
    assert_eq!(rows(&mart).await, 120);

    mart.write("sale_20261120.csv", day(60, "k"));
    let refused = load(&mart.store, mart.request("load.toml", "2026-11-20", ReplaceMode::Refuse))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("--replace"), "{refused}");
    assert_eq!(rows(&mart).await, 120, "a refused load changes nothing");
    load(&mart.store, mart.request("load.toml", "2026-11-20", ReplaceMode::Replace)).await.unwrap();
    assert_eq!(rows(&mart).await, 150);
}

async fn rows(mart: &TestMart) -> u64 {
    mart.store.latest().await.unwrap().table("sale").map_or(0, |table| table.rows())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_too_many_bad_rows_shows_nothing() {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write("sale_20261120.csv", "shop,kind,amount\nx,k,1.00\nx,k,many\n,k,2.00\n");
    let refused = load(&mart.store, mart.request("load.toml", "2026-11-20", ReplaceMode::Refuse))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(!refused.to_string().contains("many"), "an error never repeats a cell: {refused}");
    assert_eq!(rows(&mart).await, 0);
    let reject_files: Vec<_> = fs::read_dir(mart.folder.path().join("rejects"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [file] = reject_files.as_slice() else { panic!("one reject file, not {reject_files:?}") };
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("x,k,many") && text.contains("amount"), "{text}");
    assert!(text.contains(",k,2.00") && text.contains("shop"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_names_the_indexes_to_who_may_ask() {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("sale_20261120.csv", day(900, "k"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    let server = mart.serve().await;
    let mut boss = Client::sign_in(server.address, "boss").await;
    let plan = explain(
        &mut boss,
        "EXPLAIN SELECT kind, count(*) FROM sale WHERE shop = 'x' GROUP BY kind",
    )
    .await;
    assert!(
        plan.contains("IndexAggregate")
            && plan.contains("shop: bitmap")
            && plan.contains("kind: codes"),
        "{plan}"
    );
    let plan =
        explain(&mut boss, "EXPLAIN SELECT amount FROM sale WHERE shop = 'x' OR NOT kind = 'k1'")
            .await;
    assert!(
        plan.contains("SecuredScan")
            && plan.contains("shop: bitmap")
            && plan.contains("kind: bitmap"),
        "{plan}"
    );
    assert!(!plan.contains("FilterExec"), "an exact condition needs no filter above: {plan}");
    let mut clerk = Client::sign_in(server.address, "clerk").await;
    assert!(
        clerk
            .query("EXPLAIN SELECT count(*) FROM sale")
            .await
            .unwrap_err()
            .to_string()
            .contains("explain is not granted")
    );
}

async fn explain(client: &mut Client, sql: &str) -> String {
    use arrow::array::AsArray;
    let batches = client.query(sql).await.unwrap();
    batches
        .iter()
        .flat_map(|batch| {
            batch
                .column(1)
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(String::from)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// An index is derived, never the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_lost_index_changes_no_answer() {
    let questions = [
        "SELECT count(*) FROM sale",
        "SELECT count(*) FROM sale WHERE kind = 'k1'",
        "SELECT count(kind) FROM sale WHERE kind IN ('k1', 'k3') AND NOT shop = 'q'",
        "SELECT cast(sum(amount) * 100 AS bigint) FROM sale WHERE kind <> 'k2'",
        "SELECT max(n) FROM (SELECT kind, count(*) AS n FROM sale GROUP BY kind)",
    ];
    for damage in [Damage::None, Damage::Flipped, Damage::Lost] {
        let mart = TestMart::new();
        mart.write("load.toml", LOAD).write("sale_20261120.csv", day(3_000, "k"));
        mart.load("load.toml", "2026-11-20").await;
        mart.apply(&bundle()).await;
        damage.inflict(&mart);
        let server = mart.serve().await;
        for (user, expected) in [
            ("boss", [3_000, 750, 1_500, 337_406_250, 750]),
            ("clerk", [1_000, 250, 500, 112_368_750, 250]),
        ] {
            let mut client = Client::sign_in(server.address, user).await;
            for (question, expected) in questions.iter().zip(expected) {
                assert_eq!(
                    client.number(question).await,
                    expected,
                    "{damage:?}, {user}: {question}"
                );
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    None,
    Flipped,
    Lost,
}

impl Damage {
    fn inflict(self, mart: &TestMart) {
        let folder = mart.folder.path().join("mart/indexes/sale");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match self {
                Self::None => {}
                Self::Flipped => {
                    let mut bytes = fs::read(&path).unwrap();
                    bytes.iter_mut().for_each(|byte| *byte ^= 0x40);
                    fs::write(&path, bytes).unwrap();
                }
                Self::Lost => fs::remove_file(&path).unwrap(),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_policy_nobody_sees_anything() {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("sale_20261120.csv", day(9, "k"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply_people(&bundle()).await;
    let server = mart.serve().await;
    let mut boss = Client::sign_in(server.address, "boss").await;
    for question in ["SELECT * FROM sale", "SELECT count(*) FROM sale", "DESCRIBE sale"] {
        let refused = boss.query(question).await.unwrap_err().to_string();
        assert!(refused.contains("does not exist or is not granted"), "{question}: {refused}");
    }
    assert!(
        boss.texts("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mart'")
            .await
            .is_empty()
    );
}
