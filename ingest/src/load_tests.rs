//! The memory that a load may use does not change what it loads.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use martlet_core::Selection;

use super::*;
use crate::config::plan::RejectLimit;
use crate::progress::Silent;

const PLAN: &str = r#"
name = "night"
reject_limit = "unlimited"
[[table]]
name = "t"
mode = "append"
primary_key = ["id"]
cluster_key = ["branch"]
[[table.column]]
name = "id"
type = "int64"
[[table.column]]
name = "branch"
type = "text"
[[table.source]]
files = ["*.csv"]
header = false
"#;

/// Files of some chunks each, with rows out of order, bad ones, and keys that stand twice.
fn deliver(folder: &std::path::Path) {
    for file in 0..3_u64 {
        let mut text = String::new();
        let rows = if file == 0 { 250_000 } else { 50_000_u64 };
        for row in 0..rows {
            let id = file * 200_000 + row * 7_919 % rows;
            let torn = if row % 50_000 == 17 { "\"" } else { "" };
            writeln!(text, "{id},{torn}branch number {:05}", id * 31 % 1_009).unwrap();
        }
        std::fs::write(folder.join(format!("{file}.csv")), text).unwrap();
    }
}

struct Outcome {
    rows: Vec<RecordBatch>,
    report: LoadReport,
    rejects: String,
}

async fn load_with(folder: &std::path::Path, memory_bytes: usize) -> Outcome {
    let plan = LoadPlan::parse("night.toml".as_ref(), PLAN, folder).unwrap();
    assert_eq!(plan.reject_limit(), RejectLimit::Unlimited);
    let store = Store::open("memory://").unwrap();
    let rejects = tempfile::tempdir().unwrap();
    let request = LoadRequest {
        plan,
        date: "2026-11-22".parse().unwrap(),
        replace: ReplaceMode::Refuse,
        rejects_dir: rejects.path().to_path_buf(),
        progress: Arc::new(Silent),
    };
    let outcome = load_within(&store, request, memory_bytes).await.unwrap();
    let LoadOutcome::Published { snapshot, report } = outcome else { panic!("an empty mart") };
    let table = snapshot.table("t").unwrap();
    let mut rows = Vec::new();
    for segment in table.segments() {
        let reader = store.open_segment(table.schema(), segment).await.unwrap();
        let stream = reader.read(&[0, 1], &Selection::all(segment.rows()), 8_192);
        rows.extend(stream.try_collect::<Vec<_>>().await.unwrap());
    }
    let left: Vec<_> = std::fs::read_dir(rejects.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "the reject file and no working file");
    let rejects = std::fs::read_to_string(report.rejects_file.as_ref().unwrap()).unwrap();
    Outcome { rows, report, rejects }
}

/// What does not fit in memory gives the same segments as what does.
#[tokio::test]
async fn the_budget_does_not_change_the_result() {
    let folder = tempfile::tempdir().unwrap();
    deliver(folder.path());
    let ample = load_with(folder.path(), 1 << 30).await;
    let scarce = load_with(folder.path(), 4 * 1024 * 1024).await;
    assert_eq!(ample.rows, scarce.rows);
    assert_eq!(ample.rejects, scarce.rejects);
    let report = &ample.report;
    // The second file brings only ids that the first has; 5 and 1 of the others are torn.
    assert_eq!(report.rows_read, 350_000);
    assert!((299_994..=300_000).contains(&report.rows_loaded), "{}", report.rows_loaded);
    assert_eq!(report.rows_read, report.rows_loaded + report.rows_rejected);
    assert_eq!(ample.rejects.lines().count() as u64, report.rows_rejected + 1);
}
