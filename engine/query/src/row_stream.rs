//! The rows of a running statement, as they leave: plain types, full batches, scrubbed.
//!
//! Receives: batches of the user's own operators, from `statement`.
//! Hands on: batches in the wire schema, to the server.
//!
//! Batches are cut anew, because a scan's own batches end where a segment ends, and how many
//! rows lie before mine in a segment is nobody's business.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};
use martlet_core::limits::BATCH_ROWS_MAX;

use crate::error::QueryError;
use crate::wire::{plain_batch, scrub_batch};

const CUT: QueryError = QueryError::Bug { promise: "plain batches can be cut anew" };

/// The rows of a statement: visible, masked, scrubbed, in the wire schema. Dropping it
/// cancels the statement.
pub struct RowStream {
    rows: SendableRecordBatchStream,
    cut: BatchCoalescer,
    schema: SchemaRef,
    state: State,
}

enum State {
    Running,
    Ended,
}

impl fmt::Debug for RowStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RowStream({} columns)", self.schema.fields().len())
    }
}

impl RowStream {
    pub(crate) fn new(rows: SendableRecordBatchStream, schema: SchemaRef) -> Self {
        let cut = BatchCoalescer::new(Arc::clone(&schema), BATCH_ROWS_MAX);
        Self { rows, cut, schema, state: State::Running }
    }

    /// The schema of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Takes one batch in; at the end, lets the last rows go.
    fn take(&mut self, batch: Option<RecordBatch>) -> Result<(), QueryError> {
        match batch {
            Some(batch) => {
                let plain = plain_batch(&batch, &self.schema)?;
                self.cut.push_batch(plain).map_err(|_| CUT)
            }
            None => {
                self.state = State::Ended;
                self.cut.finish_buffered_batch().map_err(|_| CUT)
            }
        }
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(batch) = this.cut.next_completed_batch() {
                return Poll::Ready(Some(scrub_batch(&batch)));
            }
            if matches!(this.state, State::Ended) {
                return Poll::Ready(None);
            }
            let taken = match std::task::ready!(this.rows.poll_next_unpin(context)) {
                Some(Ok(batch)) => this.take(Some(batch)),
                Some(Err(error)) => Err(QueryError::from_running(error)),
                None => this.take(None),
            };
            if let Err(error) = taken {
                this.state = State::Ended;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
