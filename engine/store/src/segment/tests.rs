//! That a segment gives back what was written, only what was asked for, or an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;
use martlet_core::limits::{CHECKSUM_BLOCK_BYTES as BLOCK, SEGMENT_ROWS_MAX};
use martlet_core::{ErrorKind, Kinded, Selection};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use proptest::prelude::*;

use super::writer;
use crate::fixture::{self, Others, WideRow, flipped, memory, plain_rows, wide_batch, wide_schema};
use crate::store::Store;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn others() -> impl Strategy<Value = Others> {
    let huge_max = 10_i128.pow(38) - 1;
    let money_max = 10_i64.pow(18) - 1;
    (
        any::<(bool, i32, i32, i64)>(),
        any::<f64>(),
        -money_max..=money_max,
        -huge_max..=huge_max,
        "\\PC{0,12}",
    )
        .prop_map(|((flag, small, day, at), rate, money, huge, text)| Others {
            flag,
            small,
            rate,
            money,
            huge,
            day,
            at,
            text,
        })
}

fn rows(max: usize) -> impl Strategy<Value = Vec<WideRow>> {
    proptest::collection::vec((any::<i64>(), proptest::option::weighted(0.8, others())), 1..max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_type_comes_back_as_it_was_written(rows in rows(60)) {
        let written = wide_batch(rows);
        runtime().block_on(async {
            let (store, _) = memory();
            let segment = fixture::publish_wide(&store, &written).await;
            let read = fixture::read_all(&store, &segment).await.unwrap();
            prop_assert_eq!(read.schema(), wide_schema().arrow());
            prop_assert_eq!(read, written);
            Ok(())
        })?;
    }

    #[test]
    fn a_selected_read_is_the_filtered_full_read(
        flags in proptest::collection::vec(any::<bool>(), 1..3_000),
        stretch in 1_usize..40,
        columns in proptest::sample::subsequence((0..9_usize).collect::<Vec<_>>(), 1..9),
        batch_rows in 1_usize..700,
    ) {
        // Stretched, so that runs of every length cross the edges of pages.
        let flags: Vec<bool> =
            flags.into_iter().flat_map(|flag| std::iter::repeat_n(flag, stretch)).collect();
        let written = plain_rows(flags.len() as i64);
        let selection = Selection::from_flags(flags.iter().copied());
        let expected = filter_record_batch(
            &written.project(&columns).unwrap(),
            &BooleanArray::from(flags),
        ).unwrap();
        runtime().block_on(async {
            let (store, _) = memory();
            let segment = fixture::publish_wide(&store, &written).await;
            let read =
                fixture::read(&store, &segment, &columns, &selection, batch_rows).await.unwrap();
            prop_assert_eq!(read, expected);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn columns_come_in_ascending_order_and_once() {
    let (store, _) = memory();
    let written = plain_rows(20);
    let segment = fixture::publish_wide(&store, &written).await;
    let all = Selection::all(20);
    let read = fixture::read(&store, &segment, &[8, 0, 8], &all, 100).await.unwrap();
    assert_eq!(read, written.project(&[0, 8]).unwrap());
}

#[tokio::test]
async fn without_columns_rows_are_counted_and_nothing_is_read() {
    let (store, _) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(1_000)).await;
    let reader = store.open_segment(&wide_schema(), &segment).await.unwrap();
    let before = reader.bytes_read();
    let selection = Selection::from_flags((0..1_000).map(|row| row % 4 == 1));
    let batches: Vec<RecordBatch> = reader.read(&[], &selection, 100).try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [100, 100, 50]);
    assert!(batches.iter().all(|batch| batch.num_columns() == 0));
    assert_eq!(reader.bytes_read(), before);
}

#[tokio::test]
async fn a_small_selection_reads_few_bytes_and_metadata_are_read_once() {
    let (store, _) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(400_000)).await;
    let selection =
        Selection::from_flags((0..400_000).map(|row| (100_000..100_010).contains(&row)));
    let reader = store.open_segment(&wide_schema(), &segment).await.unwrap();
    assert!(reader.bytes_read() > 0, "the first reader loads the metadata");

    let again = store.open_segment(&wide_schema(), &segment).await.unwrap();
    assert_eq!(again.bytes_read(), 0, "the second finds them in the cache");
    let batches: Vec<RecordBatch> =
        again.read(&[0, 6, 7], &selection, 100).try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
    let size = segment.object().size_bytes();
    assert!(again.bytes_read() < size / 10, "{} of {size} bytes were read", again.bytes_read());
    assert!(again.bytes_read() > 0);
}

/// Bytes of the blocks that the dictionary and the pages of these rows touch, in one column.
fn bytes_needed(metadata: &ParquetMetaData, column: usize, rows: &[u32], size: u64) -> u64 {
    let chunk = metadata.row_group(0).column(column);
    let pages = metadata.offset_index().unwrap()[0][column].page_locations();
    let page_of = |row: &u32| {
        let after = pages.partition_point(|page| page.first_row_index <= i64::from(*row));
        let page = &pages[after - 1];
        page.offset as u64..page.offset as u64 + page.compressed_page_size as u64
    };
    let dictionary = chunk.dictionary_page_offset().map(|at| at as u64..pages[0].offset as u64);
    let blocks: BTreeSet<u64> = rows
        .iter()
        .map(page_of)
        .chain(dictionary)
        .flat_map(|bytes| bytes.start / BLOCK..bytes.end.div_ceil(BLOCK))
        .collect();
    blocks.into_iter().map(|block| BLOCK.min(size - block * BLOCK)).sum()
}

#[tokio::test]
async fn of_scattered_rows_exactly_the_pages_they_lie_in_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let local = Store::open(folder.path().to_str().unwrap()).unwrap();
    let (memory, _) = memory();
    let rows = [3, 5, 9_000, 150_000, 150_030, 299_999];
    let selection = Selection::from_bitmap(300_000, rows.into_iter().collect());
    for store in [local, memory] {
        let segment = fixture::publish_wide(&store, &plain_rows(300_000)).await;
        let reader = store.open_segment(&wide_schema(), &segment).await.unwrap();
        let bytes = store.read(segment.object()).await.unwrap();
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(&bytes)
            .unwrap();
        for column in [3, 5, 8] {
            let before = reader.bytes_read();
            let read: Vec<RecordBatch> =
                reader.read(&[column], &selection, 100).try_collect().await.unwrap();
            assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), rows.len());
            let needed = bytes_needed(&metadata, column, &rows, bytes.len() as u64);
            assert_eq!(reader.bytes_read() - before, needed, "column {column}");
            let whole = metadata.row_group(0).column(column).compressed_size() as u64;
            assert!(needed < whole, "column {column}: {needed} of {whole}");
        }
    }
}

