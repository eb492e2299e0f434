//! That only what nobody needs is removed, that it is removed, and that a fault in the middle
//! leaves a mart that is whole.

use bytes::Bytes;
use martlet_core::{ErrorKind, Kinded, Selection, TableName};

use super::*;
use crate::fixture::{committed, label, memory, narrow_rows, narrow_schema, numbers, record};
use crate::object::faulty::{Fault, FaultyStore, Moment, Operation};
use crate::snapshot::Snapshot;

const TABLE: &str = "numbers";
const AT_ONCE: Duration = Duration::ZERO;
const A_DAY: Duration = Duration::from_hours(24);

fn last(keep: usize) -> NonZeroUsize {
    NonZeroUsize::new(keep).unwrap()
}

/// A night that replaces the table by this number, with an index and other rules.
async fn night(store: &Store, number: i32) -> Snapshot {
    let day = format!("2026-11-{number:02}");
    let schema = narrow_schema(TABLE);
    let mut commit = store.begin(&store.latest().await.unwrap());
    let rows = narrow_rows(&schema, &[number]);
    let mut staged = commit.stage_segment(&schema, &label(&day), &[rows]).await.unwrap();
    commit.attach(&mut staged, Bytes::from_static(b"index"), Bytes::new()).await.unwrap();
    commit.replace_table(&schema, vec![staged]).unwrap();
    commit.set_policy(Bytes::from(day.clone()));
    commit.record_batch(record(&day, 1));
    committed(commit).await
}

/// Every object of the mart.
async fn all(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    for folder in layout::REFERRED.iter().chain(&[layout::SNAPSHOTS, layout::RETIRED]) {
        let listed = store.objects().list(folder).await.unwrap();
        found.extend(listed.into_iter().map(|object| object.location.to_string()));
    }
    found
}

async fn assert_whole(store: &Store, expected: &[i32]) {
    let snapshots = store.snapshots().await.unwrap();
    let mut held = Vec::new();
    for summary in snapshots {
        let snapshot = store.snapshot(summary.number).await.unwrap();
        store.read(snapshot.policy().unwrap()).await.unwrap();
        let table = snapshot.table(TABLE).unwrap();
        for attachment in table.segments().iter().flat_map(|segment| segment.attachments()) {
            store.read(attachment.object()).await.unwrap();
        }
        held.extend(numbers(store, &snapshot, TABLE).await);
    }
    assert_eq!(held, expected);
}

