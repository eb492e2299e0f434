//! The watch: takes records one by one and tells when a rule is met.
//!
//! Owns the state of every principal. Takes the time from the records alone, so that a journal
//! that is read again, or made, gives the same alarms. Must never hold a value of a statement:
//! digests and counts are all that is kept of it.
//!
//! Receives: the journal's records, in their order.
//! Hands on: [`Alarm`]s.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Alarm;
use super::clock::DAY;
use super::crowd::Crowd;
use super::emergencies::Emergencies;
use super::judge::{Figures, Moment, Stage, grows, judge};
use super::ledger::{HISTORY_DAYS, Ledger};
use super::norms::Norms;
use super::people::People;
use super::rules::{About, Against, Kind, Rules, Usual};
use super::sighting::{Eye, Sighting, network};
use crate::audit::{Decision, Ending, Entry, Line, Outcome, RecordId};

/// People differ more than days do: whoever has no history may do so many times what is usual of
/// others.
const BETWEEN_PEOPLE: f64 = 3.0;
/// Under which name sign-ins with names that nobody has are counted.
const UNKNOWN: &str = "(unknown)";

/// What happened lately, of everybody.
pub struct Watch {
    rules: Arc<Rules>,
    eye: Eye,
    people: Arc<People>,
    /// Counts the states of the people, so that what was told from an old one is told anew.
    generation: u64,
    ledgers: Vec<Ledger>,
    by_name: HashMap<Arc<str>, usize>,
    /// Statements that have begun and not ended.
    open: HashMap<RecordId, Open>,
    /// By rule.
    crowds: HashMap<usize, Crowd>,
    norms: Norms,
    emergencies: Emergencies,
    today: i32,
}

/// A statement that is being answered.
struct Open {
    who: usize,
    began: i64,
    sighting: Sighting,
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Watch({} principals)", self.ledgers.len())
    }
}

impl Watch {
    /// A watch that has seen nothing. The key is for digests of what is asked for; it need not
    /// be the same after a restart.
    #[must_use]
    pub fn new(rules: Rules, people: People, key: [u8; 32]) -> Self {
        Self {
            eye: Eye::new(&rules, key),
            rules: Arc::new(rules),
            people: Arc::new(people),
            generation: 0,
            ledgers: Vec::new(),
            by_name: HashMap::new(),
            open: HashMap::new(),
            crowds: HashMap::new(),
            norms: Norms::default(),
            emergencies: Emergencies::default(),
            today: i32::MIN,
        }
    }

    /// Takes over who there is today.
    pub fn meet(&mut self, people: People) {
        self.people = Arc::new(people);
        self.generation += 1;
    }

    /// A statement is about to be answered.
    pub fn begun(&mut self, entry: &Entry) -> Vec<Alarm> {
        let who = self.of(&entry.principal, entry.at);
        let sighting = self.eye.see(entry, self.people.get(&entry.principal), &self.rules);
        let ledger = &mut self.ledgers[who];
        ledger.today.statements = ledger.today.statements.saturating_add(1);
        let lookups = u32::try_from(sighting.lookups).unwrap_or(u32::MAX);
        ledger.today.lookups = ledger.today.lookups.saturating_add(lookups);
        for key in sighting.keys.iter().filter(|key| key.how != martlet_query::asked::How::Unequal)
        {
            ledger.count_key(key.digest);
        }
        let forget_before = entry.at - i64::from(HISTORY_DAYS) * DAY;
        let elsewhere = network(&entry.peer)
            .and_then(|network| ledger.came_from(network, entry.at, forget_before));
        let stage = Stage::Begun;
        let moment =
            Moment { at: entry.at, stage, sighting: &sighting, rows: 0, total: None, elsewhere };
        let alarms = self.judge_all(who, &moment);
        let open = Open { who, began: entry.at, sighting };
        self.open.insert(entry.record_id.clone(), open);
        alarms
    }

    /// So many rows of a statement that goes on have left.
    pub fn sent(&mut self, record: &RecordId, at: i64, rows: u64) -> Vec<Alarm> {
        let Some(mut open) = self.open.remove(record) else { return Vec::new() };
        let alarms = self.told(&mut open, at, rows, Stage::Told, None);
        self.open.insert(record.clone(), open);
        alarms
    }

