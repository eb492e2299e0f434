//! The days of the bank's history, and how busy each is: weeks, month ends, paydays, holidays.
//! Never knows what happens on a day.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::draw::{Draw, Skew};
use crate::plan::BankPlan;

/// The history's days, from the first to the business date.
#[derive(Debug)]
pub(crate) struct Calendar {
    days: Vec<NaiveDate>,
    rhythm: Skew,
}

impl Calendar {
    pub(crate) fn new(plan: &BankPlan) -> Self {
        let days: Vec<NaiveDate> =
            plan.first_day().iter_days().take(plan.history_days as usize).collect();
        let rhythm = Skew::new(days.iter().map(|day| busyness(*day)));
        Self { days, rhythm }
    }

    /// Picks a day, busy ones more often; an index into [`Self::days`].
    pub(crate) fn pick(&self, draw: &mut Draw) -> usize {
        self.rhythm.pick(draw)
    }

    pub(crate) fn days(&self) -> &[NaiveDate] {
        &self.days
    }
}

/// How busy a day is, in per cent of a plain Tuesday.
pub(crate) fn busyness(day: NaiveDate) -> u64 {
    let week = match day.weekday() {
        Weekday::Mon => 115,
        Weekday::Tue | Weekday::Wed | Weekday::Thu => 100,
        Weekday::Fri => 120,
        Weekday::Sat => 55,
        Weekday::Sun => 40,
    };
    let tomorrow = day.checked_add_days(Days::new(1)).unwrap_or(day);
    let month = match (day.day(), tomorrow.day()) {
        (_, 1) => 220,
        (1 | 10, _) => 140,
        (15, _) => 170,
        (26.., _) => 125,
        _ => 100,
    };
    let holiday = match (day.month(), day.day()) {
        (10, 1..=3) | (1 | 5, 1) => 30,
        _ => 100,
    };
    week * month * holiday / 10_000
}
