//! The doors of Arrow Flight: every RPC, on one type.
//!
//! Owns the dispatch and the framing of answers. Every door but the handshake asks the entrance
//! for a caller first and decodes the request next; nothing else may come before. Must hold no
//! logic of its own beyond that.
//!
//! Receives: requests from tonic.
//! Hands on: statements to `statement`, questions about the catalog to `metadata`.

use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{
    ActionCancelQueryResult, Any, DoPutPreparedStatementResult, ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoResult, CancelStatus, Criteria, Empty, FlightData,
    FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, PollInfo, PutResult,
    Result as ActionResult, SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use martlet_proto::flight::{
    ActionCreatePreparedStatementResult, CloseSessionResult, close_session_result,
};
use martlet_query::Engine;
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::answer::{answered, bearer, of_statement};
use super::command::{ACTIONS, Deed, Fetch, MetadataQuery, NotTaken, Put, Query};
use super::deliver::{Messages, encode_batch, while_open};
use super::description::{info, schema_message};
use super::emergencies::EmergencyDesk;
use super::entrance::Entrance;
use super::parameters::read_upload;
use super::record::{Recorder, Subject};
use super::statement::{Cancelled, Statements, Times};
use super::status::{malformed, unknown_ticket};
use super::{metadata, options};
use crate::alarm::curbs::Curbs;
use crate::authenticate::{Caller, Gate, NoGate, Refused, SessionLife};
use crate::serve::ServeConfig;

/// How long the first message of an upload may take, and then all others together.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(30);

type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// The Flight service of one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FlightDoor {
    engine: Engine,
    gate: Arc<Gate>,
    desk: Arc<EmergencyDesk>,
    statements: Arc<Statements>,
    recorder: Recorder,
    pub(super) entrance: Entrance,
}

impl FlightDoor {
    pub(crate) fn new(
        engine: Engine,
        config: &ServeConfig,
        curbs: Arc<Curbs>,
    ) -> Result<Self, NoGate> {
        let recorder = Recorder::new(Arc::clone(&config.journal));
        let gate = Arc::new(Gate::new(engine.clone(), &config.sign_in, Arc::clone(&curbs))?);
        let times = Times {
            max: config.statement_time_max,
            checked_every: config.sign_in.streams_checked_every,
        };
        let desk = Arc::new(EmergencyDesk::new(engine.clone(), Arc::clone(&config.journal)));
        let statements = Statements::new(
            engine.clone(),
            Arc::clone(&gate),
            Arc::clone(&desk),
            recorder.clone(),
            times,
            Arc::clone(&curbs),
        )?;
        let statements = Arc::new(statements);
        let entrance = Entrance::new(
            Arc::clone(&gate),
            Arc::clone(&statements),
            recorder.clone(),
            curbs,
            &config.transport,
        );
        Ok(Self { engine, gate, desk, statements, recorder, entrance })
    }

    /// Who looks after the emergencies.
    pub(crate) fn desk(&self) -> Arc<EmergencyDesk> {
        Arc::clone(&self.desk)
    }

    /// Closes a principal's sessions and ends what runs for it.
    pub(crate) fn cut_off(&self, principal: &str) {
        self.entrance.cut_off(principal);
    }

    /// Keeps what sessions stand on up to date, for ever.
    pub(crate) async fn keep(self) {
        self.gate.keep().await;
    }

    /// Lets nobody in any more, and nothing go on.
    pub(crate) fn shut(&self) {
        self.gate.shut();
    }

    async fn info(
        &self,
        caller: &Caller,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        match self.taken(caller, Query::parse(&descriptor.cmd)).await? {
            Query::Statement(sql) => self.statements.info(caller, &sql, descriptor).await,
            Query::Prepared(handle) => {
                self.statements.prepared_info(caller, &handle, descriptor).await
            }
            // The ticket is the question itself: it holds nothing that was not asked.
            Query::Metadata(query) => {
                let schema = metadata::schema(&query)?;
                let ticket = descriptor.cmd.clone();
                info(&schema, ticket, descriptor)
            }
        }
    }

