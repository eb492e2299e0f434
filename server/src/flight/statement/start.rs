//! An execution's start: from a ticket to rows that may be sent.
//!
//! Owns the order: places are taken, the state that the ticket names is found, the statement is planned
//! anew, what is bound to it and what it reads go on record, and only then does it run.

use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::FutureExt;
use martlet_core::ErrorKind;
use martlet_policy::CheckedBundle;
use martlet_query::{RowStream, Statement};
use tonic::Status;

use super::super::deliver::{Delivery, Messages, cancelled, deliver};
use super::super::record::Subject;
use super::super::standing::{DecidedIn, Standing};
use super::super::ticket::{StatementId, Ticket};
use super::super::{parameters, status};
use super::{Statements, not_planned, under};
use crate::admission::{Open, PLANNING_TIME_MAX, Place, in_time};
use crate::audit::{OpenRecord, Outcome, Sent};
use crate::authenticate::Caller;

/// An execution whose rows are about to be told.
struct Started {
    rows: RowStream,
    schema: SchemaRef,
    record: OpenRecord,
    standing: Standing,
    place: Place,
    open: Open,
}

impl Statements {
    /// Runs a ticket's statement.
    pub(super) async fn run(
        &self,
        caller: &Caller,
        ticket: Ticket,
    ) -> Result<(StatementId, Messages), Status> {
        let id = ticket.statement_id;
        let mut run =
            self.running.enter(id, caller.session, caller.name()).map_err(|_| cancelled())?;
        // Whoever was cut off a moment ago was not among the running yet.
        if self.curbs.is_cut(caller.name()) {
            return Err(cancelled());
        }
        let started = tokio::select! {
            biased;
            _ = run.cancelled() => Err(cancelled()),
            started = self.start(caller, &ticket) => started,
        };
        let Started { rows, schema, record, standing, place, open } =
            started.map_err(|told| status::naming(told, id))?;
        let (revoked, time_max) = (standing.revoked().boxed(), self.times.max);
        let statement_id = id;
        let delivery =
            Delivery { statement_id, rows, schema, record, run, revoked, place, open, time_max };
        Ok((id, deliver(delivery)))
    }

    /// Takes its places, finds the state that the ticket names, plans anew, records, executes: in
    /// this order.
    async fn start(&self, caller: &Caller, ticket: &Ticket) -> Result<Started, Status> {
        // First of all: an old state is read from the store, and what was planned is on record
        // whatever comes of it.
        let place = self.place(caller).await?;
        let open = self.open(caller)?;
        let mart = self.engine.mart_at(ticket.snapshot).await.map_err(|e| status::of(&e))?;
        let decided_in = DecidedIn::of(&mart);
        let asker = self.desk.asker(caller, &mart).await?;
        let bound = parameters::from_bytes(&ticket.parameters)?;
        let subject = Subject {
            caller,
            mart: &mart,
            statement_id: Some(ticket.statement_id),
            text: &ticket.sql,
            parameters: bound.as_ref(),
            emergency: asker.emergency().map(AsRef::as_ref),
        };
        let (statement, place) = self.plan(place, subject, &asker, &mart).await?;
        let taken = self.taken(subject, &statement).await?;
        let subject = Subject { parameters: taken.as_ref(), ..subject };
        self.count_lookups(subject, &statement).await?;
        let schema = statement.schema();
        let standing = Standing {
            gate: Arc::clone(&self.gate),
            engine: self.engine.clone(),
            caller: caller.clone(),
            snapshot: mart.snapshot().number(),
            sights: statement.sights(),
            decided_in,
            under: under(&asker),
            checked_every: self.times.checked_every,
        };
        let record = self.recorder.begin(subject, &statement).await?;
        let work = async move { statement.execute(taken.as_ref()).await };
        let told = match in_time(PLANNING_TIME_MAX, place, work).await {
            Ok((Ok(rows), place)) => {
                return Ok(Started { rows, schema, record, standing, place, open });
            }
            Ok((Err(error), _)) => status::of(&error),
            Err(stopped) => not_planned(stopped),
        };
        record.end(Outcome::Failed, Sent::default());
        Err(told)
    }

    /// The bound row in the statement's types, if all of it can go on record: what stood behind a
    /// long value would be compared and seen by no alarm.
    async fn taken(
        &self,
        subject: Subject<'_>,
        statement: &Statement,
    ) -> Result<Option<RecordBatch>, Status> {
        let told = match statement.bound(subject.parameters) {
            Ok(row) if row.as_ref().is_none_or(parameters::goes_on_record) => return Ok(row),
            Ok(_) => parameters::too_large(),
            Err(error) => status::of(&error),
        };
        self.recorder.refused(subject, ErrorKind::Invalid).await?;
        Err(told)
    }

    /// Counts the statement's look-ups of masked values; a refusal is recorded before it is told.
    async fn count_lookups(
        &self,
        subject: Subject<'_>,
        statement: &Statement,
    ) -> Result<(), Status> {
        let name = subject.caller.name();
        let per_hour = subject.mart.bundle().map_or(0, CheckedBundle::lookups_per_hour);
        let taken = self.lookups.take(name, statement.lookups(), per_hour, Instant::now());
        if let Err(used_up) = taken {
            self.recorder.denied(subject).await?;
            return Err(status::of(&used_up));
        }
        Ok(())
    }
}
