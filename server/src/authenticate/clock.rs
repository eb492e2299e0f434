//! The time of day, for what other machines have dated: codes, tokens of issuers, certificates.
//!
//! Owns one promise: within a process the time does not go back. A clock that is set back must
//! not make an expired token or a used code good again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day that never goes back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: AtomicI64,
}

impl Clock {
    /// Seconds since 1970-01-01 00:00 UTC; `None` if the machine's clock shows an earlier time.
    pub(crate) fn seconds(&self) -> Option<i64> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(self.not_before_latest(i64::try_from(since_1970.as_secs()).ok()?))
    }

    fn not_before_latest(&self, shown: i64) -> i64 {
        self.latest.fetch_max(shown, Ordering::Relaxed).max(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_not_followed() {
        let clock = Clock::default();
        assert_eq!([7, 3, 9, 8].map(|shown| clock.not_before_latest(shown)), [7, 7, 9, 9]);
        assert!(clock.seconds().unwrap() > 1_700_000_000);
    }
}
