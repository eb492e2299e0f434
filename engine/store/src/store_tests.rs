//! That snapshots are found, shared, never change, and that damage to any object is detected.

use martlet_core::{ErrorKind, Kinded};

use super::*;
use crate::fixture::{
    bytes_at, committed, date, flipped, label, memory, narrow_rows, narrow_schema, numbers,
    overwrite, record,
};

/// Appends a number to `numbers` as the batch of that day.
async fn load(store: &Store, day: &str, number: i32) -> Snapshot {
    let schema = narrow_schema("numbers");
    let mut commit = store.begin(&store.latest().await.unwrap());
    let rows = narrow_rows(&schema, &[number]);
    let staged = commit.stage_segment(&schema, &label(day), &[rows]).await.unwrap();
    commit.append_table(&schema, vec![staged], Some(&label(day))).unwrap();
    commit.record_batch(record(day, 1));
    committed(commit).await
}

#[tokio::test]
async fn an_empty_mart_has_snapshot_zero_and_no_list() {
    let (store, _) = memory();
    let latest = store.latest().await.unwrap();
    assert_eq!(latest.number(), SnapshotNumber::EMPTY);
    assert!(latest.tables().is_empty());
    assert!(store.snapshots().await.unwrap().is_empty());
    assert!(store.snapshot_of(date("2026-11-22")).await.unwrap().is_none());
    let error = store.snapshot(SnapshotNumber::new(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_folder_holds_a_mart_that_another_process_reads() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("not yet there");
    let writer = Store::open(place.to_str().unwrap()).unwrap();
    let reader = Store::open(Url::from_file_path(&place).unwrap().as_str()).unwrap();
    load(&writer, "2026-11-21", 1).await;
    assert_eq!(reader.latest().await.unwrap().number(), SnapshotNumber::new(1));
    let second = load(&writer, "2026-11-22", 2).await;
    let latest = reader.latest().await.unwrap();
    assert_eq!(latest.commit_id(), second.commit_id());
    assert_eq!(numbers(&reader, &latest, "numbers").await, [1, 2]);
}

#[test]
fn a_place_that_cannot_hold_a_mart_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for place in ["ftp://host/mart", file.path().to_str().unwrap()] {
        assert_eq!(Store::open(place).unwrap_err().kind(), ErrorKind::Invalid, "{place}");
    }
}

#[tokio::test]
async fn a_snapshot_never_changes() {
    let (store, _) = memory();
    load(&store, "2026-11-21", 1).await;
    load(&store, "2026-11-22", 2).await;
    let old = store.snapshot(SnapshotNumber::new(1)).await.unwrap();
    assert_eq!(numbers(&store, &old, "numbers").await, [1]);
    assert_eq!(old.batches().len(), 1);
}

#[tokio::test]
async fn a_batch_loaded_again_replaces_its_rows_and_its_record() {
    let (store, _) = memory();
    load(&store, "2026-11-21", 1).await;
    load(&store, "2026-11-22", 2).await;
    let again = load(&store, "2026-11-21", 10).await;
    assert_eq!(numbers(&store, &again, "numbers").await, [2, 10]);
    assert_eq!(again.batches().len(), 2);
    let anew = again.batch(&label("2026-11-21")).unwrap();
    assert_eq!(anew.committed_at(), again.committed_at());
    assert!(again.batch(&label("2026-11-20")).is_none());
}

#[tokio::test]
async fn unchanged_tables_policy_and_principals_are_shared() {
    let (store, objects) = memory();
    let first = load(&store, "2026-11-21", 1).await;
    let mut commit = store.begin(&first);
    commit.set_policy(Bytes::from_static(b"rules"));
    commit.set_principals(Bytes::from_static(b"people"));
    commit.set_emergencies(Bytes::from_static(b"fire"));
    let second = committed(commit).await;
    assert_eq!(first.table("numbers").unwrap().part(), second.table("numbers").unwrap().part());

    let third = load(&store, "2026-11-22", 2).await;
    assert_eq!(third.policy(), second.policy());
    assert_eq!(store.read(third.policy().unwrap()).await.unwrap(), "rules");
    assert_eq!(store.read(third.principals().unwrap()).await.unwrap(), "people");
    assert_eq!(store.read(third.emergencies().unwrap()).await.unwrap(), "fire");
    let told = store.emergencies_between(first.number(), third.number()).await.unwrap();
    assert_eq!(told, [third.emergencies().unwrap().clone()]);
    assert_eq!(store.orphans().await.unwrap(), [], "all of it is named");
    let reopened = Store::over(objects).latest().await.unwrap();
    assert_eq!(reopened.policy(), third.policy());
    assert_eq!(reopened.tables(), third.tables());
}

#[tokio::test]
async fn the_policies_between_two_snapshots_are_told_in_their_order() {
    let (store, _) = memory();
    let mut snapshots = vec![load(&store, "2026-11-21", 1).await];
    for rules in ["one", "one", "two", "one"] {
        let mut commit = store.begin(snapshots.last().unwrap());
        commit.set_policy(Bytes::from_static(rules.as_bytes()));
        snapshots.push(committed(commit).await);
    }
    let between = async |after: usize, last: usize| {
        let number = |at: usize| snapshots[at].number();
        let found = store.policies_between(number(after), number(last)).await.unwrap();
        let mut texts = Vec::new();
        for object in found {
            texts.push(String::from_utf8(store.read(&object).await.unwrap().to_vec()).unwrap());
        }
        texts
    };
    assert_eq!(between(0, 4).await, ["one", "two", "one"]);
    assert_eq!(between(1, 3).await, ["one", "two"], "the first is not among them, the last is");
    assert_eq!(between(3, 3).await, [""; 0]);
    assert_eq!(between(0, 0).await, [""; 0]);
}

#[tokio::test]
async fn the_snapshot_of_a_date_holds_nothing_later() {
    let (store, _) = memory();
    let mut commit = store.begin(&store.latest().await.unwrap());
    commit.set_policy(Bytes::from_static(b"rules"));
    committed(commit).await;
    for (day, number) in
        [("2026-11-20", 1), ("2026-11-21", 2), ("2026-11-23", 3), ("2026-11-21", 4)]
    {
        load(&store, day, number).await;
    }
    let of = async |day: &str| {
        let snapshot = store.snapshot_of(date(day)).await.unwrap();
        snapshot.map(|snapshot| snapshot.number().get())
    };
    assert_eq!(of("2026-11-19").await, None);
    assert_eq!(of("2026-11-20").await, Some(2));
    assert_eq!(of("2026-11-21").await, Some(3));
    assert_eq!(of("2026-11-22").await, Some(3));
    assert_eq!(of("2026-11-23").await, Some(5));
    let summaries = store.snapshots().await.unwrap();
    assert_eq!(summaries.len(), 5);
    assert_eq!(summaries[0].newest_date, None);
    assert_eq!(summaries[4].newest_date, Some(date("2026-11-23")));
    assert_eq!(summaries[4].batches, 3);
}

#[tokio::test]
async fn staged_work_that_was_dropped_is_unseen_and_listed() {
    let (store, _) = memory();
    let base = load(&store, "2026-11-21", 1).await;
    let schema = narrow_schema("numbers");
    let commit = store.begin(&base);
    let rows = narrow_rows(&schema, &[2]);
    let mut staged = commit.stage_segment(&schema, &label("2026-11-22"), &[rows]).await.unwrap();
    commit.attach(&mut staged, Bytes::from_static(b"index"), Bytes::new()).await.unwrap();
    let staged = staged.segment();
    let paths = [staged.object().path(), staged.attachments()[0].object().path()];
    drop(commit);
    let latest = store.latest().await.unwrap();
    assert_eq!(numbers(&store, &latest, "numbers").await, [1]);
    let mut orphans: Vec<_> =
        store.orphans().await.unwrap().into_iter().map(|orphan| orphan.path).collect();
    orphans.sort_by_key(|path| !path.starts_with("segments"));
    assert_eq!(orphans, paths);
}

#[tokio::test]
async fn a_flipped_bit_in_any_object_is_detected() {
    let (store, objects) = memory();
    let schema = narrow_schema("numbers");
    let mut commit = store.begin(&store.latest().await.unwrap());
    let rows = narrow_rows(&schema, &[1, 2, 3]);
    let mut staged = commit.stage_segment(&schema, &label("2026-11-22"), &[rows]).await.unwrap();
    let descriptor = Bytes::from_static(b"descriptor");
    commit.attach(&mut staged, Bytes::from_static(b"an index"), descriptor).await.unwrap();
    commit.replace_table(&schema, vec![staged]).unwrap();
    commit.set_policy(Bytes::from_static(b"rules"));
    commit.set_principals(Bytes::from_static(b"people"));
    commit.set_emergencies(Bytes::from_static(b"fire"));
    let snapshot = committed(commit).await;

    let table = snapshot.table("numbers").unwrap();
    let segment = &table.segments()[0];
    let index = segment.attachments()[0].object();
    let paths = [
        layout::snapshot(snapshot.number()),
        table.part().path().to_owned(),
        segment.object().path().to_owned(),
        index.path().to_owned(),
        snapshot.policy().unwrap().path().to_owned(),
        snapshot.principals().unwrap().path().to_owned(),
        snapshot.emergencies().unwrap().path().to_owned(),
    ];
    for path in paths {
        let bytes = bytes_at(objects.as_ref(), &path).await;
        for bit in 0..bytes.len() * 8 {
            overwrite(objects.as_ref(), &path, flipped(&bytes, bit)).await;
            let error = read_everything(&Store::over(objects.clone())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{path} bit {bit}");
        }
        overwrite(objects.as_ref(), &path, bytes[..bytes.len() - 1].to_vec()).await;
        let error = read_everything(&Store::over(objects.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{path} cut");
        overwrite(objects.as_ref(), &path, bytes).await;
    }
    read_everything(&Store::over(objects)).await.unwrap();
}

async fn read_everything(store: &Store) -> Result<(), StoreError> {
    let snapshot = store.latest().await?;
    let documents = [snapshot.policy(), snapshot.principals(), snapshot.emergencies()];
    for object in documents.into_iter().flatten() {
        store.read(object).await?;
    }
    for table in snapshot.tables().values() {
        for segment in table.segments() {
            store.open_segment(table.schema(), segment).await?;
            store.read_range(segment.object(), 0..segment.object().size_bytes()).await?;
            for attachment in segment.attachments() {
                store.read_range(attachment.object(), 0..1).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_older_snapshot_cannot_stand_in_for_a_later_one() {
    let (store, objects) = memory();
    load(&store, "2026-11-21", 1).await;
    load(&store, "2026-11-22", 2).await;
    let older = bytes_at(objects.as_ref(), &layout::snapshot(SnapshotNumber::new(1))).await;
    overwrite(objects.as_ref(), &layout::snapshot(SnapshotNumber::new(2)), older).await;
    let error = Store::over(objects).latest().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}
