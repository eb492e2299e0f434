//! How a command ends: one failure type, one function that prints it, one exit code.
//!
//! A failure says what happened, where, and what to do; its exit code comes from the kind
//! alone. Must never print a customer's value or a password, and never panic.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use arrow_flight::error::FlightError;
use martlet_core::{ErrorKind, Kinded};
use tonic::{Code, Status};

use super::terminal::note;

/// The exit code of a command line that cannot be understood (`EX_USAGE` of BSD's `sysexits.h`).
pub(crate) const USAGE: u8 = 64;

/// Why a command ended without doing what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    /// From the outermost (what was being done) to the innermost (what went wrong).
    chain: Vec<String>,
    advice: Option<String>,
    ending: Ending,
}

/// Whether a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It is.
    Told,
    /// Whoever read the output has seen enough, and nobody asked for more.
    Unread,
}

impl Failure {
    /// A failure that the command found itself.
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, chain: vec![what.into()], advice: None, ending: Ending::Told }
    }

    /// The input has to be corrected.
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, what)
    }

    /// A file or folder could not be used.
    pub(crate) fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
            .during(format!("{doing} `{}`", path.display()))
            .advise("check the path, its permissions and the free space, then try again")
    }

    /// The output could not be written. That its reader left early (`| head`) is no failure,
    /// but ends the command.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        let gone = error.kind() == std::io::ErrorKind::BrokenPipe;
        let failure = Self::new(ErrorKind::Retry, error.to_string())
            .during("the answer could not be written");
        Self { ending: if gone { Ending::Unread } else { Ending::Told }, ..failure }
    }

    /// A server's answer that is not OK.
    pub(crate) fn status(status: &Status) -> Self {
        // What a server says has no cause on this side: this one never came from a server.
        if std::error::Error::source(status).is_some() {
            return Self::new(ErrorKind::Retry, one_line(status.message()))
                .during("the connection broke")
                .advise("check --port, and give --tls-ca if the server speaks TLS");
        }
        let failure = Self::new(kind_of_status(status.code()), one_line(status.message()));
        match status.code() {
            Code::Unauthenticated => failure.advise("check --user and the password"),
            Code::Unavailable => {
                failure.advise("check --host and --port, and that `martlet serve` is running there")
            }
            _ => failure,
        }
    }

    /// Adds, in front, what was being done.
    pub(crate) fn during(mut self, what: impl Into<String>) -> Self {
        self.chain.insert(0, what.into());
        self
    }

    /// Says what to do in place of the kind's own words.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The kind of the failure.
    pub(crate) const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The text as printed, without styles: one line for what happened, one for each cause,
    /// one for what to do.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut told: Vec<&str> = Vec::new();
        for part in &self.chain {
            // Some errors repeat their cause in their own words; once is enough.
            if told.iter().any(|earlier| earlier.contains(part.as_str())) {
                continue;
            }
            text.push_str(if told.is_empty() { "error: " } else { "  because: " });
            text.push_str(part);
            text.push('\n');
            told.push(part);
        }
        text.push_str("  what to do: ");
        text.push_str(self.advice.as_deref().unwrap_or_else(|| self.kind.advice()));
        text
    }
}

impl<E: Kinded> From<E> for Failure {
    fn from(error: E) -> Self {
        let kind = error.kind();
        Self { kind, chain: causes(&error), advice: None, ending: Ending::Told }
    }
}

/// A failure of the Flight client, which is a status wherever the server said something.
pub(crate) fn flight(error: FlightError) -> Failure {
    match error {
        FlightError::Tonic(status) => Failure::status(&status),
        other => Failure::new(ErrorKind::Retry, one_line(&other.to_string()))
            .during("the server's answer could not be read"),
    }
}

/// Prints the failure to standard error and gives the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    if failure.ending == Ending::Unread {
        return ExitCode::SUCCESS;
    }
    note!("{}", failure.text());
    ExitCode::from(failure.kind.exit_code())
}

/// The kind that a Flight status stands for.
pub(crate) const fn kind_of_status(code: Code) -> ErrorKind {
    match code {
        Code::Ok | Code::Cancelled | Code::Aborted | Code::Unavailable => ErrorKind::Retry,
        Code::DeadlineExceeded | Code::ResourceExhausted => ErrorKind::Exhausted,
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::AlreadyExists
        | Code::Unimplemented => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => ErrorKind::Denied,
        Code::DataLoss => ErrorKind::Damaged,
        Code::Internal | Code::Unknown => ErrorKind::Bug,
    }
}

fn causes(error: &(dyn Error + '_)) -> Vec<String> {
    let mut chain = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        chain.push(inner.to_string());
        cause = inner.source();
    }
    chain
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "the server gave no reason".to_owned() } else { line }
}

#[cfg(test)]
#[path = "exit_tests.rs"]
mod tests;
