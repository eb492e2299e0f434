//! What can go wrong with stored data, and what each case asks of the reader.
//!
//! Texts name objects, tables and columns; never a cell's value.

use martlet_core::{CommitId, ErrorKind, Kinded, SegmentId, SnapshotNumber, TableName};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Stored bytes are missing, or are not those that were written.
    #[error("`{object}` is damaged: {what}; restore it from a backup")]
    Damaged {
        /// The object's path in the mart.
        object: String,
        /// What does not fit.
        what: String,
    },
    /// An object of a later Martlet.
    #[error(
        "`{object}` needs a newer Martlet ({what}); use the version that wrote it, or a later one"
    )]
    NewerFormat {
        /// The object's path in the mart.
        object: String,
        /// What this version does not know.
        what: String,
    },
    /// No such snapshot.
    #[error("there is no snapshot {number}; `martlet snapshot list` names those that exist")]
    NoSnapshot {
        /// The number asked for.
        number: SnapshotNumber,
    },
    /// The storage refused or failed.
    #[error("cannot {action} `{object}`: {reason}")]
    Access {
        /// What was tried: `read`, `write`, `list`, `delete`.
        action: &'static str,
        /// The object's path in the mart.
        object: String,
        /// The innermost cause, in the storage's words.
        reason: String,
        /// What to do about it.
        kind: ErrorKind,
        /// The storage's error.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The place given cannot hold a mart.
    #[error("`{location}` cannot hold a mart: {reason}")]
    Location {
        /// The URL or folder given.
        location: String,
        /// Why not.
        reason: String,
    },
    /// Rows or a table that the store does not take.
    #[error("table `{table}`: {what}")]
    Refused {
        /// The table.
        table: TableName,
        /// What to correct.
        what: String,
    },
    /// What a commit changes of a segment, another commit changed or removed meanwhile.
    #[error(
        "table `{table}`: segment {segment} was changed or removed since these changes were made; \
         make them again on the latest snapshot"
    )]
    Superseded {
        /// The table.
        table: TableName,
        /// The segment.
        segment: SegmentId,
    },
    /// A batch's label that is not well formed.
    #[error("batch label: {reason}")]
    Label {
        /// Why not.
        reason: String,
    },
    /// The snapshot was not published, and is not there.
    #[error("snapshot {number} was not published: {reason}; the mart is as it was, try again")]
    NotPublished {
        /// The number that the snapshot would have had.
        number: SnapshotNumber,
        /// What the storage answered last.
        reason: String,
    },
    /// The reply was lost and the outcome could not be read back.
    #[error(
        "it is not known whether snapshot {number} was published (commit {commit}): {reason}; \
         nothing was removed. Try again: a batch that is already there is not loaded twice"
    )]
    OutcomeUnknown {
        /// The number that the snapshot would have.
        number: SnapshotNumber,
        /// The id by which the commit can be recognised.
        commit: CommitId,
        /// What the storage answered last.
        reason: String,
    },
    /// A caller broke a rule of this crate.
    #[error("the store was used wrongly: {what}")]
    Misuse {
        /// Which rule.
        what: String,
    },
}

impl StoreError {
    pub(crate) fn damaged(object: &str, what: impl Into<String>) -> Self {
        Self::Damaged { object: object.to_owned(), what: what.into() }
    }

    pub(crate) fn misuse(what: impl Into<String>) -> Self {
        Self::Misuse { what: what.into() }
    }

    pub(crate) fn access(action: &'static str, object: &str, source: object_store::Error) -> Self {
        Self::Access {
            action,
            object: object.to_owned(),
            reason: innermost_reason(&source),
            kind: access_kind(&source),
            source: Box::new(source),
        }
    }
}

impl Kinded for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } => ErrorKind::Damaged,
            Self::NoSnapshot { .. } => ErrorKind::NotFound,
            Self::NewerFormat { .. }
            | Self::Location { .. }
            | Self::Refused { .. }
            | Self::Label { .. } => ErrorKind::Invalid,
            Self::Access { kind, .. } => *kind,
            Self::Superseded { .. } | Self::NotPublished { .. } | Self::OutcomeUnknown { .. } => {
                ErrorKind::Retry
            }
            Self::Misuse { .. } => ErrorKind::Bug,
        }
    }
}

/// The text at the end of an error's chain of causes: what the operating system or the remote
/// store said.
pub(crate) fn innermost_reason(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// A full disk asks for room, missing permissions for a correction; all else may pass.
fn access_kind(error: &object_store::Error) -> ErrorKind {
    use std::io::ErrorKind as Io;
    let full = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), Io::StorageFull | Io::QuotaExceeded));
    match error {
        _ if full => ErrorKind::Exhausted,
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. }
        | object_store::Error::NotImplemented { .. }
        | object_store::Error::NotSupported { .. }
        | object_store::Error::UnknownConfigurationKey { .. } => ErrorKind::Invalid,
        _ => ErrorKind::Retry,
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |cause| cause.source())
}
