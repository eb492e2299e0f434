//! Whole loads, from files in a folder to a mart in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use futures::TryStreamExt as _;
use martlet_core::{ErrorKind, Kinded as _, Selection};
use martlet_index::Descriptor;
use martlet_ingest::{
    IngestError, LoadOutcome, LoadPlan, LoadReport, LoadRequest, Progress, ReplaceMode, Silent,
    Stage, load,
};
use martlet_store::{Snapshot, Store};

const PLAN: &str = r#"
name = "night"
reject_limit = 0

[[table]]
name = "event"
mode = "append"
primary_key = ["id"]
cluster_key = ["branch", "id"]
[[table.column]]
name = "id"
type = "int32"
[[table.column]]
name = "branch"
type = "text"
class = "open"
[[table.source]]
files = ["event_{date}.csv"]

[[table]]
name = "branch"
mode = "replace"
primary_key = ["branch"]
[[table.column]]
name = "branch"
type = "text"
[[table.column]]
name = "note"
type = "text"
[[table.source]]
files = ["branch.csv"]
"#;

/// A delivery folder, a mart in memory and a folder for bad rows.
struct Bench {
    folder: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let bench =
            Self { folder: tempfile::tempdir().unwrap(), store: Store::open("memory://").unwrap() };
        bench.file("branch.csv", "branch,note\nnorth,a\nsouth,b\n");
        bench.file("event_2026-11-21.csv", "id,branch\n3,south\n1,north\n2,south\n");
        bench.file("event_2026-11-22.csv", "id,branch\n4,north\n");
        bench
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn rejects(&self) -> PathBuf {
        self.folder.path().join("rejects")
    }

    async fn load_plan(
        &self,
        plan: &str,
        date: &str,
        replace: ReplaceMode,
    ) -> Result<LoadOutcome, IngestError> {
        let plan = LoadPlan::parse(Path::new("night.toml"), plan, self.folder.path())?;
        let request = LoadRequest {
            plan,
            date: date.parse().unwrap(),
            replace,
            rejects_dir: self.rejects(),
            progress: Arc::new(Silent),
        };
        load(&self.store, request).await
    }

    async fn load(&self, date: &str) -> Result<LoadOutcome, IngestError> {
        self.load_plan(PLAN, date, ReplaceMode::Refuse).await
    }

    /// Ids and branches of all events, in stored order.
    async fn events(&self) -> Vec<(i32, String)> {
        let snapshot = self.store.latest().await.unwrap();
        let mut events = Vec::new();
        for batch in self.rows(&snapshot, "event").await {
            let ids = batch.column(0).as_primitive::<Int32Type>();
            let branches = batch.column(1).as_string::<i32>();
            let row = |row| (ids.value(row), branches.value(row).to_string());
            events.extend((0..batch.num_rows()).map(row));
        }
        events
    }

    async fn rows(&self, snapshot: &Snapshot, table: &str) -> Vec<RecordBatch> {
        let table = snapshot.table(table).unwrap();
        let all: Vec<usize> = (0..table.schema().columns().len()).collect();
        let mut batches = Vec::new();
        for segment in table.segments() {
            let reader = self.store.open_segment(table.schema(), segment).await.unwrap();
            let rows = reader.read(&all, &Selection::all(segment.rows()), 8_192);
            batches.extend(rows.try_collect::<Vec<_>>().await.unwrap());
        }
        batches
    }
}

fn published(outcome: Result<LoadOutcome, IngestError>) -> (Snapshot, LoadReport) {
    match outcome.unwrap() {
        LoadOutcome::Published { snapshot, report } => (snapshot, report),
        already @ LoadOutcome::AlreadyLoaded { .. } => panic!("not loaded: {already:?}"),
    }
}

fn events(events: &[(i32, &str)]) -> Vec<(i32, String)> {
    events.iter().map(|(id, branch)| (*id, (*branch).to_string())).collect()
}

#[tokio::test]
async fn a_night_becomes_one_snapshot_with_sorted_indexed_segments() {
    let bench = Bench::new();
    let (snapshot, report) = published(bench.load("2026-11-21").await);
    assert_eq!(snapshot.number().get(), 1, "all tables in one commit");
    assert_eq!(bench.events().await, events(&[(1, "north"), (2, "south"), (3, "south")]));
    assert_eq!((report.rows_read, report.rows_loaded, report.rows_rejected), (5, 5, 0));
    assert_eq!(report.tables[0].bytes_read, 34);
    assert_eq!(report.rejects_file, None);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["tables"][0]["table"], "event");
    assert_eq!(json["date"], "2026-11-21");

    let segment = &snapshot.table("event").unwrap().segments()[0];
    let attachment = &segment.attachments()[0];
    let descriptor = Descriptor::decode(attachment.descriptor()).unwrap();
    assert_eq!(descriptor.rows(), 3);
    assert!(!descriptor.sections().is_empty(), "few values, so there are indexes");
    bench.store.read(attachment.object()).await.unwrap();
}

