//! Nights that replace and delete rows of earlier ones, and compactions between them: any sequence
//! leaves the mart with what a plain map holds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use futures::TryStreamExt as _;
use martlet_index::{Descriptor, IndexKind};
use martlet_ingest::{
    CompactReport, CompactRequest, CompactScope, CompactTables, Correctable, IngestError,
    LoadOutcome, LoadPlan, LoadReport, LoadRequest, Progress, ReplaceMode, Silent, compact,
    load_within,
};
use martlet_store::Store;
use proptest::prelude::*;

const UPSERT: &str = r#"
name = "night"
[[table]]
name = "account"
mode = "upsert"
primary_key = ["number", "branch"]
cluster_key = ["branch"]
[[table.column]]
name = "branch"
type = "text"
[[table.column]]
name = "balance"
type = "int32"
[[table.column]]
name = "number"
type = "int32"
[[table.source]]
files = ["account_{date}.csv"]
"#;

const DELETE: &str = r#"
name = "closed"
[[table]]
name = "account"
mode = "delete"
primary_key = ["number", "branch"]
[[table.column]]
name = "number"
type = "int32"
[[table.column]]
name = "branch"
type = "text"
[[table.source]]
files = ["closed_{date}.csv"]
"#;

type Key = (i32, String);
type Accounts = BTreeMap<Key, i32>;

/// What a night brings.
#[derive(Debug, Clone)]
enum Night {
    Upsert(Accounts),
    Delete(Vec<Key>),
}

impl Night {
    fn apply(&self, accounts: &mut Accounts) {
        match self {
            Self::Upsert(rows) => accounts.extend(rows.clone()),
            Self::Delete(keys) => keys.iter().for_each(|key| {
                accounts.remove(key);
            }),
        }
    }

    fn plan(&self) -> &'static str {
        match self {
            Self::Upsert(_) => UPSERT,
            Self::Delete(_) => DELETE,
        }
    }
}

/// A delivery folder and a mart in memory.
struct Bench {
    folder: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: Store::open("memory://").unwrap() }
    }

    fn deliver(&self, night: &Night, date: &str) {
        let mut text = String::new();
        let name = match night {
            Night::Upsert(rows) => {
                text.push_str("branch,balance,number\n");
                for ((number, branch), balance) in rows {
                    writeln!(text, "{branch},{balance},{number}").unwrap();
                }
                "account"
            }
            Night::Delete(keys) => {
                text.push_str("number,branch\n");
                for (number, branch) in keys {
                    writeln!(text, "{number},{branch}").unwrap();
                }
                "closed"
            }
        };
        std::fs::write(self.folder.path().join(format!("{name}_{date}.csv")), text).unwrap();
    }

    async fn load(
        &self,
        plan: &str,
        date: &str,
        replace: ReplaceMode,
    ) -> Result<LoadOutcome, IngestError> {
        let request = LoadRequest {
            plan: LoadPlan::parse(Path::new("night.toml"), plan, self.folder.path())?,
            date: date.parse().unwrap(),
            replace,
            rejects_dir: self.folder.path().join("rejects"),
            progress: Arc::new(Silent),
        };
        load_within(&self.store, request, 1 << 24).await
    }

    async fn night(&self, night: &Night, date: &str, replace: ReplaceMode) -> LoadReport {
        self.deliver(night, date);
        match self.load(night.plan(), date, replace).await.unwrap() {
            LoadOutcome::Published { report, .. } => report,
            LoadOutcome::AlreadyLoaded { .. } => panic!("the night was not loaded"),
        }
    }

    async fn compact(&self, scope: CompactScope, correctable: Correctable) -> CompactReport {
        let request = CompactRequest {
            tables: CompactTables::All,
            scope,
            correctable,
            scratch_dir: self.folder.path().join("scratch"),
            memory_bytes: Some(1 << 20),
        };
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        compact(&self.store, &request, &silent).await.unwrap()
    }

    /// The rows that are left. A key that stands twice fails.
    async fn accounts(&self) -> Accounts {
        let snapshot = self.store.latest().await.unwrap();
        let mut accounts = Accounts::new();
        let Some(table) = snapshot.table("account") else { return accounts };
        for segment in table.segments() {
            let reader = self.store.open_segment(table.schema(), segment).await.unwrap();
            let live = self.store.live(segment).await.unwrap();
            let batches: Vec<_> =
                reader.read(&[0, 1, 2], &live, 8_192).try_collect().await.unwrap();
            for batch in batches {
                let branches = batch.column(0).as_string::<i32>();
                let balances = batch.column(1).as_primitive::<Int32Type>();
                let numbers = batch.column(2).as_primitive::<Int32Type>();
                for row in 0..batch.num_rows() {
                    let key = (numbers.value(row), branches.value(row).to_string());
                    assert_eq!(accounts.insert(key, balances.value(row)), None, "a key twice");
                }
            }
        }
        assert_eq!(table.rows(), accounts.len() as u64);
        accounts
    }
}

