//! Decodes a request's bytes, once, into a closed enum.
//!
//! Owns what can be asked at each of Flight's doors. Must never panic on any bytes, never
//! repeat them in an error, and never let an unknown message through to a handler.

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, Command, CommandGetCrossReference,
    CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys,
    CommandGetSqlInfo, CommandGetTables, CommandGetXdbcTypeInfo, ProstMessageExt,
};
use arrow_flight::{Action, CancelFlightInfoRequest, FlightInfo};
use bytes::Bytes;
use martlet_core::ErrorKind;
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_proto::flight::SetSessionOptionsRequest;
use prost::Message;
use tonic::Status;

use super::status::malformed;

/// What is told to everyone who tries to write.
const READ_ONLY: &str =
    "the mart is read-only: data come in by the nightly load, not over Flight SQL";
const NO_TRANSACTIONS: &str =
    "transactions are not supported: every statement reads one whole snapshot";
const NO_TICKET: &str = "a statement is no ticket: GetFlightInfo gives the one for it";
const NO_SUBSTRAIT: &str = "Substrait plans are not supported: send SQL";
/// What is recorded of a Substrait plan: it has no text.
const SUBSTRAIT_PLAN: &str = "a Substrait plan";

/// Why a request goes no further than to be decoded.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It cannot be understood, or asks for no statement at all.
    Unread(Status),
    /// It was understood, and is on record before it is told why it is not carried out.
    Refused {
        /// What it is recorded as: the statement's text where there is one.
        text: String,
        kind: ErrorKind,
        told: Status,
    },
}

impl NotTaken {
    /// What would write.
    fn write(text: impl Into<String>) -> Self {
        let told = Status::unimplemented(READ_ONLY);
        Self::Refused { text: text.into(), kind: ErrorKind::Denied, told }
    }

    /// What could do anything, writing too: nobody looks into it.
    fn substrait() -> Self {
        let told = Status::unimplemented(NO_SUBSTRAIT);
        Self::Refused { text: SUBSTRAIT_PLAN.into(), kind: ErrorKind::Denied, told }
    }

    /// What could be asked in another way.
    fn invalid(text: String, told: impl Into<String>) -> Self {
        Self::Refused { text, kind: ErrorKind::Invalid, told: Status::invalid_argument(told) }
    }
}

impl From<Status> for NotTaken {
    fn from(told: Status) -> Self {
        Self::Unread(told)
    }
}

/// A question about the catalog or the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MetadataQuery {
    Catalogs,
    DbSchemas(CommandGetDbSchemas),
    Tables(CommandGetTables),
    TableTypes,
    SqlInfo(CommandGetSqlInfo),
    XdbcTypeInfo(CommandGetXdbcTypeInfo),
    PrimaryKeys(CommandGetPrimaryKeys),
    ExportedKeys(CommandGetExportedKeys),
    ImportedKeys(CommandGetImportedKeys),
    CrossReference(CommandGetCrossReference),
}

/// What `GetFlightInfo`, `GetSchema` and `PollFlightInfo` can be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// A statement's text.
    Statement(String),
    /// A prepared statement's handle.
    Prepared(Bytes),
    /// A metadata question; its ticket is the command itself.
    Metadata(MetadataQuery),
}

/// What `DoGet` can be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fetch {
    /// A sealed ticket of ours.
    Ticket(Bytes),
    /// A prepared statement's handle, without a ticket.
    Prepared(Bytes),
    /// A metadata question.
    Metadata(MetadataQuery),
}

/// What `DoPut` can be asked: to bind parameters to a prepared statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Put {
    /// The statement's handle.
    pub(crate) handle: Bytes,
}

/// What `DoAction` can be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    Prepare(String),
    ClosePrepared(Bytes),
    /// Cancel a statement; the answer is wrapped as Flight SQL's older action wants it.
    CancelQuery(FlightInfo),
    /// Cancel a statement; the answer is bare.
    CancelFlightInfo(FlightInfo),
    CloseSession,
    SetSessionOptions(SetSessionOptionsRequest),
    GetSessionOptions,
}

/// The actions that `ListActions` names, with a word on each.
pub(crate) const ACTIONS: [(&str, &str); 7] = [
    ("CreatePreparedStatement", "Prepares a query; gives its handle and schemas."),
    ("ClosePreparedStatement", "Forgets a prepared statement."),
    ("CancelQuery", "Cancels a statement of this session."),
    ("CancelFlightInfo", "Cancels a statement of this session."),
    ("CloseSession", "Ends this session; its token is worth nothing afterwards."),
    ("SetSessionOptions", "Sets the session's catalog and schema; each has one value."),
    ("GetSessionOptions", "Tells the session's catalog and schema."),
];

impl Query {
    /// Reads a descriptor's command.
    pub(crate) fn parse(command: &[u8]) -> Result<Self, NotTaken> {
        match served(decode(command)?)? {
            Command::CommandStatementQuery(query) => {
                statement(query.query, query.transaction_id.as_ref()).map(Self::Statement)
            }
            Command::CommandPreparedStatementQuery(query) => {
                Ok(Self::Prepared(query.prepared_statement_handle))
            }
            other => Ok(Self::Metadata(MetadataQuery::of(other).ok_or_else(malformed)?)),
        }
    }
}

