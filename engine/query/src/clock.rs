//! The time of day, for what ends at a time: emergencies here, and in the server what other machines
//! have dated (codes, tokens of issuers, certificates).
//!
//! Owns one promise: within a process the time neither goes back nor stands still. A clock that is
//! set back makes nothing last longer and no used code or expired token good again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::emergencies::seconds;

/// The time of day, by the machine's clock or by what has gone by since the start, whichever is
/// later.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// What the clock showed then; `None` if it could not be read.
    showed: Option<i64>,
    latest: AtomicI64,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), showed: seconds(), latest: AtomicI64::new(i64::MIN) }
    }

    /// Seconds since 1970-01-01 00:00 UTC; `None` if the machine's clock shows an earlier time, or did
    /// at the start.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        self.not_before(seconds()?, self.started.elapsed().as_secs())
    }

    fn not_before(&self, shown: i64, gone: u64) -> Option<i64> {
        let gone = i64::try_from(gone).ok()?;
        let counted = self.showed?.checked_add(gone)?;
        let now = shown.max(counted);
        Some(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_or_stopped_is_not_followed() {
        let clock = Clock { showed: Some(1_000), ..Clock::start() };
        let shown = [(1_000, 0), (1_007, 7), (900, 9), (900, 20), (1_500, 21), (1_000, 22)];
        let told = shown.map(|(shown, gone)| clock.not_before(shown, gone).unwrap());
        assert_eq!(told, [1_000, 1_007, 1_009, 1_020, 1_500, 1_500]);
        assert_eq!(Clock { showed: None, ..Clock::start() }.seconds(), None);
        assert!(Clock::start().seconds().unwrap() > 1_700_000_000);
    }
}