    async fn schema(&self, caller: &Caller, command: &[u8]) -> Result<Bytes, Status> {
        let schema = match self.taken(caller, Query::parse(command)).await? {
            Query::Statement(sql) => self.statements.schema(caller, &sql).await?,
            Query::Prepared(handle) => self.statements.prepared_schema(caller, &handle).await?,
            Query::Metadata(query) => metadata::schema(&query)?,
        };
        schema_message(&schema)
    }

    /// Answers from the principal's catalog, after the record.
    async fn answer(&self, caller: &Caller, query: &MetadataQuery) -> Result<Messages, Status> {
        let _place = self.statements.place_aside(caller).await?;
        let open = self.statements.open(caller)?;
        let mart = self.engine.mart();
        let asker = self.desk.asker(caller, &mart).await?;
        let session = self.engine.session(&asker, &mart);
        let batch = metadata::answer(query, session.catalog())?;
        if let Some(text) = query.recorded_as() {
            let emergency = asker.emergency().map(AsRef::as_ref);
            let subject = Subject { emergency, ..Subject::claim(caller, &mart, text) };
            let tables = metadata::tables_told(query, session.catalog());
            self.recorder.metadata(subject, tables, batch.num_rows()).await?;
        }
        Ok(while_open(encode_batch(batch), open))
    }

    async fn bind(
        &self,
        caller: &Caller,
        handle: Bytes,
        upload: Answers<FlightData>,
    ) -> Result<PutResult, Status> {
        self.statements.find(caller, &handle).await?;
        let place = self.statements.place_of_upload(caller).await?;
        let parameters = read_upload(upload, UPLOAD_PATIENCE).await?;
        drop(place);
        let handle = self.statements.bind(caller, &handle, parameters).await?;
        let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) };
        Ok(PutResult { app_metadata: result.encode_to_vec().into() })
    }

    /// A request as it was decoded; what is refused of it is on record first.
    async fn taken<T>(&self, caller: &Caller, decoded: Result<T, NotTaken>) -> Result<T, Status> {
        let (text, kind, told) = match decoded {
            Ok(request) => return Ok(request),
            Err(NotTaken::Unread(told)) => return Err(told),
            Err(NotTaken::Refused { text, kind, told }) => (text, kind, told),
        };
        let _place = self.statements.place_aside(caller).await?;
        let mart = self.engine.mart();
        self.recorder.refused(Subject::claim(caller, &mart, &text), kind).await?;
        Err(told)
    }

    /// Carries an action out; gives the bodies of its results.
    async fn act(&self, caller: &Caller, deed: Deed) -> Result<Option<Bytes>, Status> {
        Ok(match deed {
            Deed::Prepare(sql) => Some(wrapped(&self.statements.prepare(caller, &sql).await?)),
            Deed::ClosePrepared(handle) => {
                self.statements.close(caller, &handle);
                None
            }
            Deed::CancelQuery(info) => Some(self.cancel_query(caller, &info).await?),
            Deed::CancelFlightInfo(info) => Some(self.cancel_info(caller, &info).await?),
            Deed::CloseSession => Some(self.close_session(caller)),
            Deed::SetSessionOptions(request) => Some(body(&options::set(&request))),
            Deed::GetSessionOptions => Some(body(&options::get())),
        })
    }

    async fn cancel_query(&self, caller: &Caller, info: &FlightInfo) -> Result<Bytes, Status> {
        match self.statements.cancel(caller, info).await? {
            Cancelled::Yes => {
                let result = ActionCancelQueryResult { result: CancelStatus::Cancelled.into() };
                Ok(result.as_any().encode_to_vec().into())
            }
            Cancelled::Unknown => Err(unknown_ticket()),
        }
    }

    async fn cancel_info(&self, caller: &Caller, info: &FlightInfo) -> Result<Bytes, Status> {
        match self.statements.cancel(caller, info).await? {
            Cancelled::Yes => Ok(body(&CancelFlightInfoResult::new(CancelStatus::Cancelled))),
            Cancelled::Unknown => Err(unknown_ticket()),
        }
    }

    /// A token is the credential of one session, so closing it takes nothing from others; what
    /// comes from elsewhere is shared by all connections that send it.
    fn close_session(&self, caller: &Caller) -> Bytes {
        let status = match caller.life {
            SessionLife::OfSignIn => {
                self.gate.close(caller.session);
                self.statements.close_session(caller.session);
                close_session_result::Status::Closed
            }
            SessionLife::OfCredential => close_session_result::Status::NotCloseable,
        };
        body(&CloseSessionResult { status: status.into() })
    }
}

