//! Small tables and marts for this crate's tests, and ways to damage what was stored.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use bytes::Bytes;
use futures::TryStreamExt;
use martlet_core::{
    BatchDate, ColumnName, ColumnSchema, ColumnType, Selection, TableName, TableSchema,
};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::commit::{Commit, CommitOutcome};
use crate::error::StoreError;
use crate::manifest::{BatchLabel, BatchRecord, SegmentRef};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// One row of [`wide_schema`]: the key, and all other columns or null.
pub(crate) type WideRow = (i64, Option<Others>);

#[derive(Debug, Clone)]
pub(crate) struct Others {
    pub(crate) flag: bool,
    pub(crate) small: i32,
    pub(crate) rate: f64,
    pub(crate) money: i64,
    pub(crate) huge: i128,
    pub(crate) day: i32,
    pub(crate) at: i64,
    pub(crate) text: String,
}

fn column(name: &str, column_type: ColumnType, nullable: bool) -> ColumnSchema {
    let class = nullable.then(|| ColumnName::new("some_class").unwrap());
    ColumnSchema { name: ColumnName::new(name).unwrap(), column_type, nullable, class }
}

/// A table with a column of each type, sorted by its key.
pub(crate) fn wide_schema() -> TableSchema {
    let columns = vec![
        column("key", ColumnType::Int64, false),
        column("flag", ColumnType::Boolean, true),
        column("small", ColumnType::Int32, true),
        column("rate", ColumnType::Float64, true),
        column("money", ColumnType::Decimal { precision: 18, scale: 2 }, true),
        column("huge", ColumnType::Decimal { precision: 38, scale: 10 }, true),
        column("day", ColumnType::Date, true),
        column("at", ColumnType::Timestamp, true),
        column("text", ColumnType::Text, true),
    ];
    let key = [ColumnName::new("key").unwrap()];
    TableSchema::new(TableName::new("wide").unwrap(), columns, &key, &key).unwrap()
}

/// The rows, sorted by their key.
pub(crate) fn wide_batch(mut rows: Vec<WideRow>) -> RecordBatch {
    rows.sort_by_key(|(key, _)| *key);
    let others = || rows.iter().map(|(_, others)| others.as_ref());
    let decimal = |values: Vec<Option<i128>>, precision, scale| {
        let values = Decimal128Array::from(values);
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|(key, _)| *key).collect::<Int64Array>()),
        Arc::new(others().map(|row| row.map(|row| row.flag)).collect::<BooleanArray>()),
        Arc::new(others().map(|row| row.map(|row| row.small)).collect::<Int32Array>()),
        Arc::new(others().map(|row| row.map(|row| row.rate)).collect::<Float64Array>()),
        decimal(others().map(|row| row.map(|row| i128::from(row.money))).collect(), 18, 2),
        decimal(others().map(|row| row.map(|row| row.huge)).collect(), 38, 10),
        Arc::new(others().map(|row| row.map(|row| row.day)).collect::<Date32Array>()),
        Arc::new(others().map(|row| row.map(|row| row.at)).collect::<TimestampMicrosecondArray>()),
        Arc::new(others().map(|row| row.map(|row| row.text.as_str())).collect::<StringArray>()),
    ];
    RecordBatch::try_new(wide_schema().arrow(), columns).unwrap()
}

/// So many rows that look like a mart's: keys in order, few and many distinct values, nulls.
pub(crate) fn plain_rows(count: i64) -> RecordBatch {
    let row = |key: i64| {
        let others = Others {
            flag: key % 3 == 0,
            small: (key % 7) as i32,
            rate: key as f64 / 7.0,
            money: key.wrapping_mul(7_919) % 1_000_000,
            huge: i128::from(key) << 60,
            day: 18_000 + (key % 365) as i32,
            at: 1_600_000_000_000_000 + key * 1_000_003,
            text: format!("text of {}", key.wrapping_mul(2_654_435_761) % 1_000_003),
        };
        (key, (key % 11 != 0).then_some(others))
    };
    wide_batch((0..count).map(row).collect())
}

