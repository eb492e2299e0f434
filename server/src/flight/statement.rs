//! Statements: described, ticketed, executed.
//!
//! Owns the order that makes every path safe: plan under the principal's grant, record, then
//! tell. Every execution is planned and authorised anew, under the rules and the principal as
//! they are now, on the snapshot that the ticket names. Must never keep a grant, and never
//! tell a schema or a row before its record is on disk.
//!
//! Receives: a statement's text, a handle or a ticket from `service`.
//! Hands on: a `FlightInfo`, or (by `start`) rows to `deliver`.

mod start;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::sql::{Any, ProstMessageExt, TicketStatementQuery};
use arrow_flight::{FlightDescriptor, FlightInfo};
use bytes::Bytes;
use martlet_core::{ErrorKind, Kinded};
use martlet_policy::{EmergencyId, Principal};
use martlet_proto::flight::ActionCreatePreparedStatementResult;
use martlet_query::{Engine, Mart, Statement};
use prost::Message;
use tonic::Status;

use super::deliver::{Messages, cancelled};
use super::description::{info, schema_message};
use super::emergencies::EmergencyDesk;
use super::prepared::{Prepared, PreparedStatements};
use super::record::{Recorder, Subject};
use super::running::{CANCELLED_AT_ONCE_MAX, Running};
use super::status::{self, too_many_tickets, unknown_ticket};
use super::ticket::{Holder, Sealer, StatementId, Ticket};
use crate::admission::{Admission, Open, PLANNING_TIME_MAX, Place, Stopped, in_time};
use crate::alarm::curbs::Curbs;
use crate::authenticate::{Caller, Gate, Refused, SessionId};
use crate::lookup_quota::LookupQuota;
use crate::random::NoEntropy;

/// What is recorded of a ticket that is foreign, forged or too old.
const REFUSED_TICKET: &str = "a ticket that is not the caller's own";
/// What is recorded of a handle that is foreign, forged or forgotten.
const UNKNOWN_HANDLE: &str = "a prepared statement that is not the caller's own";

/// Whether a cancel found something that it may cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    Yes,
    /// No ticket of the caller's own.
    Unknown,
}

/// Plans, tickets and runs statements.
#[derive(Debug)]
pub(crate) struct Statements {
    engine: Engine,
    gate: Arc<Gate>,
    desk: Arc<EmergencyDesk>,
    recorder: Recorder,
    sealer: Sealer,
    prepared: PreparedStatements,
    running: Arc<Running>,
    admission: Admission,
    curbs: Arc<Curbs>,
    lookups: LookupQuota,
    times: Times,
}

/// The times of an execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// From its first message to its last at most.
    pub(crate) max: Duration,
    /// How often it is asked whether its reader may still have it.
    pub(crate) checked_every: Duration,
}

impl Statements {
    pub(crate) fn new(
        engine: Engine,
        gate: Arc<Gate>,
        desk: Arc<EmergencyDesk>,
        recorder: Recorder,
        times: Times,
        curbs: Arc<Curbs>,
    ) -> Result<Self, NoEntropy> {
        Ok(Self {
            engine,
            gate,
            desk,
            recorder,
            sealer: Sealer::new()?,
            prepared: PreparedStatements::default(),
            running: Arc::default(),
            admission: Admission::under(Arc::clone(&curbs)),
            curbs,
            lookups: LookupQuota::default(),
            times,
        })
    }

    /// Tells a statement's schema and gives the ticket for its rows.
    pub(crate) async fn info(
        &self,
        caller: &Caller,
        sql: &str,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        let mart = self.engine.mart();
        let asker = self.desk.asker(caller, &mart).await?;
        let id = StatementId::draw()?;
        let statement = self.describe(caller, &asker, &mart, id, sql).await?;
        let ticket = ticket(id, &mart, sql, Bytes::new());
        self.info_of(caller, &ticket, &statement.schema(), descriptor)
    }

    /// Tells a statement's schema.
    pub(crate) async fn schema(&self, caller: &Caller, sql: &str) -> Result<SchemaRef, Status> {
        let mart = self.engine.mart();
        let asker = self.desk.asker(caller, &mart).await?;
        Ok(self.describe(caller, &asker, &mart, StatementId::draw()?, sql).await?.schema())
    }

