//! One record of the journal and its form as a line of JSON.
//!
//! Owns the fields and their bounds. Must never hold a value of a result: what the principal
//! wrote (text and parameters) and the names it touched are all that is kept of a question.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_query::Mart;
use serde::{Deserialize, Serialize};

use crate::random::{self, NoEntropy};

/// Bytes of a statement that are kept: all of any that can run.
const STATEMENT_BYTES_KEPT: usize = STATEMENT_BYTES_MAX;
/// Bytes of its parameters, as text, that are kept.
pub(crate) const PARAMETER_BYTES_KEPT: usize = STATEMENT_BYTES_MAX;
/// Bytes of each that are kept of what was refused: whoever is refused could go on and fill the
/// disk, and of what shows nothing the beginning, the length and the digest are enough.
const REFUSED_BYTES_KEPT: usize = 16 * 1024;
/// Bytes from which on a text or parameters that their principal's records have whole already are not
/// written again: whoever asks by a handle of a few bytes could fill the disk with them.
const REPEATED_BYTES_MAX: usize = 4 * 1024;
/// Bytes of each that are kept of what is repeated.
const REPEATED_BYTES_KEPT: usize = 1024;
/// Bytes of a statement that `system.audit_record` shows; the file has the rest.
const STATEMENT_BYTES_SHOWN: usize = 64 * 1024;
/// Bytes of its parameters that `system.audit_record` shows.
const PARAMETER_BYTES_SHOWN: usize = 4 * 1024;

/// What a sign-in is recorded as. It is no SQL, so no statement is ever allowed by this text.
pub(crate) const SIGN_IN: &str = "sign in";

/// How the notice begins that an emergency counts from now on.
pub(crate) const EMERGENCY_OPENED: &str = "emergency opened";

/// One record's id: 32 hexadecimal digits, drawn at random.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    pub(crate) fn draw() -> Result<Self, NoEntropy> {
        Ok(Self(random::hex(&random::draw::<16>()?)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was answered.
    Allowed,
    /// It asked for something that is not granted, or that does not exist: to an outsider
    /// the two are the same, so the record does not tell them apart either.
    Denied,
    /// It could not be understood or carried out.
    Failed,
    /// No request: a rule over the record was met, or somebody whom it held was let go; an
    /// emergency began, was refused or ended.
    Alarm,
}

impl Decision {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Alarm => "alarm",
        }
    }
}

/// How a recorded request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was sent.
    Completed,
    /// Only names and types were sent: a statement was planned, its rows not yet asked for.
    Described,
    /// The client or the principal ended it before its end.
    Cancelled,
    /// It ended with an error.
    Failed,
    /// It was ended while it was being sent: its session ended, its principal left the feed, or
    /// the rules do not grant it any more.
    Cut,
    /// It is still being sent. Never written; only shown.
    Running,
    /// The server ended before it did. Never written; only shown.
    Unknown,
}

impl Outcome {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Described => "described",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Running => "running",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known when a request is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// This record.
    pub record_id: RecordId,
    /// When, in microseconds since 1970-01-01 00:00 UTC.
    #[serde(with = "time_text")]
    pub at: i64,
    /// Who; for a refused sign-in, the name that was tried.
    pub principal: String,
    /// From which address.
    pub peer: String,
    /// What the client calls itself.
    pub client: String,
    /// What it is for, as the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Of a sign-in, by which means: `password`, `totp`, `ldap`, `oidc`, `certificate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Of a refused sign-in, why; who tried is never told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_because: Option<String>,
    /// The statement that the record belongs to; a description and its executions share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_id: Option<String>,
    /// The SQL text, or the name of the metadata request.
    pub statement: String,
    /// The same for all statements that differ in constants alone: of the text without them, the
    /// first half of its BLAKE3 digest in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Of a statement too long to be kept whole: its length and BLAKE3 digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// The values that were bound to it, as a list of SQL constants; an ellipsis ends a list
    /// that was too long. Of a sign-in, the roles that came with it beside the feed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// Of parameters that are not repeated here: the record of that day that has them as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_in: Option<RecordId>,
    /// The tables that it reads.
    pub tables: Vec<String>,
    /// The columns that it reads, as `table.column`.
    pub columns: Vec<String>,
    /// How the grant shows each of them: `clear`, `filter`, `mask:<mask>`, `token:<purpose>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub column_access: BTreeMap<String, String>,
    /// How many times it asks for a raw value of a masked column.
    #[serde(default, skip_serializing_if = "is_none")]
    pub lookups: u64,
    /// The emergency under which it was decided: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<String>,
    /// Why that emergency was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_reason: Option<String>,
    /// The rules under which it was decided.
    pub policy_version: String,
    /// The snapshot that it reads.
    pub snapshot: u64,
    /// What was decided.
    pub decision: Decision,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What is kept of a statement that was too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Its length in bytes.
    pub statement_bytes: u64,
    /// The BLAKE3 digest of all of it, in hexadecimal digits.
    pub statement_digest: String,
    /// Of a statement that is not repeated here: the record of that day that has it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_in: Option<RecordId>,
}

