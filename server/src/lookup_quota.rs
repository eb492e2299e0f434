//! How often a principal may look up masked values: so many in any hour.
//!
//! A look-up is for somebody with the value in hand; whoever tries one value after the other
//! meets the bound. Owns the counts of this server, in memory: they begin anew when it does.
//! Must never give more than the policy says, whatever runs at the same time.
//!
//! Receives: the principal's name and the number of a statement's look-ups from
//! `flight::statement`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use martlet_core::{ErrorKind, Kinded};

/// The time in which look-ups are counted.
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// Names that are remembered before those without a look-up in the window are dropped.
const NAMES_MAX: usize = 20_000;

/// The principal has none left for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("your look-ups of this hour are used up: {per_hour} are allowed; try again later")]
pub(crate) struct UsedUp {
    per_hour: u32,
}

impl Kinded for UsedUp {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Exhausted
    }
}

/// The look-ups of the last hour, by principal.
#[derive(Debug, Default)]
pub(crate) struct LookupQuota {
    asked: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl LookupQuota {
    /// Counts a statement's look-ups; all of them or, where there are not so many left, none.
    ///
    /// # Errors
    /// [`UsedUp`] if fewer are left than the statement asks.
    pub(crate) fn take(
        &self,
        principal: &str,
        lookups: usize,
        per_hour: u32,
        now: Instant,
    ) -> Result<(), UsedUp> {
        if lookups == 0 {
            return Ok(());
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= NAMES_MAX {
            asked.retain(|_, times| times.back().is_some_and(|last| is_recent(*last, now)));
        }
        let times = asked.entry(principal.to_owned()).or_default();
        while times.front().is_some_and(|first| !is_recent(*first, now)) {
            times.pop_front();
        }
        if times.len() + lookups > per_hour as usize {
            return Err(UsedUp { per_hour });
        }
        times.extend(std::iter::repeat_n(now, lookups));
        Ok(())
    }
}

fn is_recent(then: Instant, now: Instant) -> bool {
    now.saturating_duration_since(then) < WINDOW
}

#[cfg(test)]
#[path = "lookup_quota_tests.rs"]
mod tests;
