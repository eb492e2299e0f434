//! That deletions and upserts are what a plain list of rows would become, that older snapshots
//! do not notice, and that nothing of it happens by halves.

use martlet_core::{ErrorKind, Kinded, SnapshotNumber};
use object_store::ObjectStore;
use proptest::prelude::*;

use super::*;
use crate::commit::{Commit, CommitOutcome};
use crate::fixture::{
    bytes_at, committed, flipped, label, memory, narrow_rows, narrow_schema, numbers, overwrite,
    record,
};
use crate::object::faulty::{Fault, FaultyStore, Moment};
use crate::snapshot::Snapshot;

const TABLE: &str = "numbers";

fn day(number: usize) -> String {
    format!("2026-11-{number:02}")
}

fn name() -> TableName {
    TableName::new(TABLE).unwrap()
}

/// A commit of that day that adds these numbers, in place of what the day brought before.
async fn adding(store: &Store, base: &Snapshot, of: &str, added: &[i32]) -> Commit {
    let schema = narrow_schema(TABLE);
    let mut commit = store.begin(base);
    let mut segments = Vec::new();
    if !added.is_empty() {
        let rows = narrow_rows(&schema, added);
        segments.push(commit.stage_segment(&schema, &label(of), &[rows]).await.unwrap());
    }
    commit.append_table(&schema, segments, Some(&label(of))).unwrap();
    commit.record_batch(record(of, added.len() as u64));
    commit
}

async fn with_numbers(store: &Store, added: &[i32]) -> Snapshot {
    let base = store.latest().await.unwrap();
    committed(adding(store, &base, "2026-11-01", added).await).await
}

fn rows(of: &SegmentRef, rows: &[u32]) -> Selection {
    Selection::from_bitmap(of.rows(), rows.iter().copied().collect())
}

fn first(snapshot: &Snapshot) -> Arc<SegmentRef> {
    Arc::clone(&snapshot.table(TABLE).unwrap().segments()[0])
}

#[tokio::test]
async fn an_upsert_is_one_commit_and_older_snapshots_stay() {
    let (store, objects) = memory();
    let base = with_numbers(&store, &[1, 2, 3]).await;
    let segment = first(&base);
    let mut commit = adding(&store, &base, "2026-11-02", &[20]).await;
    commit.delete_rows(&name(), segment.id(), &rows(&segment, &[1]), &label("2026-11-02")).unwrap();
    let after = committed(commit).await;
    for store in [store, Store::over(objects)] {
        assert_eq!(numbers(&store, &after, TABLE).await, [1, 3, 20]);
        assert_eq!(numbers(&store, &base, TABLE).await, [1, 2, 3]);
        let latest = store.latest().await.unwrap();
        assert_eq!(numbers(&store, &latest, TABLE).await, [1, 3, 20]);
        let table = latest.table(TABLE).unwrap();
        assert_eq!((table.rows(), table.rows_stored()), (3, 4));
        let changed = first(&latest);
        assert_eq!(changed.object(), segment.object(), "the segment's object is not touched");
        assert_eq!((changed.live_count(), changed.deleted_count()), (2, 1));
        assert_eq!(store.live_without(&changed, &label("2026-11-02")).await.unwrap().count(), 3);
        assert_eq!(store.live_without(&changed, &label("2026-11-03")).await.unwrap().count(), 2);
    }
}

#[tokio::test]
async fn a_segment_without_rows_stays_and_its_rows_come_back_with_the_batch() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2]).await;
    let segment = first(&base);
    let mut commit = adding(&store, &base, "2026-11-02", &[]).await;
    commit.delete_rows(&name(), segment.id(), &Selection::all(2), &label("2026-11-02")).unwrap();
    let emptied = committed(commit).await;
    assert_eq!(first(&emptied).live_count(), 0);
    assert!(store.live(&first(&emptied)).await.unwrap().is_none());
    assert_eq!(emptied.table(TABLE).unwrap().rows(), 0);
    let again = committed(adding(&store, &emptied, "2026-11-02", &[5]).await).await;
    assert_eq!(numbers(&store, &again, TABLE).await, [1, 2, 5]);
    assert_eq!(first(&again), segment);
}