impl Entry {
    /// What the server itself has to say about a principal, in this state of the mart.
    pub(crate) fn notice(
        record_id: RecordId,
        principal: String,
        client: &str,
        text: &str,
        mart: &Mart,
    ) -> Self {
        Self {
            record_id,
            at: now_micros(),
            principal,
            peer: "server".to_owned(),
            client: client.to_owned(),
            purpose: None,
            method: None,
            refused_because: None,
            statement_id: None,
            statement: text.to_owned(),
            fingerprint: None,
            cut: None,
            parameters: None,
            parameters_in: None,
            tables: Vec::new(),
            columns: Vec::new(),
            column_access: BTreeMap::new(),
            lookups: 0,
            emergency: None,
            emergency_reason: None,
            policy_version: mart.policy_version(),
            snapshot: mart.snapshot().number().get(),
            decision: Decision::Alarm,
        }
    }

    /// Puts the statement's text in, shortened where it is too long.
    pub(crate) fn with_statement(mut self, statement: &str) -> Self {
        let kept = self.kept(STATEMENT_BYTES_KEPT);
        self.statement = statement.to_string();
        if self.statement.len() > kept {
            self.cut = Some(Cut::of(statement));
            // What it wanted must not stand behind a comment that is longer than what is kept.
            self.statement = behind_comments(statement).to_string();
        }
        self.cut_statement(kept);
        self
    }

    /// Puts the bound values in, shortened where they are too long.
    pub(crate) fn with_parameters(mut self, parameters: Option<String>) -> Self {
        self.parameters = parameters;
        self.cut_parameters(self.kept(PARAMETER_BYTES_KEPT));
        self
    }

    const fn kept(&self, of_allowed: usize) -> usize {
        match self.decision {
            Decision::Allowed | Decision::Alarm => of_allowed,
            Decision::Denied | Decision::Failed => REFUSED_BYTES_KEPT,
        }
    }

    /// Whether it is of a sign-in, let in or not: what somebody writes in a statement's place
    /// never is.
    pub(crate) fn is_sign_in(&self) -> bool {
        self.method.is_some() && self.statement == SIGN_IN
    }

    /// The part that is kept in memory to be shown.
    pub(crate) fn shown(mut self) -> Self {
        self.cut_statement(STATEMENT_BYTES_SHOWN);
        self.cut_parameters(PARAMETER_BYTES_SHOWN);
        self
    }

    /// Whether something in it is too long to be written twice.
    pub(super) fn is_long(&self) -> bool {
        self.long_statement().is_some() || self.long_parameters().is_some()
    }

    /// The text, where it is too long to be written twice.
    pub(super) fn long_statement(&self) -> Option<&str> {
        Some(self.statement.as_str()).filter(|text| text.len() > REPEATED_BYTES_MAX)
    }

    /// The bound values, likewise.
    pub(super) fn long_parameters(&self) -> Option<&str> {
        self.parameters.as_deref().filter(|text| text.len() > REPEATED_BYTES_MAX)
    }

    /// Without what other records have whole.
    pub(super) fn referring(
        mut self,
        statement_in: Option<RecordId>,
        parameters_in: Option<RecordId>,
    ) -> Self {
        if statement_in.is_some() {
            self.cut.get_or_insert_with(|| Cut::of(&self.statement));
            // As of what is cut for its length: what it wanted must not stand behind a comment.
            self.statement = behind_comments(&self.statement).to_string();
            self.cut_statement(REPEATED_BYTES_KEPT);
        }
        if parameters_in.is_some() {
            self.cut_parameters(REPEATED_BYTES_KEPT);
        }
        if let Some(cut) = &mut self.cut {
            cut.statement_in = statement_in;
        }
        self.parameters_in = parameters_in;
        self
    }

