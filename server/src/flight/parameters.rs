//! Parameters: from an upload to one row, and from a ticket back.
//!
//! Owns the bounds on what a client may bind. Must never trust the upload (it is decoded in a
//! task of its own, whose panic is an error), never make room because the upload says how much it
//! needs, and never repeat a value.
//!
//! Receives: a `DoPut` stream of Flight data.
//! Hands on: one row in the client's types; `martlet-query` converts it to the declared ones, and
//! that row goes on record.

use std::time::Duration;

use arrow::array::{Array, ArrayData, ArrayRef};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_flight::FlightData;
use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tonic::Status;

use super::status::{bug, malformed};
use crate::audit::PARAMETER_BYTES_KEPT;

/// Bytes of one bound row at most, as encoded.
const BOUND_BYTES_MAX: usize = 1024 * 1024;

/// Reads the one row that an upload binds. No row takes earlier parameters back.
///
/// `upload` begins with the message that carried the descriptor and the schema; it has to end
/// within `patience`.
pub(crate) async fn read_upload(
    upload: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    patience: Duration,
) -> Result<Bytes, Status> {
    // The decoder reads what a stranger wrote: should it panic, only this task ends.
    let decoded = tokio::spawn(tokio::time::timeout(patience, one_row(upload)));
    match decoded.await.map_err(|_| malformed())?.map_err(|_| too_slow(patience))?? {
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
            if *bytes > BOUND_BYTES_MAX {
                return Err(too_large());
            }
            holds_what_it_says(&data).map(|()| data)
        });
        futures::future::ready(Some(checked.map_err(|status| FlightError::Tonic(Box::new(status)))))
    });
    let mut messages = FlightDataDecoder::new(bounded);
    let mut row = None;
    while let Some(message) = messages.next().await {
        let batch = match message.map_err(of_upload)?.payload {
            DecodedPayload::None => continue,
            // Before the first row of it is decoded.
            DecodedPayload::Schema(schema) if is_plain(&schema) => continue,
            DecodedPayload::Schema(_) => return Err(not_plain()),
            DecodedPayload::RecordBatch(batch) => batch,
        };
        let held = batch.columns().iter().map(|column| bytes_of(&column.to_data()));
        if held.fold(0, usize::saturating_add) > BOUND_BYTES_MAX {
            return Err(too_large());
        }
        match (batch.num_rows(), &row) {
            (0, _) => {}
            (1, None) => row = Some(batch),
            _ => return Err(too_many_rows()),
        }
    }
    Ok(row)
}

/// Refuses values that take more room than they came with: packed ones, of which the sender says
/// how large they are and could say anything, and buffers that share their bytes, each of which
/// would be copied.
fn holds_what_it_says(data: &FlightData) -> Result<(), Status> {
    // What is no message is refused by the decoder.
    let Ok(message) = arrow_ipc::root_as_message(&data.data_header) else { return Ok(()) };
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|values| values.data());
    let Some(rows) = message.header_as_record_batch().or_else(of_dictionary) else {
        return Ok(());
    };
    if rows.compression().is_some() {
        return Err(compressed());
    }
    let lengths = rows.buffers().into_iter().flatten().map(|buffer| buffer.length());
    let said = lengths.fold(0_i64, |all, length| all.saturating_add(length.max(0)));
    let came = i64::try_from(data.data_body.len()).unwrap_or(i64::MAX);
    if said <= came { Ok(()) } else { Err(malformed()) }
}

/// The bytes of an array with all that it refers to, as often as it does: a dictionary that many
/// columns share is written for each of them.
fn bytes_of(array: &ArrayData) -> usize {
    let own: usize = array.buffers().iter().map(Buffer::len).sum();
    array.child_data().iter().fold(own, |all, child| all.saturating_add(bytes_of(child)))
}

/// Whether all columns are of single values: one row of lists can be as long as it says.
fn is_plain(schema: &Schema) -> bool {
    schema.fields().iter().all(|field| match field.data_type() {
        DataType::Dictionary(_, values) => is_single(values),
        other => is_single(other),
    })
}

fn is_single(data_type: &DataType) -> bool {
    !data_type.is_nested()
        && !matches!(data_type, DataType::Dictionary(..) | DataType::RunEndEncoded(..))
}

fn of_upload(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        _ => malformed(),
    }
}

pub(super) fn too_large() -> Status {
    Status::invalid_argument(format!("the parameters are larger than {BOUND_BYTES_MAX} bytes"))
}

fn too_slow(patience: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "the parameters took longer than {} seconds to arrive",
        patience.as_secs()
    ))
}

fn compressed() -> Status {
    Status::invalid_argument("the parameters are compressed: bind them as they are")
}

fn not_plain() -> Status {
    Status::invalid_argument("a parameter is a list or has fields: bind single values")
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

/// Whether the record keeps the whole text of a row.
pub(crate) fn goes_on_record(row: &RecordBatch) -> bool {
    as_text(row).len() <= PARAMETER_BYTES_KEPT
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