#[tokio::test]
async fn the_same_night_again_changes_nothing() {
    let bench = Bench::new();
    let (first, _) = published(bench.load("2026-11-21").await);
    match bench.load("2026-11-21").await.unwrap() {
        LoadOutcome::AlreadyLoaded { snapshot, name, rows, .. } => {
            assert_eq!((snapshot.number(), name.as_str(), rows), (first.number(), "night", 5));
        }
        LoadOutcome::Published { .. } => panic!("loaded twice"),
    }
    assert_eq!(bench.events().await.len(), 3);
}

#[tokio::test]
async fn the_next_night_appends_and_replaces() {
    let bench = Bench::new();
    published(bench.load("2026-11-21").await);
    bench.file("branch.csv", "branch,note\nwest,c\n");
    let (snapshot, _) = published(bench.load("2026-11-22").await);
    assert_eq!(bench.events().await.len(), 4);
    assert_eq!(snapshot.table("branch").unwrap().rows(), 1);
    assert_eq!(snapshot.batches().len(), 2);
}

#[tokio::test]
async fn other_content_of_the_same_night_needs_to_be_asked_for() {
    let bench = Bench::new();
    published(bench.load("2026-11-21").await);
    bench.file("event_2026-11-21.csv", "id,branch\n9,south\n");
    let refused = bench.load("2026-11-21").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("use --replace"), "{refused}");
    assert_eq!(bench.events().await.len(), 3);

    published(bench.load_plan(PLAN, "2026-11-21", ReplaceMode::Replace).await);
    assert_eq!(bench.events().await, events(&[(9, "south")]));
    // The night's rows go, those of other nights stay.
    let only_events = PLAN.split("[[table]]\nname = \"branch\"").next().unwrap();
    published(bench.load("2026-11-22").await);
    bench.file("event_2026-11-21.csv", "id,branch\n8,south\n");
    published(bench.load_plan(only_events, "2026-11-21", ReplaceMode::Replace).await);
    let mut found = bench.events().await;
    found.sort();
    assert_eq!(found, events(&[(4, "north"), (8, "south")]));
}

#[tokio::test]
async fn a_replaced_table_does_not_go_back_in_time() {
    let bench = Bench::new();
    published(bench.load("2026-11-22").await);
    for replace in [ReplaceMode::Refuse, ReplaceMode::Replace] {
        let refused = bench.load_plan(PLAN, "2026-11-21", replace).await.unwrap_err();
        assert!(matches!(refused, IngestError::OlderThanLoaded { .. }), "{refused}");
        assert!(refused.to_string().contains("already holds 2026-11-22"), "{refused}");
    }
}