#[tokio::test]
async fn deleting_nothing_or_what_is_deleted_changes_nothing() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2, 3]).await;
    let delete = async |base: &Snapshot, day: &str, of: &[u32]| {
        let mut commit = store.begin(base);
        let segment = first(base);
        commit.delete_rows(&name(), segment.id(), &rows(&segment, of), &label(day)).unwrap();
        committed(commit).await
    };
    let once = delete(&base, "2026-11-02", &[0, 1]).await;
    let none = delete(&once, "2026-11-03", &[]).await;
    let again = delete(&none, "2026-11-04", &[1, 0]).await;
    assert_eq!(again.table(TABLE), once.table(TABLE));
    let more = delete(&again, "2026-11-05", &[1, 2]).await;
    let counts: Vec<_> = first(&more).deletions().iter().map(Deletion::count).collect();
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn many_deleted_rows_have_an_object_of_their_own_which_is_proven() {
    let (store, objects) = memory();
    let count = 350_000_u32;
    let all: Vec<i32> = (0..count as i32).collect();
    let mut latest = with_numbers(&store, &all).await;
    // Each of both sets takes some 48 KiB: the first stands in the table's part.
    for remainder in [0, 1] {
        let of = day(remainder as usize + 2);
        let segment = first(&latest);
        let deleted = Selection::from_flags((0..count).map(|row| row % 4 == remainder));
        let mut commit = store.begin(&latest);
        commit.delete_rows(&name(), segment.id(), &deleted, &label(&of)).unwrap();
        latest = committed(commit).await;
    }
    let segment = first(&latest);
    let [inline, own] = segment.deletions() else { panic!("{:?}", segment.deletions()) };
    assert!(inline.object().is_none());
    let object = own.object().unwrap();
    let expected = Selection::from_flags((0..count).map(|row| row % 4 > 1));
    for store in [store.clone(), store, Store::over(objects.clone())] {
        assert_eq!(store.live(&segment).await.unwrap(), expected);
        assert!(store.orphans().await.unwrap().iter().all(|orphan| orphan.path != object.path()));
    }
    let bytes = bytes_at(objects.as_ref(), object.path()).await;
    for bit in (0..bytes.len() * 8).step_by(100_003) {
        overwrite(objects.as_ref(), object.path(), flipped(&bytes, bit)).await;
        let error = Store::over(objects.clone()).live(&segment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}");
    }
}

#[tokio::test]
async fn rows_that_two_batches_deleted_are_damage() {
    let (store, _) = memory();
    let mut segment = SegmentRef::clone(&first(&with_numbers(&store, &[1, 2, 3]).await));
    let rows = DeletedRows::Inline(rows(&segment, &[1]));
    let deletion = |of| Deletion { batch: label(of), count: 1, rows: rows.clone() };
    segment.deletions = vec![deletion("2026-11-02"), deletion("2026-11-03")];
    assert_eq!(store.live(&segment).await.unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn a_rebased_deletion_needs_the_segment_as_it_was() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2, 3]).await;
    let deleting = |base: &Snapshot, row| {
        let segment = first(base);
        let mut commit = store.begin(base);
        let batch = label("2026-11-02");
        commit.delete_rows(&name(), segment.id(), &rows(&segment, &[row]), &batch).unwrap();
        commit
    };
    let lost = |commit: Commit| async {
        match commit.publish().await.unwrap() {
            CommitOutcome::Conflicted(commit) => commit,
            CommitOutcome::Committed(_) => panic!("the base was not the latest"),
        }
    };
    let late = deleting(&base, 0);
    let later = deleting(&base, 1);
    let other = committed(adding(&store, &base, "2026-11-03", &[4]).await).await;
    let after = committed(lost(late).await.rebase(&other)).await;
    assert_eq!(numbers(&store, &after, TABLE).await, [2, 3, 4]);

    let mut rebased = lost(later).await.rebase(&after);
    let segment = first(&after);
    let further =
        rebased.delete_rows(&name(), segment.id(), &rows(&segment, &[2]), &label("2026-11-02"));
    assert!(matches!(further.unwrap_err(), StoreError::Superseded { .. }));
    let error = rebased.publish().await.unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }));
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert_eq!(numbers(&store, &store.latest().await.unwrap(), TABLE).await, [2, 3, 4]);

    let mut replacing = store.begin(&after);
    replacing.replace_table(&narrow_schema(TABLE), Vec::new()).unwrap();
    let gone = committed(replacing).await;
    let mut commit = deleting(&after, 2);
    commit = lost(commit).await.rebase(&gone);
    assert!(matches!(commit.publish().await.unwrap_err(), StoreError::Superseded { .. }));
}

