//! That indexes come and go without a row being written, and that damage is mended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use martlet_core::{ColumnSchema, ColumnType, ErrorKind, Kinded, TableSchema};
use martlet_index::{Descriptor, HandChoices, IndexChoice, build};
use martlet_store::{BatchLabel, CommitOutcome, Snapshot, Store, TableVersion};

use super::*;
use crate::progress::Silent;

const SEGMENTS: u8 = 3;

fn schema() -> TableSchema {
    let column = |name: &str, column_type| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: false,
        class: None,
    };
    let columns = vec![column("id", ColumnType::Int64), column("name", ColumnType::Text)];
    TableSchema::new(table(), columns, &[], &[]).unwrap()
}

fn table() -> TableName {
    TableName::new("t").unwrap()
}

fn rows(first: i64) -> RecordBatch {
    let ids: ArrayRef = Arc::new((first..first + 500).collect::<Int64Array>());
    let names = (first..first + 500).map(|id| Some(format!("name {}", id % 17)));
    let names: ArrayRef = Arc::new(names.collect::<StringArray>());
    RecordBatch::try_new(schema().arrow(), vec![ids, names]).unwrap()
}

/// A mart of some segments that are indexed as `auto` says.
async fn mart(folder: &Path) -> Store {
    let store = Store::open(folder.to_str().unwrap()).unwrap();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let label = BatchLabel::new("night", "2026-11-22".parse().unwrap()).unwrap();
    let mut segments = Vec::new();
    for number in 0..SEGMENTS {
        let rows = rows(i64::from(number) * 500);
        let mut staged =
            commit.stage_segment(&schema(), &label, std::slice::from_ref(&rows)).await.unwrap();
        let built = build(&schema(), &rows, &[IndexChoice::Auto, IndexChoice::Auto]).unwrap();
        commit.attach(&mut staged, built.bytes, built.descriptor.encode()).await.unwrap();
        segments.push(staged);
    }
    commit.replace_table(&schema(), segments).unwrap();
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    store
}

fn change(column: &str, deed: IndexDeed, kinds: &[IndexKind]) -> IndexChange {
    let column = ColumnName::new(column).unwrap();
    IndexChange { table: table(), column, deed, kinds: kinds.to_vec() }
}

async fn changed(store: &Store, change: IndexChange) -> IndexChanged {
    change_indexes(store, &[change], Unsuitable::Refuse, &Silent).await.unwrap()
}

/// The kinds that every segment has over a column; all segments have the same.
fn kinds(table: &TableVersion, column: usize) -> Vec<IndexKind> {
    let of_segment = |segment: &Arc<martlet_store::SegmentRef>| -> Vec<IndexKind> {
        let [attachment] = segment.attachments() else { panic!("one object per segment") };
        let descriptor = Descriptor::decode(attachment.descriptor()).unwrap();
        IndexKind::ALL
            .into_iter()
            .filter(|kind| descriptor.section(column, *kind).is_some())
            .collect()
    };
    let first = of_segment(&table.segments()[0]);
    assert!(table.segments().iter().all(|segment| of_segment(segment) == first));
    first
}

fn is_same_rows(one: &Snapshot, other: &Snapshot) -> bool {
    let objects = |snapshot: &Snapshot| -> Vec<String> {
        let segments = snapshot.table("t").unwrap().segments().iter();
        segments.map(|segment| segment.object().path().to_owned()).collect()
    };
    objects(one) == objects(other)
}

#[tokio::test]
async fn a_kind_comes_and_goes_and_the_rows_and_old_readers_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path()).await;
    let before = store.latest().await.unwrap();
    assert!(!kinds(before.table("t").unwrap(), 0).contains(&IndexKind::Codes));
    let name_kinds = kinds(before.table("t").unwrap(), 1);

    let added = changed(&store, change("id", IndexDeed::Add, &[IndexKind::Codes])).await;
    assert_eq!(added.work.len(), 1);
    assert_eq!((added.work[0].built, added.work[0].dropped), (u64::from(SEGMENTS), 0));
    let after = store.latest().await.unwrap();
    assert_eq!(after.number(), added.snapshot);
    assert!(kinds(after.table("t").unwrap(), 0).contains(&IndexKind::Codes));
    assert_eq!(kinds(after.table("t").unwrap(), 1), name_kinds, "others stay");
    assert!(is_same_rows(&before, &after));
    assert_eq!(before.table("t").unwrap().segments()[0].attachments().len(), 1);

    let dropped = changed(&store, change("id", IndexDeed::Drop, &[IndexKind::Codes])).await;
    assert_eq!((dropped.work[0].built, dropped.work[0].dropped), (0, u64::from(SEGMENTS)));
    let last = store.latest().await.unwrap();
    assert!(!kinds(last.table("t").unwrap(), 0).contains(&IndexKind::Codes));
    assert!(mend_indexes(&store, &Which::All, &Silent).await.unwrap().snapshot.is_none());
}

