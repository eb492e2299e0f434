//! From record batches to Flight messages, away from the tasks that accept requests.
//!
//! Owns the pump: one task per execution, a short bounded channel (a slow client slows the
//! query, not the server), message sizes that every client takes, and the end of the record.
//! Must never end a broken stream like a whole one, never send what it was not given, and never
//! call an answer whole that still waits for its reader: until then it can be taken back.
//!
//! Receives: a `RowStream` (scrubbed, in the wire schema) from `statement`.
//! Hands on: Flight messages to tonic; rows, bytes and outcome to the audit journal.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use martlet_query::QueryError;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;

use super::running::{Run, Stop};
use super::standing::Revoked;
use super::status;
use super::ticket::StatementId;
use crate::admission::{Open, Place};
use crate::audit::{OpenRecord, Outcome, Sent};

/// The bytes that one message aims at.
const MESSAGE_BYTES_TARGET: usize = 2 * 1024 * 1024;
/// The bytes that no message reaches: plain gRPC clients refuse more.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Messages that wait for the client at most.
const MESSAGES_WAITING: usize = 2;
/// Rows after which whoever keeps watch hears that a statement still sends.
const ROWS_BETWEEN_WORDS: u64 = 10_000;

/// A statement's messages, or why they end.
pub(crate) type Messages = BoxStream<'static, Result<FlightData, Status>>;

/// One execution on its way out.
pub(crate) struct Delivery<S> {
    pub(crate) statement_id: StatementId,
    pub(crate) rows: S,
    pub(crate) schema: SchemaRef,
    pub(crate) record: OpenRecord,
    pub(crate) run: Run,
    /// Ready when its reader may not have it any more.
    pub(crate) revoked: BoxFuture<'static, Revoked>,
    /// Held until the rows are taken or dropped.
    pub(crate) place: Place,
    /// Held until the reader has the last word or is gone.
    pub(crate) open: Open,
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
    TooSlow,
    Cancelled,
    Cut(Revoked),
    ClientGone,
}

impl Ended {
    /// Whether what waits for its reader is taken back. What came before an error was right.
    const fn takes_back(&self) -> bool {
        matches!(self, Self::TooSlow | Self::Cancelled | Self::Cut(_))
    }
}

/// What waits for its reader. The response holds it; the pump finds it as long as that is there.
type Waiting = Mutex<mpsc::Receiver<Step>>;

/// Sends an execution's rows. Dropping the result ends the execution.
pub(crate) fn deliver<S>(delivery: Delivery<S>) -> Messages
where
    S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MESSAGES_WAITING);
    let waiting = Arc::new(Waiting::new(receiver));
    let Delivery { statement_id, rows, schema, record, run, revoked, place, open, time_max } =
        delivery;
    let work = Work { statement_id, rows, schema, record, run, revoked, place, time_max };
    tokio::spawn(run_to_end(work, sender, Arc::downgrade(&waiting)));
    response(waiting, open)
}

/// The pump's part of a delivery.
struct Work<S> {
    statement_id: StatementId,
    rows: S,
    schema: SchemaRef,
    record: OpenRecord,
    run: Run,
    revoked: BoxFuture<'static, Revoked>,
    place: Place,
    time_max: Duration,
}