#[tokio::test]
async fn what_does_not_belong_to_the_base_is_a_bug() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2, 3]).await;
    let segment = first(&base);
    let batch = label("2026-11-01");
    let mut commit = store.begin(&base);
    let other = TableName::new("other").unwrap();
    let unknown = SegmentId::from_bytes([0; 16]);
    let one = rows(&segment, &[1]);
    for refused in [
        commit.delete_rows(&other, segment.id(), &one, &batch),
        commit.delete_rows(&name(), unknown, &one, &batch),
        commit.delete_rows(&name(), segment.id(), &Selection::all(4), &batch),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Bug);
    }
    let mut commit = adding(&store, &base, "2026-11-01", &[7]).await;
    commit.delete_rows(&name(), segment.id(), &one, &batch).unwrap();
    let error = commit.publish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bug, "the batch that is loaded again brought the segment");
}

/// What is attached to the first segment: content and descriptor.
async fn attached(store: &Store, snapshot: &Snapshot) -> Vec<(Bytes, Bytes)> {
    let mut found = Vec::new();
    for attachment in first(snapshot).attachments() {
        let content = store.read(attachment.object()).await.unwrap();
        found.push((content, attachment.descriptor().clone()));
    }
    found
}

fn text(content: &'static str) -> Bytes {
    Bytes::from_static(content.as_bytes())
}

#[tokio::test]
async fn attachments_are_exchanged_and_the_rows_and_older_snapshots_stay() {
    let (store, objects) = memory();
    let schema = narrow_schema(TABLE);
    let mut commit = store.begin(&store.latest().await.unwrap());
    let rows = narrow_rows(&schema, &[1, 2]);
    let mut staged = commit.stage_segment(&schema, &label("2026-11-01"), &[rows]).await.unwrap();
    for (content, descriptor) in [("one", "1"), ("two", "2")] {
        commit.attach(&mut staged, text(content), text(descriptor)).await.unwrap();
    }
    commit.append_table(&schema, vec![staged], None).unwrap();
    let base = committed(commit).await;
    let segment = first(&base);

    let mut commit = store.begin(&base);
    let three = commit.attach_to(&name(), segment.id(), text("three"), text("3")).await.unwrap();
    assert_eq!(attached(&store, &store.latest().await.unwrap()).await.len(), 2, "seen by nobody");
    let two = segment.attachments()[1].described_as(text("less of 2"));
    commit.replace_attachments(&name(), segment.id(), vec![two, three]).unwrap();
    let exchanged = committed(commit).await;

    let mut commit = store.begin(&exchanged);
    commit.replace_attachments(&name(), segment.id(), Vec::new()).unwrap();
    let alone = committed(commit).await;
    for store in [store, Store::over(objects)] {
        let at = async |number| {
            let snapshot = store.snapshot(SnapshotNumber::new(number)).await.unwrap();
            assert_eq!(numbers(&store, &snapshot, TABLE).await, [1, 2]);
            assert_eq!(first(&snapshot).object(), segment.object());
            attached(&store, &snapshot).await
        };
        assert_eq!(at(1).await, [(text("one"), text("1")), (text("two"), text("2"))]);
        assert_eq!(at(2).await, [(text("two"), text("less of 2")), (text("three"), text("3"))]);
        assert_eq!(at(3).await, []);
        assert!(store.orphans().await.unwrap().is_empty());
    }
    assert_eq!(alone.table(TABLE).unwrap().schema(), &schema);
}

