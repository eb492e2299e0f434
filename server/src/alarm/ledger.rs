//! What one principal did: figures of thirty days, and what happened within each rule's window.
//!
//! Owns the bounds that keep twelve thousand of them small. Holds digests and counts, never a
//! value that somebody asked for or saw.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::rules::Figure;

/// Days that count as history.
pub(crate) const HISTORY_DAYS: i32 = 30;
/// Days with statements from which on somebody has a usual figure.
pub(crate) const HISTORY_DAYS_MIN: usize = 5;
/// Different customers of one day that are told apart; further ones count each time.
const KEYS_PER_DAY_MAX: usize = 4_096;
/// For how long a network is new, in microseconds.
const NEW_FOR: i64 = super::clock::DAY;
/// Networks of one principal that are remembered.
const NETWORKS_MAX: usize = 8;

/// The figures of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) day: i32,
    pub(crate) rows: u32,
    /// Of one statement.
    pub(crate) largest: u32,
    pub(crate) keys: u32,
    pub(crate) lookups: u32,
    pub(crate) statements: u32,
}

impl Day {
    pub(crate) fn figure(&self, figure: Figure) -> u64 {
        u64::from(match figure {
            Figure::Rows => self.rows,
            Figure::Largest => self.largest,
            Figure::Keys => self.keys,
            Figure::Lookups => self.lookups,
            Figure::Statements => self.statements,
        })
    }
}

/// Something that happened, as a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: i64,
    pub(crate) what: u64,
    pub(crate) other: u64,
}

/// What happened within a window, bounded in number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    notes: VecDeque<Note>,
    /// A sum that a rule keeps beside it.
    pub(crate) sum: u64,
    /// Which period the sum is of.
    pub(crate) period: i64,
}

impl Recent {
    /// Nothing, as yet, of a period.
    pub(crate) fn of(period: i64) -> Self {
        Self { period, ..Self::default() }
    }

    pub(crate) fn expire(&mut self, before: i64) {
        while self.notes.front().is_some_and(|note| note.at < before) {
            self.notes.pop_front();
        }
    }

    /// Notes something that may happen several times.
    pub(crate) fn note(&mut self, note: Note, at_most: usize) {
        self.notes.push_back(note);
        while self.notes.len() > at_most {
            self.notes.pop_front();
        }
    }

    /// Notes something that counts once, however often it happens.
    pub(crate) fn note_once(&mut self, note: Note, at_most: usize) {
        if let Some(at) = self.notes.iter().rposition(|known| known.what == note.what) {
            self.notes.remove(at);
        }
        self.note(note, at_most);
    }

    pub(crate) fn notes(&self) -> impl DoubleEndedIterator<Item = &Note> {
        self.notes.iter()
    }

    pub(crate) fn len(&self) -> u64 {
        self.notes.len() as u64
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { sum: self.sum, period: self.period, notes: VecDeque::new() };
    }
}

/// A network that somebody came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) network: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// One principal.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) name: Arc<str>,
    /// Who has the same roles.
    pub(crate) group: Option<u32>,
    /// The rules that are about it, a bit each, and the state of the people that told so.
    pub(crate) rules: u64,
    pub(crate) judged: (u64, i32),
    /// Days before today with statements, oldest first.
    past: VecDeque<Day>,
    pub(crate) today: Day,
    today_keys: HashSet<u64>,
    pub(crate) networks: Vec<Network>,
    /// By rule.
    pub(crate) recent: Vec<Recent>,
    /// When each rule was raised last.
    pub(crate) raised: Vec<i64>,
}

impl Ledger {
    pub(crate) fn new(name: Arc<str>, rules: usize) -> Self {
        Self {
            name,
            group: None,
            rules: 0,
            judged: (u64::MAX, 0),
            past: VecDeque::new(),
            today: Day::default(),
            today_keys: HashSet::new(),
            networks: Vec::new(),
            recent: vec![Recent::default(); rules],
            raised: vec![i64::MIN; rules],
        }
    }

    /// Begins a new day, unless it is today. A clock that was set back begins none.
    pub(crate) fn turn_to(&mut self, day: i32) {
        if day <= self.today.day {
            return;
        }
        if self.today.statements > 0 {
            self.past.push_back(self.today);
        }
        self.today = Day { day, ..Day::default() };
        self.today_keys = HashSet::new();
        while self.past.front().is_some_and(|past| past.day < day - HISTORY_DAYS) {
            self.past.pop_front();
        }
    }

    /// Counts a customer that was asked for.
    pub(crate) fn count_key(&mut self, key: u64) {
        let is_new = self.today_keys.len() >= KEYS_PER_DAY_MAX || self.today_keys.insert(key);
        self.today.keys = self.today.keys.saturating_add(u32::from(is_new));
    }

    /// Counts rows that left, `of` so many of the same statement.
    pub(crate) fn count_rows(&mut self, rows: u64, of: u64) {
        let whole = |rows| u32::try_from(rows).unwrap_or(u32::MAX);
        self.today.rows = self.today.rows.saturating_add(whole(rows));
        self.today.largest = self.today.largest.max(whole(of));
    }

    pub(crate) fn has_history(&self) -> bool {
        self.past.len() >= HISTORY_DAYS_MIN
    }