#[tokio::test]
async fn pages_are_small_and_the_file_says_how_it_is_sorted() {
    let (store, objects) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(50_000)).await;
    let bytes = objects.get(&Path::from(segment.object().path())).await.unwrap().bytes().await;
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&bytes.unwrap())
        .unwrap();
    let [group] = metadata.row_groups() else { panic!("more than one row group") };
    let sorting = group.sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [0]);
    for column in &metadata.offset_index().unwrap()[0] {
        let starts = column.page_locations().iter().map(|page| page.first_row_index);
        let ends = starts.clone().skip(1).chain([50_000]);
        let rows: Vec<i64> = starts.zip(ends).map(|(start, end)| end - start).collect();
        assert!(rows.iter().all(|rows| *rows < 8_192 + 1_024), "{rows:?}");
        assert!(rows.len() <= 8, "{rows:?}");
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let schema = wide_schema();
    let refused = |batches: &[RecordBatch], text: &str| {
        let error = writer::encode(&schema, batches).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(text), "{error}");
    };
    let rows = plain_rows(10);
    refused(&[], "not 0");
    refused(&[rows.slice(0, 0)], "not 0");
    refused(&[rows.project(&[0, 1]).unwrap()], "columns are not the table's");
    refused(&[rows.slice(5, 5), rows.slice(0, 5)], "not sorted");
    let numbers = Arc::new(Int64Array::from(vec![2, 1]));
    let mut columns = rows.slice(0, 2).columns().to_vec();
    columns[0] = numbers;
    refused(&[RecordBatch::try_new(schema.arrow(), columns).unwrap()], "not sorted");
}