#[tokio::test]
async fn appending_needs_the_same_schema() {
    let bench = Bench::new();
    published(bench.load("2026-11-21").await);
    for (from, to, words) in [
        ("type = \"int32\"", "type = \"int64\"", "`id` is int64 here and int32 in the mart"),
        ("class = \"open\"", "class = \"mobile\"", "class `mobile` here and class `open`"),
        ("class = \"open\"", "nullable = false\nclass = \"open\"", "is never null here"),
        ("cluster_key = [\"branch\", \"id\"]", "cluster_key = [\"id\"]", "cluster key"),
        (
            "name = \"branch\"\ntype = \"text\"\nclass",
            "name = \"outlet\"\nfield = \"branch\"\ntype = \"text\"\nclass",
            "`outlet` is new",
        ),
    ] {
        let plan = PLAN.replacen(from, to, 1).replace(
            "\"branch\", \"id\"",
            if to.contains("outlet") { "\"id\"" } else { "\"branch\", \"id\"" },
        );
        let refused = bench.load_plan(&plan, "2026-11-22", ReplaceMode::Refuse).await.unwrap_err();
        assert!(matches!(refused, IngestError::SchemaChanged { .. }), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[tokio::test]
async fn too_many_bad_rows_refuse_the_batch_and_leave_the_file() {
    let bench = Bench::new();
    bench.file("branch.csv", "branch,note\nnorth,a\nnorth,again\n,none\n");
    let refused = bench.load("2026-11-21").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    let path = bench.rejects().join("night-2026-11-21.rejects.csv");
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert!(!refused.to_string().contains("again"), "no cell in an error");
    assert_eq!(bench.store.latest().await.unwrap().number().get(), 0, "nothing is visible");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(&path).unwrap().into_records().map(Result::unwrap).collect();
    assert_eq!(&rows[0][5], "null in a column that is never null");

    // Corrected, the rerun finishes and the old file is gone.
    bench.file("branch.csv", "branch,note\nnorth,a\n");
    published(bench.load("2026-11-21").await);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_key_that_stands_twice_is_told_with_both_its_columns() {
    let bench = Bench::new();
    let plan = PLAN
        .replace("reject_limit = 0", "reject_limit = 3")
        .replace("primary_key = [\"id\"]", "primary_key = [\"branch\", \"id\"]");
    bench.file("event_2026-11-21.csv", "id,branch\n1,a\n01,a\n1,b\n\n2,\"a\"\n2,a");
    let (_, report) = published(bench.load_plan(&plan, "2026-11-21", ReplaceMode::Refuse).await);
    assert_eq!(bench.events().await, events(&[(1, "a"), (2, "a"), (1, "b")]));
    assert_eq!((report.tables[0].rows_read, report.tables[0].rows_rejected), (5, 2));
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(report.rejects_file.unwrap())
        .unwrap()
        .into_records()
        .map(Result::unwrap)
        .collect();
    let fields: Vec<&str> = rows[0].iter().collect();
    let reason = "an earlier row of the batch has the same primary key (branch, id)";
    assert_eq!(fields, ["event", "event_2026-11-21.csv", "3", "14", "branch", reason, "01,a"]);
    assert_eq!(&rows[1][2], "7");
    assert_eq!(&rows[1][6], "2,a");
}

#[tokio::test]
async fn an_empty_table_is_a_table() {
    let bench = Bench::new();
    bench.file("event_2026-11-21.csv", "id,branch\n");
    let (snapshot, report) = published(bench.load("2026-11-21").await);
    let table = snapshot.table("event").unwrap();
    assert_eq!((table.rows(), table.segments().len(), report.tables[0].segments), (0, 0, 0));
}

#[tokio::test]
async fn two_loads_at_once_both_arrive() {
    let bench = Bench::new();
    let events_only = |name: &str| {
        let plan = PLAN.split("[[table]]\nname = \"branch\"").next().unwrap();
        plan.replace("\"night\"", &format!("\"{name}\""))
    };
    let (one, other) = (events_only("one"), events_only("other"));
    let (one, other) = tokio::join!(
        bench.load_plan(&one, "2026-11-21", ReplaceMode::Refuse),
        bench.load_plan(&other, "2026-11-22", ReplaceMode::Refuse),
    );
    published(one);
    published(other);
    let latest = bench.store.latest().await.unwrap();
    assert_eq!((latest.number().get(), latest.batches().len()), (2, 2));
    assert_eq!(bench.events().await.len(), 4);
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(String, Stage, u64, u64)>>);

impl Progress for Heard {
    fn stage(&self, table: &str, stage: Stage, done: u64, total: u64) {
        self.0.lock().unwrap().push((table.to_string(), stage, done, total));
    }
}

#[tokio::test]
async fn every_stage_is_told_to_its_end() {
    let bench = Bench::new();
    let heard = Arc::new(Heard::default());
    let plan = LoadPlan::parse(Path::new("night.toml"), PLAN, bench.folder.path()).unwrap();
    let request = LoadRequest {
        plan,
        date: "2026-11-21".parse().unwrap(),
        replace: ReplaceMode::Refuse,
        rejects_dir: bench.rejects(),
        progress: Arc::clone(&heard) as Arc<dyn Progress>,
    };
    published(load(&bench.store, request).await);
    let heard = heard.0.lock().unwrap();
    let ended = |table: &str, stage| {
        heard
            .iter()
            .any(|(of, at, done, total)| (of.as_str(), *at) == (table, stage) && done == total)
    };
    for stage in [Stage::Decode, Stage::Sort, Stage::Write, Stage::Index] {
        assert!(ended("event", stage) && ended("branch", stage), "{stage:?}");
    }
    assert!(ended("", Stage::Hash) && ended("", Stage::Publish));
    assert!(heard.iter().all(|(_, _, done, total)| done <= total));
}

/// Dies when a stage begins.
#[derive(Debug)]
struct DiesAt(Stage);

impl Progress for DiesAt {
    fn stage(&self, _table: &str, stage: Stage, _done: u64, _total: u64) {
        assert_ne!(stage, self.0, "the load is to die here");
    }
}

#[tokio::test]
async fn a_load_that_dies_leaves_nothing_and_a_rerun_finishes() {
    for stage in [Stage::Hash, Stage::Decode, Stage::Sort, Stage::Write, Stage::Publish] {
        let bench = Bench::new();
        let plan = LoadPlan::parse(Path::new("night.toml"), PLAN, bench.folder.path()).unwrap();
        let request = LoadRequest {
            plan,
            date: "2026-11-21".parse().unwrap(),
            replace: ReplaceMode::Refuse,
            rejects_dir: bench.rejects(),
            progress: Arc::new(DiesAt(stage)),
        };
        let store = bench.store.clone();
        let ended = tokio::spawn(async move { load(&store, request).await }).await;
        assert!(ended.is_err() || ended.unwrap().is_err(), "{stage:?}");
        assert_eq!(bench.store.latest().await.unwrap().number().get(), 0, "{stage:?}");
        published(bench.load("2026-11-21").await);
        assert_eq!(bench.events().await.len(), 3);
    }
}