    /// A statement has ended.
    pub fn ended(&mut self, record: &RecordId, at: i64, ending: &Ending) -> Vec<Alarm> {
        let Some(mut open) = self.open.remove(record) else { return Vec::new() };
        let total = (ending.outcome == Outcome::Completed).then_some(ending.rows);
        self.told(&mut open, at, ending.rows, Stage::Ended, total)
    }

    /// Something was over when it was recorded.
    pub fn whole(&mut self, entry: &Entry) -> Vec<Alarm> {
        let is_sign_in = entry.is_sign_in();
        let stage = match entry.decision {
            Decision::Denied if is_sign_in => Stage::SignInRefused,
            Decision::Denied | Decision::Failed if !is_sign_in => Stage::Refused,
            Decision::Allowed | Decision::Denied | Decision::Failed | Decision::Alarm => {
                return Vec::new();
            }
        };
        // Strangers can try names without end; they must not fill the memory.
        let known = self.people.knows(&entry.principal);
        let who = self.of(if known { &entry.principal } else { UNKNOWN }, entry.at);
        let mut sighting = self.eye.see(entry, self.people.get(&entry.principal), &self.rules);
        // What could not be understood is no probing, but may have been meant to delete.
        if entry.decision == Decision::Failed && !sighting.changes {
            return Vec::new();
        }
        sighting.keys.clear();
        let moment = Moment {
            at: entry.at,
            stage,
            sighting: &sighting,
            rows: 0,
            total: None,
            elsewhere: None,
        };
        self.judge_all(who, &moment)
    }

    /// Takes a line of the journal.
    pub(crate) fn hear(&mut self, line: &Line) -> Vec<Alarm> {
        let mut alarms = self.emergencies.hear(line);
        alarms.extend(match line {
            Line::Begin { entry } => self.begun(entry),
            Line::End { record_id, at, ending } => self.ended(record_id, *at, ending),
            Line::Whole { entry, .. } => self.whole(entry),
        });
        alarms
    }

    /// What still ran when the server ended will never end.
    pub(crate) fn abandon_running(&mut self) {
        self.open.clear();
    }

