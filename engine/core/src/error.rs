//! The public kinds of error. A kind says what the reader of the message should do next.
//!
//! Every crate keeps its own detailed error type and maps each variant to one kind here;
//! exit codes, Flight statuses and retry decisions are made from the kind alone.

use std::fmt;

/// What to do about an error. There is deliberately no "other".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Nothing is wrong with the request: try again.
    Retry,
    /// The input (a file, a statement, an option) has to be corrected first.
    Invalid,
    /// The principal is known and may not do this. Used only for things whose existence
    /// the principal may know; otherwise [`ErrorKind::NotFound`].
    Denied,
    /// There is no such thing, or none that the principal may know of.
    NotFound,
    /// Stored bytes are not what was written: call the operator.
    Damaged,
    /// A limit (memory, rows, time, concurrency) was reached.
    Exhausted,
    /// A promise of Martlet's own was broken: call the developers.
    Bug,
}

impl ErrorKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 7] = [
        Self::Retry,
        Self::Invalid,
        Self::Denied,
        Self::NotFound,
        Self::Damaged,
        Self::Exhausted,
        Self::Bug,
    ];

    /// The process exit code: 75 (try again), 65 (fix the input) or 70 (call someone), after
    /// BSD's `sysexits.h`; 77 when permission is missing.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Retry | Self::Exhausted => 75,
            Self::Invalid | Self::NotFound => 65,
            Self::Denied => 77,
            Self::Damaged | Self::Bug => 70,
        }
    }

    /// What the reader of the message should do, in a few words.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Retry => "try again",
            Self::Invalid => "correct the input and try again",
            Self::Denied => "ask the security officer for the grant",
            Self::NotFound => "check the name",
            Self::Damaged => "call the operator: stored data are damaged",
            Self::Exhausted => "ask for less, or try again later",
            Self::Bug => "call Martlet's developers: a promise was broken",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Retry => "retry",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::NotFound => "not found",
            Self::Damaged => "damaged",
            Self::Exhausted => "exhausted",
            Self::Bug => "bug",
        })
    }
}

/// An error that knows its kind.
pub trait Kinded: std::error::Error {
    /// The kind of this error.
    fn kind(&self) -> ErrorKind;
}
