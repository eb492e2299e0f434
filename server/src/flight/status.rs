//! From an error's kind to a gRPC status.
//!
//! Owns the one table of codes. Must never put more into a status than the error's own text,
//! which is safe to show; causes go to the log, where only the operator reads them.

use std::error::Error;

use martlet_core::{ErrorKind, Kinded};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::running::CANCELLED_AT_ONCE_MAX;
use super::ticket::StatementId;
use crate::authenticate::Refused;
use crate::random::NoEntropy;

/// The trailer (and, on success, header) that names a statement, so that a user's complaint
/// and the audit record find each other.
pub(crate) const STATEMENT_ID: &str = "x-martlet-statement-id";
/// Bytes of a message at most: it travels in a header, which clients bound.
const MESSAGE_BYTES_MAX: usize = 2 * 1024;

/// The code that tells a client what the kind tells a person.
pub(crate) const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Retry => Code::Unavailable,
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::Denied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Damaged => Code::DataLoss,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Bug => Code::Internal,
    }
}

/// The status of an error that knows its kind.
pub(crate) fn of(error: &impl Kinded) -> Status {
    let kind = error.kind();
    if matches!(kind, ErrorKind::Damaged | ErrorKind::Bug | ErrorKind::Retry) {
        tracing::error!(%kind, error = %error, causes = %causes(error), "a request failed");
    }
    Status::new(code(kind), bounded(error.to_string()))
}

/// Names the statement in the status's trailers.
pub(crate) fn naming(mut status: Status, statement: StatementId) -> Status {
    if let Ok(value) = MetadataValue::try_from(statement.to_string()) {
        status.metadata_mut().insert(STATEMENT_ID, value);
    }
    status
}

/// A promise of the server's own was broken; the text names no data.
pub(crate) fn bug(promise: &'static str) -> Status {
    tracing::error!(promise, "an internal promise was broken");
    Status::internal(format!("an internal promise was broken ({promise})"))
}

/// The one answer to everything that cannot be decoded.
pub(crate) fn malformed() -> Status {
    Status::invalid_argument("the request cannot be understood: it is not a Flight SQL message")
}

/// The one answer to every ticket or handle that is not the caller's own, still valid one.
pub(crate) fn unknown_ticket() -> Status {
    Status::not_found("there is no such ticket or statement, or it has expired: ask for it again")
}

/// The answer to a cancel that would keep the server busy by itself.
pub(crate) fn too_many_tickets() -> Status {
    Status::invalid_argument(format!(
        "more than {CANCELLED_AT_ONCE_MAX} tickets are to be cancelled at once: send them in parts"
    ))
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::NoCredentials | Refused::WrongCredentials | Refused::NoSession => {
                Code::Unauthenticated
            }
            Refused::TooMany => Code::ResourceExhausted,
            Refused::Unchecked => Code::Unavailable,
        };
        Self::new(code, refused.to_string())
    }
}

impl From<NoEntropy> for Status {
    fn from(error: NoEntropy) -> Self {
        Self::unavailable(error.to_string())
    }
}

fn causes(error: &dyn Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.join(": ")
}

fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
