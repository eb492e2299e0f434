//! The server over a real socket, message by message, as one who signed in.

use std::net::SocketAddr;

use arrow::array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::sql::{
    Any, CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
    CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes,
    CommandGetTables, CommandGetXdbcTypeInfo, CommandStatementQuery, ProstMessageExt,
};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo, Ticket};
use futures::{TryStreamExt, stream};
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::in_process::{bytes_of, parameters};
use super::{Answer, Door, Outcome};
use crate::grammar::Statement;
use crate::support::Client;

/// How many metadata commands there are.
pub const CATALOGS: usize = 12;

/// How it begins what is said beside an answer when there was a ticket.
pub const TICKET_GIVEN: &str = "ticket:";

/// What is drawn anew for each request.
const DRAWN: [&str; 3] = ["x-martlet-statement-id", "date", "authorization"];

/// One session on a server.
pub struct Wire {
    client: Client,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wire(..)")
    }
}

/// What comes in while a door is used.
#[derive(Default)]
struct Seen {
    beside: Vec<String>,
    left: Vec<Vec<u8>>,
}

impl Seen {
    fn headers(&mut self, metadata: &MetadataMap) {
        for (name, value) in metadata.clone().into_headers().iter() {
            self.left.push(value.as_bytes().to_vec());
            if !DRAWN.contains(&name.as_str()) {
                self.beside.push(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
        }
    }

    fn refused(mut self, status: &Status) -> Answer {
        self.left.push(status.message().as_bytes().to_vec());
        self.left.push(status.details().to_vec());
        let trailers = status.metadata().clone();
        self.headers(&trailers);
        let told = Outcome::Refused {
            sort: format!("{:?}", status.code()),
            words: status.message().to_owned(),
        };
        Answer { told, beside: self.beside, left: self.left }
    }
}

impl Wire {
    /// Signs in.
    pub async fn sign_in(address: SocketAddr, name: &str) -> Self {
        Self { client: Client::sign_in(address, name).await }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = self.client.inner.token().cloned().unwrap_or_default();
        let bearer = format!("Bearer {token}").parse().expect("a token is plain text");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// Asks through a door; `other` is somebody else's session on the same server.
    pub async fn ask(
        &mut self,
        door: Door,
        statement: &Statement,
        sql: &str,
        other: &mut Self,
    ) -> Answer {
        let mut seen = Seen::default();
        let asked = match door {
            Door::Prepared => self.prepared(statement, sql, &mut seen).await,
            Door::Described => self.described(sql, &mut seen).await,
            Door::Catalog(number) => self.catalog(number, &mut seen).await,
            Door::OldTicket => self.old_ticket(sql, &mut seen).await,
            Door::ForeignTicket => self.foreign_ticket(sql, other, &mut seen).await,
            Door::Statement | Door::InProcess(_) => self.statement(sql, &mut seen).await,
        };
        match asked {
            Ok(told) => Answer { told, beside: seen.beside, left: seen.left },
            Err(status) => seen.refused(&status),
        }
    }

    async fn info(&mut self, command: Vec<u8>, seen: &mut Seen) -> Result<FlightInfo, Status> {
        let request = self.request(FlightDescriptor::new_cmd(command));
        let response = self.client.inner.inner_mut().get_flight_info(request).await?;
        seen.headers(response.metadata());
        let info = response.into_inner();
        // How long a ticket is follows from the statement's own text and the time.
        let tickets: Vec<bool> = info.endpoint.iter().map(|end| end.ticket.is_some()).collect();
        let locations: usize = info.endpoint.iter().map(|end| end.location.len()).sum();
        seen.beside.push(format!(
            "{TICKET_GIVEN} rows {}, bytes {}, ordered {}, tickets {tickets:?}, locations {locations}, metadata {:?}",
            info.total_records, info.total_bytes, info.ordered, info.app_metadata
        ));
        seen.left.push(info.schema.to_vec());
        Ok(info)
    }

    async fn fetch(&mut self, info: &FlightInfo, seen: &mut Seen) -> Result<Outcome, Status> {
        let ticket = info.endpoint.first().and_then(|end| end.ticket.clone()).unwrap_or_default();
        self.take(ticket, seen).await
    }

    async fn take(&mut self, ticket: Ticket, seen: &mut Seen) -> Result<Outcome, Status> {
        let request = self.request(ticket);
        let response = self.client.inner.inner_mut().do_get(request).await?;
        seen.headers(response.metadata());
        let mut incoming = response.into_inner();
        let mut messages: Vec<FlightData> = Vec::new();
        while let Some(message) = incoming.message().await.inspect_err(|_| {
            // What came before the error has left as well.
            seen.left.extend(messages.iter().map(bytes_of));
        })? {
            messages.push(message);
        }
        if let Some(trailers) = incoming.trailers().await? {
            seen.headers(&trailers);
        }
        seen.left.extend(messages.iter().map(bytes_of));
        decoded(messages).await
    }

    async fn statement(&mut self, sql: &str, seen: &mut Seen) -> Result<Outcome, Status> {
        let info = self.info(query(sql), seen).await?;
        self.fetch(&info, seen).await
    }

    async fn old_ticket(&mut self, sql: &str, seen: &mut Seen) -> Result<Outcome, Status> {
        let info = self.info(query(sql), seen).await?;
        let between =
            self.info(query("SELECT count(*) FROM customer"), &mut Seen::default()).await?;
        self.fetch(&between, &mut Seen::default()).await?;
        // A ticket may be brought twice; the answer is made anew.
        self.fetch(&info, &mut Seen::default()).await?;
        self.fetch(&info, seen).await
    }

    async fn foreign_ticket(
        &mut self,
        sql: &str,
        other: &mut Self,
        seen: &mut Seen,
    ) -> Result<Outcome, Status> {
        let info = self.info(query(sql), seen).await?;
        other.fetch(&info, seen).await
    }

    async fn described(&mut self, sql: &str, seen: &mut Seen) -> Result<Outcome, Status> {
        let request = self.request(FlightDescriptor::new_cmd(query(sql)));
        let schema = self.client.inner.inner_mut().get_schema(request).await?;
        seen.headers(schema.metadata());
        seen.beside.push(format!("{:?}", schema.get_ref().schema));
        seen.left.push(schema.into_inner().schema.to_vec());
        let request = self.request(FlightDescriptor::new_cmd(query(sql)));
        let poll = self.client.inner.inner_mut().poll_flight_info(request).await?.into_inner();
        seen.beside.push(format!("{:?}", poll.progress));
        let info = poll.info.unwrap_or_default();
        self.fetch(&info, seen).await
    }

    async fn prepared(
        &mut self,
        statement: &Statement,
        sql: &str,
        seen: &mut Seen,
    ) -> Result<Outcome, Status> {
        let mut prepared = self.client.inner.prepare(sql.to_owned(), None).await.map_err(inner)?;
        seen.beside.push(format!(
            "{:?} {:?}",
            prepared.parameter_schema(),
            prepared.dataset_schema()
        ));
        let mut told = Outcome::default();
        for _ in 0..2 {
            if let Some((value, column_type)) = &statement.parameter {
                prepared.set_parameters(parameters(value, *column_type)).map_err(arrow_inner)?;
            }
            let info = prepared.execute().await.map_err(inner)?;
            told = self.fetch(&info, seen).await?;
        }
        let closed = prepared.close().await;
        closed.map_err(inner)?;
        Ok(told)
    }

    async fn catalog(&mut self, number: usize, seen: &mut Seen) -> Result<Outcome, Status> {
        let info = self.info(catalog_command(number), seen).await?;
        self.fetch(&info, seen).await
    }
}

fn query(sql: &str) -> Vec<u8> {
    any(&CommandStatementQuery { query: sql.to_owned(), transaction_id: None })
}

fn any(command: &impl ProstMessageExt) -> Vec<u8> {
    let any: Any = command.as_any();
    any.encode_to_vec()
}

fn catalog_command(number: usize) -> Vec<u8> {
    let table = |name: &str| CommandGetPrimaryKeys {
        table: name.into(),
        ..CommandGetPrimaryKeys::default()
    };
    let tables = |pattern: Option<&str>| CommandGetTables {
        include_schema: true,
        table_name_filter_pattern: pattern.map(String::from),
        ..CommandGetTables::default()
    };
    match number {
        0 => any(&CommandGetCatalogs {}),
        1 => any(&CommandGetDbSchemas::default()),
        2 => any(&tables(None)),
        3 => any(&tables(Some("%a%"))),
        4 => any(&table("customer")),
        5 => any(&table("payroll")),
        6 => any(&CommandGetTableTypes {}),
        7 => any(&CommandGetXdbcTypeInfo::default()),
        8 => any(&CommandGetSqlInfo::default()),
        9 => any(&CommandGetExportedKeys {
            table: "payroll".into(),
            ..CommandGetExportedKeys::default()
        }),
        10 => any(&CommandGetImportedKeys {
            table: "entry".into(),
            ..CommandGetImportedKeys::default()
        }),
        _ => any(&CommandGetCrossReference {
            pk_table: "customer".into(),
            fk_table: "entry".into(),
            ..CommandGetCrossReference::default()
        }),
    }
}

/// The rows that messages carry, decompressed where they were not plain.
async fn decoded(messages: Vec<FlightData>) -> Result<Outcome, Status> {
    let bytes = messages.iter().map(bytes_of).collect();
    let mut rows =
        FlightRecordBatchStream::new_from_flight_data(stream::iter(messages.into_iter().map(Ok)));
    let mut batches: Vec<RecordBatch> = Vec::new();
    while let Some(batch) = rows.try_next().await.map_err(inner)? {
        batches.push(batch);
    }
    let schema = rows.schema().cloned().unwrap_or_else(|| arrow::datatypes::Schema::empty().into());
    Ok(Outcome::Rows { schema, batches, messages: bytes })
}

/// The status that a client's error wraps.
fn inner(error: arrow_flight::error::FlightError) -> Status {
    match error {
        arrow_flight::error::FlightError::Tonic(status) => *status,
        other => Status::unknown(other.to_string()),
    }
}

fn arrow_inner(error: impl std::fmt::Display) -> Status {
    Status::unknown(error.to_string())
}
