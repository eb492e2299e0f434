//! That a commit happens whole, once, and never by halves, whatever the storage answers.

use martlet_core::{ErrorKind, Kinded};
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::*;
use crate::fixture::{committed, label, memory, narrow_rows, narrow_schema, numbers, record};
use crate::object::faulty::{Fault, FaultyStore, Moment, Operation};
use crate::store::Store;

/// A commit of the day that adds one number to two tables.
async fn day(store: &Store, base: &Snapshot, number: i32) -> Result<Commit, StoreError> {
    let day = label(&format!("2026-11-{number:02}"));
    let mut commit = store.begin(base);
    for name in ["left", "right"] {
        let schema = narrow_schema(name);
        let rows = narrow_rows(&schema, &[number]);
        let mut staged = commit.stage_segment(&schema, &day, &[rows]).await?;
        commit.attach(&mut staged, Bytes::from_static(b"index"), Bytes::new()).await?;
        commit.append_table(&schema, vec![staged], None)?;
    }
    commit.record_batch(record(&format!("2026-11-{number:02}"), 2));
    Ok(commit)
}

async fn assert_holds(store: &Store, expected: &[i32]) {
    let latest = store.latest().await.unwrap();
    for name in ["left", "right"] {
        assert_eq!(numbers(store, &latest, name).await, expected);
    }
    assert_eq!(latest.batches().len(), expected.len());
}

fn faulty() -> (Store, Arc<FaultyStore>, Arc<InMemory>) {
    let (_, memory) = memory();
    let faulty = FaultyStore::over(memory.clone());
    (Store::over(faulty.clone()), faulty, memory)
}