#[tokio::test]
async fn retired_snapshots_are_hidden_and_go_when_the_time_is_over() {
    let (store, objects) = memory();
    for number in 1..=4 {
        night(&store, number).await;
    }
    let second = store.snapshot(SnapshotNumber::new(2)).await.unwrap();
    let before = all(&store).await.len();
    let retired = store.retire(last(2)).await.unwrap();
    assert_eq!(retired, [1, 2].map(SnapshotNumber::new));
    let missing = store.snapshot(SnapshotNumber::new(2)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(store.retire(last(2)).await.unwrap(), []);

    assert!(store.orphans().await.unwrap().is_empty(), "a statement may still run on them");
    assert!(store.remove_orphans(A_DAY).await.unwrap().is_empty());
    assert_eq!(numbers(&store, &second, TABLE).await, [2]);
    assert_eq!(all(&store).await.len(), before);

    let removed = store.remove_orphans(AT_ONCE).await.unwrap();
    // Of each night a segment, its index, the table's part and the rules.
    assert_eq!(removed.len(), 8, "{removed:?}");
    assert_eq!(all(&store).await.len(), 2 * 5);
    assert!(store.remove_orphans(AT_ONCE).await.unwrap().is_empty());
    for store in [store, Store::over(objects)] {
        assert_whole(&store, &[3, 4]).await;
        assert_eq!(store.latest().await.unwrap().number(), SnapshotNumber::new(4));
    }
}

#[tokio::test]
async fn what_a_kept_snapshot_shares_with_a_retired_one_stays() {
    let (store, _) = memory();
    let base = night(&store, 1).await;
    let table = TableName::new(TABLE).unwrap();
    let id = base.table(TABLE).unwrap().segments()[0].id();
    let mut commit = store.begin(&base);
    let index =
        commit.attach_to(&table, id, Bytes::from_static(b"new"), Bytes::new()).await.unwrap();
    commit.replace_attachments(&table, id, vec![index]).unwrap();
    committed(commit).await;
    store.retire(last(1)).await.unwrap();
    let removed: Vec<String> = store
        .remove_orphans(AT_ONCE)
        .await
        .unwrap()
        .into_iter()
        .map(|orphan| orphan.path)
        .collect();
    let old = base.table(TABLE).unwrap();
    let index = old.segments()[0].attachments()[0].object();
    assert_eq!(removed, [index.path(), old.part().path()]);
    assert_whole(&store, &[1]).await;
}

#[tokio::test]
async fn objects_of_deleted_rows_are_named() {
    let (store, _) = memory();
    let schema = narrow_schema(TABLE);
    let table = TableName::new(TABLE).unwrap();
    let count = 600_000_u32;
    let all: Vec<i32> = (0..count as i32).collect();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let rows = narrow_rows(&schema, &all);
    let staged = commit.stage_segment(&schema, &label("2026-11-01"), &[rows]).await.unwrap();
    commit.replace_table(&schema, vec![staged]).unwrap();
    let base = committed(commit).await;
    let mut commit = store.begin(&base);
    let id = base.table(TABLE).unwrap().segments()[0].id();
    let third = Selection::from_flags((0..count).map(|row| row % 3 == 0));
    commit.delete_rows(&table, id, &third, &label("2026-11-02")).unwrap();
    let after = committed(commit).await;
    assert!(after.table(TABLE).unwrap().segments()[0].deletions()[0].object().is_some());
    store.retire(last(1)).await.unwrap();
    let removed = store.remove_orphans(AT_ONCE).await.unwrap();
    assert_eq!(removed.len(), 1, "the part before the deletion: {removed:?}");
    assert_eq!(numbers(&store, &after, TABLE).await.len(), 400_000);
}

#[tokio::test]
async fn what_was_broken_off_is_removed_and_what_is_young_is_not() {
    let (store, _) = memory();
    let base = night(&store, 1).await;
    let schema = narrow_schema(TABLE);
    let commit = store.begin(&base);
    let rows = narrow_rows(&schema, &[2]);
    let staged = commit.stage_segment(&schema, &label("2026-11-02"), &[rows]).await.unwrap();
    assert!(store.remove_orphans(A_DAY).await.unwrap().is_empty());
    assert!(store.remove_orphans(Duration::MAX).await.unwrap().is_empty());
    let removed = store.remove_orphans(AT_ONCE).await.unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].path, staged.segment().object().path());
    assert_whole(&store, &[1]).await;
}

#[tokio::test]
async fn nothing_is_removed_while_a_snapshot_is_damaged() {
    let (store, objects) = memory();
    for number in 1..=3 {
        night(&store, number).await;
    }
    store.retire(last(2)).await.unwrap();
    let before = all(&store).await;
    let path = layout::snapshot(SnapshotNumber::new(2));
    crate::fixture::overwrite(objects.as_ref(), &path, b"torn".to_vec()).await;
    let error = store.remove_orphans(AT_ONCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    let error = store.retire(last(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(all(&store).await, before);
}

/// At every write and removal: every snapshot that is left can be read, and the second try ends
/// where an undisturbed one does.
#[tokio::test]
async fn a_fault_at_any_step_leaves_a_whole_mart() {
    let mut nth = 1;
    loop {
        let (prepared, memory) = memory();
        for number in 1..=3 {
            night(&prepared, number).await;
        }
        let faulty = FaultyStore::over(memory.clone());
        let store = Store::over(faulty.clone());
        faulty.fail(Fault::on_write(nth, Moment::Before));
        let tidy = async |store: &Store| {
            store.retire(last(1)).await?;
            store.remove_orphans(AT_ONCE).await
        };
        let outcome = tidy(&store).await;
        let other = Store::over(memory);
        let left: Vec<i32> = other
            .snapshots()
            .await
            .unwrap()
            .iter()
            .map(|summary| summary.number.get() as i32)
            .collect();
        assert_whole(&other, &left).await;
        let done = outcome.is_ok();
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Retry);
            tidy(&other).await.unwrap();
        }
        assert_whole(&other, &[3]).await;
        assert_eq!(all(&other).await.len(), 5, "step {nth}");
        if done {
            let removals = faulty.calls();
            let removals = removals.iter().filter(|call| call.operation == Operation::Delete);
            assert_eq!(removals.count(), nth - 1 - 2, "every step was tried, two of them writes");
            break;
        }
        nth += 1;
    }
}
