//! The time of day, for what ends at a time: emergencies here, and in the server what other machines
//! have dated (codes, tokens of issuers, certificates).
//!
//! Owns one promise: within a process the time neither goes back nor stands still. A clock that is
//! set back makes nothing last longer and no used code or expired token good again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::emergencies::seconds;

const MILLIS: i64 = 1_000;

/// The time of day, by the machine's clock or by what has gone by since that was last ahead, whichever
/// is later.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// By how much the machine's clock was ahead of what had gone by since the start, at most: in
    /// milliseconds, as the one counts seconds and the other does not. It never falls, so that from a
    /// clock that jumps ahead and back the time is counted on and does not wait for it. `None` if the
    /// clock could not be read at the start.
    ahead: Option<AtomicI64>,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        let ahead = seconds().map(|_| AtomicI64::new(i64::MIN));
        Self { started: Instant::now(), ahead }
    }

    /// Seconds since 1970-01-01 00:00 UTC; `None` if the machine's clock shows an earlier time, or did
    /// at the start.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        // Read in this order: what has gone by may be too much beside what is shown, never too little.
        let shown = seconds()?;
        self.not_before(shown, self.started.elapsed().as_millis())
    }

    fn not_before(&self, shown: i64, gone: u128) -> Option<i64> {
        let gone = i64::try_from(gone).ok()?;
        let ahead = shown.checked_mul(MILLIS)?.checked_sub(gone)?;
        let ahead = self.ahead.as_ref()?.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        Some(gone.checked_add(ahead)?.div_euclid(MILLIS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told where the machine's clock shows so many seconds after so many milliseconds.
    fn told<const N: usize>(shown: [(i64, u128); N]) -> [i64; N] {
        let clock = Clock::start();
        shown.map(|(shown, gone)| clock.not_before(shown, gone).unwrap())
    }

    #[test]
    fn a_clock_that_is_set_back_or_stopped_is_not_followed() {
        let shown = [(1_000, 0), (1_007, 7_000), (900, 9_000), (900, 20_000)];
        assert_eq!(told(shown), [1_000, 1_007, 1_009, 1_020]);
        let unread = Clock { ahead: None, ..Clock::start() };
        assert_eq!(unread.seconds(), None);
        assert!(Clock::start().seconds().unwrap() > 1_700_000_000);
    }

    /// From the furthest that it showed it goes on, by what goes by: an emergency that ends in an hour
    /// ends in an hour, though the clock was a day ahead for a moment.
    #[test]
    fn a_clock_that_jumps_ahead_and_back_does_not_make_the_time_stand_still() {
        let shown = [(1_000, 0), (1_500, 1_000), (1_002, 2_000), (1_060, 60_000), (1_900, 70_000)];
        assert_eq!(told(shown), [1_000, 1_500, 1_501, 1_559, 1_900]);
    }

    /// Both are cut off to something; that must not add up to a second that has not begun.
    #[test]
    fn it_is_not_ahead_of_a_clock_that_goes_on_as_it_should() {
        // The clock was at 1,000.9 seconds at the start.
        let shown = [(1_000, 0), (1_000, 99), (1_001, 100), (1_001, 1_099), (1_002, 1_100)];
        assert_eq!(told(shown), shown.map(|(shown, _)| shown));
    }
}