    /// Prepares a statement and gives its handle and schemas.
    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        sql: &str,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let mart = self.engine.mart();
        let asker = self.desk.asker(caller, &mart).await?;
        let id = StatementId::draw()?;
        let statement = self.describe(caller, &asker, &mart, id, sql).await?;
        let prepared = Prepared {
            sql: sql.into(),
            parameters: Bytes::new(),
            schema: statement.schema(),
            described_in: Arc::downgrade(&mart),
            described_under: under(&asker),
        };
        let handle = self.prepared.keep(Holder::from(caller), prepared, Instant::now())?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle,
            dataset_schema: schema_message(&statement.schema())?,
            parameter_schema: schema_message(&statement.parameters())?,
            is_update: Some(false),
        })
    }

    /// Tells a prepared statement's schema and gives the ticket for its rows, with the
    /// parameters that are bound now.
    pub(crate) async fn prepared_info(
        &self,
        caller: &Caller,
        handle: &Bytes,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        let mart = self.engine.mart();
        let id = StatementId::draw()?;
        let prepared = self.described(caller, &mart, id, handle).await?;
        let ticket = ticket(id, &mart, &prepared.sql, prepared.parameters);
        self.info_of(caller, &ticket, &prepared.schema, descriptor)
    }

    /// Tells a prepared statement's schema.
    pub(crate) async fn prepared_schema(
        &self,
        caller: &Caller,
        handle: &Bytes,
    ) -> Result<SchemaRef, Status> {
        let mart = self.engine.mart();
        Ok(self.described(caller, &mart, StatementId::draw()?, handle).await?.schema)
    }

    /// Binds one row of parameters. The handle stays the same and stays valid, because some
    /// clients use the one that this returns and others the one they had.
    pub(crate) async fn bind(
        &self,
        caller: &Caller,
        handle: &Bytes,
        parameters: Bytes,
    ) -> Result<Bytes, Status> {
        match self.prepared.bind(handle, caller.session, parameters, Instant::now()) {
            Some(()) => Ok(handle.clone()),
            None => Err(self.not_theirs(caller, UNKNOWN_HANDLE).await),
        }
    }

    /// Finds a prepared statement of this session.
    pub(crate) async fn find(&self, caller: &Caller, handle: &Bytes) -> Result<Prepared, Status> {
        match self.prepared.find(handle, caller.session, Instant::now()) {
            Some(prepared) => Ok(prepared),
            None => Err(self.not_theirs(caller, UNKNOWN_HANDLE).await),
        }
    }

    /// Forgets a prepared statement; one that is unknown is forgotten already.
    pub(crate) fn close(&self, caller: &Caller, handle: &Bytes) {
        self.prepared.close(handle, caller.session);
    }

    /// Runs a ticket's statement.
    pub(crate) async fn fetch(
        &self,
        caller: &Caller,
        sealed: &[u8],
    ) -> Result<(StatementId, Messages), Status> {
        let opened = self.sealer.open(sealed, Holder::from(caller), Instant::now());
        let Ok(ticket) = opened else {
            return Err(self.not_theirs(caller, REFUSED_TICKET).await);
        };
        self.run(caller, ticket).await
    }

    /// Runs a prepared statement on the newest snapshot, without a ticket.
    pub(crate) async fn fetch_prepared(
        &self,
        caller: &Caller,
        handle: &Bytes,
    ) -> Result<(StatementId, Messages), Status> {
        let prepared = self.find(caller, handle).await?;
        let mart = self.engine.mart();
        let ticket = ticket(StatementId::draw()?, &mart, &prepared.sql, prepared.parameters);
        self.run(caller, ticket).await
    }

    /// Cancels the statements of these tickets, as far as they are the caller's own.
    pub(crate) async fn cancel(
        &self,
        caller: &Caller,
        info: &FlightInfo,
    ) -> Result<Cancelled, Status> {
        if info.endpoint.len() > CANCELLED_AT_ONCE_MAX {
            return Err(too_many_tickets());
        }
        let _place = self.place_aside(caller).await?;
        let now = Instant::now();
        let own: Vec<StatementId> = info
            .endpoint
            .iter()
            .filter_map(|endpoint| {
                let any = Any::decode(endpoint.ticket.as_ref()?.ticket.as_ref()).ok()?;
                let query: TicketStatementQuery = any.unpack().ok()??;
                let opened = self.sealer.open(&query.statement_handle, Holder::from(caller), now);
                opened.ok().map(|ticket| ticket.statement_id)
            })
            .collect();
        self.running.cancel(&own, caller.session, now);
        if own.len() < info.endpoint.len() {
            let mart = self.engine.mart();
            self.recorder.denied(Subject::claim(caller, &mart, REFUSED_TICKET)).await?;
        }
        Ok(if own.is_empty() { Cancelled::Unknown } else { Cancelled::Yes })
    }

    /// Ends everything that a session has open.
    pub(crate) fn close_session(&self, session: SessionId) {
        self.running.cancel_session(session);
        self.prepared.close_session(session);
    }

    /// Ends everything that runs for a principal.
    pub(crate) fn cut_off(&self, principal: &str) {
        self.running.cancel_principal(principal);
    }

    /// The answer to a ticket or handle that is not the caller's own, once it is recorded.
    async fn not_theirs(&self, caller: &Caller, text: &str) -> Status {
        let _place = match self.place_aside(caller).await {
            Ok(place) => place,
            Err(busy) => return busy,
        };
        let mart = self.engine.mart();
        match self.recorder.denied(Subject::claim(caller, &mart, text)).await {
            Ok(()) => unknown_ticket(),
            Err(unrecorded) => unrecorded,
        }
    }

    /// Plans under the grant, in a place of its own; a refusal is recorded before it is told.
    async fn plan(
        &self,
        place: Place,
        subject: Subject<'_>,
        asker: &Principal,
        mart: &Arc<Mart>,
    ) -> Result<(Statement, Place), Status> {
        let (engine, mart, principal) = (self.engine.clone(), Arc::clone(mart), asker.clone());
        let text = subject.text.to_string();
        let work = async move { engine.session(&principal, &mart).prepare(&text).await };
        let told = match in_time(PLANNING_TIME_MAX, place, work).await {
            Ok((Ok(statement), place)) => return Ok((statement, place)),
            Ok((Err(error), _)) => {
                self.recorder.refused(subject, error.kind()).await?;
                status::of(&error)
            }
            Err(stopped) => {
                self.recorder.refused(subject, ErrorKind::Exhausted).await?;
                not_planned(stopped)
            }
        };
        Err(subject.statement_id.map_or(told.clone(), |id| status::naming(told, id)))
    }

    async fn place(&self, caller: &Caller) -> Result<Place, Status> {
        self.admission.enter(caller.name()).await.map_err(|busy| status::of(&busy))
    }

    /// The place of a request that is no statement.
    pub(crate) async fn place_aside(&self, caller: &Caller) -> Result<Place, Status> {
        self.admission.enter_aside(caller.name()).await.map_err(|busy| status::of(&busy))
    }

    /// The place of parameters that are about to arrive.
    pub(crate) async fn place_of_upload(&self, caller: &Caller) -> Result<Place, Status> {
        self.admission.enter_upload(caller.name()).await.map_err(|busy| status::of(&busy))
    }

    /// Counts an answer as open.
    pub(crate) fn open(&self, caller: &Caller) -> Result<Open, Status> {
        self.admission.open(caller.name()).map_err(|busy| status::of(&busy))
    }

    /// Plans, and records that the schema is about to be told.
    async fn describe(
        &self,
        caller: &Caller,
        asker: &Principal,
        mart: &Arc<Mart>,
        id: StatementId,
        sql: &str,
    ) -> Result<Statement, Status> {
        let subject = Subject {
            statement_id: Some(id),
            emergency: asker.emergency().map(AsRef::as_ref),
            ..Subject::claim(caller, mart, sql)
        };
        let place = self.place(caller).await?;
        let (statement, _place) = self.plan(place, subject, asker, mart).await?;
        if let Err(gone) = self.is_still_there(caller, asker) {
            self.recorder.denied(subject).await?;
            return Err(status::naming(gone, id));
        }
        self.recorder.described(subject, &statement).await?;
        // Once more, for the time that the disk took; then it is on record and not told.
        self.is_still_there(caller, asker).map_err(|gone| status::naming(gone, id))?;
        Ok(statement)
    }

    /// Whether a request that was let in may still be answered: planning takes its time.
    fn is_still_there(&self, caller: &Caller, asker: &Principal) -> Result<(), Status> {
        if !self.gate.still_open(caller.session) {
            return Err(Refused::NoSession.into());
        }
        // Without a time nothing is open any more.
        let now = self.engine.now().unwrap_or(i64::MAX);
        let has_ended = |id| !self.engine.mart().emergencies().is_open(id, now);
        let is_over = under(asker).is_some_and(has_ended);
        if is_over || self.curbs.is_cut(caller.name()) { Err(cancelled()) } else { Ok(()) }
    }

    /// A prepared statement whose description holds now; described anew where data, rules,
    /// principals or the caller's emergency have changed since.
    async fn described(
        &self,
        caller: &Caller,
        mart: &Arc<Mart>,
        id: StatementId,
        handle: &Bytes,
    ) -> Result<Prepared, Status> {
        let mut prepared = self.find(caller, handle).await?;
        let asker = self.desk.asker(caller, mart).await?;
        if !prepared.is_described_in(mart, under(&asker)) {
            let statement = self.describe(caller, &asker, mart, id, &prepared.sql).await?;
            prepared.schema = statement.schema();
            prepared.described_in = Arc::downgrade(mart);
            prepared.described_under = under(&asker);
            self.prepared.describe(handle, caller.session, &prepared, Instant::now());
        }
        Ok(prepared)
    }

    fn info_of(
        &self,
        caller: &Caller,
        ticket: &Ticket,
        schema: &Schema,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        let sealed = self.sealer.seal(ticket, Holder::from(caller), Instant::now())?;
        let query = TicketStatementQuery { statement_handle: sealed };
        info(schema, query.as_any().encode_to_vec().into(), descriptor)
    }
}

/// The emergency that somebody asks under.
fn under(asker: &Principal) -> Option<EmergencyId> {
    asker.emergency().map(|emergency| emergency.id())
}

fn not_planned(stopped: Stopped) -> Status {
    match stopped {
        Stopped::TooSlow => Status::deadline_exceeded(format!(
            "planning the statement took longer than {} seconds: ask for less",
            PLANNING_TIME_MAX.as_secs()
        )),
        Stopped::Broken => status::bug("planning ends with a word"),
    }
}

fn ticket(id: StatementId, mart: &Mart, sql: &str, parameters: Bytes) -> Ticket {
    let snapshot = mart.snapshot().number();
    Ticket { statement_id: id, snapshot, sql: sql.to_string(), parameters }
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