#[tokio::test]
async fn rows_are_deleted_and_attachments_exchanged_in_one_commit() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2, 3]).await;
    let segment = first(&base);
    let mut commit = adding(&store, &base, "2026-11-02", &[4]).await;
    let index = commit.attach_to(&name(), segment.id(), text("index"), text("")).await.unwrap();
    commit.delete_rows(&name(), segment.id(), &rows(&segment, &[0]), &label("2026-11-02")).unwrap();
    commit.replace_attachments(&name(), segment.id(), vec![index]).unwrap();
    commit.delete_rows(&name(), segment.id(), &rows(&segment, &[2]), &label("2026-11-02")).unwrap();
    let after = committed(commit).await;
    assert_eq!(numbers(&store, &after, TABLE).await, [2, 4]);
    assert_eq!(attached(&store, &after).await, [(text("index"), text(""))]);
}

#[tokio::test]
async fn an_attachment_of_another_segment_is_not_taken() {
    let (store, _) = memory();
    let base = with_numbers(&store, &[1, 2]).await;
    let base = committed(adding(&store, &base, "2026-11-02", &[3]).await).await;
    let [one, other] = base.table(TABLE).unwrap().segments() else { panic!("two segments") };
    let mut commit = store.begin(&base);
    let unknown = SegmentId::from_bytes([0; 16]);
    let refused = commit.attach_to(&name(), unknown, text("index"), text("")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Bug);
    let index = commit.attach_to(&name(), one.id(), text("index"), text("")).await.unwrap();
    for wrong in [
        commit.replace_attachments(&name(), other.id(), vec![index.clone()]),
        commit.replace_attachments(&name(), one.id(), vec![index.clone(), index]),
        commit.replace_attachments(&name(), unknown, Vec::new()),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Bug);
    }
}

/// At every write, before and after it took effect: the upsert is there whole or not at all.
#[tokio::test]
async fn a_fault_at_any_write_never_leaves_half_an_upsert() {
    let count = 600_000_u32;
    let all: Vec<i32> = (0..count as i32).collect();
    let deleted = Selection::from_flags((0..count).map(|row| row % 3 == 0));
    let left: Vec<i32> = (0..count as i32).filter(|number| number % 3 != 0).collect();
    let (prepared, before) = memory();
    with_numbers(&prepared, &all).await;
    for moment in [Moment::Before, Moment::After] {
        for nth in 1..=5 {
            let memory = Arc::new(before.fork());
            let faulty = FaultyStore::over(memory.clone());
            let store = Store::over(faulty.clone());
            let base = store.latest().await.unwrap();
            let upsert = async |store: &Store| {
                let segment = first(&base);
                let schema = narrow_schema(TABLE);
                let batch = label("2026-11-02");
                let mut commit = store.begin(&base);
                let added = narrow_rows(&schema, &[-1]);
                let staged = commit.stage_segment(&schema, &batch, &[added]).await?;
                commit.append_table(&schema, vec![staged], Some(&batch))?;
                commit.delete_rows(&name(), segment.id(), &deleted, &batch)?;
                commit.publish().await
            };
            faulty.fail(Fault::on_write(nth, moment));
            let outcome = upsert(&store).await;
            let written = faulty.calls().iter().filter(|call| call.operation.writes()).count();
            assert!(nth == 5 || written >= nth, "segment, deleted rows, part and snapshot");

            let other = Store::over(memory as Arc<dyn ObjectStore>);
            let seen = async || {
                let latest = other.latest().await.unwrap();
                numbers(&other, &latest, TABLE).await
            };
            match outcome {
                Ok(outcome) => assert!(matches!(outcome, CommitOutcome::Committed(_))),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Retry);
                    assert_eq!(seen().await, all, "{moment:?} {nth}");
                    assert!(matches!(upsert(&other).await.unwrap(), CommitOutcome::Committed(_)));
                }
            }
            let expected = [&[-1], &left[..]].concat();
            assert_eq!(seen().await, expected, "{moment:?} {nth}");
            assert_eq!(other.latest().await.unwrap().number(), SnapshotNumber::new(2));
        }
    }
}