#[tokio::test]
async fn later_loads_keep_the_choice_where_the_load_file_says_auto() {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path()).await;
    changed(&store, change("id", IndexDeed::Add, &[IndexKind::Codes])).await;
    changed(&store, change("name", IndexDeed::Drop, &[IndexKind::Bitmap])).await;
    let latest = store.latest().await.unwrap();
    let settings = latest.table("t").unwrap().settings();
    let mut auto = [IndexChoice::Auto, IndexChoice::Auto];
    HandChoices::decode(settings).unwrap().apply(&schema(), &mut auto);
    let built = build(&schema(), &rows(0), &auto).unwrap();
    assert!(built.descriptor.section(0, IndexKind::Codes).is_some());
    assert!(built.descriptor.section(1, IndexKind::Bitmap).is_none());
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path()).await;
    let before = store.latest().await.unwrap().number();
    let refused = |change: IndexChange| {
        let store = store.clone();
        async move {
            change_indexes(&store, &[change], Unsuitable::Refuse, &Silent).await.unwrap_err().kind()
        }
    };
    let unknown = change("nothing", IndexDeed::Add, &[IndexKind::Codes]);
    assert_eq!(refused(unknown).await, ErrorKind::NotFound);
    let elsewhere =
        IndexChange { table: TableName::new("u").unwrap(), ..change("id", IndexDeed::Drop, &[]) };
    assert_eq!(refused(elsewhere).await, ErrorKind::NotFound);
    // Names are no numbers, however they are packed.
    let unsuitable = change("name", IndexDeed::Add, &[IndexKind::Vector]);
    assert_eq!(refused(unsuitable).await, ErrorKind::Invalid);
    assert_eq!(store.latest().await.unwrap().number(), before);
}

fn index_objects(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("indexes/t")).unwrap();
    let mut objects: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    objects.sort();
    objects
}

#[tokio::test]
async fn damaged_and_missing_indexes_are_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(mart(folder.path()).await);
    let objects = index_objects(folder.path());
    let mut bytes = std::fs::read(&objects[0]).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x10;
    std::fs::write(&objects[0], bytes).unwrap();
    std::fs::remove_file(&objects[1]).unwrap();

    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let before = store.latest().await.unwrap();
    let mended = mend_indexes(&store, &Which::Table(table()), &Silent).await.unwrap();
    let after = store.latest().await.unwrap();
    assert_eq!(mended.snapshot, Some(after.number()));
    assert_eq!(mended.segments, u64::from(SEGMENTS));
    assert!(!mended.work.is_empty() && mended.work.iter().all(|work| work.built <= 2));
    for column in 0..2 {
        let was = kinds(before.table("t").unwrap(), column);
        assert_eq!(kinds(after.table("t").unwrap(), column), was);
    }
    assert!(is_same_rows(&before, &after));
    let again = mend_indexes(&store, &Which::All, &Silent).await.unwrap();
    assert!(again.snapshot.is_none() && again.sections == mended.sections);
}

#[tokio::test]
async fn only_the_table_that_holds_the_damage_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path()).await;
    let latest = store.latest().await.unwrap();
    let attachment = &latest.table("t").unwrap().segments()[0].attachments()[0];
    let held = Which::Holding(attachment.object().path().to_owned());
    assert_eq!(mend_indexes(&store, &held, &Silent).await.unwrap().segments, u64::from(SEGMENTS));
    let gone = Which::Holding("indexes/t/gone".to_owned());
    assert_eq!(mend_indexes(&store, &gone, &Silent).await.unwrap().segments, 0);
}