    fn cut_statement(&mut self, bytes_max: usize) {
        if self.statement.len() <= bytes_max {
            return;
        }
        // What was cut before keeps the length and the digest of the whole.
        self.cut.get_or_insert_with(|| Cut::of(&self.statement));
        cut(&mut self.statement, bytes_max);
    }

    fn cut_parameters(&mut self, bytes_max: usize) {
        if let Some(parameters) = &mut self.parameters
            && parameters.len() > bytes_max
        {
            cut(parameters, bytes_max - '…'.len_utf8());
            parameters.push('…');
        }
    }
}

impl Cut {
    fn of(statement: &str) -> Self {
        Self {
            statement_bytes: statement.len() as u64,
            statement_digest: blake3::hash(statement.as_bytes()).to_hex().to_string(),
            statement_in: None,
        }
    }
}

/// A statement from its first word on.
pub(crate) fn behind_comments(statement: &str) -> &str {
    let mut text = statement.trim_start();
    while let Some(behind) = behind_comment(text) {
        text = behind.trim_start();
    }
    text
}

fn behind_comment(text: &str) -> Option<&str> {
    let ends = |rest: &'_ str, end: &str| rest.find(end).map(|at| at + end.len());
    match (text.strip_prefix("--"), text.strip_prefix("/*")) {
        (Some(rest), _) => rest.get(ends(rest, "\n")?..),
        (None, Some(rest)) => rest.get(ends(rest, "*/")?..),
        (None, None) => None,
    }
}

fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
    text.shrink_to_fit();
}

/// How a request ended and how much left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Rows that left.
    pub rows: u64,
    /// Bytes that left, as encoded for the wire, before TLS.
    pub bytes: u64,
    /// From the decision to the end.
    pub milliseconds: u64,
    /// How.
    pub outcome: Outcome,
}

impl Ending {
    /// The end of something that sent no rows.
    pub(crate) const fn without_rows(outcome: Outcome) -> Self {
        Self { rows: 0, bytes: 0, milliseconds: 0, outcome }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A disclosure begins.
    Begin {
        #[serde(flatten)]
        entry: Entry,
    },
    /// The disclosure of that id has ended.
    End {
        record_id: RecordId,
        #[serde(with = "time_text")]
        at: i64,
        #[serde(flatten)]
        ending: Ending,
    },
    /// Something that was over when it was recorded.
    Whole {
        #[serde(flatten)]
        entry: Entry,
        #[serde(flatten)]
        ending: Ending,
    },
}

impl Line {
    /// What was decided, where the line is not the end of it.
    pub(super) const fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Begin { entry } | Self::Whole { entry, .. } => Some(entry),
            Self::End { .. } => None,
        }
    }

    /// The same with another decision in it; an end has none.
    pub(super) fn with_entry(&self, entry: Entry) -> Self {
        match self {
            Self::Begin { .. } => Self::Begin { entry },
            Self::Whole { ending, .. } => Self::Whole { entry, ending: *ending },
            Self::End { .. } => self.clone(),
        }
    }

    /// The line's body, to be chained. A JSON text holds no raw newline, so a line is a record.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and lists only: there is nothing that JSON cannot hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a line; `None` if it is torn or none of ours.
    pub(crate) fn from_json(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// The time of day in microseconds since 1970-01-01 00:00 UTC.
pub(crate) fn now_micros() -> i64 {
    Utc::now().timestamp_micros()
}

/// Times are text in the file (people read it) and microseconds in memory.
pub(crate) mod time_text {
    use serde::{Deserializer, Serializer, de};

    use super::{DateTime, Deserialize, SecondsFormat};

    pub(crate) fn serialize<S: Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        let time = DateTime::from_timestamp_micros(*at).unwrap_or_default();
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text)
            .map_err(|_| de::Error::custom("not a time of the form 2026-11-22T05:06:46.000000Z"))?;
        Ok(time.timestamp_micros())
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
pub(crate) mod tests;