#[tokio::test]
async fn of_two_publishers_one_wins_and_the_other_is_rebased() {
    let (store, _) = memory();
    let base = store.latest().await.unwrap();
    let first = day(&store, &base, 1).await.unwrap();
    let second = day(&store, &base, 2).await.unwrap();
    let (first, second) = tokio::join!(first.publish(), second.publish());
    let (winner, loser) = match (first.unwrap(), second.unwrap()) {
        (CommitOutcome::Committed(winner), CommitOutcome::Conflicted(loser))
        | (CommitOutcome::Conflicted(loser), CommitOutcome::Committed(winner)) => (winner, loser),
        (first, second) => panic!("{first:?} and {second:?}"),
    };
    assert_eq!(store.latest().await.unwrap().commit_id(), winner.commit_id());
    let lost = loser.id();
    let rebased = loser.rebase(&winner);
    assert_ne!(rebased.id(), lost);
    let both = committed(rebased).await;
    assert_eq!(both.number(), SnapshotNumber::new(2));
    assert_holds(&store, &[1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_publishers_all_get_in_at_last() {
    let (store, objects) = memory();
    let publisher = async |number: i32| {
        let store = Store::over(objects.clone());
        let mut commit = day(&store, &store.latest().await.unwrap(), number).await.unwrap();
        while let CommitOutcome::Conflicted(lost) = commit.publish().await.unwrap() {
            commit = lost.rebase(&store.latest().await.unwrap());
        }
    };
    futures::future::join_all((1..=9).map(publisher)).await;
    assert_holds(&store, &(1..=9).collect::<Vec<_>>()).await;
    assert_eq!(store.latest().await.unwrap().number(), SnapshotNumber::new(9));
}

#[tokio::test]
async fn a_lost_reply_is_found_to_be_committed() {
    let (store, faulty, _) = faulty();
    faulty.fail(Fault::on(Operation::Create, Moment::After).nth(1));
    let base = store.latest().await.unwrap();
    let commit = day(&store, &base, 1).await.unwrap();
    let id = commit.id();
    assert_eq!(committed(commit).await.commit_id(), id);
    let creations = faulty.calls().into_iter().filter(|call| call.operation == Operation::Create);
    assert_eq!(creations.count(), 1, "what took effect is not tried again");
    assert_holds(&store, &[1]).await;
}

#[tokio::test]
async fn a_lost_reply_of_the_loser_is_found_to_be_a_conflict() {
    let (store, faulty, _) = faulty();
    let base = store.latest().await.unwrap();
    let loser = day(&store, &base, 2).await.unwrap();
    committed(day(&store, &base, 1).await.unwrap()).await;
    faulty.fail(Fault::on(Operation::Create, Moment::Before).nth(1));
    assert!(matches!(loser.publish().await.unwrap(), CommitOutcome::Conflicted(_)));
    assert_holds(&store, &[1]).await;
}

#[tokio::test]
async fn a_lost_request_is_tried_again() {
    let (store, faulty, _) = faulty();
    faulty.fail(Fault::on(Operation::Create, Moment::Before).times(2));
    let base = store.latest().await.unwrap();
    let commit = day(&store, &base, 1).await.unwrap();
    assert_eq!(committed(commit).await.number(), SnapshotNumber::new(1));
    assert_holds(&store, &[1]).await;
}

#[tokio::test]
async fn a_creation_that_never_succeeds_leaves_the_mart_and_the_staged_files() {
    let (store, faulty, _) = faulty();
    let base = store.latest().await.unwrap();
    let base = committed(day(&store, &base, 1).await.unwrap()).await;
    faulty.fail(Fault::on(Operation::Create, Moment::Before));
    let error = day(&store, &base, 2).await.unwrap().publish().await.unwrap_err();
    assert!(matches!(error, StoreError::NotPublished { .. }));
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert_holds(&store, &[1]).await;
    let orphans = store.orphans().await.unwrap();
    assert_eq!(orphans.len(), 6, "two segments, two attachments, two parts: {orphans:?}");

    faulty.heal();
    committed(day(&store, &base, 2).await.unwrap()).await;
    assert_holds(&store, &[1, 2]).await;
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_back_is_unknown_and_nothing_is_deleted() {
    let (store, faulty, _) = faulty();
    let base = store.latest().await.unwrap();
    let commit = day(&store, &base, 1).await.unwrap();
    let id = commit.id();
    faulty.fail(Fault::on(Operation::Create, Moment::After));
    faulty.fail(Fault::on(Operation::Get, Moment::Before).below("snapshots/"));
    let error = commit.publish().await.unwrap_err();
    assert!(matches!(&error, StoreError::OutcomeUnknown { commit, .. } if *commit == id));
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert!(faulty.calls().iter().all(|call| call.operation != Operation::Delete));

    faulty.heal();
    assert_eq!(store.latest().await.unwrap().commit_id(), id, "it had been published after all");
    assert_holds(&store, &[1]).await;
}

#[tokio::test]
async fn a_damaged_object_in_the_way_is_told_as_damage() {
    let (store, memory) = memory();
    let base = store.latest().await.unwrap();
    let commit = day(&store, &base, 1).await.unwrap();
    let path = layout::snapshot(SnapshotNumber::new(1));
    crate::fixture::overwrite(memory.as_ref(), &path, b"torn".to_vec()).await;
    assert_eq!(commit.publish().await.unwrap_err().kind(), ErrorKind::Damaged);
}

/// At every write, before and after it took effect: the mart holds the batch in both tables or
/// in neither, says so, and a second try ends with the batch loaded once.
#[tokio::test]
async fn a_fault_at_any_write_never_leaves_half_a_batch() {
    for moment in [Moment::Before, Moment::After] {
        let mut nth = 1;
        loop {
            let (store, faulty, memory) = faulty();
            let base = store.latest().await.unwrap();
            let base = committed(day(&store, &base, 1).await.unwrap()).await;
            faulty.fail(Fault::on_write(nth, moment));
            let written = faulty.calls().iter().filter(|call| call.operation.writes()).count();
            let outcome = match day(&store, &base, 2).await {
                Ok(commit) => commit.publish().await,
                Err(error) => Err(error),
            };
            let tried = faulty.calls().iter().filter(|call| call.operation.writes()).count();
            let reached = tried - written >= nth;

            let other = Store::over(memory as Arc<dyn ObjectStore>);
            match outcome {
                Ok(outcome) => {
                    assert!(matches!(outcome, CommitOutcome::Committed(_)));
                    assert_holds(&other, &[1, 2]).await;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Retry);
                    assert_holds(&other, &[1]).await;
                    committed(day(&other, &base, 2).await.unwrap()).await;
                    assert_holds(&other, &[1, 2]).await;
                }
            }
            if !reached {
                break;
            }
            nth += 1;
        }
        assert!(nth > 7, "every write of the commit was tried");
    }
}

#[tokio::test]
async fn what_a_snapshot_names_is_written_before_it() {
    let (store, faulty, _) = faulty();
    let base = store.latest().await.unwrap();
    let mut commit = day(&store, &base, 1).await.unwrap();
    commit.set_policy(Bytes::from_static(b"policy"));
    commit.set_principals(Bytes::from_static(b"principals"));
    committed(commit).await;
    let writes: Vec<_> =
        faulty.calls().into_iter().filter(|call| call.operation.writes()).collect();
    let (last, before) = writes.split_last().unwrap();
    assert_eq!(last.path, layout::snapshot(SnapshotNumber::new(1)));
    assert_eq!(last.operation, Operation::Create);
    assert_eq!(before.len(), 8);
}

#[tokio::test]
async fn appending_under_changed_columns_is_refused_and_replacing_is_not() {
    let (store, _) = memory();
    let base = store.latest().await.unwrap();
    let base = committed(day(&store, &base, 1).await.unwrap()).await;
    let wide = crate::fixture::wide_schema();
    let columns = wide.columns()[..1].to_vec();
    let changed =
        martlet_core::TableSchema::new(TableName::new("left").unwrap(), columns, &[], &[]).unwrap();

    let mut commit = store.begin(&base);
    commit.append_table(&changed, Vec::new(), None).unwrap();
    assert_eq!(commit.publish().await.unwrap_err().kind(), ErrorKind::Invalid);

    let mut commit = store.begin(&base);
    commit.replace_table(&changed, Vec::new()).unwrap();
    let snapshot = committed(commit).await;
    assert_eq!(snapshot.table("left").unwrap().schema(), &changed);
    assert_eq!(snapshot.table("left").unwrap().rows(), 0);
}

#[tokio::test]
async fn a_segment_of_another_table_is_not_taken() {
    let (store, _) = memory();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let (left, right) = (narrow_schema("left"), narrow_schema("right"));
    let rows = narrow_rows(&left, &[1]);
    let staged = commit.stage_segment(&left, &label("2026-11-22"), &[rows]).await.unwrap();
    let error = commit.replace_table(&right, vec![staged]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bug);
    commit.replace_table(&right, Vec::new()).unwrap();
    let twice = commit.append_table(&right, Vec::new(), None).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Bug);
}

#[tokio::test]
async fn settings_stay_with_a_table_whatever_its_rows_become() {
    let (store, _) = memory();
    let first = committed(day(&store, &store.latest().await.unwrap(), 1).await.unwrap()).await;
    let left = TableName::new("left").unwrap();
    let mut commit = store.begin(&first);
    commit.set_settings(&left, Bytes::from_static(b"chosen"));
    let chosen = committed(commit).await;
    assert_eq!(chosen.table("left").unwrap().segments(), first.table("left").unwrap().segments());
    let appended = committed(day(&store, &chosen, 2).await.unwrap()).await;
    let mut commit = store.begin(&appended);
    commit.replace_table(&narrow_schema("left"), Vec::new()).unwrap();
    for snapshot in [&chosen, &appended, &committed(commit).await] {
        assert_eq!(snapshot.table("left").unwrap().settings(), &Bytes::from_static(b"chosen"));
        assert!(snapshot.table("right").unwrap().settings().is_empty());
    }
    let read = Store::open("memory://").unwrap();
    let mut commit = read.begin(&read.latest().await.unwrap());
    commit.set_settings(&left, Bytes::from_static(b"chosen"));
    assert_eq!(commit.publish().await.unwrap_err().kind(), ErrorKind::Bug);
}
