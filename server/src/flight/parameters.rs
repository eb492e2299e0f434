//! Parameters: from an upload to one row, and from a ticket back.
//!
//! Owns the bounds on what a client may bind. Must never trust the upload (it is decoded in a
//! task of its own, whose panic is an error), and never repeat a value.
//!
//! Receives: a `DoPut` stream of Flight data.
//! Hands on: one row in the client's types; `martlet-query` converts it to the declared ones.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tonic::Status;

use super::status::{bug, malformed};

/// Bytes of one bound row at most, as encoded.
const BOUND_BYTES_MAX: usize = 1024 * 1024;

/// Reads the one row that an upload binds. No row takes earlier parameters back.
///
/// `upload` begins with the message that carried the descriptor and the schema.
pub(crate) async fn read_upload(
    upload: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Result<Bytes, Status> {
    // The decoder reads what a stranger wrote: should it panic, only this task ends.
    let decoded = tokio::spawn(async move { one_row(upload).await });
    match decoded.await.map_err(|_| malformed())?? {
        Some(row) => to_bytes(&row),
        None => Ok(Bytes::new()),
    }
}

async fn one_row(
    upload: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Result<Option<RecordBatch>, Status> {
    let bounded = upload.scan(0, |bytes, message| {
        let checked = message.and_then(|data| {
            *bytes += data.data_header.len() + data.data_body.len();
            if *bytes <= BOUND_BYTES_MAX { Ok(data) } else { Err(too_large()) }
        });
        futures::future::ready(Some(checked.map_err(|status| FlightError::Tonic(Box::new(status)))))
    });
    let mut batches = FlightRecordBatchStream::new_from_flight_data(bounded);
    let mut row = None;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(of_upload)?;
        match (batch.num_rows(), &row) {
            (0, _) => {}
            (1, None) => row = Some(batch),
            _ => return Err(too_many_rows()),
        }
    }
    Ok(row)
}

fn of_upload(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        _ => malformed(),
    }
}

fn too_large() -> Status {
    Status::invalid_argument(format!("the parameters are larger than {BOUND_BYTES_MAX} bytes"))
}

fn too_many_rows() -> Status {
    Status::invalid_argument(
        "more than one row of parameters was bound: a query takes one row; run it once for each",
    )
}

fn to_bytes(row: &RecordBatch) -> Result<Bytes, Status> {
    let encode = || {
        let mut writer = StreamWriter::try_new(Vec::new(), row.schema_ref())?;
        writer.write(row)?;
        writer.into_inner()
    };
    encode().map(Bytes::from).map_err(|_| {
        Status::invalid_argument("a parameter has a type that cannot be used: bind plain types")
    })
}

/// Reads back what [`read_upload`] gave; `None` where nothing was bound.
pub(crate) fn from_bytes(bytes: &Bytes) -> Result<Option<RecordBatch>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let unreadable = || bug("bound parameters can be read back");
    let mut reader = StreamReader::try_new(bytes.as_ref(), None).map_err(|_| unreadable())?;
    let row = reader.next().ok_or_else(unreadable)?.map_err(|_| unreadable())?;
    Ok(Some(row))
}

/// One bound row as a list of SQL constants, for the record.
pub(crate) fn as_text(row: &RecordBatch) -> String {
    let values: Vec<String> = row.columns().iter().map(constant).collect();
    format!("({})", values.join(", "))
}

fn constant(column: &ArrayRef) -> String {
    if column.is_null(0) || *column.data_type() == DataType::Null {
        return "NULL".into();
    }
    let options = FormatOptions::default().with_display_error(true);
    let value = ArrayFormatter::try_new(column, &options).map(|texts| texts.value(0).to_string());
    match (column.data_type(), value) {
        (data_type, Ok(value)) if data_type.is_numeric() || *data_type == DataType::Boolean => {
            value
        }
        (_, Ok(value)) => format!("'{}'", value.replace('\'', "''")),
        // A type that has no text cannot be compared with anything either.
        (data_type, Err(_)) => format!("<{data_type}>"),
    }
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
