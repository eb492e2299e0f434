//! The open sessions, found by the hash of what opens them.
//!
//! Owns the life of a session: opened by a sign-in, kept by use, ended by idleness, age or the
//! client; and the succession of its tokens. Must never hold a token itself: what lies in memory
//! cannot be presented. A successor is made from its predecessor and a key that the process drew,
//! so it can be told again without being kept, and nobody else can make it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{OldToken, Refused, SessionId, SignInRules, TokenRotation};
use crate::random::{self, NoEntropy};

/// Sessions of all principals together at most.
const SESSIONS_MAX: usize = 50_000;

type KeyHash = [u8; 32];

/// What opens a session. The kinds do not meet: nobody comes in with the name of another's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'a> {
    /// A token that the server gave.
    Token(&'a str),
    /// A token of an issuer.
    Issued(&'a str),
    /// A certificate, by its digest.
    Certificate(&'a [u8; 32]),
}

impl Key<'_> {
    /// What opens a session is random, signed or a digest, so one fast hash is enough: there is
    /// nothing to guess.
    fn hash(self) -> KeyHash {
        let (kind, bytes) = match self {
            Self::Token(token) => (0, token.as_bytes()),
            Self::Issued(token) => (1, token.as_bytes()),
            Self::Certificate(digest) => (2, digest.as_slice()),
        };
        *blake3::Hasher::new().update(&[kind]).update(bytes).finalize().as_bytes()
    }
}

/// A token that takes the place of the one a request came with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Successor(String);

impl Successor {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Successor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Successor(..)")
    }
}

/// An open session, as a request finds it.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession<P> {
    pub(crate) session: SessionId,
    /// What was proven when it was opened.
    pub(crate) proof: P,
    /// What the client is to come with from now on, where its token is old.
    pub(crate) successor: Option<Successor>,
}

/// A session's tokens.
#[derive(Debug)]
struct Succession {
    current: KeyHash,
    issued: Instant,
    /// From when on the current one is not good any more.
    retired: Option<Instant>,
    /// The successor, once it was told.
    offered: Option<KeyHash>,
    /// The one before, and until when it is good.
    before: Option<(KeyHash, Instant)>,
}

impl Succession {
    const fn new(current: KeyHash, now: Instant) -> Self {
        Self { current, issued: now, retired: None, offered: None, before: None }
    }

    fn hashes(&self) -> impl Iterator<Item = KeyHash> {
        let before = self.before.map(|(hash, _)| hash);
        [Some(self.current), self.offered, before].into_iter().flatten()
    }

    /// What becomes of a token of this session that is presented now.
    fn present(&mut self, hash: KeyHash, rotation: TokenRotation, now: Instant) -> Presented {
        if self.offered == Some(hash) {
            let forgotten = self.before.map(|(hash, _)| hash);
            let before = Some((self.current, now + rotation.overlap));
            *self = Self { before, ..Self::new(hash, now) };
            return Presented::Succeeded { forgotten };
        }
        let is_good = if hash == self.current {
            self.retired.is_none_or(|at| now < at)
        } else {
            self.before.is_some_and(|(before, until)| before == hash && now < until)
        };
        // Not before the overlap with the one before is over, or that would be cut short: drivers
        // with several requests on their way come back with it.
        let is_settled = self.before.is_none_or(|(_, until)| now >= until);
        let is_old = is_settled && now.saturating_duration_since(self.issued) >= rotation.after;
        match (is_good, hash == self.current) {
            (false, _) => Presented::Retired,
            (true, true) if !is_old => Presented::Good,
            // Whoever still comes with the one before has not heard of its successor.
            (true, _) => Presented::Old,
        }
    }

    fn offer(&mut self, successor: KeyHash, rotation: TokenRotation, now: Instant) {
        if self.current == successor {
            return;
        }
        self.offered = Some(successor);
        if rotation.old == OldToken::OverlapOnly {
            self.retired.get_or_insert(now + rotation.overlap);
        }
    }
}

