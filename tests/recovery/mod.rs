//! `kill -9` at every step of a load: the old or the new snapshot is whole, and a rerun ends it.
//!
//! The load runs in a child process (this test binary again) over a store that kills its own
//! process at the n-th call, before or after the call took effect.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use martlet_core::{Selection, SnapshotNumber};
use martlet_ingest::{LoadOutcome, ReplaceMode, load};
use martlet_store::Store;
use martlet_store::faulty::{FaultyStore, Moment};
use object_store::local::LocalFileSystem;

use crate::support::TestMart;
use crate::support::mart::request;

const CHILD: &str = "recovery::the_load_that_is_killed";
const FOLDER: &str = "MARTLET_TEST_KILLED_FOLDER";
const STEP: &str = "MARTLET_TEST_KILLED_STEP";

const LOAD: &str = r#"
name = "night"
[[table]]
name = "account"
mode = "replace"
cluster_key = ["outlet"]
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "account_id"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["account_{yyyymmdd}.csv"]
[[table]]
name = "booking"
mode = "append"
  [[table.column]]
  name = "account_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "amount"
  type = "decimal(18,2)"
  class = "open"
  [[table.source]]
  files = ["booking_{yyyymmdd}.csv"]
"#;

/// Rows of (account, booking) after the first and after the second night.
const FIRST: (u64, u64) = (300, 500);
const SECOND: (u64, u64) = (310, 1_200);

fn nights() -> TestMart {
    let mart = TestMart::new();
    let accounts = |rows: u64| {
        (0..rows).fold("outlet,account_id\n".to_string(), |text, row| {
            text + &format!("o{},{row}\n", row % 7)
        })
    };
    let bookings = |rows: u64| {
        (0..rows).fold("account_id,amount\n".to_string(), |text, row| {
            text + &format!("{},{row}.50\n", row % 300)
        })
    };
    mart.write("night.toml", LOAD)
        .write("account_19940330.csv", accounts(FIRST.0))
        .write("booking_19940330.csv", bookings(FIRST.1))
        .write("account_19940331.csv", accounts(SECOND.0))
        .write("booking_19940331.csv", bookings(SECOND.1 - FIRST.1));
    mart
}

/// Runs only as the child that the test below starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_load_that_is_killed() {
    let (Ok(folder), Ok(step)) = (std::env::var(FOLDER), std::env::var(STEP)) else { return };
    let (number, moment) = step.split_once(':').unwrap();
    let number: usize = number.parse().unwrap();
    let moment = if moment == "before" { Moment::Before } else { Moment::After };
    let disk = LocalFileSystem::new_with_prefix(Path::new(&folder).join("mart")).unwrap();
    let deadly = FaultyStore::over(Arc::new(disk.with_fsync(true)));
    deadly.on_call(move |call, at| {
        if call.number == number && at == moment {
            let pid = std::process::id().to_string();
            Command::new("kill").args(["-9", &pid]).status().unwrap();
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    });
    let request = request(Path::new(&folder), "night.toml", "1994-03-31", ReplaceMode::Refuse);
    load(&Store::over(deadly), request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_load_leaves_the_old_or_the_new_snapshot_whole() {
    let mut kills = 0;
    let mut survived_old = 0;
    for moment in ["before", "after"] {
        for number in 1.. {
            let mart = nights();
            mart.load("night.toml", "1994-03-30").await;
            let killed = run_child(mart.folder.path(), &format!("{number}:{moment}"));
            let after = state(&mart).await;
            if !killed {
                assert_eq!(after, (SnapshotNumber::new(2), SECOND), "an unhurt load is complete");
                break;
            }
            kills += 1;
            let old = after == (SnapshotNumber::new(1), FIRST);
            let new = after == (SnapshotNumber::new(2), SECOND);
            assert!(
                old || new,
                "killed {moment} call {number}: neither night is whole, but {after:?}"
            );
            survived_old += usize::from(old);
            rerun(&mart, old).await;
        }
    }
    assert!(
        kills >= 10 && survived_old >= 5,
        "{kills} kills, {survived_old} before the commit: the test has lost its teeth"
    );
}

async fn rerun(mart: &TestMart, unfinished: bool) {
    let outcome = mart.load("night.toml", "1994-03-31").await;
    assert_eq!(
        matches!(outcome, LoadOutcome::Published { .. }),
        unfinished,
        "loading twice is loading once"
    );
    assert_eq!(state(mart).await, (SnapshotNumber::new(2), SECOND));
}

fn run_child(folder: &Path, step: &str) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env(FOLDER, folder)
        .env(STEP, step)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    match status.signal() {
        Some(9) => true,
        _ => {
            assert!(status.success(), "the child failed by itself: {status}");
            false
        }
    }
}

/// The latest snapshot, with every row of it really read.
async fn state(mart: &TestMart) -> (SnapshotNumber, (u64, u64)) {
    // A store of its own, so that nothing is answered from a cache.
    let store = Store::open(mart.folder.path().join("mart").to_str().unwrap()).unwrap();
    let snapshot = store.latest().await.unwrap();
    let mut rows = Vec::new();
    for name in ["account", "booking"] {
        let table = snapshot.table(name).unwrap();
        let mut read = 0;
        for segment in table.segments() {
            let reader = store.open_segment(table.schema(), segment).await.unwrap();
            let batches: Vec<_> = futures::TryStreamExt::try_collect(reader.read(
                &[0, 1],
                &Selection::all(segment.rows()),
                1_000,
            ))
            .await
            .unwrap();
            read += batches
                .iter()
                .map(|batch: &arrow::array::RecordBatch| batch.num_rows() as u64)
                .sum::<u64>();
        }
        rows.push(read);
    }
    (snapshot.number(), (rows[0], rows[1]))
}
