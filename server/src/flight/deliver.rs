//! From record batches to Flight messages, away from the tasks that accept requests.
//!
//! Owns the pump: one task per execution, a short bounded channel (a slow client slows the
//! query, not the server), message sizes that every client takes, and the end of the record.
//! Must never end a broken stream like a whole one, and never send what it was not given.
//!
//! Receives: a `RowStream` (scrubbed, in the wire schema) from `statement`.
//! Hands on: Flight messages to tonic; rows, bytes and outcome to the audit journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use martlet_query::QueryError;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;

use super::running::Run;
use super::status;
use super::ticket::StatementId;
use crate::admission::Place;
use crate::audit::{OpenRecord, Outcome, Sent};

/// The bytes that one message aims at.
const MESSAGE_BYTES_TARGET: usize = 2 * 1024 * 1024;
/// The bytes that no message reaches: plain gRPC clients refuse more.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Messages that wait for the client at most.
const MESSAGES_WAITING: usize = 2;

/// A statement's messages, or why they end.
pub(crate) type Messages = BoxStream<'static, Result<FlightData, Status>>;

/// One execution on its way out.
pub(crate) struct Delivery<S> {
    pub(crate) statement_id: StatementId,
    pub(crate) rows: S,
    pub(crate) schema: SchemaRef,
    pub(crate) record: OpenRecord,
    pub(crate) run: Run,
    /// Held until the rows are sent or dropped.
    pub(crate) place: Place,
    pub(crate) time_max: Duration,
}

/// What the pump says to the response.
enum Step {
    Message(FlightData),
    Failed(Status),
    /// Without this word the response knows that the pump broke.
    Done,
}

/// How the pump ended.
enum Ended {
    Completed,
    Failed(Status),
    Cancelled,
    ClientGone,
}

/// Sends an execution's rows. Dropping the result ends the execution.
pub(crate) fn deliver<S>(delivery: Delivery<S>) -> Messages
where
    S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MESSAGES_WAITING);
    tokio::spawn(run_to_end(delivery, sender));
    response(receiver)
}

fn response(receiver: mpsc::Receiver<Step>) -> Messages {
    stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Step::Message(data)) => Some((Ok(data), Some(receiver))),
            Some(Step::Failed(status)) => Some((Err(status), None)),
            Some(Step::Done) => None,
            None => Some((Err(status::bug("a statement's task ends with a word")), None)),
        }
    })
    .boxed()
}

async fn run_to_end<S>(delivery: Delivery<S>, sender: mpsc::Sender<Step>)
where
    S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
{
    let Delivery { statement_id, rows, schema, record, mut run, place, time_max } = delivery;
    let counted = Arc::new(AtomicU64::new(0));
    let messages = encode(schema, count(rows, Arc::clone(&counted)));
    let mut bytes = 0;
    let ended = pump(messages, &mut run, &sender, time_max, &mut bytes).await;
    drop(place);
    let sent = Sent { rows: counted.load(Ordering::Relaxed), bytes };
    let (outcome, last) = match ended {
        Ended::Completed => (Outcome::Completed, Some(Step::Done)),
        Ended::Failed(status) => (Outcome::Failed, Some(Step::Failed(status))),
        Ended::Cancelled => (Outcome::Cancelled, Some(Step::Failed(cancelled()))),
        Ended::ClientGone => (Outcome::Cancelled, None),
    };
    record.end(outcome, sent);
    drop(run);
    let last = match last {
        Some(Step::Failed(status)) => Some(Step::Failed(status::naming(status, statement_id))),
        other => other,
    };
    if let Some(last) = last {
        // A client that has gone needs no last word.
        let _ = sender.send(last).await;
    }
}

