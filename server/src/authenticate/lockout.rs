//! Locks a name for a while after too many wrong passwords.
//!
//! Owns the count of failures by name. Must never grow with what strangers send (the caller
//! counts only names of the feed), and never depend on the time of day: a clock that is set
//! back must not unlock anything.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords after which a name is locked (PCI DSS 8.3.4).
const FAILURES_MAX: u32 = 10;
/// For how long it is locked, from the last failure on (PCI DSS 8.3.4).
const LOCKED_FOR: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// Attempts whose outcome is not known yet; they count as failures until then, so that
    /// many at once try no more passwords than one after the other.
    open: u32,
    last: Instant,
}

/// The failures of each name.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    names: Mutex<HashMap<String, Failures>>,
}

/// What a sign-in may do.
#[derive(Debug)]
pub(crate) enum Attempt<'a> {
    /// The name is not in the feed.
    Unknown,
    /// The name is locked.
    Locked,
    /// The attempt counts as a failure unless it succeeds.
    Open(OpenAttempt<'a>),
}

/// An attempt that is being checked. Dropping it without success is a failure.
#[derive(Debug)]
pub(crate) struct OpenAttempt<'a> {
    lockout: &'a Lockout,
    name: String,
    succeeded: bool,
}

impl Lockout {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Begins an attempt for a name of the feed.
    pub(crate) fn attempt(&self, name: &str, now: Instant) -> Attempt<'_> {
        let mut names = self.lock();
        let failures =
            names.entry(name.to_string()).or_insert(Failures { count: 0, open: 0, last: now });
        if now.saturating_duration_since(failures.last) >= LOCKED_FOR {
            failures.count = 0;
        }
        if failures.count + failures.open >= FAILURES_MAX {
            return Attempt::Locked;
        }
        failures.open += 1;
        Attempt::Open(OpenAttempt { lockout: self, name: name.to_string(), succeeded: false })
    }

    fn close(&self, name: &str, succeeded: bool, now: Instant) {
        let mut names = self.lock();
        let Some(failures) = names.get_mut(name) else { return };
        failures.open = failures.open.saturating_sub(1);
        if succeeded {
            failures.count = 0;
        } else {
            failures.count += 1;
            failures.last = now;
        }
        if failures.count == 0 && failures.open == 0 {
            names.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenAttempt<'_> {
    /// The password was right: earlier failures are forgotten.
    pub(crate) fn succeeded(mut self) {
        self.succeeded = true;
    }
}

impl Drop for OpenAttempt<'_> {
    fn drop(&mut self) {
        self.lockout.close(&self.name, self.succeeded, Instant::now());
    }
}

#[cfg(test)]
#[path = "lockout_tests.rs"]
mod tests;
