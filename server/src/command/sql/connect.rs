//! The way to a server: address, TLS, sign-in, statements and metadata over Flight SQL.
//!
//! Receives: SQL text from the shell and the demo. Hands on: record batches to `print`.
//! Must never send a password over a network in clear, nor print one.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::CommandGetTables;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{FlightInfo, HandshakeRequest, Ticket};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::{StreamExt as _, stream};
use martlet_core::ErrorKind;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};

use crate::command::exit::{Failure, flight};

/// The largest message of the server that is taken: one record batch of wide rows.
const MESSAGE_BYTES_MAX: usize = 256 * 1024 * 1024;

const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Where the server listens, and how its certificate is proven.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Host name or IP address.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// PEM file of the authority that signed the server's certificate; without it, no TLS.
    pub(crate) tls_ca: Option<PathBuf>,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// The principal's name.
    pub(crate) user: String,
    /// The password, which `Debug` does not show.
    pub(crate) password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A signed-in connection. When its token expires it signs in again, once per request.
#[derive(Debug)]
pub(crate) struct Client {
    sql: FlightSqlServiceClient<Channel>,
    credentials: Credentials,
}

impl Client {
    /// Connects and signs in.
    pub(crate) async fn connect(
        address: &Address,
        credentials: Credentials,
    ) -> Result<Self, Failure> {
        let channel = address.channel().await?;
        let service =
            FlightServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let mut client = Self { sql: FlightSqlServiceClient::new_from_inner(service), credentials };
        client.sign_in().await?;
        Ok(client)
    }

    /// The name that the connection is signed in with.
    pub(crate) fn user(&self) -> &str {
        &self.credentials.user
    }

    /// Plans a statement. Rows are read as the answer is.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        let mut info = self.sql.execute(sql.to_owned(), None).await;
        if is_signed_out(&info) {
            self.sign_in().await?;
            info = self.sql.execute(sql.to_owned(), None).await;
        }
        self.answer(info.map_err(flight)?)
    }

    /// The tables that the principal may know of, with their columns' schema.
    pub(crate) async fn tables(&mut self) -> Result<Vec<RecordBatch>, Failure> {
        let request = || CommandGetTables { include_schema: true, ..Default::default() };
        let mut info = self.sql.get_tables(request()).await;
        if is_signed_out(&info) {
            self.sign_in().await?;
            info = self.sql.get_tables(request()).await;
        }
        self.answer(info.map_err(flight)?)?.collect().await
    }

    fn answer(&self, info: FlightInfo) -> Result<Answer, Failure> {
        let schema = info.clone().try_decode_schema().map_err(|error| flight(error.into()))?;
        let tickets = info.endpoint.into_iter().filter_map(|endpoint| endpoint.ticket).collect();
        Ok(Answer { schema: schema.into(), sql: self.sql.clone(), tickets, rows: None })
    }

    /// The handshake, by hand: the stock client's turns the server's status into a text.
    async fn sign_in(&mut self) -> Result<(), Failure> {
        let Credentials { user, password } = &self.credentials;
        let doing = format!("signing in as `{user}`");
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let header = basic.parse().map_err(|_| unreadable_token().during(doing.clone()))?;
        let mut request = Request::new(stream::iter([HandshakeRequest::default()]));
        request.metadata_mut().insert("authorization", header);
        let refused = |status| Failure::status(&status).during(doing.clone());
        let mut answer = self.sql.inner_mut().handshake(request).await.map_err(refused)?;
        let token = bearer(answer.metadata()).ok_or_else(unreadable_token)?;
        while answer.get_mut().message().await.map_err(refused)?.is_some() {}
        self.sql.set_token(token);
        Ok(())
    }
}

impl Address {
    async fn channel(&self) -> Result<Channel, Failure> {
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let scheme = if self.tls_ca.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{host}:{}", self.port);
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|error| Failure::invalid(error.to_string()).during(format!("address {url}")))?
            .connect_timeout(CONNECT_WAIT);
        let endpoint = self.secured(endpoint)?;
        endpoint.connect().await.map_err(|error| {
            Failure::new(ErrorKind::Retry, innermost(&error))
                .during(format!("connecting to {url}"))
                .advise(
                    "check --host, --port and --tls-ca, and that `martlet serve` is running there",
                )
        })
    }

    fn secured(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        let Some(file) = &self.tls_ca else {
            return if self.is_loopback() { Ok(endpoint) } else { Err(self.in_clear()) };
        };
        let pem =
            std::fs::read(file).map_err(|error| Failure::file("reading --tls-ca", file, &error))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint.tls_config(tls).map_err(|error| {
            Failure::invalid(innermost(&error))
                .during(format!("the authority in `{}` cannot be used", file.display()))
        })
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn in_clear(&self) -> Failure {
        Failure::invalid(format!(
            "the password would cross the network to `{}` in clear",
            self.host
        ))
        .advise("give --tls-ca FILE, the authority that signed the server's certificate")
    }
}

/// The rows of a statement, read as they are asked for; dropping it cancels the rest.
#[derive(Debug)]
pub(crate) struct Answer {
    schema: SchemaRef,
    sql: FlightSqlServiceClient<Channel>,
    tickets: VecDeque<Ticket>,
    rows: Option<FlightRecordBatchStream>,
}

impl Answer {
    /// The answer's columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; `None` when there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Failure> {
        loop {
            if let Some(rows) = &mut self.rows {
                match rows.next().await {
                    Some(batch) => return batch.map(Some).map_err(flight),
                    None => self.rows = None,
                }
            }
            let Some(ticket) = self.tickets.pop_front() else { return Ok(None) };
            self.rows = Some(self.sql.do_get(ticket).await.map_err(flight)?);
        }
    }

    /// All rows at once, for answers known to be small.
    pub(crate) async fn collect(mut self) -> Result<Vec<RecordBatch>, Failure> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }
}

fn is_signed_out<T>(outcome: &Result<T, FlightError>) -> bool {
    matches!(outcome, Err(FlightError::Tonic(status)) if status.code() == Code::Unauthenticated)
}

fn bearer(metadata: &tonic::metadata::MetadataMap) -> Option<String> {
    let header = metadata.get("authorization")?.to_str().ok()?;
    header.strip_prefix("Bearer ").map(str::to_owned)
}

fn unreadable_token() -> Failure {
    Failure::new(ErrorKind::Bug, "the handshake brought no bearer token")
        .advise("check that --port is a Flight SQL server's")
}

/// A transport error's own text says only that there is one; its cause says which.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str) -> Address {
        Address { host: host.to_owned(), port: 1, tls_ca: None }
    }

    #[test]
    fn only_loopback_needs_no_tls() {
        for host in ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"] {
            assert!(address(host).is_loopback(), "{host}");
        }
        for host in ["10.0.0.1", "mart.bank", "localhost.bank", "0.0.0.0", "::"] {
            assert!(!address(host).is_loopback(), "{host}");
            let endpoint = Endpoint::from_static("http://10.0.0.1:1");
            assert!(address(host).secured(endpoint).is_err(), "{host}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let credentials = Credentials { user: "eva".into(), password: "hush".into() };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