/// What becomes of a token that is presented.
enum Presented {
    Good,
    /// It is good, and its successor is to be told.
    Old,
    /// It is the successor, used for the first time; one before is good no more.
    Succeeded {
        forgotten: Option<KeyHash>,
    },
    Retired,
}

/// How a session is found again.
#[derive(Debug)]
enum Opener {
    /// By tokens that follow each other.
    Own(Succession),
    /// By a credential that others have made; it ends with it.
    Foreign(KeyHash),
}

#[derive(Debug)]
struct Entry<P> {
    proof: P,
    name: String,
    opener: Opener,
    used: Instant,
    ends: Instant,
}

impl<P> Entry<P> {
    fn hashes(&self) -> Vec<KeyHash> {
        match &self.opener {
            Opener::Own(succession) => succession.hashes().collect(),
            Opener::Foreign(hash) => vec![*hash],
        }
    }
}

#[derive(Debug)]
struct Table<P> {
    sessions: HashMap<SessionId, Entry<P>>,
    by_key: HashMap<KeyHash, SessionId>,
}

impl<P> Table<P> {
    fn insert(&mut self, session: SessionId, entry: Entry<P>) {
        self.by_key.extend(entry.hashes().into_iter().map(|hash| (hash, session)));
        self.sessions.insert(session, entry);
    }

    fn remove(&mut self, session: SessionId) {
        let Some(entry) = self.sessions.remove(&session) else { return };
        for hash in entry.hashes() {
            self.by_key.remove(&hash);
        }
    }

    fn remove_all(&mut self, is_over: impl Fn(&Entry<P>) -> bool) {
        let over = self.sessions.iter().filter(|(_, entry)| is_over(entry));
        for session in over.map(|(session, _)| *session).collect::<Vec<_>>() {
            self.remove(session);
        }
    }
}

/// The open sessions. `P` is the proof of a sign-in.
pub(crate) struct Tokens<P> {
    idle_max: Duration,
    lifetime_max: Duration,
    per_principal_max: usize,
    rotation: TokenRotation,
    succession_key: [u8; 32],
    table: Mutex<Table<P>>,
}

impl<P> fmt::Debug for Tokens<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens(..)")
    }
}

impl<P: Clone> Tokens<P> {
    pub(crate) fn new(rules: &SignInRules) -> Result<Self, NoEntropy> {
        Ok(Self {
            idle_max: rules.session_idle_max,
            lifetime_max: rules.session_lifetime_max,
            per_principal_max: rules.sessions_max.max(1),
            rotation: rules.rotation,
            succession_key: random::draw()?,
            table: Mutex::new(Table { sessions: HashMap::new(), by_key: HashMap::new() }),
        })
    }

    /// Opens a session and gives its token: 256 random bits as text. It ends with this time, if
    /// not before.
    pub(crate) fn open_for(
        &self,
        lasts: Duration,
        name: &str,
        proof: P,
        now: Instant,
    ) -> Result<String, Refused> {
        let token = URL_SAFE_NO_PAD.encode(random::draw::<32>().map_err(|_| Refused::Unchecked)?);
        let opener = Opener::Own(Succession::new(Key::Token(&token).hash(), now));
        let ends = now + lasts.min(self.lifetime_max);
        self.insert(Entry { proof, name: name.into(), opener, used: now, ends }, now)?;
        Ok(token)
    }

    /// Opens a session for a credential that others have made, until that ends.
    pub(crate) fn adopt(
        &self,
        key: Key<'_>,
        name: &str,
        proof: P,
        lasts: Duration,
        now: Instant,
    ) -> Result<SessionId, Refused> {
        let opener = Opener::Foreign(key.hash());
        let ends = now + lasts.min(self.lifetime_max);
        self.insert(Entry { proof, name: name.into(), opener, used: now, ends }, now)
    }

    fn insert(&self, entry: Entry<P>, now: Instant) -> Result<SessionId, Refused> {
        let session = SessionId::from_bytes(random::draw().map_err(|_| Refused::Unchecked)?);
        let mut table = self.lock();
        table.remove_all(|entry| !self.is_alive(entry, now));
        if let Some(same) = entry.hashes().first().and_then(|hash| table.by_key.get(hash)) {
            // Another request with the same credential was faster.
            return Ok(*same);
        }
        forget_oldest_of(&mut table, &entry.name, self.per_principal_max);
        if table.sessions.len() >= SESSIONS_MAX {
            return Err(Refused::TooMany);
        }
        table.insert(session, entry);
        Ok(session)
    }

