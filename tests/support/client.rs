//! The stock Flight SQL client of arrow-flight, signed in as one principal.

use std::net::SocketAddr;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow_flight::FlightInfo;
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use tonic::transport::{Channel, Endpoint};

use super::mart::PASSWORD;

/// One signed-in client.
pub(crate) struct Client {
    pub(crate) inner: FlightSqlServiceClient<Channel>,
}

impl Client {
    /// A client that has not signed in.
    pub(crate) async fn anonymous(address: SocketAddr) -> Self {
        let channel =
            Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { inner: FlightSqlServiceClient::new(channel) }
    }

    pub(crate) async fn sign_in(address: SocketAddr, name: &str) -> Self {
        let mut client = Self::anonymous(address).await;
        client.inner.handshake(name, PASSWORD).await.unwrap();
        client
    }

    /// Plans and fetches a statement.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Vec<RecordBatch>, ArrowError> {
        let info = self.inner.execute(sql.to_string(), None).await.map_err(outside)?;
        self.fetch(info).await
    }

    /// Fetches every endpoint; checks that the schema is the announced one.
    pub(crate) async fn fetch(&mut self, info: FlightInfo) -> Result<Vec<RecordBatch>, ArrowError> {
        let announced = info.clone().try_decode_schema()?;
        let mut batches = Vec::new();
        for endpoint in info.endpoint {
            let ticket = endpoint.ticket.unwrap();
            let mut stream = self.inner.do_get(ticket).await.map_err(outside)?;
            while let Some(batch) = stream.try_next().await.map_err(outside)? {
                assert_eq!(*batch.schema(), announced, "FlightInfo and DoGet differ");
                batches.push(batch);
            }
            assert_eq!(
                stream.schema().map(|schema| schema.as_ref().clone()),
                Some(announced.clone()),
                "an empty result keeps its schema"
            );
        }
        Ok(batches)
    }

    /// The single number of a query that gives one.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        use arrow::array::AsArray;
        use arrow::datatypes::Int64Type;
        let batches = self.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).expect("one row");
        batch.column(0).as_primitive::<Int64Type>().value(0)
    }

    /// Every value of the first column as text.
    pub(crate) async fn texts(&mut self, sql: &str) -> Vec<String> {
        let batches = self.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        batches.iter().flat_map(column_texts).collect()
    }
}

fn outside(error: arrow_flight::error::FlightError) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}

fn column_texts(batch: &RecordBatch) -> Vec<String> {
    let column = batch.column(0);
    (0..column.len())
        .map(|row| arrow::util::display::array_value_to_string(column, row).unwrap())
        .collect()
}
