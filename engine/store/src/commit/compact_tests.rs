//! That compaction changes no row, that what it settles is refused afterwards, and that what it
//! does not settle can still be undone.

use martlet_core::{ErrorKind, Kinded, Selection, TableName};

use super::*;
use crate::commit::Commit;
use crate::fixture::{committed, label, memory, narrow_rows, narrow_schema, numbers};
use crate::object::faulty::{Fault, FaultyStore, Moment};
use crate::snapshot::Snapshot;
use crate::store::Store;

const TABLE: &str = "numbers";

fn name() -> TableName {
    TableName::new(TABLE).unwrap()
}

async fn stage(commit: &Commit, day: &str, numbers: &[i32]) -> StagedSegment {
    let schema = narrow_schema(TABLE);
    let rows = narrow_rows(&schema, numbers);
    commit.stage_segment(&schema, &label(day), &[rows]).await.unwrap()
}

async fn load(store: &Store, day: &str, numbers: &[i32]) -> Result<Snapshot, StoreError> {
    let mut commit = store.begin(&store.latest().await.unwrap());
    let staged = stage(&commit, day, numbers).await;
    commit.append_table(&narrow_schema(TABLE), vec![staged], Some(&label(day)))?;
    match commit.publish().await? {
        crate::commit::CommitOutcome::Committed(snapshot) => Ok(snapshot),
        crate::commit::CommitOutcome::Conflicted(_) => panic!("conflicted"),
    }
}

/// Deletes the first row of the segment that stands there.
async fn delete_first(store: &Store, at: usize, day: &str) -> Snapshot {
    let latest = store.latest().await.unwrap();
    let segment = &latest.table(TABLE).unwrap().segments()[at];
    let mut commit = store.begin(&latest);
    let row = Selection::from_bitmap(segment.rows(), [0].into_iter().collect());
    commit.delete_rows(&name(), segment.id(), &row, &label(day)).unwrap();
    committed(commit).await
}

fn ids(snapshot: &Snapshot) -> Vec<SegmentId> {
    snapshot.table(TABLE).unwrap().segments().iter().map(|segment| segment.id()).collect()
}

#[tokio::test]
async fn segments_of_one_batch_are_merged_and_the_batch_is_loaded_again() {
    let (store, _) = memory();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let mut segments = Vec::new();
    for numbers in [[1, 2], [3, 4]] {
        segments.push(stage(&commit, "2026-11-01", &numbers).await);
    }
    commit.append_table(&narrow_schema(TABLE), segments, None).unwrap();
    let base = committed(commit).await;
    let base = {
        load(&store, "2026-11-02", &[9]).await.unwrap();
        delete_first(&store, 0, "2026-11-01").await;
        let latest = store.latest().await.unwrap();
        assert_ne!(ids(&latest), ids(&base));
        latest
    };

    let mut commit = store.begin(&base);
    let merged = stage(&commit, "2026-11-01", &[2, 3, 4]).await;
    let merged_id = merged.segment().id();
    commit.compact(&name(), &ids(&base)[..2], vec![merged]).unwrap();
    let compacted = committed(commit).await;
    assert_eq!(numbers(&store, &compacted, TABLE).await, [2, 3, 4, 9]);
    assert_eq!(numbers(&store, &base, TABLE).await, [2, 3, 4, 9], "the older snapshot stays");
    assert_eq!(ids(&compacted), [merged_id, ids(&base)[2]], "where the first one stood");
    assert!(compacted.table(TABLE).unwrap().settled().is_empty());
    let again = load(&store, "2026-11-01", &[7]).await.unwrap();
    assert_eq!(numbers(&store, &again, TABLE).await, [7, 9]);
}

#[tokio::test]
async fn what_is_compacted_with_others_is_settled() {
    let (store, objects) = memory();
    for (day, numbers) in [("2026-11-01", [1, 2]), ("2026-11-02", [3, 4]), ("2026-11-03", [5, 6])] {
        load(&store, day, &numbers).await.unwrap();
    }
    let base = delete_first(&store, 0, "2026-11-04").await;
    let mut commit = store.begin(&base);
    let merged = stage(&commit, "2026-11-02", &[2, 3, 4]).await;
    commit.compact(&name(), &ids(&base)[..2], vec![merged]).unwrap();
    let compacted = committed(commit).await;
    assert_eq!(numbers(&store, &compacted, TABLE).await, [2, 3, 4, 5, 6]);

    let settled = ["2026-11-01", "2026-11-02", "2026-11-04"].map(label);
    for store in [store, Store::over(objects)] {
        let latest = store.latest().await.unwrap();
        assert_eq!(latest.table(TABLE).unwrap().settled(), &settled.clone().into());
        for day in ["2026-11-01", "2026-11-02", "2026-11-04"] {
            let error = load(&store, day, &[8]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{day}");
            assert!(error.to_string().contains(day), "{error}");
        }
        let loaded = load(&store, "2026-11-03", &[50]).await.unwrap();
        assert_eq!(numbers(&store, &loaded, TABLE).await, [2, 3, 4, 50]);
        assert_eq!(loaded.table(TABLE).unwrap().settled(), &settled.clone().into());
    }
}

#[tokio::test]
async fn a_table_that_is_replaced_has_no_settled_batches() {
    let (store, _) = memory();
    load(&store, "2026-11-01", &[1]).await.unwrap();
    let base = load(&store, "2026-11-02", &[2]).await.unwrap();
    let mut commit = store.begin(&base);
    let merged = stage(&commit, "2026-11-02", &[1, 2]).await;
    commit.compact(&name(), &ids(&base), vec![merged]).unwrap();
    let compacted = committed(commit).await;
    let mut commit = store.begin(&compacted);
    commit.replace_table(&narrow_schema(TABLE), Vec::new()).unwrap();
    assert!(committed(commit).await.table(TABLE).unwrap().settled().is_empty());
    let loaded = load(&store, "2026-11-01", &[3]).await.unwrap();
    assert_eq!(numbers(&store, &loaded, TABLE).await, [3]);
}

#[tokio::test]
async fn a_segment_without_rows_is_compacted_away() {
    let (store, _) = memory();
    load(&store, "2026-11-01", &[1]).await.unwrap();
    load(&store, "2026-11-02", &[2]).await.unwrap();
    let base = delete_first(&store, 0, "2026-11-02").await;
    let mut commit = store.begin(&base);
    commit.compact(&name(), &ids(&base)[..1], Vec::new()).unwrap();
    let compacted = committed(commit).await;
    assert_eq!(ids(&compacted), ids(&base)[1..]);
    assert_eq!(compacted.table(TABLE).unwrap().settled(), &[label("2026-11-02")].into());
}

#[tokio::test]
async fn a_compaction_of_what_has_changed_is_refused() {
    let (store, _) = memory();
    let base = load(&store, "2026-11-01", &[1, 2]).await.unwrap();
    let mut commit = store.begin(&base);
    let same = stage(&commit, "2026-11-01", &[1, 2]).await;
    commit.compact(&name(), &ids(&base), vec![same]).unwrap();
    let other = delete_first(&store, 0, "2026-11-02").await;
    let error = commit.rebase(&other).publish().await.unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }));
    assert_eq!(numbers(&store, &store.latest().await.unwrap(), TABLE).await, [2]);
}

