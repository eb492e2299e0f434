//! The alarms about emergencies: when one is opened, and when it is first used.
//!
//! They are no rules of a file, so no file switches them off. Owns which emergencies were seen;
//! takes the record's word alone, so that a journal that is read again gives the same alarms.

use std::collections::HashMap;

use super::Alarm;
use super::clock::DAY;
use super::rules::{Actions, Severity};
use crate::audit::{Decision, EMERGENCY_OPENED, Entry, Line};

/// The names under which they are told; no rule of a file begins so.
pub(crate) const RESERVED: &str = "emergency-";
const OPENING: &str = "emergency-opened";
const FIRST_USE: &str = "emergency-used";

/// For how long one is remembered: far longer than it can last.
const REMEMBERED: i64 = 40 * DAY;

/// What was told of one.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    opened: bool,
    used: bool,
    at: i64,
}

/// The emergencies that stand on the record.
#[derive(Debug, Default)]
pub(crate) struct Emergencies {
    told: HashMap<String, Told>,
}

impl Emergencies {
    /// Takes a line of the journal.
    pub(crate) fn hear(&mut self, line: &Line) -> Vec<Alarm> {
        let (Line::Begin { entry } | Line::Whole { entry, .. }) = line else { return Vec::new() };
        let Some(id) = &entry.emergency else { return Vec::new() };
        self.told.retain(|_, told| told.at > entry.at - REMEMBERED);
        let told = self.told.entry(id.clone()).or_default();
        told.at = told.at.max(entry.at);
        let is_notice = entry.decision == Decision::Alarm;
        let (first, rule, figure) = if !is_notice {
            (!std::mem::replace(&mut told.used, true), FIRST_USE, "statements")
        } else if entry.statement.starts_with(EMERGENCY_OPENED) {
            (!std::mem::replace(&mut told.opened, true), OPENING, "emergencies")
        } else {
            return Vec::new();
        };
        if first { vec![alarm(entry, rule, figure)] } else { Vec::new() }
    }
}

fn alarm(entry: &Entry, rule: &str, figure: &'static str) -> Alarm {
    Alarm {
        at: entry.at,
        rule: rule.to_owned(),
        severity: Severity::High,
        principal: entry.principal.clone(),
        figures: vec![(figure, 1)],
        record: entry.record_id.clone(),
        actions: Actions { notify: true, curbing: None, lasts: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests_support::entry;
    use crate::audit::{Ending, Outcome};

    fn of(id: &str, statement: &str, decision: Decision) -> Entry {
        Entry { emergency: Some(id.to_owned()), decision, ..entry(statement) }
    }

    fn whole(entry: Entry) -> Line {
        Line::Whole { entry, ending: Ending::without_rows(Outcome::Completed) }
    }

    fn heard(emergencies: &mut Emergencies, line: &Line) -> Vec<String> {
        let alarms = emergencies.hear(line);
        alarms.into_iter().map(|alarm| alarm.rule).collect()
    }

    #[test]
    fn the_opening_and_the_first_use_are_told_once_each() {
        let mut all = Emergencies::default();
        let opened = whole(of("a", "emergency opened: `fire` for `kim`", Decision::Alarm));
        assert_eq!(heard(&mut all, &opened), [OPENING]);
        assert_eq!(heard(&mut all, &opened), [""; 0]);
        let begun = Line::Begin { entry: of("a", "SELECT 1", Decision::Allowed) };
        assert_eq!(heard(&mut all, &begun), [FIRST_USE]);
        assert_eq!(heard(&mut all, &begun), [""; 0]);
        let refused = whole(of("b", "SELECT 1", Decision::Denied));
        assert_eq!(heard(&mut all, &refused), [FIRST_USE], "an attempt is a use");
        let ended = whole(of("a", "emergency ended: its time is over", Decision::Alarm));
        assert_eq!(heard(&mut all, &ended), [""; 0]);
        let ordinary = Line::Begin { entry: entry("SELECT 1") };
        assert_eq!(heard(&mut all, &ordinary), [""; 0]);
    }
}
