//! Streams end with a word, stay small, slow down with the client and stop when it leaves.

use std::sync::atomic::AtomicUsize;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow_flight::decode::FlightRecordBatchStream;
use futures::{FutureExt, TryStreamExt};
use proptest::prelude::*;
use tonic::Code;

use super::*;
use crate::admission::Admission;
use crate::audit::Journal;
use crate::audit::tests_support::entry;
use crate::authenticate::SessionId;
use crate::flight::running::Running;
use crate::flight::status::STATEMENT_ID;

const ID: StatementId = StatementId::from_bytes([5; 16]);
const SESSION: SessionId = SessionId::from_bytes([6; 16]);

fn texts(lengths: &[usize]) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("text", DataType::Utf8, true)]);
    let values: StringArray = lengths.iter().map(|length| Some("x".repeat(*length))).collect();
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap()
}

fn numbers(from: i64, count: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("number", DataType::Int64, true)]);
    let values: Int64Array = (from..from + count).collect();
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap()
}

struct Scene {
    _folder: tempfile::TempDir,
    journal: Arc<Journal>,
    running: Arc<Running>,
    admission: Admission,
    revoked: std::sync::Mutex<Option<tokio::sync::oneshot::Receiver<Revoked>>>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(folder.path()).unwrap());
        let (running, admission) = (Arc::default(), Admission::new());
        Self { _folder: folder, journal, running, admission, revoked: Default::default() }
    }

    async fn deliver<S>(&self, schema: SchemaRef, rows: S, time_max: Duration) -> Messages
    where
        S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
    {
        let record = self.journal.begin(entry("select")).await.unwrap();
        let run = self.running.enter(ID, SESSION, "teller").unwrap();
        let place = self.admission.enter("teller").await.unwrap();
        let open = self.admission.open("teller").unwrap();
        let revoked = self.revoked.lock().unwrap().take();
        let revoked = async move {
            match revoked {
                Some(revoked) => revoked.await.unwrap(),
                None => std::future::pending().await,
            }
        }
        .boxed();
        let statement_id = ID;
        deliver(Delivery {
            statement_id,
            rows,
            schema,
            record,
            run,
            revoked,
            place,
            open,
            time_max,
        })
    }

    /// The outcome and the rows of the one record, once it has ended.
    async fn ending(&self) -> (String, i64) {
        use martlet_query::SystemRecords;
        for _ in 0..200 {
            let batch = self.journal.audit_records(1).unwrap();
            let outcome = batch.column_by_name("outcome").unwrap().as_string::<i32>().value(0);
            if outcome != "running" {
                let rows = batch.column_by_name("rows").unwrap();
                return (outcome.to_string(), rows.as_primitive::<Int64Type>().value(0));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the record never ended");
    }
}

const LONG: Duration = Duration::from_secs(60);

async fn decoded(messages: Messages) -> Result<Vec<RecordBatch>, FlightError> {
    let messages = messages.map_err(|status| FlightError::Tonic(Box::new(status)));
    FlightRecordBatchStream::new_from_flight_data(messages).try_collect().await
}

#[tokio::test]
async fn rows_arrive_in_order_and_the_record_counts_them() {
    let scene = Scene::new();
    let rows = stream::iter((0..10).map(|part| Ok(numbers(part * 100, 100))));
    let messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    let batches = decoded(messages).await.unwrap();
    let seen: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    assert_eq!(scene.ending().await, ("completed".into(), 1000));
    assert!(scene.running.enter(ID, SESSION, "teller").is_ok());
}

#[tokio::test]
async fn an_empty_result_still_has_its_schema() {
    let scene = Scene::new();
    let schema = numbers(0, 0).schema();
    let mut messages = scene.deliver(Arc::clone(&schema), stream::empty(), LONG).await;
    let first = messages.next().await.unwrap().unwrap();
    assert_eq!(Schema::try_from(&first).unwrap(), *schema);
    assert!(messages.next().await.is_none());
}

#[tokio::test]
async fn an_error_after_rows_ends_in_a_status_that_names_the_statement() {
    let scene = Scene::new();
    let failure = QueryError::Running { reason: "division by zero" };
    let rows = stream::iter([Ok(numbers(0, 5)), Err(failure)]);
    let messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    let results: Vec<_> = messages.collect().await;
    let status = results.last().unwrap().as_ref().unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.metadata().get(STATEMENT_ID).unwrap(), ID.to_string().as_str());
    assert_eq!(scene.ending().await, ("failed".into(), 5));
}

#[tokio::test]
async fn a_panic_below_is_an_error_and_never_a_clean_end() {
    let scene = Scene::new();
    let rows = stream::iter(0..2).map(|part| {
        assert!(part == 0, "a fault below");
        Ok(numbers(0, 5))
    });
    let messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    let results: Vec<_> = messages.collect().await;
    assert_eq!(results.last().unwrap().as_ref().unwrap_err().code(), Code::Internal);
    assert_eq!(scene.ending().await.0, "cancelled");
}

