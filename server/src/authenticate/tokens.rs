//! The open sessions, found by the hash of their token.
//!
//! Owns the life of a session: opened by a sign-in, kept by use, ended by idleness, age or
//! the client. Must never hold a token itself: what lies in memory cannot be presented.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use martlet_policy::SignedIn;

use super::{Refused, SessionId};
use crate::random;

/// Sessions of all principals together at most.
const SESSIONS_MAX: usize = 50_000;
/// Sessions of one principal at most. Many drivers never close theirs, so that a busy tool
/// loses the session it used longest ago rather than the next sign-in.
const SESSIONS_PER_PRINCIPAL_MAX: usize = 1_024;

type TokenHash = [u8; 32];

/// An open session, as a request finds it.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession<P = SignedIn> {
    pub(crate) session: SessionId,
    pub(crate) signed_in: P,
}

#[derive(Debug)]
struct Entry<P> {
    open: OpenSession<P>,
    name: String,
    opened: Instant,
    used: Instant,
}

/// The open sessions. `P` is the proof of a sign-in.
#[derive(Debug)]
pub(crate) struct Tokens<P = SignedIn> {
    idle_max: Duration,
    lifetime_max: Duration,
    entries: Mutex<HashMap<TokenHash, Entry<P>>>,
}

impl<P: Clone> Tokens<P> {
    pub(crate) fn new(idle_max: Duration, lifetime_max: Duration) -> Self {
        Self { idle_max, lifetime_max, entries: Mutex::default() }
    }

    /// Opens a session and gives its token: 256 random bits as text.
    pub(crate) fn open(&self, name: &str, signed_in: P, now: Instant) -> Result<String, Refused> {
        let token = URL_SAFE_NO_PAD.encode(random::draw::<32>().map_err(|_| Refused::Unchecked)?);
        let session = SessionId::from_bytes(random::draw().map_err(|_| Refused::Unchecked)?);
        let mut entries = self.lock();
        entries.retain(|_, entry| self.is_alive(entry, now));
        forget_oldest_of(&mut entries, name);
        if entries.len() >= SESSIONS_MAX {
            return Err(Refused::TooMany);
        }
        let open = OpenSession { session, signed_in };
        entries.insert(hash(&token), Entry { open, name: name.into(), opened: now, used: now });
        Ok(token)
    }

    /// Finds the session of a token; finding it counts as use.
    pub(crate) fn find(&self, token: &str, now: Instant) -> Option<OpenSession<P>> {
        let key = hash(token);
        let mut entries = self.lock();
        let entry = entries.get_mut(&key)?;
        if !self.is_alive(entry, now) {
            entries.remove(&key);
            return None;
        }
        entry.used = now;
        Some(entry.open.clone())
    }

    /// Ends a session.
    pub(crate) fn close(&self, session: SessionId) {
        self.lock().retain(|_, entry| entry.open.session != session);
    }

    fn is_alive(&self, entry: &Entry<P>, now: Instant) -> bool {
        now.saturating_duration_since(entry.used) < self.idle_max
            && now.saturating_duration_since(entry.opened) < self.lifetime_max
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Entry<P>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more session of this principal.
fn forget_oldest_of<P>(entries: &mut HashMap<TokenHash, Entry<P>>, name: &str) {
    let own = entries.iter().filter(|(_, entry)| entry.name == name);
    if own.clone().count() >= SESSIONS_PER_PRINCIPAL_MAX
        && let Some(oldest) = own.min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key)
    {
        entries.remove(&oldest);
    }
}

/// Tokens are random, so one fast hash is enough: there is nothing to guess.
fn hash(token: &str) -> TokenHash {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
