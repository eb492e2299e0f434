//! One row is bound, none takes it back, two are refused, and bad uploads do no harm.

use std::sync::Arc;

use arrow::array::{
    Date32Array, DictionaryArray, FixedSizeListArray, Int32Array, Int64Array, NullArray, RunArray,
    StringArray, StringViewBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow_flight::encode::FlightDataEncoderBuilder;
use futures::{TryStreamExt, stream};
use tonic::Code;

use super::*;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn batch(numbers: &[i64]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("1", DataType::Int64, true),
        Field::new("2", DataType::Utf8, true),
    ]);
    let texts = StringArray::from(vec!["x"; numbers.len()]);
    let columns = [Arc::new(Int64Array::from(numbers.to_vec())) as _, Arc::new(texts) as _];
    RecordBatch::try_new(Arc::new(schema), columns.to_vec()).unwrap()
}

async fn upload(batches: Vec<RecordBatch>) -> Vec<Result<FlightData, Status>> {
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(batches[0].schema())
        .build(stream::iter(batches.into_iter().map(Ok)));
    encoder.map_err(Status::from).collect().await
}

async fn bind(batches: Vec<RecordBatch>) -> Result<Bytes, Status> {
    read_upload(stream::iter(upload(batches).await), LONG).await
}

#[tokio::test]
async fn one_row_comes_back_as_it_was_bound() {
    let row = batch(&[42]);
    let bytes = bind(vec![batch(&[]), row.clone()]).await.unwrap();
    assert_eq!(from_bytes(&bytes).unwrap(), Some(row));
}

#[test]
fn a_bound_row_is_recorded_as_constants() {
    let schema = Schema::new(vec![
        Field::new("1", DataType::Utf8, true),
        Field::new("2", DataType::Int64, true),
        Field::new("3", DataType::Utf8, true),
        Field::new("4", DataType::Null, true),
        Field::new("5", DataType::Date32, true),
    ]);
    let columns: [ArrayRef; 5] = [
        Arc::new(StringArray::from(vec!["it's C000000001"])),
        Arc::new(Int64Array::from(vec![-5])),
        Arc::new(StringArray::from(vec![None::<&str>])),
        Arc::new(NullArray::new(1)),
        Arc::new(Date32Array::from(vec![20_779])),
    ];
    let row = RecordBatch::try_new(Arc::new(schema), columns.to_vec()).unwrap();
    assert_eq!(as_text(&row), "('it''s C000000001', -5, NULL, NULL, '2026-11-22')");
}

#[tokio::test]
async fn no_row_binds_nothing() {
    let bytes = bind(vec![batch(&[])]).await.unwrap();
    assert_eq!(from_bytes(&bytes).unwrap(), None);
}

#[tokio::test]
async fn two_rows_are_refused_in_one_batch_or_in_two() {
    for rows in [vec![batch(&[1, 2])], vec![batch(&[1]), batch(&[2])]] {
        let refused = bind(rows).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("one row"), "{}", refused.message());
    }
}

#[tokio::test]
async fn an_oversized_row_is_refused_before_it_is_decoded() {
    let large = vec![0_u8; BOUND_BYTES_MAX + 1];
    let data = FlightData::new().with_data_body(large);
    let refused = read_upload(stream::iter([Ok(data)]), LONG).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// What is packed says how much room it takes. One that lies would have ended the process: room
/// that cannot be had is no panic.
#[tokio::test]
async fn what_says_itself_how_much_room_it_takes_is_never_unpacked() {
    let options = arrow_ipc::writer::IpcWriteOptions::default()
        .try_with_compression(Some(arrow_ipc::CompressionType::LZ4_FRAME))
        .unwrap();
    let row = batch(&[7]);
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(row.schema())
        .with_options(options)
        .build(stream::iter([Ok(row)]));
    let mut messages: Vec<FlightData> = encoder.try_collect().await.unwrap();
    // Each buffer begins with the length that it is to have.
    let last = messages.last_mut().unwrap();
    let mut body = last.data_body.to_vec();
    body.chunks_exact_mut(8).for_each(|eight| eight.copy_from_slice(&(1_i64 << 60).to_le_bytes()));
    last.data_body = body.into();
    let refused = read_upload(stream::iter(messages.into_iter().map(Ok)), LONG).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("compressed"), "{}", refused.message());
}