#[tokio::test]
async fn a_slow_client_slows_the_query_and_a_leaving_one_ends_it() {
    let scene = Scene::new();
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let rows = stream::iter(0..1_000_000).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(numbers(0, 1))
    });
    let messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(made.load(Ordering::Relaxed) <= MESSAGES_WAITING + 2);
    drop(messages);
    assert_eq!(scene.ending().await.0, "cancelled");
}

#[tokio::test]
async fn a_cancel_ends_a_stream_that_gives_nothing() {
    let scene = Scene::new();
    let messages = scene.deliver(numbers(0, 0).schema(), stream::pending(), LONG).await;
    scene.running.cancel(&[ID], SESSION, std::time::Instant::now());
    let results: Vec<_> = messages.collect().await;
    assert_eq!(results.last().unwrap().as_ref().unwrap_err().code(), Code::Cancelled);
    assert_eq!(scene.ending().await.0, "cancelled");
}

#[tokio::test]
async fn a_revoked_stream_is_cut_and_what_waits_for_its_reader_is_lost() {
    let scene = Scene::new();
    let (revoke, revoked) = tokio::sync::oneshot::channel();
    *scene.revoked.lock().unwrap() = Some(revoked);
    let rows = stream::iter((0..1_000).map(|part| Ok(numbers(part, 1))));
    let mut messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    assert!(messages.next().await.unwrap().is_ok(), "before it is revoked");
    // The reader pauses, and the channel fills behind its back.
    tokio::time::sleep(Duration::from_millis(50)).await;
    revoke.send(Revoked::Grant).unwrap();
    assert_eq!(scene.ending().await.0, "cut");
    let rest: Vec<_> = messages.collect().await;
    assert_eq!(rest.len(), 1, "no message that waited");
    let status = rest[0].as_ref().unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("the rules have changed"), "{status}");
}

/// All of it is computed, and its reader has none: it is neither whole nor his.
#[tokio::test]
async fn an_answer_that_nobody_takes_stays_open_and_can_be_taken_back() {
    let scene = Scene::new();
    let (revoke, revoked) = tokio::sync::oneshot::channel();
    *scene.revoked.lock().unwrap() = Some(revoked);
    let rows = stream::iter([Ok(numbers(0, 5))]);
    let messages = scene.deliver(numbers(0, 0).schema(), rows, LONG).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    revoke.send(Revoked::Grant).unwrap();
    assert_eq!(scene.ending().await.0, "cut");
    let rest: Vec<_> = messages.collect().await;
    assert_eq!(rest.len(), 1, "nothing that waited");
    assert_eq!(rest[0].as_ref().unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_waits_at_the_time_limit_is_taken_back() {
    let scene = Scene::new();
    let rows = stream::iter([Ok(numbers(0, 5))]);
    let messages = scene.deliver(numbers(0, 0).schema(), rows, Duration::from_millis(20)).await;
    assert_eq!(scene.ending().await.0, "failed");
    let rest: Vec<_> = messages.collect().await;
    assert_eq!(rest.len(), 1, "nothing that waited");
    assert_eq!(rest[0].as_ref().unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn what_is_revoked_before_it_begins_sends_nothing() {
    let scene = Scene::new();
    let (revoke, revoked) = tokio::sync::oneshot::channel();
    revoke.send(Revoked::Session).unwrap();
    *scene.revoked.lock().unwrap() = Some(revoked);
    let rows = stream::iter([Ok(numbers(0, 5))]);
    let messages: Vec<_> = scene.deliver(numbers(0, 0).schema(), rows, LONG).await.collect().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].as_ref().unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(scene.ending().await, ("cut".into(), 0));
}

#[tokio::test]
async fn a_statement_has_a_time_limit() {
    let scene = Scene::new();
    let time_max = Duration::from_millis(20);
    let messages = scene.deliver(numbers(0, 0).schema(), stream::pending(), time_max).await;
    let results: Vec<_> = messages.collect().await;
    assert_eq!(results.last().unwrap().as_ref().unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(scene.ending().await.0, "failed");
}

#[tokio::test]
async fn messages_stay_below_the_limit_and_one_row_beyond_it_is_refused() {
    let mut lengths = vec![100; 8_000];
    lengths[17] = 3 * 1024 * 1024;
    lengths.extend([1_000_000; 6]);
    let batch = texts(&lengths);
    let messages: Vec<FlightData> = encode_batch(batch.clone()).try_collect().await.unwrap();
    assert!(messages.iter().all(|message| message.encoded_len() < MESSAGE_BYTES_MAX));
    let parts = decoded(encode_batch(batch.clone())).await.unwrap();
    assert_eq!(arrow::compute::concat_batches(&batch.schema(), &parts).unwrap(), batch);

    let refused: Result<Vec<_>, Status> =
        encode_batch(texts(&[5 * 1024 * 1024])).try_collect().await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
}

proptest! {
    #[test]
    fn slices_together_are_the_batch(lengths in prop::collection::vec(0_usize..500, 1..60), limit in 50_usize..2000) {
        let batch = texts(&lengths);
        let parts = slices(batch.clone(), limit);
        prop_assert!(parts.iter().all(|part| part.num_rows() == 1 || bytes_of(part) <= limit));
        let whole = arrow::compute::concat_batches(&batch.schema(), &parts).unwrap();
        prop_assert_eq!(whole, batch);
    }
}