#[test]
fn a_null_where_none_may_be_is_refused() {
    let schema = wide_schema();
    let rows = plain_rows(3);
    let fields = schema.arrow();
    let fields = fields.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    let loose = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
    let mut columns = rows.columns().to_vec();
    columns[0] = Arc::new(Int64Array::from(vec![None, Some(1), Some(2)]));
    let rows = RecordBatch::try_new(loose, columns).unwrap();
    let error = writer::encode(&schema, &[rows]).unwrap_err();
    assert!(error.to_string().contains("`key` may not be null"), "{error}");
}

#[test]
fn a_segment_has_a_limit_of_rows() {
    let schema = fixture::narrow_schema("numbers");
    let full = fixture::narrow_rows(&schema, &vec![7; SEGMENT_ROWS_MAX as usize]);
    assert_eq!(writer::encode(&schema, std::slice::from_ref(&full)).unwrap().rows, 1 << 20);
    let error = writer::encode(&schema, &[full.clone(), full.slice(0, 1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_request_that_does_not_belong_to_the_segment_is_a_bug() {
    let (store, _) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(10)).await;
    for (columns, rows) in [(vec![9], 10), (vec![0], 11), (vec![], 9)] {
        let error =
            fixture::read(&store, &segment, &columns, &Selection::all(rows), 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Bug);
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_detected() {
    let (store, objects) = memory();
    let written = plain_rows(4_000);
    let segment = fixture::publish_wide(&store, &written).await;
    let path = segment.object().path();
    let bytes = fixture::bytes_at(objects.as_ref(), path).await;
    assert!(bytes.len() as u64 > BLOCK, "more than one block is tested");
    // A prime step visits every bit position of a byte, and all regions of the file.
    for bit in (0..bytes.len() * 8).step_by(4_999).chain(bytes.len() * 8 - 64..bytes.len() * 8) {
        fixture::overwrite(objects.as_ref(), path, flipped(&bytes, bit)).await;
        // A fresh store has no metadata in its cache.
        let error = fixture::read_all(&Store::over(objects.clone()), &segment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}");
        match fixture::read_all(&store, &segment).await {
            // With cached metadata the footer is not read again, and the answer is right.
            Ok(read) => assert_eq!(read, written, "bit {bit}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}"),
        }
    }
}

#[tokio::test]
async fn a_cut_missing_or_exchanged_segment_is_detected() {
    let (store, objects) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(4_000)).await;
    let other = fixture::publish_wide(&store, &plain_rows(4_001)).await;
    let path = segment.object().path();
    let bytes = fixture::bytes_at(objects.as_ref(), path).await;
    let damaged = async || {
        let fresh = Store::over(objects.clone());
        let error = fixture::read_all(&fresh, &segment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
        let error = fresh.read(segment.object()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
    };
    for length in [0, 1, 65_535, 65_536, bytes.len() - 1] {
        fixture::overwrite(objects.as_ref(), path, bytes[..length].to_vec()).await;
        damaged().await;
    }
    let exchanged = fixture::bytes_at(objects.as_ref(), other.object().path()).await;
    fixture::overwrite(objects.as_ref(), path, exchanged).await;
    damaged().await;
    objects.delete(&Path::from(path)).await.unwrap();
    damaged().await;
}

#[tokio::test]
async fn an_error_of_storage_is_told_as_such() {
    use crate::object::faulty::{Fault, FaultyStore, Moment, Operation};
    let (store, objects) = memory();
    let segment = fixture::publish_wide(&store, &plain_rows(100)).await;
    let faulty = FaultyStore::over(objects);
    let store = Store::over(faulty.clone());
    faulty.fail(Fault::on(Operation::Get, Moment::Before).nth(1));
    let error = fixture::read_all(&store, &segment).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert!(fixture::read_all(&store, &segment).await.is_ok());
}

#[test]
fn a_batch_without_columns_is_not_a_row() {
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    let rows = RecordBatch::try_new_with_options(schema, Vec::new(), &options).unwrap();
    assert!(writer::encode(&wide_schema(), &[rows]).is_err());
}
