//! What the flight doors put into the audit journal.
//!
//! Owns the filling of an entry: who, from where, what, under which rules. Must be asked
//! before anything is disclosed, and its refusal ends the request.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use martlet_core::ErrorKind;
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_policy::Emergency;
use martlet_query::constants::without_constants;
use martlet_query::{Mart, Statement};
use tonic::Status;

use super::ticket::StatementId;
use super::{parameters, status};
use crate::audit::{
    Decision, Ending, Entry, Journal, OpenRecord, Outcome, RecordId, SIGN_IN, now_micros,
};
use crate::authenticate::{Attempted, Caller, Origin};

/// Characters of a tried name that are kept.
const NAME_CHARACTERS_MAX: usize = 128;

/// One request, as the journal names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) mart: &'a Mart,
    pub(crate) statement_id: Option<StatementId>,
    /// The SQL text, or the name of a metadata request.
    pub(crate) text: &'a str,
    /// The one row that is bound to it.
    pub(crate) parameters: Option<&'a RecordBatch>,
    /// The emergency under which it is decided.
    pub(crate) emergency: Option<&'a Emergency>,
}

impl<'a> Subject<'a> {
    /// A request that is no statement.
    pub(crate) const fn claim(caller: &'a Caller, mart: &'a Mart, text: &'a str) -> Self {
        Self { caller, mart, statement_id: None, text, parameters: None, emergency: None }
    }
}

/// Writes the journal for the flight doors.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    journal: Arc<Journal>,
}

impl Recorder {
    pub(crate) const fn new(journal: Arc<Journal>) -> Self {
        Self { journal }
    }

    /// A statement was planned and its schema is about to be told.
    pub(crate) async fn described(
        &self,
        subject: Subject<'_>,
        statement: &Statement,
    ) -> Result<(), Status> {
        let entry = reads(entry(subject, Decision::Allowed)?, statement);
        self.whole(entry, Outcome::Described).await
    }

    /// A statement's rows are about to be told.
    pub(crate) async fn begin(
        &self,
        subject: Subject<'_>,
        statement: &Statement,
    ) -> Result<OpenRecord, Status> {
        let entry = reads(entry(subject, Decision::Allowed)?, statement);
        self.journal.begin(entry).await.map_err(|error| status::of(&error))
    }

    /// A statement was refused.
    pub(crate) async fn refused(
        &self,
        subject: Subject<'_>,
        kind: ErrorKind,
    ) -> Result<(), Status> {
        self.whole(entry(subject, decision(kind))?, Outcome::Failed).await
    }

    /// Somebody came with what is not theirs, or asks for more than is granted.
    pub(crate) async fn denied(&self, subject: Subject<'_>) -> Result<(), Status> {
        self.whole(entry(subject, Decision::Denied)?, Outcome::Failed).await
    }

    /// Names of tables or columns are about to be told.
    pub(crate) async fn metadata(
        &self,
        subject: Subject<'_>,
        tables: Vec<String>,
        rows: usize,
    ) -> Result<(), Status> {
        let entry = Entry { tables, ..entry(subject, Decision::Allowed)? };
        let ending = Ending { rows: rows as u64, ..Ending::without_rows(Outcome::Completed) };
        self.journal.whole(entry, ending).await.map_err(|error| status::of(&error))
    }

    /// Somebody tried to sign in.
    pub(crate) async fn sign_in(
        &self,
        attempted: &Attempted,
        origin: &Origin,
        mart: &Mart,
    ) -> Result<(), Status> {
        let (decision, outcome) = match attempted.refused_because {
            None => (Decision::Allowed, Outcome::Completed),
            Some(_) => (Decision::Denied, Outcome::Failed),
        };
        let name = attempted.name.chars().take(NAME_CHARACTERS_MAX).collect();
        let entry = Entry {
            method: Some(attempted.method.as_str().into()),
            refused_because: attempted.refused_because.map(Into::into),
            ..blank(name, origin, mart, decision)?
        };
        let lent =
            (!attempted.lent.is_empty()).then(|| format!("lent: {}", attempted.lent.join(", ")));
        self.whole(entry.with_statement(SIGN_IN).with_parameters(lent), outcome).await
    }

    async fn whole(&self, entry: Entry, outcome: Outcome) -> Result<(), Status> {
        let ending = Ending::without_rows(outcome);
        self.journal.whole(entry, ending).await.map_err(|error| status::of(&error))
    }
}

/// A name that does not exist and one that is hidden are one answer, so they are one record.
const fn decision(kind: ErrorKind) -> Decision {
    match kind {
        ErrorKind::Denied | ErrorKind::NotFound => Decision::Denied,
        ErrorKind::Retry
        | ErrorKind::Invalid
        | ErrorKind::Damaged
        | ErrorKind::Exhausted
        | ErrorKind::Bug => Decision::Failed,
    }
}

fn entry(subject: Subject<'_>, decision: Decision) -> Result<Entry, Status> {
    let name = subject.caller.name().to_string();
    let blank = blank(name, &subject.caller.origin, subject.mart, decision)?;
    let statement_id = subject.statement_id.map(|id| id.to_string());
    // What is not a statement has no constants.
    let fingerprint = subject.statement_id.and_then(|_| fingerprint(subject.text));
    let emergency = subject.emergency.map(|emergency| emergency.id().to_string());
    let emergency_reason = subject.emergency.map(|it| it.request().reason().to_owned());
    Ok(Entry { statement_id, fingerprint, emergency, emergency_reason, ..blank }
        .with_statement(subject.text)
        .with_parameters(subject.parameters.map(parameters::as_text)))
}

/// The first half of the digest of a statement's text without its constants; `None` for what
/// is no SQL.
fn fingerprint(sql: &str) -> Option<String> {
    let within = sql.len() <= STATEMENT_BYTES_MAX;
    let form = within.then(|| without_constants(sql)).flatten()?;
    let mut digits = blake3::hash(form.as_bytes()).to_hex().to_string();
    digits.truncate(32);
    Some(digits)
}

fn blank(
    principal: String,
    origin: &Origin,
    mart: &Mart,
    decision: Decision,
) -> Result<Entry, Status> {
    Ok(Entry {
        record_id: RecordId::draw()?,
        at: now_micros(),
        principal,
        peer: origin.peer.clone(),
        client: origin.client.clone(),
        purpose: origin.purpose.clone(),
        method: None,
        refused_because: None,
        statement_id: None,
        statement: String::new(),
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
        decision,
    })
}

fn reads(entry: Entry, statement: &Statement) -> Entry {
    Entry {
        tables: statement.tables().iter().map(ToString::to_string).collect(),
        columns: statement.columns(),
        column_access: statement.column_access(),
        lookups: statement.lookups() as u64,
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_constants_have_one_fingerprint() {
        let one = fingerprint("SELECT name FROM customer WHERE id = 'C1' AND age > 30").unwrap();
        let same = fingerprint("SELECT name  FROM customer WHERE id = 'C2' AND age > 4;").unwrap();
        let other = fingerprint("SELECT name FROM customer WHERE id = 'C1' AND age < 30").unwrap();
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
        assert_eq!(fingerprint("SELECT 'open"), None);
    }
}