/// At every write, before and after it took effect: the rows are the same, in old or new segments.
#[tokio::test]
async fn a_fault_at_any_write_of_a_compaction_loses_no_row() {
    for (moment, nth) in
        [Moment::Before, Moment::After].map(|at| [1, 2, 3].map(|nth| (at, nth))).as_flattened()
    {
        let (prepared, memory) = memory();
        load(&prepared, "2026-11-01", &[1, 2]).await.unwrap();
        let base = load(&prepared, "2026-11-02", &[3]).await.unwrap();
        let faulty = FaultyStore::over(memory.clone());
        let store = Store::over(faulty.clone());
        faulty.fail(Fault::on_write(*nth, *moment));
        let mut commit = store.begin(&base);
        let schema = narrow_schema(TABLE);
        let rows = narrow_rows(&schema, &[1, 2, 3]);
        let published = match commit.stage_segment(&schema, &label("2026-11-01"), &[rows]).await {
            Ok(merged) => {
                commit.compact(&name(), &ids(&base), vec![merged]).unwrap();
                commit.publish().await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        let latest = Store::over(memory).latest().await.unwrap();
        assert_eq!(numbers(&prepared, &latest, TABLE).await, [1, 2, 3], "{moment:?} {nth}");
        let segments = if published.is_ok() { 1 } else { 2 };
        assert_eq!(ids(&latest).len(), segments, "{moment:?} {nth}");
        assert_eq!(published.is_ok(), *nth == 3, "the snapshot's creation is tried again");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_a_bug() {
    let (store, _) = memory();
    load(&store, "2026-11-01", &[1, 2]).await.unwrap();
    let base = load(&store, "2026-11-02", &[3]).await.unwrap();
    let [one, two] = ids(&base)[..] else { panic!("two segments") };
    let batch = label("2026-11-01");
    let mut commit = store.begin(&base);
    let stage = async |day, numbers: &[i32]| vec![stage(&commit, day, numbers).await];
    let too_few = stage("2026-11-01", &[1]).await;
    let other_batch = stage("2026-11-02", &[1, 2]).await;
    let of_two = stage("2026-11-02", &[3]).await;
    let [first, second, third, fourth] = [
        stage("2026-11-01", &[1, 2]).await,
        stage("2026-11-01", &[1, 2]).await,
        stage("2026-11-01", &[1, 2]).await,
        stage("2026-11-01", &[1, 2]).await,
    ];
    let unknown = SegmentId::from_bytes([0; 16]);
    for refused in [
        commit.compact(&name(), &[one], too_few),
        commit.compact(&name(), &[one], other_batch),
        commit.compact(&name(), &[one, one], first),
        commit.compact(&name(), &[unknown], second),
        commit.compact(&name(), &[], Vec::new()),
        commit.compact(&TableName::new("other").unwrap(), &[one], Vec::new()),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Bug);
    }
    commit.compact(&name(), &[one], third).unwrap();
    let twice = commit.compact(&name(), &[one], fourth).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Bug);
    let deleted = commit.delete_rows(&name(), one, &Selection::all(2), &batch).unwrap_err();
    assert_eq!(deleted.kind(), ErrorKind::Bug);
    commit.delete_rows(&name(), two, &Selection::all(1), &batch).unwrap();
    let compacted = commit.compact(&name(), &[two], of_two).unwrap_err();
    assert_eq!(compacted.kind(), ErrorKind::Bug);

    // The batch that is loaded again takes its segment away, so nothing can take its place.
    commit.append_table(&narrow_schema(TABLE), Vec::new(), Some(&batch)).unwrap();
    assert_eq!(commit.publish().await.unwrap_err().kind(), ErrorKind::Bug);
}