impl Fetch {
    /// Reads a ticket.
    pub(crate) fn parse(ticket: &[u8]) -> Result<Self, NotTaken> {
        match served(decode(ticket)?)? {
            Command::TicketStatementQuery(ticket) => Ok(Self::Ticket(ticket.statement_handle)),
            Command::CommandPreparedStatementQuery(query) => {
                Ok(Self::Prepared(query.prepared_statement_handle))
            }
            Command::CommandStatementQuery(query) => Err(NotTaken::invalid(query.query, NO_TICKET)),
            other => Ok(Self::Metadata(MetadataQuery::of(other).ok_or_else(malformed)?)),
        }
    }
}

impl Put {
    /// Reads the descriptor of an upload.
    pub(crate) fn parse(command: &[u8]) -> Result<Self, NotTaken> {
        match served(decode(command)?)? {
            Command::CommandPreparedStatementQuery(query) => {
                Ok(Self { handle: query.prepared_statement_handle })
            }
            _ => Err(malformed().into()),
        }
    }
}

impl Deed {
    /// Reads an action. Flight SQL's own actions wrap their body in an `Any`, Flight's do not.
    pub(crate) fn parse(action: &Action) -> Result<Self, NotTaken> {
        let body = &action.body;
        match action.r#type.as_str() {
            "CreatePreparedStatement" => {
                let request: ActionCreatePreparedStatementRequest = unwrap(body)?;
                statement(request.query, request.transaction_id.as_ref()).map(Self::Prepare)
            }
            "ClosePreparedStatement" => {
                let request: ActionClosePreparedStatementRequest = unwrap(body)?;
                Ok(Self::ClosePrepared(request.prepared_statement_handle))
            }
            "CancelQuery" => {
                let request: ActionCancelQueryRequest = unwrap(body)?;
                Ok(Self::CancelQuery(bare(&request.info)?))
            }
            "CancelFlightInfo" => {
                let request: CancelFlightInfoRequest = bare(body)?;
                Ok(Self::CancelFlightInfo(request.info.ok_or_else(malformed)?))
            }
            "CloseSession" => Ok(Self::CloseSession),
            "SetSessionOptions" => Ok(Self::SetSessionOptions(bare(body)?)),
            "GetSessionOptions" => Ok(Self::GetSessionOptions),
            "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
                Err(Status::unimplemented(NO_TRANSACTIONS).into())
            }
            "CreatePreparedSubstraitPlan" => Err(NotTaken::substrait()),
            _ => {
                Err(Status::unimplemented("there is no such action: ListActions names them all")
                    .into())
            }
        }
    }
}

impl MetadataQuery {
    fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::CommandGetCatalogs(_) => Self::Catalogs,
            Command::CommandGetDbSchemas(query) => Self::DbSchemas(query),
            Command::CommandGetTables(query) => Self::Tables(query),
            Command::CommandGetTableTypes(_) => Self::TableTypes,
            Command::CommandGetSqlInfo(query) => Self::SqlInfo(query),
            Command::CommandGetXdbcTypeInfo(query) => Self::XdbcTypeInfo(query),
            Command::CommandGetPrimaryKeys(query) => Self::PrimaryKeys(query),
            Command::CommandGetExportedKeys(query) => Self::ExportedKeys(query),
            Command::CommandGetImportedKeys(query) => Self::ImportedKeys(query),
            Command::CommandGetCrossReference(query) => Self::CrossReference(query),
            _ => return None,
        })
    }

    /// The name under which the audit journal records it; `None` for what tells only
    /// constants of the server.
    pub(crate) const fn recorded_as(&self) -> Option<&'static str> {
        match self {
            Self::DbSchemas(_) => Some("GetDbSchemas"),
            Self::Tables(_) => Some("GetTables"),
            Self::PrimaryKeys(_) => Some("GetPrimaryKeys"),
            Self::Catalogs
            | Self::TableTypes
            | Self::SqlInfo(_)
            | Self::XdbcTypeInfo(_)
            | Self::ExportedKeys(_)
            | Self::ImportedKeys(_)
            | Self::CrossReference(_) => None,
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Command, Status> {
    let any = Any::decode(bytes).map_err(|_| malformed())?;
    Command::try_from(any).map_err(|_| malformed())
}

fn unwrap<M: ProstMessageExt>(bytes: &[u8]) -> Result<M, Status> {
    let any = Any::decode(bytes).map_err(|_| malformed())?;
    any.unpack().map_err(|_| malformed())?.ok_or_else(malformed)
}

fn bare<M: Message + Default>(bytes: &[u8]) -> Result<M, Status> {
    M::decode(bytes).map_err(|_| malformed())
}

/// A command that may be answered, by one door or another.
fn served(command: Command) -> Result<Command, NotTaken> {
    match command {
        Command::CommandStatementUpdate(update) => Err(NotTaken::write(update.query)),
        Command::CommandPreparedStatementUpdate(_) => {
            Err(NotTaken::write("ExecuteUpdate of a prepared statement"))
        }
        Command::CommandStatementIngest(_) => Err(NotTaken::write("ExecuteIngest")),
        Command::CommandStatementSubstraitPlan(_) => Err(NotTaken::substrait()),
        command => Ok(command),
    }
}

/// The text of a statement that can run: outside of a transaction, and not too long.
fn statement(sql: String, transaction: Option<&Bytes>) -> Result<String, NotTaken> {
    if transaction.is_some_and(|id| !id.is_empty()) {
        return Err(NotTaken::invalid(sql, NO_TRANSACTIONS));
    }
    if sql.len() > STATEMENT_BYTES_MAX {
        let told = format!("the statement is longer than {STATEMENT_BYTES_MAX} bytes: shorten it");
        return Err(NotTaken::invalid(sql, told));
    }
    Ok(sql)
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