/// One row of texts whose bytes lie in many buffers: in one body they can all be the same bytes.
#[tokio::test]
async fn buffers_that_share_their_bytes_are_refused() {
    let text = "x".repeat(100);
    let mut texts = StringViewBuilder::new().with_fixed_block_size(100);
    (0..50).for_each(|_| texts.append_value(&text));
    let texts = texts.finish();
    let one = texts.slice(49, 1);
    let schema = Schema::new(vec![Field::new("1", DataType::Utf8View, true)]);
    let row = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(one)]).unwrap();
    let honest: Vec<FlightData> = upload(vec![row]).await.into_iter().map(Result::unwrap).collect();
    assert!(read_upload(stream::iter(honest.clone().into_iter().map(Ok)), LONG).await.is_ok());
    // The same buffers of fewer bytes.
    let mut shared = honest;
    let last = shared.last_mut().unwrap();
    last.data_body = last.data_body.slice(..last.data_body.len() / 2);
    let refused = read_upload(stream::iter(shared.into_iter().map(Ok)), LONG).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[test]
fn a_dictionary_counts_for_each_column_that_shares_it() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1_000)]));
    let keys = Int32Array::from(vec![0]);
    let one = DictionaryArray::new(keys, values);
    let plain = bytes_of(&one.to_data());
    assert!((1_000..2_000).contains(&plain), "{plain}");
    let run = RunArray::<Int32Type>::try_new(&Int32Array::from(vec![1]), &one).unwrap();
    assert!(!is_plain(&Schema::new(vec![Field::new("1", run.data_type().clone(), true)])));
}

#[tokio::test]
async fn many_columns_over_one_dictionary_are_too_large() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1_000)]));
    let column: ArrayRef = Arc::new(DictionaryArray::new(Int32Array::from(vec![0]), values));
    let many = 1 + BOUND_BYTES_MAX / 1_000;
    let field = |at: usize| Field::new(at.to_string(), column.data_type().clone(), true);
    let schema = Arc::new(Schema::new((0..many).map(field).collect::<Vec<_>>()));
    let row = RecordBatch::try_new(schema, vec![Arc::clone(&column); many]).unwrap();
    let held: usize = row.columns().iter().map(|column| bytes_of(&column.to_data())).sum();
    assert!(held > BOUND_BYTES_MAX, "{held}");
    let refused = bind(vec![row]).await.unwrap_err();
    assert!(refused.message().contains("larger than"), "{}", refused.message());
}

#[tokio::test]
async fn lists_are_refused_however_few_bytes_they_take() {
    let item = Arc::new(Field::new("item", DataType::Null, true));
    let many = 1 << 20;
    let nulls = Arc::new(NullArray::new(many as usize));
    let list = FixedSizeListArray::try_new(item, many, nulls, None).unwrap();
    let schema = Schema::new(vec![Field::new("1", list.data_type().clone(), true)]);
    let row = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(list)]).unwrap();
    let refused = bind(vec![row]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("single values"), "{}", refused.message());
}

#[tokio::test]
async fn an_upload_that_does_not_end_is_refused() {
    let begun = upload(vec![batch(&[7])]).await;
    let refused =
        read_upload(stream::iter(begun).chain(stream::pending()), SHORT).await.unwrap_err();
    assert_eq!(refused.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn damaged_uploads_are_refused_without_harm() {
    let whole: Vec<FlightData> =
        upload(vec![batch(&[7])]).await.into_iter().map(Result::unwrap).collect();
    for (message, data) in whole.iter().enumerate() {
        for at in (0..data.data_header.len()).step_by(3) {
            let mut damaged = whole.clone();
            let mut header = data.data_header.to_vec();
            header[at] ^= 0xff;
            damaged[message].data_header = header.into();
            // Some flips hit padding and still decode; none may panic or hang.
            let _ = read_upload(stream::iter(damaged.into_iter().map(Ok)), LONG).await;
        }
    }
    let short = stream::iter([Ok(whole[1].clone())]);
    assert!(read_upload(short, LONG).await.is_err(), "rows without a schema");
}
