//! Alarms over the audit record: rules of a file that tell who does what is unusual.
//!
//! Owns the rules, the watch over the records, and what follows from an alarm: it goes on the
//! audit record, into the alarms' own file and from there to a webhook or syslog, and it can
//! slow a principal down or cut it off. Must never carry a value of a statement or a row: a
//! principal, a rule, figures and ids of records are all that an alarm says. Must never grant
//! anything: what it decides can only take away.
//!
//! ```text
//! journal -> keeper -> watch (ledgers, kinds) -> alarm -> curbs
//!                                                      -> journal
//!                                                      -> outbox -> webhook, syslog
//! ```
//!
//! Read in this order: [`rules`](Rules), `sighting`, `ledger`, `judge`, [`watch`](Watch),
//! `keeper`, `curbs`, `outbox`.

mod clock;
mod crowd;
pub(crate) mod curbs;
mod emergencies;
mod error;
mod fields;
mod judge;
pub(crate) mod keeper;
mod ledger;
pub mod lifts;
mod norms;
mod outbox;
mod people;
mod rules;
mod sighting;
mod syslog;
mod watch;
mod webhook;

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

pub use curbs::{Curb, Curbed, held};
pub use error::AlarmError;
pub use keeper::replay;
pub use outbox::newest;
pub use people::{People, Person};
use rules::{Actions, Curbing};
pub use rules::{Rules, Severity};
pub use watch::Watch;

use crate::audit::RecordId;

/// What an alarm says that it did, where it held somebody.
const THROTTLED: &str = "throttled";
const CUT: &str = "cut";

/// The rules of a server and the folder of the alarms' own state.
#[derive(Debug, Clone)]
pub struct AlarmOptions {
    /// What is unusual, of whom, and what is done about it.
    pub rules: Rules,
    /// Where alarms are written and curbs are kept; it belongs to the server's account alone.
    pub folder: PathBuf,
}

/// Whether a line of the audit record is an alarm that held somebody.
fn has_held(text: &str) -> bool {
    let deeds = text.strip_prefix("alarm ").and_then(|alarm| alarm.rsplit("; ").next());
    deeds.is_some_and(|deeds| deeds.split(", ").any(|deed| deed == THROTTLED || deed == CUT))
}

/// A rule was met.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// When, by the record that met it, in microseconds since 1970-01-01 00:00 UTC.
    pub at: i64,
    /// The rule's name.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// Who; `(unknown)` for sign-ins under names that nobody has.
    pub principal: String,
    /// What was counted, by name.
    pub figures: Vec<(&'static str, u64)>,
    /// The record that met the rule.
    pub record: RecordId,
    pub(crate) actions: Actions,
}

impl Alarm {
    #[cfg(test)]
    pub(crate) fn for_tests(
        rule: &str,
        severity: Severity,
        figures: Vec<(&'static str, u64)>,
        record: RecordId,
    ) -> Self {
        let actions = Actions { notify: true, curbing: None, lasts: None };
        let (rule, principal) = (rule.to_owned(), "kim".to_owned());
        Self { at: 0, rule, severity, principal, figures, record, actions }
    }

    /// The alarm as a line of the audit record.
    #[must_use]
    pub fn text(&self) -> String {
        let figures: Vec<String> =
            self.figures.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "alarm {} ({}): {}; record {}; {}",
            self.rule,
            self.severity.as_str(),
            figures.join(" "),
            self.record,
            self.deeds().join(", ")
        )
    }

    /// What is done.
    fn deeds(&self) -> Vec<&'static str> {
        let mut deeds = vec!["recorded"];
        if self.actions.notify {
            deeds.push("notified");
        }
        match self.actions.curbing {
            Some(Curbing::Throttle { .. }) => deeds.push(THROTTLED),
            Some(Curbing::Cut) => deeds.push(CUT),
            None => {}
        }
        deeds
    }

    /// The alarm as it is written to the alarms' file and sent.
    pub(crate) fn to_json(&self, id: &RecordId) -> Value {
        let at = DateTime::from_timestamp_micros(self.at).unwrap_or_default();
        let figures: serde_json::Map<String, Value> =
            self.figures.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "alarm_id": id.as_str(),
            "at": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "rule": self.rule,
            "severity": self.severity.as_str(),
            "principal": self.principal,
            "figures": figures,
            "record_id": self.record.as_str(),
            "actions": self.deeds(),
        })
    }
}
