//! What one peer may try before a password is checked.
//!
//! Owns the count of sign-ins by the address they come from, so that one peer can neither fill
//! the queue for the checks nor guess through many names. Must never grow without bound, and
//! never depend on the time of day.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Refused;

/// Sign-ins of one peer that may be open at once: a quarter of the queue.
pub(super) const OPEN_MAX: u32 = 64;
/// Failed sign-ins of one peer within [`WINDOW`], after which it has to wait for its end. An
/// office behind one address mistypes less.
pub(super) const FAILURES_MAX: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// Peers that are counted at most.
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

#[derive(Debug)]
struct Tries {
    open: u32,
    failures: u32,
    /// When the window of these failures began.
    since: Instant,
}

/// The sign-ins of each peer.
#[derive(Debug, Default)]
pub(super) struct Peers {
    tries: Mutex<HashMap<Source, Tries>>,
}

/// A sign-in that is open. Dropping it without success is a failure.
#[derive(Debug)]
pub(super) struct OpenTry<'a> {
    peers: &'a Peers,
    source: Source,
    succeeded: bool,
}

impl Peers {
    /// Begins a sign-in.
    pub(super) fn begin(&self, source: Source, now: Instant) -> Result<OpenTry<'_>, Refused> {
        let mut tries = self.lock();
        if !tries.contains_key(&source) && tries.len() >= PEERS_MAX {
            make_room(&mut tries, now);
        }
        if !tries.contains_key(&source) && tries.len() >= PEERS_MAX {
            return Err(Refused::TooMany);
        }
        let own = tries.entry(source).or_insert(Tries { open: 0, failures: 0, since: now });
        if is_over(own, now) {
            (own.failures, own.since) = (0, now);
        }
        if own.open >= OPEN_MAX || own.failures + own.open >= FAILURES_MAX {
            return Err(Refused::TooMany);
        }
        own.open += 1;
        Ok(OpenTry { peers: self, source, succeeded: false })
    }

    fn close(&self, source: Source, succeeded: bool) {
        let mut tries = self.lock();
        let Some(own) = tries.get_mut(&source) else { return };
        own.open = own.open.saturating_sub(1);
        own.failures += u32::from(!succeeded);
        if own.open == 0 && own.failures == 0 {
            tries.remove(&source);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, Tries>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(tries: &Tries, now: Instant) -> bool {
    now.saturating_duration_since(tries.since) >= WINDOW
}

/// Forgets the peers whose window is over; if there is none, one that has failed least.
fn make_room(tries: &mut HashMap<Source, Tries>, now: Instant) {
    tries.retain(|_, tries| tries.open > 0 || !is_over(tries, now));
    if tries.len() < PEERS_MAX {
        return;
    }
    let idle = tries.iter().filter(|(_, tries)| tries.open == 0);
    if let Some(least) = idle.min_by_key(|(_, tries)| tries.failures).map(|(source, _)| *source) {
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
        self.peers.close(self.source, self.succeeded);
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