/// A body as Flight's own actions carry it.
fn body(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// The answer to CreatePreparedStatement in the envelope that Flight SQL's actions use.
fn wrapped(result: &ActionCreatePreparedStatementResult) -> Bytes {
    let type_url = arrow_flight::sql::ActionCreatePreparedStatementResult::type_url();
    Any { type_url: type_url.into(), value: result.encode_to_vec().into() }.encode_to_vec().into()
}

#[tonic::async_trait]
impl FlightService for FlightDoor {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Messages;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<ActionResult>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    /// Answers from the headers alone: some clients keep their side of the stream open until
    /// they have the answer.
    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        let token = self.entrance.enter(self.entrance.arrival(&request)?).await?;
        let answer = HandshakeResponse { protocol_version: 0, payload: Bytes::new() };
        let mut response = Response::new(stream::iter([Ok(answer)]).boxed());
        let bearer = bearer(&token).ok_or(Refused::NoSession)?;
        response.metadata_mut().insert("authorization", bearer);
        Ok(response)
    }

    /// There are no flights but those that are asked for.
    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        Ok(answered(&caller, stream::empty().boxed()))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        Ok(answered(&caller, self.info(&caller, request.into_inner()).await?))
    }

    /// A statement is planned when this returns, so there is nothing left to poll for.
    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        let info = self.info(&caller, request.into_inner()).await?;
        let poll = PollInfo { progress: Some(1.0), ..PollInfo::new().with_info(info) };
        Ok(answered(&caller, poll))
    }

    async fn get_schema(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        let schema = self.schema(&caller, &request.get_ref().cmd).await?;
        Ok(answered(&caller, SchemaResult { schema }))
    }

    async fn do_get(
        &self,
        request: Request<Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        match self.taken(&caller, Fetch::parse(&request.get_ref().ticket)).await? {
            Fetch::Ticket(sealed) => {
                let (id, messages) = self.statements.fetch(&caller, &sealed).await?;
                Ok(of_statement(&caller, id, messages))
            }
            Fetch::Prepared(handle) => {
                let (id, messages) = self.statements.fetch_prepared(&caller, &handle).await?;
                Ok(of_statement(&caller, id, messages))
            }
            Fetch::Metadata(query) => Ok(answered(&caller, self.answer(&caller, &query).await?)),
        }
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        let mut upload = request.into_inner();
        let first = tokio::time::timeout(UPLOAD_PATIENCE, upload.message())
            .await
            .map_err(|_| Status::deadline_exceeded("the upload did not begin"))??
            .ok_or_else(malformed)?;
        let descriptor = first.flight_descriptor.clone().ok_or_else(malformed)?;
        let Put { handle } = self.taken(&caller, Put::parse(&descriptor.cmd)).await?;
        let upload = stream::once(async { Ok(first) }).chain(upload).boxed();
        let result = self.bind(&caller, handle, upload).await?;
        Ok(answered(&caller, stream::iter([Ok(result)]).boxed()))
    }

    async fn do_action(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        let deed = self.taken(&caller, Deed::parse(request.get_ref())).await?;
        let results = self.act(&caller, deed).await?;
        let answers = results.into_iter().map(|body| Ok(ActionResult { body }));
        Ok(answered(&caller, stream::iter(answers.collect::<Vec<_>>()).boxed()))
    }

    async fn list_actions(
        &self,
        request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        let caller = self.entrance.caller(self.entrance.judge(&request)).await?;
        let actions = ACTIONS.map(|(name, description)| {
            Ok(ActionType { r#type: name.into(), description: description.into() })
        });
        Ok(answered(&caller, stream::iter(actions).boxed()))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.entrance.caller(self.entrance.judge(&request)).await?;
        Err(Status::unimplemented("DoExchange is not supported: ask with GetFlightInfo and DoGet"))
    }
}
