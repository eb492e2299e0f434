//! What is usual of somebody, and among those who have the same roles.
//!
//! Told at most every ten minutes of the records' time for each rule and set of roles: it is a
//! walk over everybody. The median of many moves little, whatever one of them does.

use std::collections::HashMap;

use super::clock::MINUTE;
use super::ledger::{Ledger, ranked};
use super::rules::Usual;

/// Peers with a history below which nothing is usual.
const PEERS_MIN: usize = 5;
/// For how long a norm holds.
const HOLDS: i64 = 10 * MINUTE;
/// No day makes more usual than this times as much.
const LIFT_MAX: u64 = 10;

impl Usual {
    /// What is held against a limit.
    pub(crate) fn value(&self, ledger: &Ledger) -> u64 {
        match self.days {
            1 => ledger.today.figure(self.figure),
            7 => ledger.week(self.figure),
            _ => ledger.month(self.figure),
        }
    }

    /// What is usual by the own history, if there is one.
    pub(crate) fn own(&self, ledger: &Ledger) -> Option<u64> {
        match self.days {
            1 => ledger.has_history().then(|| ledger.usual(self.figure)),
            7 => ledger.usual_week(self.figure),
            _ => None,
        }
    }
}

/// The norms that were told lately, by rule and set of roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Norms {
    habits: HashMap<(usize, u32), (i64, Option<u64>)>,
    lifts: HashMap<(usize, u32), (i64, f64)>,
}

impl Norms {
    /// The middling one of the peers' usual figures, or of their sums of thirty days.
    pub(crate) fn habit(
        &mut self,
        rule: usize,
        usual: &Usual,
        who: usize,
        ledgers: &[Ledger],
        at: i64,
    ) -> Option<u64> {
        let group = ledgers[who].group?;
        if let Some((told, habit)) = self.habits.get(&(rule, group))
            && holds(*told, at)
        {
            return *habit;
        }
        let of = |peer: &Ledger| match usual.days {
            1 => peer.usual(usual.figure),
            _ => usual.value(peer),
        };
        let figures: Vec<u64> = peers(ledgers, group).map(of).collect();
        let habit = (figures.len() >= PEERS_MIN).then(|| ranked(figures, 50));
        self.habits.insert((rule, group), (at, habit));
        habit
    }

    /// How many times as much as on middling days the peers do today, or this week; at least
    /// once.
    pub(crate) fn lift(
        &mut self,
        rule: usize,
        usual: &Usual,
        who: usize,
        ledgers: &[Ledger],
        at: i64,
    ) -> f64 {
        let Some(group) = ledgers[who].group else { return 1.0 };
        if let Some((told, lift)) = self.lifts.get(&(rule, group))
            && holds(*told, at)
        {
            return *lift;
        }
        let day = ledgers[who].today.day;
        let working =
            peers(ledgers, group).filter(|peer| peer.today.day == day && peer.today.statements > 0);
        let percents: Vec<u64> = working
            .filter_map(|peer| {
                let middling = match usual.days {
                    1 => peer.middling(usual.figure),
                    _ => peer.usual_week(usual.figure)?,
                };
                Some((usual.value(peer) * 100 / middling.max(1)).min(100 * LIFT_MAX))
            })
            .collect();
        let lift = if percents.len() >= PEERS_MIN {
            (ranked(percents, 50) as f64 / 100.0).max(1.0)
        } else {
            1.0
        };
        self.lifts.insert((rule, group), (at, lift));
        lift
    }
}

fn holds(told: i64, at: i64) -> bool {
    (0..HOLDS).contains(&(at - told))
}

fn peers(ledgers: &[Ledger], group: u32) -> impl Iterator<Item = &Ledger> {
    ledgers.iter().filter(move |peer| peer.group == Some(group) && peer.has_history())
}