    /// The figure that 95 of 100 own days do not exceed. The one largest day never is usual:
    /// what was an alarm yesterday must not be today's measure.
    pub(crate) fn usual(&self, figure: Figure) -> u64 {
        let mut days: Vec<u64> = self.past.iter().map(|day| day.figure(figure)).collect();
        days.sort_unstable();
        let rank = (days.len() * 95).div_ceil(100).min(days.len().saturating_sub(1));
        days.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The figure of a middling own day.
    pub(crate) fn middling(&self, figure: Figure) -> u64 {
        ranked(self.past.iter().map(|day| day.figure(figure)).collect(), 50)
    }

    /// The sum of seven days, today among them.
    pub(crate) fn week(&self, figure: Figure) -> u64 {
        let past: u64 = self.this_week().map(|day| day.figure(figure)).sum();
        past + self.today.figure(figure)
    }

    /// What as many days as were worked this week come to, if all of them are middling days of
    /// the time before; `None` without such a time.
    pub(crate) fn usual_week(&self, figure: Figure) -> Option<u64> {
        let days = self.this_week().count() as u64 + 1;
        let before = self.past.len() - self.this_week().count();
        let before: Vec<u64> =
            self.past.iter().take(before).map(|day| day.figure(figure)).collect();
        (before.len() >= HISTORY_DAYS_MIN).then(|| ranked(before, 50) * days)
    }

    /// The days of this week before today.
    fn this_week(&self) -> impl Iterator<Item = &Day> {
        let first = self.today.day - 6;
        self.past.iter().filter(move |day| day.day >= first)
    }

    /// The sum of thirty days, today among them.
    pub(crate) fn month(&self, figure: Figure) -> u64 {
        let past: u64 = self.past.iter().map(|day| day.figure(figure)).sum();
        past + self.today.figure(figure)
    }

    /// Notes where it came from; gives the time at which another network was in use last, if
    /// one of the two is new: nobody is known to go to and fro between them.
    pub(crate) fn came_from(&mut self, network: u64, at: i64, forget_before: i64) -> Option<i64> {
        self.networks.retain(|known| known.last >= forget_before);
        let here = match self.networks.iter_mut().find(|known| known.network == network) {
            Some(known) => {
                known.last = at;
                *known
            }
            None => self.first_time_at(network, at),
        };
        let is_new = |other: &&Network| at - here.first.max(other.first) < NEW_FOR;
        let others = self.networks.iter().filter(|other| other.network != network);
        others.filter(is_new).map(|other| other.last).max()
    }

    fn first_time_at(&mut self, network: u64, at: i64) -> Network {
        if self.networks.len() >= NETWORKS_MAX
            && let Some(oldest) = (0..NETWORKS_MAX).min_by_key(|at| self.networks[*at].last)
        {
            self.networks.swap_remove(oldest);
        }
        let here = Network { network, first: at, last: at };
        self.networks.push(here);
        here
    }

    /// Gives back what only today's work needs.
    pub(crate) fn rest(&mut self) {
        self.today_keys = HashSet::new();
        self.recent.iter_mut().for_each(Recent::clear);
    }
}

/// The value that so many of a hundred do not exceed; 0 of none.
pub(crate) fn ranked(mut values: Vec<u64>, percent: usize) -> u64 {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_are_kept_and_an_idle_day_is_none() {
        let mut ledger = Ledger::new("ann".into(), 1);
        for day in 1..=40 {
            ledger.turn_to(day);
            if day % 2 == 0 {
                ledger.today.statements = 1;
                ledger.count_rows(u64::from(day.unsigned_abs()), 1);
            }
        }
        ledger.turn_to(41);
        assert_eq!(ledger.past.len(), 15);
        assert_eq!(ledger.usual(Figure::Rows), 38);
        assert_eq!(ledger.middling(Figure::Rows), 26);
        ledger.turn_to(30);
        assert_eq!(ledger.today.day, 41, "no day comes back");
        assert_eq!(ledger.week(Figure::Rows), 36 + 38 + 40);
        assert_eq!(ledger.usual_week(Figure::Rows), Some(4 * 22));
    }

    #[test]
    fn one_large_day_of_a_month_is_not_usual() {
        let days = |large: usize| (0..22).map(|day| if day < large { 9_000 } else { 10 }).collect();
        assert_eq!(ranked(days(1), 95), 10);
        assert_eq!(ranked(days(2), 95), 9_000);
        assert_eq!(ranked(Vec::new(), 95), 0);
    }

    #[test]
    fn the_same_customer_counts_once_a_day() {
        let mut ledger = Ledger::new("ann".into(), 0);
        ledger.turn_to(1);
        for key in [5, 6, 5] {
            ledger.count_key(key);
        }
        assert_eq!(ledger.today.keys, 2);
        for key in 0..2 * KEYS_PER_DAY_MAX as u64 {
            ledger.count_key(key);
        }
        assert!(ledger.today_keys.len() <= KEYS_PER_DAY_MAX);
    }

    #[test]
    fn only_a_second_network_is_elsewhere() {
        let mut ledger = Ledger::new("ann".into(), 0);
        assert_eq!(ledger.came_from(1, 10, 0), None);
        assert_eq!(ledger.came_from(1, 20, 0), None);
        assert_eq!(ledger.came_from(2, 30, 0), Some(20));
        assert_eq!(ledger.came_from(1, 40, 0), Some(30), "to and fro, and one of them is new");
        assert_eq!(ledger.came_from(2, NEW_FOR + 30, 0), None, "no longer");
        for network in 3..50 {
            ledger.came_from(network, NEW_FOR + 50, 0);
        }
        assert!(ledger.networks.len() <= NETWORKS_MAX);
    }

    #[test]
    fn a_window_is_bounded_and_forgets() {
        let mut recent = Recent::default();
        for at in 0..100 {
            recent.note_once(Note { at, what: at.unsigned_abs() % 10, other: 0 }, 8);
        }
        assert_eq!(recent.len(), 8);
        recent.expire(98);
        assert_eq!(recent.len(), 2);
    }
}