    /// Finds the session that a credential opens, if what was proven for it holds for who comes
    /// with it. Then alone it counts as use: who is refused leaves everything as it is.
    pub(crate) fn find<R>(
        &self,
        key: Key<'_>,
        now: Instant,
        holds: impl FnOnce(&P) -> Result<(), R>,
    ) -> Result<Option<OpenSession<P>>, R> {
        let hash = key.hash();
        let mut table = self.lock();
        let Some(session) = table.by_key.get(&hash).copied() else { return Ok(None) };
        let Some(entry) = table.sessions.get_mut(&session) else { return Ok(None) };
        if !self.is_alive(entry, now) {
            table.remove(session);
            return Ok(None);
        }
        holds(&entry.proof)?;
        let (mut successor, mut offered, mut forgotten) = (None, None, None);
        if let (Opener::Own(succession), Key::Token(token)) = (&mut entry.opener, key) {
            match succession.present(hash, self.rotation, now) {
                Presented::Good => {}
                Presented::Retired => return Ok(None),
                Presented::Succeeded { forgotten: last } => forgotten = last,
                Presented::Old => {
                    let next = self.successor_of(token);
                    let next_hash = Key::Token(next.text()).hash();
                    succession.offer(next_hash, self.rotation, now);
                    (successor, offered) = (Some(next), Some(next_hash));
                }
            }
        }
        entry.used = now;
        let proof = entry.proof.clone();
        if let Some(hash) = forgotten {
            table.by_key.remove(&hash);
        }
        if let Some(hash) = offered {
            table.by_key.insert(hash, session);
        }
        Ok(Some(OpenSession { session, proof, successor }))
    }

    /// The names that have an open session for which this is true of what was proven.
    pub(crate) fn names(&self, is_meant: impl Fn(&P) -> bool, now: Instant) -> Vec<String> {
        let table = self.lock();
        let alive = table.sessions.values().filter(|entry| self.is_alive(entry, now));
        let meant = alive.filter(|entry| is_meant(&entry.proof));
        let names: BTreeSet<&str> = meant.map(|entry| entry.name.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// What was proven for a session that is still open; asking counts as use, because a stream
    /// that is being sent is one.
    pub(crate) fn keep(&self, session: SessionId, now: Instant) -> Option<P> {
        let mut table = self.lock();
        let entry = table.sessions.get_mut(&session)?;
        if !self.is_alive(entry, now) {
            table.remove(session);
            return None;
        }
        entry.used = now;
        Some(entry.proof.clone())
    }

    /// Ends a session.
    pub(crate) fn close(&self, session: SessionId) {
        self.lock().remove(session);
    }

    fn successor_of(&self, token: &str) -> Successor {
        let bytes = blake3::keyed_hash(&self.succession_key, token.as_bytes());
        Successor(URL_SAFE_NO_PAD.encode(bytes.as_bytes()))
    }

    /// Ends all sessions of a principal.
    pub(crate) fn close_all(&self, name: &str) {
        self.lock().remove_all(|entry| entry.name == name);
    }

    fn is_alive(&self, entry: &Entry<P>, now: Instant) -> bool {
        now.saturating_duration_since(entry.used) < self.idle_max && now < entry.ends
    }

    fn lock(&self) -> MutexGuard<'_, Table<P>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more session of this principal: a busy tool loses the session it used
/// longest ago rather than its next sign-in.
fn forget_oldest_of<P>(table: &mut Table<P>, name: &str, max: usize) {
    let own = table.sessions.iter().filter(|(_, entry)| entry.name == name);
    if own.clone().count() >= max
        && let Some(oldest) = own.min_by_key(|(_, entry)| entry.used).map(|(session, _)| *session)
    {
        table.remove(oldest);
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
