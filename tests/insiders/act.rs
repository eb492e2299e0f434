//! One request of somebody, and its records.

use std::collections::BTreeMap;

use martlet_server::audit::{Decision, Ending, Entry, Outcome, RecordId};

/// Microseconds.
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// The bank's clocks are eight hours ahead of UTC.
pub const AHEAD: i64 = 8 * HOUR;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// So many rows were answered.
    Answered { rows: u64, lookups: u64 },
    /// It was refused: no right, or no such thing.
    Denied,
    /// It could not be understood.
    Failed,
    /// A sign-in with a wrong password.
    SignInRefused,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Act {
    pub at: i64,
    pub who: usize,
    /// From which network and place in it.
    pub peer: (u8, u8),
    /// Statements of one shape have one fingerprint.
    pub shape: &'static str,
    pub sql: String,
    pub table: &'static str,
    pub fate: Fate,
    /// How long the answer takes, in milliseconds.
    pub took: i64,
    /// The deed that it belongs to.
    pub deed: Option<usize>,
}

/// A record's beginning, or all of it.
pub fn entry(act: &Act, number: u64, name: &str) -> Entry {
    let (decision, lookups) = match act.fate {
        Fate::Answered { lookups, .. } => (Decision::Allowed, lookups),
        Fate::Denied | Fate::SignInRefused => (Decision::Denied, 0),
        Fate::Failed => (Decision::Failed, 0),
    };
    let is_sign_in = act.fate == Fate::SignInRefused;
    let answered = decision == Decision::Allowed;
    Entry {
        record_id: record_id(number),
        at: act.at,
        principal: name.to_owned(),
        peer: format!("10.{}.{}.{}:40000", act.peer.0, act.peer.0, act.peer.1),
        client: "made".to_owned(),
        purpose: None,
        method: is_sign_in.then(|| "password".to_owned()),
        refused_because: None,
        statement_id: (!is_sign_in).then(|| format!("{number:032x}")),
        statement: act.sql.clone(),
        fingerprint: (!is_sign_in).then(|| act.shape.to_owned()),
        cut: None,
        parameters: None,
        parameters_in: None,
        tables: if answered { vec![act.table.to_owned()] } else { Vec::new() },
        columns: Vec::new(),
        column_access: BTreeMap::new(),
        lookups,
        emergency: None,
        emergency_reason: None,
        policy_version: "made".to_owned(),
        snapshot: 1,
        decision,
    }
}

/// How it ended, if it was answered.
pub fn ending(act: &Act) -> Option<Ending> {
    let Fate::Answered { rows, .. } = act.fate else { return None };
    let milliseconds = act.took.unsigned_abs();
    Some(Ending { rows, bytes: rows * 60, milliseconds, outcome: Outcome::Completed })
}

pub fn record_id(number: u64) -> RecordId {
    serde_json::from_value(serde_json::json!(format!("{number:032x}"))).expect("an id")
}