/// Moves messages to the client until one of the two, the clock or a cancel ends it.
async fn pump(
    mut messages: Messages,
    run: &mut Run,
    sender: &mpsc::Sender<Step>,
    time_max: Duration,
    bytes: &mut u64,
) -> Ended {
    let deadline = tokio::time::sleep_until(Instant::now() + time_max);
    tokio::pin!(deadline);
    let cancelled = run.cancelled();
    tokio::pin!(cancelled);
    loop {
        let next = async {
            // A place first: what cannot be sent yet need not be computed yet.
            let place = sender.reserve().await.ok()?;
            Some((place, messages.next().await))
        };
        let (place, message) = tokio::select! {
            biased;
            () = sender.closed() => return Ended::ClientGone,
            () = &mut cancelled => return Ended::Cancelled,
            () = &mut deadline => return Ended::Failed(too_slow(time_max)),
            next = next => match next {
                Some(next) => next,
                None => return Ended::ClientGone,
            },
        };
        match message {
            Some(Ok(data)) => {
                *bytes += data.encoded_len() as u64;
                place.send(Step::Message(data));
            }
            Some(Err(status)) => return Ended::Failed(status),
            None => return Ended::Completed,
        }
    }
}

/// The status of a statement that was cancelled on request.
pub(crate) fn cancelled() -> Status {
    Status::cancelled("the statement was cancelled")
}

fn too_slow(time_max: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "the statement took longer than {} seconds: ask for less",
        time_max.as_secs()
    ))
}

fn count<S>(rows: S, counted: Arc<AtomicU64>) -> BoxStream<'static, Result<RecordBatch, Status>>
where
    S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
{
    rows.map(move |batch| {
        let batch = batch.map_err(|error| status::of(&error))?;
        counted.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        Ok(batch)
    })
    .boxed()
}

/// Encodes one batch that is at hand, for metadata.
pub(crate) fn encode_batch(batch: RecordBatch) -> Messages {
    let schema = batch.schema();
    encode(schema, stream::once(async { Ok(batch) }).boxed())
}

/// The schema first, also where no row follows; then each batch in messages of bounded size.
fn encode(schema: SchemaRef, rows: BoxStream<'static, Result<RecordBatch, Status>>) -> Messages {
    let sliced = rows.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(slices(batch, MESSAGE_BYTES_TARGET)).map(Ok).left_stream(),
        Err(status) => {
            stream::once(async { Err(FlightError::Tonic(Box::new(status))) }).right_stream()
        }
    });
    FlightDataEncoderBuilder::new()
        .with_schema(schema)
        // Slices are measured here; the encoder's own measure counts shared buffers whole.
        .with_max_flight_data_size(usize::MAX)
        .build(sliced)
        .map(|message| match message {
            Ok(data) if data.encoded_len() < MESSAGE_BYTES_MAX => Ok(data),
            Ok(_) => Err(too_wide()),
            Err(FlightError::Tonic(status)) => Err(*status),
            Err(_) => Err(status::bug("a wire batch can be encoded")),
        })
        .boxed()
}

fn too_wide() -> Status {
    Status::resource_exhausted(
        "one row of the result is larger than 4 MiB and cannot be sent: select fewer or shorter columns",
    )
}

/// Halves a batch until each part's values fit, or is one row.
fn slices(batch: RecordBatch, bytes_max: usize) -> Vec<RecordBatch> {
    let mut parts = Vec::new();
    let mut open = vec![batch];
    while let Some(part) = open.pop() {
        let rows = part.num_rows();
        if rows > 1 && bytes_of(&part) > bytes_max {
            let half = rows / 2;
            open.push(part.slice(half, rows - half));
            open.push(part.slice(0, half));
        } else if rows > 0 {
            parts.push(part);
        }
    }
    parts
}

fn bytes_of(batch: &RecordBatch) -> usize {
    let of_column = |column: &arrow::array::ArrayRef| {
        let data = column.to_data();
        // Not known for exotic types: the buffers are an upper bound.
        data.get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size())
    };
    batch.columns().iter().map(of_column).sum()
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