/// A table of one number, for tests of commits.
pub(crate) fn narrow_schema(name: &str) -> TableSchema {
    let columns = vec![column("number", ColumnType::Int32, false)];
    TableSchema::new(TableName::new(name).unwrap(), columns, &[], &[]).unwrap()
}

pub(crate) fn narrow_rows(schema: &TableSchema, numbers: &[i32]) -> RecordBatch {
    let values: ArrayRef = Arc::new(Int32Array::from(numbers.to_vec()));
    RecordBatch::try_new(schema.arrow(), vec![values]).unwrap()
}

pub(crate) fn date(text: &str) -> BatchDate {
    text.parse().unwrap()
}

pub(crate) fn label(day: &str) -> BatchLabel {
    BatchLabel::new("night", date(day)).unwrap()
}

pub(crate) fn record(day: &str, rows: u64) -> BatchRecord {
    BatchRecord::new(label(day), *blake3::hash(day.as_bytes()).as_bytes(), rows)
}

/// A mart in memory and the object store under it.
pub(crate) fn memory() -> (Store, Arc<InMemory>) {
    let objects = Arc::new(InMemory::new());
    (Store::over(objects.clone()), objects)
}

pub(crate) async fn committed(commit: Commit) -> Snapshot {
    match commit.publish().await.unwrap() {
        CommitOutcome::Committed(snapshot) => snapshot,
        CommitOutcome::Conflicted(_) => panic!("conflicted"),
    }
}

/// Publishes the rows as the only segment of `wide`.
pub(crate) async fn publish_wide(store: &Store, rows: &RecordBatch) -> Arc<SegmentRef> {
    let schema = wide_schema();
    let mut commit = store.begin(&store.latest().await.unwrap());
    let staged = commit
        .stage_segment(&schema, &label("2026-11-22"), std::slice::from_ref(rows))
        .await
        .unwrap();
    commit.replace_table(&schema, vec![staged]).unwrap();
    let snapshot = committed(commit).await;
    snapshot.table("wide").unwrap().segments()[0].clone()
}

pub(crate) async fn read_all(
    store: &Store,
    segment: &SegmentRef,
) -> Result<RecordBatch, StoreError> {
    let columns: Vec<usize> = (0..wide_schema().columns().len()).collect();
    read(store, segment, &columns, &Selection::all(segment.rows()), 1_000).await
}

pub(crate) async fn read(
    store: &Store,
    segment: &SegmentRef,
    columns: &[usize],
    rows: &Selection,
    batch_rows: usize,
) -> Result<RecordBatch, StoreError> {
    let reader = store.open_segment(&wide_schema(), segment).await?;
    let batches: Vec<RecordBatch> = reader.read(columns, rows, batch_rows).try_collect().await?;
    assert!(batches.iter().all(|batch| (1..=batch_rows).contains(&batch.num_rows())));
    Ok(concat_batches(&reader.schema(columns), &batches).unwrap())
}

/// The numbers of a narrow table that are not deleted, sorted.
pub(crate) async fn numbers(store: &Store, snapshot: &Snapshot, name: &str) -> Vec<i32> {
    let table = snapshot.table(name).unwrap();
    let mut numbers = Vec::new();
    for segment in table.segments() {
        let reader = store.open_segment(table.schema(), segment).await.unwrap();
        let live = store.live(segment).await.unwrap();
        assert_eq!(live.count(), u64::from(segment.live_count()));
        let batches: Vec<RecordBatch> =
            reader.read(&[0], &live, 1_000).try_collect().await.unwrap();
        for batch in batches {
            let values = batch.column(0).as_any().downcast_ref::<Int32Array>().unwrap();
            numbers.extend(values.values().iter().copied());
        }
    }
    numbers.sort_unstable();
    numbers
}

pub(crate) async fn bytes_at(objects: &dyn ObjectStore, path: &str) -> Vec<u8> {
    objects.get(&Path::from(path)).await.unwrap().bytes().await.unwrap().to_vec()
}

pub(crate) async fn overwrite(objects: &dyn ObjectStore, path: &str, bytes: Vec<u8>) {
    objects.put(&Path::from(path), Bytes::from(bytes).into()).await.unwrap();
}

pub(crate) fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}