/// A row of the plain version.
#[derive(Debug, Clone)]
struct PlainRow {
    number: i32,
    brought_by: usize,
    deleted_by: Option<usize>,
}

/// What a night does: its day, how many rows it adds, and which of those that it sees it deletes.
type Night = (usize, usize, Vec<prop::sample::Index>);

fn nights() -> impl Strategy<Value = Vec<Night>> {
    let deleted = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    prop::collection::vec((1_usize..5, 0_usize..5, deleted), 1..9)
}

/// The plain version of a night, which also names the numbers that it deletes.
fn plain_night(plain: &mut Vec<PlainRow>, night: &Night, next: &mut i32) -> (Vec<i32>, Vec<i32>) {
    let (day, added, picked) = night;
    plain.retain(|row| row.brought_by != *day);
    for row in plain.iter_mut().filter(|row| row.deleted_by == Some(*day)) {
        row.deleted_by = None;
    }
    let seen: Vec<usize> = (0..plain.len()).filter(|at| plain[*at].deleted_by.is_none()).collect();
    let mut deleted = Vec::new();
    for at in picked.iter().filter(|_| !seen.is_empty()).map(|index| seen[index.index(seen.len())])
    {
        plain[at].deleted_by = Some(*day);
        deleted.push(plain[at].number);
    }
    let added: Vec<i32> = (0..*added as i32).map(|at| *next + at).collect();
    *next += added.len() as i32;
    plain.extend(added.iter().map(|number| PlainRow {
        number: *number,
        brought_by: *day,
        deleted_by: None,
    }));
    (added, deleted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Nights in any order, loaded again and again, each deleting rows of the others.
    #[test]
    fn nights_do_what_a_plain_list_of_rows_does(nights in nights()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (store, objects) = memory();
            let mut latest = with_numbers(&store, &[]).await;
            // The first number of each segment, from which the others count up.
            let mut firsts: BTreeMap<SegmentId, i32> = BTreeMap::new();
            let (mut plain, mut next) = (Vec::new(), 0);
            for night in &nights {
                let (added, deleted) = plain_night(&mut plain, night, &mut next);
                let batch = label(&day(night.0));
                let mut commit = adding(&store, &latest, &day(night.0), &added).await;
                for segment in latest.table(TABLE).unwrap().segments() {
                    let first = firsts[&segment.id()];
                    let of_segment: Vec<u32> = deleted
                        .iter()
                        .filter_map(|number| u32::try_from(number - first).ok())
                        .filter(|row| *row < segment.rows())
                        .collect();
                    if segment.batch() != &batch && !of_segment.is_empty() {
                        let left = store.live_without(segment, &batch).await.unwrap();
                        prop_assert!(of_segment.iter().all(|row| left.contains(*row)));
                        let of_segment = rows(segment, &of_segment);
                        commit.delete_rows(&name(), segment.id(), &of_segment, &batch).unwrap();
                    }
                }
                latest = committed(commit).await;
                for segment in latest.table(TABLE).unwrap().segments() {
                    firsts.entry(segment.id()).or_insert_with(|| added[0]);
                }
                let left = plain.iter().filter(|row| row.deleted_by.is_none());
                let expected: Vec<i32> = {
                    let mut left: Vec<i32> = left.map(|row| row.number).collect();
                    left.sort_unstable();
                    left
                };
                prop_assert_eq!(numbers(&store, &latest, TABLE).await, expected.clone());
                let anew = Store::over(objects.clone());
                let read = anew.latest().await.unwrap();
                prop_assert_eq!(numbers(&anew, &read, TABLE).await, expected.clone());
                prop_assert_eq!(read.table(TABLE).unwrap().rows(), expected.len() as u64);
            }
            Ok(())
        })?;
    }
}