fn response(waiting: Arc<Waiting>, open: Open) -> Messages {
    stream::unfold(Some((waiting, open)), |reader| async move {
        let (waiting, open) = reader?;
        match poll_fn(|context| lock(&waiting).poll_recv(context)).await {
            Some(Step::Message(data)) => Some((Ok(data), Some((waiting, open)))),
            Some(Step::Failed(status)) => Some((Err(status), None)),
            Some(Step::Done) => None,
            None => Some((Err(status::bug("a statement's task ends with a word")), None)),
        }
    })
    .boxed()
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, mpsc::Receiver<Step>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_back(waiting: &Weak<Waiting>) {
    if let Some(waiting) = waiting.upgrade() {
        let mut waiting = lock(&waiting);
        while waiting.try_recv().is_ok() {}
    }
}

async fn run_to_end<S>(work: Work<S>, sender: mpsc::Sender<Step>, waiting: Weak<Waiting>)
where
    S: Stream<Item = Result<RecordBatch, QueryError>> + Send + 'static,
{
    let Work { statement_id, rows, schema, record, mut run, revoked, place, time_max } = work;
    let counted = Arc::new(AtomicU64::new(0));
    let messages = encode(schema, count(rows, Arc::clone(&counted)));
    let mut bytes = 0;
    let mut told = 0;
    let mut after_each = || {
        let rows = counted.load(Ordering::Relaxed);
        if rows - told >= ROWS_BETWEEN_WORDS {
            told = rows;
            record.sent(rows);
        }
    };
    let cutters = Cutters { run: &mut run, revoked, time_max };
    let ended = pump(messages, cutters, &sender, &mut bytes, &mut after_each).await;
    if ended.takes_back() {
        take_back(&waiting);
    }
    drop(place);
    let sent = Sent { rows: counted.load(Ordering::Relaxed), bytes };
    let (outcome, last) = match ended {
        Ended::Completed => (Outcome::Completed, Some(Step::Done)),
        Ended::Failed(status) => (Outcome::Failed, Some(Step::Failed(status))),
        Ended::TooSlow => (Outcome::Failed, Some(Step::Failed(too_slow(time_max)))),
        Ended::Cancelled => (Outcome::Cancelled, Some(Step::Failed(cancelled()))),
        Ended::Cut(revoked) => (Outcome::Cut, Some(Step::Failed(cut(revoked)))),
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

/// What ends a delivery beside its two ends.
struct Cutters<'a> {
    run: &'a mut Run,
    revoked: BoxFuture<'static, Revoked>,
    time_max: Duration,
}

/// Moves messages to the client until one of the two, the clock, a cancel or a revocation ends it.
async fn pump(
    mut messages: Messages,
    cutters: Cutters<'_>,
    sender: &mpsc::Sender<Step>,
    bytes: &mut u64,
    after_each: &mut (dyn FnMut() + Send),
) -> Ended {
    let Cutters { run, mut revoked, time_max } = cutters;
    let deadline = tokio::time::sleep_until(Instant::now() + time_max);
    tokio::pin!(deadline);
    let cancelled = run.cancelled();
    tokio::pin!(cancelled);
    loop {
        let next = async {
            // A place first: what cannot be sent yet need not be computed yet.
            let place = sender.reserve().await.ok()?;
            let message = messages.next().await;
            if message.is_none() {
                drop(place);
                // All places are free when the reader has taken everything.
                sender.reserve_many(MESSAGES_WAITING).await.ok()?;
                return Some(None);
            }
            Some(message.map(|message| (place, message)))
        };
        let message = tokio::select! {
            biased;
            () = sender.closed() => return Ended::ClientGone,
            stop = &mut cancelled => return match stop {
                Stop::Asked => Ended::Cancelled,
                Stop::SessionEnded => Ended::Cut(Revoked::Session),
            },
            reason = &mut revoked => return Ended::Cut(reason),
            () = &mut deadline => return Ended::TooSlow,
            next = next => match next {
                Some(next) => next,
                None => return Ended::ClientGone,
            },
        };
        match message {
            Some((place, Ok(data))) => {
                *bytes += data.encoded_len() as u64;
                place.send(Step::Message(data));
                after_each();
            }
            Some((_, Err(status))) => return Ended::Failed(status),
            None => return Ended::Completed,
        }
    }
}

/// The status of a statement that was cancelled on request.
pub(crate) fn cancelled() -> Status {
    Status::cancelled("the statement was cancelled")
}

/// What the reader of a cut delivery is told.
fn cut(revoked: Revoked) -> Status {
    match revoked {
        Revoked::Session => Status::unauthenticated(
            "the answer was cut: the session has ended; what has arrived is not all of it",
        ),
        Revoked::Grant => Status::permission_denied(
            "the answer was cut: the rules have changed; ask again for what is granted now",
        ),
        Revoked::Emergency => Status::permission_denied(
            "the answer was cut: the emergency has ended; ask again for what is granted now",
        ),
    }
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

/// The same messages, which count as an open answer until their reader has all or is gone.
pub(crate) fn while_open(messages: Messages, open: Open) -> Messages {
    messages
        .map(move |message| {
            let _ = &open;
            message
        })
        .boxed()
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