    /// How many rules there are, and how many principals were seen.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.rules.rules.len(), self.ledgers.len())
    }

    fn told(
        &mut self,
        open: &mut Open,
        at: i64,
        rows: u64,
        stage: Stage,
        total: Option<u64>,
    ) -> Vec<Alarm> {
        self.turn_to(at);
        let new = rows.saturating_sub(open.sighting.counted);
        open.sighting.counted = rows.max(open.sighting.counted);
        let day = self.rules.clock.day(at);
        let ledger = &mut self.ledgers[open.who];
        ledger.turn_to(day);
        ledger.count_rows(new, open.sighting.counted);
        let sighting = &open.sighting;
        let moment = Moment { at, stage, sighting, rows: new, total, elsewhere: None };
        self.judge_all(open.who, &moment)
    }

    /// The place of a principal's ledger, with the day begun and the rules chosen.
    fn of(&mut self, name: &str, at: i64) -> usize {
        self.turn_to(at);
        let who = match self.by_name.get(name) {
            Some(who) => *who,
            None => {
                let name: Arc<str> = name.into();
                self.ledgers.push(Ledger::new(Arc::clone(&name), self.rules.rules.len()));
                self.by_name.insert(name, self.ledgers.len() - 1);
                self.ledgers.len() - 1
            }
        };
        let day = self.rules.clock.day(at);
        let ledger = &mut self.ledgers[who];
        ledger.turn_to(day);
        if ledger.judged != (self.generation, day) {
            ledger.judged = (self.generation, day);
            ledger.group = self.people.group(name);
            ledger.rules = rules_about(&self.rules, &self.people, name, day);
        }
        who
    }

    /// At a new day, whoever rests gives memory back, and statements that can no longer run
    /// are forgotten.
    fn turn_to(&mut self, at: i64) {
        let day = self.rules.clock.day(at);
        if day <= self.today {
            return;
        }
        self.today = day;
        self.ledgers.iter_mut().filter(|one| one.today.day + 7 < day).for_each(Ledger::rest);
        self.open.retain(|_, open| open.began > at - DAY);
    }

    fn judge_all(&mut self, who: usize, moment: &Moment<'_>) -> Vec<Alarm> {
        let rules = Arc::clone(&self.rules);
        let mut alarms = Vec::new();
        for (at, rule) in rules.rules.iter().enumerate() {
            if self.ledgers[who].rules & (1 << at) == 0 {
                continue;
            }
            let Some(figures) = self.judge_one(at, &rule.kind, who, moment) else { continue };
            let ledger = &mut self.ledgers[who];
            let last = ledger.raised[at];
            if last != i64::MIN && moment.at.saturating_sub(last) < rule.says_again_after() {
                continue;
            }
            ledger.raised[at] = moment.at;
            alarms.push(Alarm {
                at: moment.at,
                rule: rule.name.clone(),
                severity: rule.severity,
                principal: ledger.name.to_string(),
                figures,
                record: moment.sighting.record.clone(),
                actions: rule.actions,
            });
        }
        alarms
    }

    fn judge_one(
        &mut self,
        at: usize,
        kind: &Kind,
        who: usize,
        moment: &Moment<'_>,
    ) -> Option<Figures> {
        match kind {
            Kind::Usual(usual) => {
                grows(usual.figure, moment.stage).then(|| self.usual(at, usual, who, moment.at))?
            }
            Kind::Crowd { principals, window } => self.crowd(at, *principals, *window, who, moment),
            other => judge(other, at, &self.rules.clock, &mut self.ledgers[who], moment),
        }
    }

    fn usual(&mut self, rule: usize, usual: &Usual, who: usize, at: i64) -> Option<Figures> {
        let ledger = &self.ledgers[who];
        let value = usual.value(ledger);
        if value <= usual.floor {
            return None;
        }
        let own = match usual.against {
            Against::Own => usual.own(ledger),
            Against::Peers => None,
        };
        let habit = match own {
            Some(own) => own,
            None => self.norms.habit(rule, usual, who, &self.ledgers, at).unwrap_or(usual.newcomer),
        };
        let factor = match (usual.against, own) {
            (Against::Own, None) => usual.factor.max(BETWEEN_PEOPLE),
            _ => usual.factor,
        };
        let limit = (factor * habit as f64).max(usual.floor as f64);
        if value as f64 <= limit {
            return None;
        }
        // A time in which everybody has more to do is no deed of one.
        let lift = match usual.days {
            1 | 7 => self.norms.lift(rule, usual, who, &self.ledgers, at),
            _ => 1.0,
        };
        let limit = limit * lift;
        (value as f64 > limit)
            .then(|| vec![("value", value), ("usual", habit), ("limit", limit as u64)])
    }

    fn crowd(
        &mut self,
        rule: usize,
        principals: u64,
        window: i64,
        who: usize,
        moment: &Moment<'_>,
    ) -> Option<Figures> {
        if moment.stage != Stage::Begun {
            return None;
        }
        let crowd = self.crowds.entry(rule).or_default();
        let who = u32::try_from(who).ok()?;
        let asked = moment.sighting.keys.iter();
        let asked = asked.filter(|key| key.how != martlet_query::asked::How::Unequal);
        let see = |digest| crowd.see(digest, who, moment.at, window, principals);
        asked.map(|key| key.digest).filter_map(see).max().map(|count| vec![("principals", count)])
    }
}

fn rules_about(rules: &Rules, people: &People, name: &str, day: i32) -> u64 {
    let is = |about: &About| {
        let person = people.get(name);
        let has_any = |roles: &std::collections::BTreeSet<String>| {
            person.is_some_and(|person| person.roles.iter().any(|role| roles.contains(role)))
        };
        let leaves = |days: i32| {
            person.and_then(|person| person.leaving).is_some_and(|last| last - day <= days)
        };
        (about.roles.is_empty() || has_any(&about.roles))
            && !has_any(&about.except_roles)
            && (about.names.is_empty() || about.names.contains(name))
            && about.leaving_within.is_none_or(leaves)
    };
    let of_rule = |(at, rule): (usize, &super::rules::Rule)| u64::from(is(&rule.about)) << at;
    rules.rules.iter().enumerate().map(of_rule).fold(0, |all, one| all | one)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
