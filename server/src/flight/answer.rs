//! What a response carries beside its body: the caller's next token, and which statement it is of.
//!
//! Headers only; never a row and never a refusal.

use tonic::Response;
use tonic::metadata::{Ascii, MetadataValue};

use super::deliver::Messages;
use super::status::STATEMENT_ID;
use super::ticket::StatementId;
use crate::authenticate::Caller;

/// A response that carries the successor of the caller's token, where that is old.
pub(super) fn answered<T>(caller: &Caller, answer: T) -> Response<T> {
    let mut response = Response::new(answer);
    let bearer = caller.successor.as_ref().and_then(|token| bearer(token.text()));
    if let Some(bearer) = bearer {
        response.metadata_mut().insert("authorization", bearer);
    }
    response
}

/// A token as a header, which is not to be printed.
pub(super) fn bearer(token: &str) -> Option<MetadataValue<Ascii>> {
    let mut bearer = MetadataValue::try_from(format!("Bearer {token}")).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// A response that names its statement in the headers.
pub(super) fn of_statement(
    caller: &Caller,
    id: StatementId,
    messages: Messages,
) -> Response<Messages> {
    let mut response = answered(caller, messages);
    if let Ok(value) = MetadataValue::try_from(id.to_string()) {
        response.metadata_mut().insert(STATEMENT_ID, value);
    }
    response
}