fn accounts(rows: &[(i32, &str, i32)]) -> Accounts {
    rows.iter().map(|(number, branch, balance)| ((*number, (*branch).into()), *balance)).collect()
}

fn date(night: usize) -> String {
    format!("2026-11-{:02}", night + 1)
}

fn any_key() -> impl Strategy<Value = Key> {
    (0_i32..12, prop::sample::select(vec!["north", "south", "a branch of a long name"]))
        .prop_map(|(number, branch)| (number, branch.to_string()))
}

fn any_compaction() -> impl Strategy<Value = (CompactScope, Correctable)> {
    let scopes = [CompactScope::Needed, CompactScope::Everything];
    let correctable =
        [Correctable::Newest, Correctable::Nothing, Correctable::From(date(2).parse().unwrap())];
    (prop::sample::select(scopes.to_vec()), prop::sample::select(correctable.to_vec()))
}

fn any_night() -> impl Strategy<Value = Night> {
    prop_oneof![
        3 => prop::collection::btree_map(any_key(), any::<i32>(), 0..12).prop_map(Night::Upsert),
        1 => prop::collection::btree_set(any_key(), 0..6)
            .prop_map(|keys| Night::Delete(keys.into_iter().collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every night leaves what a map would, also when it is corrected or loaded twice.
    #[test]
    fn nights_leave_what_a_map_holds(
        first in prop::collection::btree_map(any_key(), any::<i32>(), 0..12),
        nights in prop::collection::vec(
            (any_night(), prop::option::of(any_compaction()), prop::option::of(any_night())),
            0..6,
        ),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            let first = Night::Upsert(first);
            bench.night(&first, &date(0), ReplaceMode::Refuse).await;
            let mut expected = Accounts::new();
            first.apply(&mut expected);
            for (at, (night, compaction, correction)) in nights.iter().enumerate() {
                let date = date(at + 1);
                let before = expected.clone();
                let report = bench.night(night, &date, ReplaceMode::Refuse).await;
                night.apply(&mut expected);
                assert_eq!(bench.accounts().await, expected);
                let found = match night {
                    Night::Upsert(rows) => rows.keys().filter(|key| before.contains_key(key)).count(),
                    Night::Delete(keys) => keys.iter().filter(|key| before.contains_key(key)).count(),
                };
                assert_eq!(report.tables[0].rows_superseded, found as u64);
                let again = bench.load(night.plan(), &date, ReplaceMode::Refuse).await.unwrap();
                assert!(matches!(again, LoadOutcome::AlreadyLoaded { .. }));
                if let Some((scope, correctable)) = compaction {
                    bench.compact(*scope, *correctable).await;
                    assert_eq!(bench.accounts().await, expected);
                }
                let same_form = |one: &Night, other: &Night| one.plan() == other.plan();
                if let Some(correction) = correction.as_ref().filter(|other| same_form(night, other)) {
                    bench.deliver(correction, &date);
                    match bench.load(night.plan(), &date, ReplaceMode::Replace).await {
                        Ok(_) => {
                            expected = before;
                            correction.apply(&mut expected);
                        }
                        Err(IngestError::Settled { .. }) => {
                            let may_settle = matches!(
                                compaction,
                                Some((_, Correctable::Nothing | Correctable::From(_)))
                            );
                            assert!(may_settle, "the newest batch was settled");
                        }
                        Err(error) => panic!("{error}"),
                    }
                    assert_eq!(bench.accounts().await, expected);
                }
            }
        });
    }
}

#[tokio::test]
async fn rows_of_the_same_key_are_replaced_and_others_join() {
    let bench = Bench::new();
    let first = Night::Upsert(accounts(&[(1, "north", 10), (2, "north", 20), (1, "south", 30)]));
    let report = bench.night(&first, "2026-11-21", ReplaceMode::Refuse).await;
    assert_eq!((report.tables[0].mode, report.tables[0].rows_superseded), ("upsert", 0));
    let second = Night::Upsert(accounts(&[(1, "south", 31), (3, "south", 40)]));
    let report = bench.night(&second, "2026-11-22", ReplaceMode::Refuse).await;
    assert_eq!((report.tables[0].rows_loaded, report.tables[0].rows_superseded), (2, 1));
    let closed = Night::Delete(vec![(2, "north".into()), (9, "north".into())]);
    let report = bench.night(&closed, "2026-11-22", ReplaceMode::Refuse).await;
    assert_eq!((report.tables[0].rows_loaded, report.tables[0].rows_superseded), (0, 1));
    let left = accounts(&[(1, "north", 10), (1, "south", 31), (3, "south", 40)]);
    assert_eq!(bench.accounts().await, left);
}

#[tokio::test]
async fn a_key_twice_in_one_batch_is_a_bad_row() {
    let bench = Bench::new();
    let file = bench.folder.path().join("account_2026-11-21.csv");
    std::fs::write(file, "branch,balance,number\nnorth,1,1\nnorth,2,1\n").unwrap();
    let refused = bench.load(UPSERT, "2026-11-21", ReplaceMode::Refuse).await.unwrap_err();
    assert!(matches!(refused, IngestError::TooManyRejects { rejected: 1, .. }), "{refused}");
}

#[tokio::test]
async fn a_table_of_which_rows_are_replaced_does_not_go_back_in_time() {
    let bench = Bench::new();
    let rows = Night::Upsert(accounts(&[(1, "north", 10)]));
    bench.night(&rows, "2026-11-20", ReplaceMode::Refuse).await;
    bench.night(&Night::Delete(vec![(1, "north".into())]), "2026-11-22", ReplaceMode::Refuse).await;
    bench.deliver(&rows, "2026-11-21");
    let refused = bench.load(UPSERT, "2026-11-21", ReplaceMode::Refuse).await.unwrap_err();
    assert!(matches!(refused, IngestError::OlderThanLoaded { .. }), "{refused}");
}

#[tokio::test]
async fn rows_are_deleted_by_the_primary_key_of_a_table_that_is_there() {
    let bench = Bench::new();
    let closed = Night::Delete(vec![(1, "north".into())]);
    bench.deliver(&closed, "2026-11-21");
    let refused = bench.load(DELETE, "2026-11-21", ReplaceMode::Refuse).await.unwrap_err();
    assert!(refused.to_string().contains("the mart does not have it"), "{refused}");
    let rows = Night::Upsert(accounts(&[(1, "north", 10)]));
    bench.night(&rows, "2026-11-20", ReplaceMode::Refuse).await;
    let other = DELETE.replace("[\"number\", \"branch\"]", "[\"branch\", \"number\"]");
    let refused = bench.load(&other, "2026-11-21", ReplaceMode::Refuse).await.unwrap_err();
    assert!(matches!(refused, IngestError::NotDeletable { .. }), "{refused}");
    bench.load(DELETE, "2026-11-21", ReplaceMode::Refuse).await.unwrap();
    assert_eq!(bench.accounts().await, Accounts::new());
}

/// Two that look for the same rows at once: the later one looks again.
#[tokio::test]
async fn two_nights_at_once_leave_each_key_once() {
    let bench = Bench::new();
    let before = Night::Upsert(accounts(&[(1, "north", 10), (2, "north", 20)]));
    bench.night(&before, "2026-11-20", ReplaceMode::Refuse).await;
    bench.deliver(&Night::Upsert(accounts(&[(1, "north", 11), (3, "north", 31)])), "2026-11-21");
    let other = UPSERT.replace("\"night\"", "\"other\"");
    let (one, two) = tokio::join!(
        bench.load(UPSERT, "2026-11-21", ReplaceMode::Refuse),
        bench.load(&other, "2026-11-21", ReplaceMode::Refuse),
    );
    one.unwrap();
    two.unwrap();
    let left = accounts(&[(1, "north", 11), (2, "north", 20), (3, "north", 31)]);
    assert_eq!(bench.accounts().await, left);
}

#[test]
fn a_mode_asks_for_the_keys_that_it_works_by() {
    for (plan, from, to, words) in [
        (UPSERT, "primary_key = [\"number\", \"branch\"]", "", "needs a `primary_key`"),
        (
            DELETE,
            "primary_key = [\"number\", \"branch\"]",
            "primary_key = [\"number\"]",
            "no others",
        ),
        (DELETE, "[[table.column]]", "cluster_key = [\"branch\"]\n[[table.column]]", "not stored"),
        (UPSERT, "\"upsert\"", "\"merge\"", "`mode` is"),
    ] {
        let plan = plan.replacen(from, to, 1);
        let refused = LoadPlan::parse(Path::new("l"), &plan, Path::new(".")).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[tokio::test]
async fn old_nights_become_one_sorted_run_and_the_newest_stays_apart() {
    let bench = Bench::new();
    for (night, branch) in ["west", "east", "north", "south"].into_iter().enumerate() {
        let rows = Night::Upsert(accounts(&[(1, branch, 10), (2, "all", 20)]));
        bench.night(&rows, &date(night), ReplaceMode::Refuse).await;
    }
    let before = bench.accounts().await;
    let report = bench.compact(CompactScope::Needed, Correctable::Newest).await;
    // The last night deleted a row of the one before, which therefore stays.
    let table = &report.tables[0];
    assert_eq!((table.segments_before, table.segments_after, table.segments_kept), (2, 1, 2));
    assert_eq!((table.rows, table.rows_dropped), (2, 2));
    assert_eq!(bench.accounts().await, before);

    let snapshot = bench.store.latest().await.unwrap();
    assert_eq!(report.snapshot, Some(snapshot.number().get()));
    let segments = snapshot.table("account").unwrap().segments();
    let descriptor = Descriptor::decode(segments[0].attachments()[0].descriptor());
    let merged =
        segments.iter().find(|segment| segment.rows() == 2 && segment.deleted_count() == 0);
    assert!(descriptor.is_ok() && merged.is_some());
    let nothing = bench.compact(CompactScope::Needed, Correctable::Newest).await;
    assert_eq!((nothing.snapshot, nothing.tables.len()), (None, 0), "once is enough");

    let all = bench.compact(CompactScope::Everything, Correctable::Nothing).await;
    assert_eq!((all.tables[0].segments_after, all.tables[0].rows), (1, 5));
    assert_eq!(bench.accounts().await, before);
    bench.deliver(&Night::Upsert(accounts(&[(1, "south", 11)])), &date(3));
    let refused = bench.load(UPSERT, &date(3), ReplaceMode::Replace).await.unwrap_err();
    assert!(matches!(refused, IngestError::Settled { .. }), "{refused}");
}

/// What the load file said of a column's indexes holds for the merged segment, too.
#[tokio::test]
async fn merged_segments_keep_the_kinds_of_index() {
    let bench = Bench::new();
    let plan = UPSERT
        .replace("name = \"balance\"", "name = \"balance\"\nindex = \"none\"")
        .replace("type = \"text\"", "type = \"text\"\nindex = [\"codes\"]");
    for night in 0..2 {
        let number = i32::try_from(night).unwrap();
        bench.deliver(&Night::Upsert(accounts(&[(number, "north", 10)])), &date(night));
        bench.load(&plan, &date(night), ReplaceMode::Refuse).await.unwrap();
    }
    bench.compact(CompactScope::Needed, Correctable::Nothing).await;
    let snapshot = bench.store.latest().await.unwrap();
    let segments = snapshot.table("account").unwrap().segments();
    assert_eq!(segments.len(), 1);
    let descriptor = Descriptor::decode(segments[0].attachments()[0].descriptor()).unwrap();
    let kinds = |column: usize| -> Vec<IndexKind> {
        let has = |kind: &IndexKind| descriptor.section(column, *kind).is_some();
        IndexKind::ALL.into_iter().filter(has).collect()
    };
    assert_eq!((kinds(0), kinds(1)), (vec![IndexKind::Codes], Vec::new()));
    assert!(!kinds(2).is_empty(), "what was left to auto still is");
}
