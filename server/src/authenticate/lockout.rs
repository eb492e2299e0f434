//! Locks a name for a while after too many wrong passwords.
//!
//! Owns the count of failures by name and by where they came from: a stranger locks a name for
//! its own place and not for its owner's, until so many have tried that the name is locked for
//! all. Must never grow with what strangers send (the caller counts only names of the feed, and
//! of one name no more is kept than locks it), and never depend on the time of day: a clock
//! that is set back must not unlock anything.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Source;

/// Wrong passwords after which a name is locked for one source (PCI DSS 8.3.4).
const FAILURES_MAX: u32 = 10;
/// Wrong passwords from everywhere after which a name is locked for all.
const FAILURES_PER_NAME_MAX: u32 = 100;
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

/// The failures of one name, by source; `None` where that is not known.
type BySource = HashMap<Option<Source>, Failures>;

/// The failures of each name.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    names: Mutex<HashMap<String, BySource>>,
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
    source: Option<Source>,
    ending: Ending,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Failed,
    Succeeded,
    /// Nobody looked at the password.
    Untried,
}

impl Lockout {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Begins an attempt for a name of the feed.
    pub(crate) fn attempt(&self, name: &str, source: Option<Source>, now: Instant) -> Attempt<'_> {
        let mut names = self.lock();
        let sources = names.entry(name.to_string()).or_default();
        forget_old(sources, now);
        let of_name: u32 = sources.values().map(|failures| failures.count + failures.open).sum();
        if of_name >= FAILURES_PER_NAME_MAX {
            return Attempt::Locked;
        }
        let own = sources.entry(source).or_insert(Failures { count: 0, open: 0, last: now });
        if own.count + own.open >= FAILURES_MAX {
            return Attempt::Locked;
        }
        own.open += 1;
        let (name, ending) = (name.into(), Ending::Failed);
        Attempt::Open(OpenAttempt { lockout: self, name, source, ending })
    }

    fn close(&self, name: &str, source: Option<Source>, ending: Ending, now: Instant) {
        let mut names = self.lock();
        let Some(sources) = names.get_mut(name) else { return };
        if let Some(own) = sources.get_mut(&source) {
            own.open = own.open.saturating_sub(1);
            match ending {
                Ending::Succeeded => own.count = 0,
                Ending::Failed => {
                    own.count += 1;
                    own.last = now;
                }
                Ending::Untried => {}
            }
        }
        sources.retain(|_, failures| failures.count + failures.open > 0);
        if sources.is_empty() {
            names.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BySource>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_old(sources: &mut BySource, now: Instant) {
    for failures in sources.values_mut() {
        if now.saturating_duration_since(failures.last) >= LOCKED_FOR {
            failures.count = 0;
        }
    }
    sources.retain(|_, failures| failures.count + failures.open > 0);
}

impl OpenAttempt<'_> {
    /// The password was right: earlier failures from there are forgotten.
    pub(crate) fn succeeded(mut self) {
        self.ending = Ending::Succeeded;
    }

    /// Nobody looked at the password: neither a failure, nor a reason to forget one.
    pub(crate) fn untried(mut self) {
        self.ending = Ending::Untried;
    }
}

impl Drop for OpenAttempt<'_> {
    fn drop(&mut self) {
        self.lockout.close(&self.name, self.source, self.ending, Instant::now());
    }
}

#[cfg(test)]
#[path = "lockout_tests.rs"]
mod tests;
