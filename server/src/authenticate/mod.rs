//! Who is calling: passwords become tokens once, and every request proves its token.
//!
//! Owns the sign-in, the open sessions and the lock-out. Must never keep a password or a
//! token in the clear, never tell an unknown name from a wrong password (neither by text nor
//! by time), and never let a request through on anything but a token of its own session.
//!
//! Receives: an `authorization` header from `flight::service`.
//! Hands on: a `Caller` (proof of the sign-in, session, peer) to every command.

mod caller;
mod credentials;
mod lockout;
mod peers;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use martlet_policy::SignedIn;
use martlet_query::Engine;
use tokio::sync::Semaphore;
use tonic::metadata::MetadataMap;

pub(crate) use caller::{Caller, Origin, SessionId};
pub(crate) use credentials::{Credentials, Password};
use lockout::{Attempt, Lockout};
use peers::Peers;
pub(crate) use peers::Source;
use tokens::Tokens;

/// Passwords that are checked at the same time: each check holds some 20 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;
/// Sign-ins that may wait for a check; more would only be answered too late.
const CHECKS_WAITING_MAX: usize = 256;
const _: () = assert!((peers::OPEN_MAX as usize) < CHECKS_WAITING_MAX);
/// A session without a request for this long is closed (PCI DSS 8.2.8).
pub const SESSION_IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// A session older than this is closed, however busy it is.
pub const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// Why a caller was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// No usable `authorization` header.
    #[error(
        "sign in first: send your name and password (Basic) with the handshake, then its token (Bearer)"
    )]
    NoCredentials,
    /// Unknown name, wrong password, no password, or locked out: all the same.
    #[error("the name or the password is wrong, or the name is locked for a while")]
    WrongCredentials,
    /// Unknown, expired or closed token, or a principal who is no longer in the feed.
    #[error("the session has ended: sign in again")]
    NoSession,
    /// Too many sign-ins at once, or too many open sessions.
    #[error("too many sign-ins or open sessions: close some, or try again later")]
    TooMany,
    /// A check could not be made.
    #[error("the sign-in could not be checked: try again")]
    Unchecked,
}

/// A successful handshake. The token goes to the client and is kept nowhere else.
pub(crate) enum Entered {
    /// A password opened a session.
    New {
        /// Its bearer token.
        token: String,
    },
    /// The token's session was open already.
    Again {
        /// The same token.
        token: String,
    },
}

/// Checks sign-ins and tokens.
pub(crate) struct Gate {
    engine: Engine,
    tokens: Tokens,
    lockout: Lockout,
    peers: Peers,
    checks: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            tokens: Tokens::new(SESSION_IDLE_MAX, SESSION_LIFETIME_MAX),
            lockout: Lockout::new(),
            peers: Peers::default(),
            checks: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Answers a handshake: a password opens a session, a token proves that one is open.
    ///
    /// `source` is where the client is, as far as that can be known.
    pub(crate) async fn enter(
        &self,
        credentials: Credentials,
        source: Option<Source>,
    ) -> Result<Entered, Refused> {
        match credentials {
            Credentials::Basic { name, password } => self.sign_in(name, password, source).await,
            Credentials::Bearer(token) => {
                let open = self.tokens.find(&token, Instant::now()).ok_or(Refused::NoSession)?;
                self.still_known(&open.signed_in)?;
                Ok(Entered::Again { token })
            }
        }
    }

    async fn sign_in(
        &self,
        name: String,
        password: Password,
        source: Option<Source>,
    ) -> Result<Entered, Refused> {
        let of_peer = source.map(|source| self.peers.begin(source, Instant::now())).transpose()?;
        let attempt = self.attempt(&name, source);
        // A locked name is checked like any other, so that locking cannot be seen from the time.
        let checked = self.check(name.clone(), password).await?;
        match (attempt, checked) {
            (Attempt::Open(attempt), Some(signed_in)) => {
                attempt.succeeded();
                if let Some(of_peer) = of_peer {
                    of_peer.succeeded();
                }
                Ok(Entered::New { token: self.tokens.open(&name, signed_in, Instant::now())? })
            }
            (Attempt::Unknown | Attempt::Locked | Attempt::Open(_), _) => {
                Err(Refused::WrongCredentials)
            }
        }
    }

    /// Only names of the feed are counted, so that the table cannot be filled from outside.
    fn attempt(&self, name: &str, source: Option<Source>) -> Attempt<'_> {
        let mart = self.engine.mart();
        // No short cut: the time must not depend on where in the feed the name stands.
        let known = mart.directory().names().fold(false, |known, each| known | (each == name));
        if known { self.lockout.attempt(name, source, Instant::now()) } else { Attempt::Unknown }
    }

    /// Checks the password away from the tasks that serve requests.
    async fn check(&self, name: String, password: Password) -> Result<Option<SignedIn>, Refused> {
        let _place = Place::take(&self.waiting)?;
        let permit =
            Arc::clone(&self.checks).acquire_owned().await.map_err(|_| Refused::Unchecked)?;
        let mart = self.engine.mart();
        tokio::task::spawn_blocking(move || {
            let checked = mart.directory().sign_in(&name, password.text()).ok();
            // Held until here: a caller who hangs up does not free a place that is still in use.
            drop(permit);
            checked
        })
        .await
        .map_err(|_| Refused::Unchecked)
    }

    /// Proves a request's token and looks the principal up as the feed has it today.
    pub(crate) fn admit(&self, headers: &MetadataMap, origin: Origin) -> Result<Caller, Refused> {
        let Some(Credentials::Bearer(token)) = credentials_of(headers) else {
            return Err(Refused::NoCredentials);
        };
        let open = self.tokens.find(&token, Instant::now()).ok_or(Refused::NoSession)?;
        self.still_known(&open.signed_in)?;
        Ok(Caller { session: open.session, signed_in: open.signed_in, origin })
    }

    /// A principal who left the feed has no session, whatever the token says.
    fn still_known(&self, signed_in: &SignedIn) -> Result<(), Refused> {
        match self.engine.mart().directory().principal(signed_in) {
            Some(_) => Ok(()),
            None => Err(Refused::NoSession),
        }
    }

    /// Ends the session; its token is worth nothing afterwards.
    pub(crate) fn close(&self, session: SessionId) {
        self.tokens.close(session);
    }
}

/// The credentials in a request's `authorization` header, if they can be understood.
pub(crate) fn credentials_of(headers: &MetadataMap) -> Option<Credentials> {
    Credentials::parse(headers.get("authorization")?.as_bytes())
}

/// A place in the queue for a password check.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Refused> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before < CHECKS_WAITING_MAX { Ok(place) } else { Err(Refused::TooMany) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
