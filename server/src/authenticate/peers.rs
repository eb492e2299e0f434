//! What one peer may try before a password is checked.
//!
//! Owns the count of sign-ins by the address they come from, so that one peer can neither fill
//! the queue for the checks nor guess through many names. Must never grow without bound, and
//! never depend on the time of day.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Refused;

/// Sign-ins of one peer that may be open at once: a quarter of the queue.
pub(super) const OPEN_MAX: u32 = 64;
/// Sign-ins of one peer that fail within any ten minutes, at most. An office behind one address
/// mistypes less.
pub(super) const FAILURES_MAX: u32 = 100;
/// How many seconds a failure counts.
const COUNTS_FOR: u32 = 10 * 60;
/// Peers that are counted at most: with four bytes for each failure that is some seven megabytes.
const PEERS_MAX: usize = 16_384;

/// Where a sign-in comes from: an address, or of IPv6 the network that one site is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[derive(Debug, Default)]
struct Tries {
    open: u32,
    /// In which seconds those began that failed. Each counts from its own beginning on: what is counted
    /// from window to window lets twice as many through where two of them meet.
    failures: Vec<u32>,
}

impl Tries {
    /// Whether nothing of it counts any more. The newest failures stand behind the others, nearly.
    fn is_over(&self, second: u32) -> bool {
        self.open == 0 && !self.failures.iter().rev().any(|failed| counts(*failed, second))
    }
}

/// Both are cut off to the second before, so that a failure counts a second too long and never less.
const fn counts(failed: u32, second: u32) -> bool {
    second.saturating_sub(failed) <= COUNTS_FOR
}

/// The sign-ins of each peer.
#[derive(Debug)]
pub(super) struct Peers {
    started: Instant,
    tries: Mutex<HashMap<Source, Tries>>,
}

impl Default for Peers {
    fn default() -> Self {
        Self { started: Instant::now(), tries: Mutex::default() }
    }
}

/// A sign-in that is open. Dropping it without success is a failure.
#[derive(Debug)]
pub(super) struct OpenTry<'a> {
    peers: &'a Peers,
    source: Source,
    /// In which second it began.
    began: u32,
    succeeded: bool,
}

impl Peers {
    /// Begins a sign-in.
    pub(super) fn begin(&self, source: Source, now: Instant) -> Result<OpenTry<'_>, Refused> {
        let second = self.second(now);
        let mut tries = self.lock();
        if !tries.contains_key(&source) && tries.len() >= PEERS_MAX {
            make_room(&mut tries, second);
        }
        if !tries.contains_key(&source) && tries.len() >= PEERS_MAX {
            return Err(Refused::TooMany);
        }
        let own = tries.entry(source).or_default();
        own.failures.retain(|failed| counts(*failed, second));
        // An open one may fail yet.
        if own.open >= OPEN_MAX || own.failures.len() + own.open as usize >= FAILURES_MAX as usize {
            return Err(Refused::TooMany);
        }
        own.open += 1;
        Ok(OpenTry { peers: self, source, began: second, succeeded: false })
    }

    fn second(&self, now: Instant) -> u32 {
        let seconds = now.saturating_duration_since(self.started).as_secs();
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }

    fn close(&self, source: Source, began: u32, succeeded: bool) {
        let mut tries = self.lock();
        let Some(own) = tries.get_mut(&source) else { return };
        own.open = own.open.saturating_sub(1);
        if !succeeded {
            own.failures.push(began);
        }
        if own.open == 0 && own.failures.is_empty() {
            tries.remove(&source);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, Tries>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the peers of whom nothing counts; if there is none, one that has failed least.
fn make_room(tries: &mut HashMap<Source, Tries>, second: u32) {
    tries.retain(|_, tries| !tries.is_over(second));
    if tries.len() < PEERS_MAX {
        return;
    }
    let idle = tries.iter().filter(|(_, tries)| tries.open == 0);
    if let Some(least) =
        idle.min_by_key(|(_, tries)| tries.failures.len()).map(|(source, _)| *source)
    {
        tries.remove(&least);
    }
}

impl OpenTry<'_> {
    /// The password was right.
    pub(super) fn succeeded(mut self) {
        self.succeeded = true;
    }
}

impl Drop for OpenTry<'_> {
    fn drop(&mut self) {
        self.peers.close(self.source, self.began, self.succeeded);
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
