//! What is told of an answer before its rows: its schema, and where to fetch it.
//!
//! Only puts into Flight's words what `statement` and `metadata` have recorded already. Never
//! says how many rows there are: nobody knows before they were filtered.

use arrow::datatypes::Schema;
use arrow_flight::{
    FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket as FlightTicket,
};
use arrow_ipc::writer::IpcWriteOptions;
use bytes::Bytes;
use tonic::Status;

use super::status;

/// A `FlightInfo` with one endpoint on this connection, without a number of rows.
pub(crate) fn info(
    schema: &Schema,
    ticket: Bytes,
    descriptor: FlightDescriptor,
) -> Result<FlightInfo, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(FlightTicket::new(ticket));
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(|_| status::bug("a wire schema can be encoded"))?;
    Ok(info
        .with_descriptor(descriptor)
        .with_endpoint(endpoint)
        .with_total_records(-1)
        .with_total_bytes(-1))
}

/// A schema as one encapsulated IPC message.
pub(crate) fn schema_message(schema: &Schema) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &options)
        .try_into()
        .map_err(|_| status::bug("a wire schema can be encoded"))?;
    Ok(bytes)
}
