//! Signing in by a password: one that the feed knows, or one that the LDAP directory knows.
//!
//! Owns the order of the steps, and who waits where: a directory that is silent must not keep
//! those out whose password is here. Must never ask the directory for a name that is locked, not
//! in the feed or of a password here, and never count against a name what nobody looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use martlet_policy::{PasswordAge, Presented, SignInRefused, SignedIn, Terms, UsedCodes};
use tokio::sync::Semaphore;

use super::ldap::{CountsFor, Ldap, Proven};
use super::lockout::{Attempt, Lockout};
use super::{
    Attempted, Connection, Entered, Gate, LDAP_UNASKED_LIFETIME_MAX, Method, Password, Proof,
    Refusal, Refused, SignInRules, Source, peers,
};

/// Passwords that are checked at the same time: each check holds some 20 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;
/// Sign-ins that may wait for a check, or for the LDAP directory; more would only be answered too
/// late.
pub(crate) const WAITING_MAX: usize = 256;
const _: () = assert!((peers::OPEN_MAX as usize) < WAITING_MAX);

/// What checking passwords needs.
pub(super) struct Passwords {
    lockout: Lockout,
    used_codes: Arc<UsedCodes>,
    age: PasswordAge,
    checks: Arc<Semaphore>,
    pub(super) waiting: AtomicUsize,
    waiting_for_ldap: AtomicUsize,
    /// What a refusal takes at least.
    refusals_take: Duration,
}

impl Passwords {
    pub(super) fn new(rules: &SignInRules) -> Self {
        Self {
            lockout: Lockout::new(),
            used_codes: Arc::default(),
            age: PasswordAge::Days(rules.password_days_max),
            checks: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            waiting: AtomicUsize::new(0),
            waiting_for_ldap: AtomicUsize::new(0),
            refusals_take: rules.ldap.as_ref().map_or(Duration::ZERO, |ldap| ldap.refusals_take),
        }
    }
}

/// A password that somebody came with.
struct Tried {
    name: String,
    password: Password,
    code: Option<Password>,
}

impl Tried {
    fn presented(&self) -> Presented<'_> {
        let code = self.code.as_ref().map(Password::text);
        Presented { name: &self.name, password: self.password.text(), code }
    }
}

impl Gate {
    /// Signs in by a password, wherever it is known.
    pub(super) async fn by_password(
        &self,
        name: String,
        password: Password,
        code: Option<Password>,
        connection: &Connection,
    ) -> Result<Entered, Refusal> {
        let tried = Tried { name, password, code };
        match &self.ldap {
            Some(ldap) if self.engine.mart().directory().asks_ldap(&tried.name) => {
                self.by_ldap(ldap, tried, connection).await
            }
            Some(_) | None => self.by_feed(tried, connection).await,
        }
    }

    /// Waits until a refused sign-in may be answered. Where an LDAP directory knows passwords, the
    /// time of the answer would tell whose: it answers in its own time.
    pub(crate) async fn refusal_is_due(&self, begun: Instant) {
        let due = begun + self.passwords.refusals_take;
        tokio::time::sleep_until(due.into()).await;
    }

    async fn by_feed(&self, tried: Tried, connection: &Connection) -> Result<Entered, Refusal> {
        // First of all: who finds no place has tried nothing, and that is no failure of theirs.
        let place = Place::take(&self.passwords.waiting)?;
        let begin = |source| self.peers.begin(source, Instant::now());
        let of_peer = connection.source.map(begin).transpose()?;
        let asks_for_code = self.engine.mart().directory().asks_for_code(&tried.name);
        let method = if asks_for_code { Method::Totp } else { Method::Password };
        let attempt = self.attempt(&tried.name, connection.source);
        let attempted = Attempted::by(method, &tried.name);
        // A locked name is checked like any other, so that locking cannot be seen from the time.
        let checked = self.check(place, tried).await?;
        match (attempt, checked) {
            (Attempt::Open(attempt), Ok(signed_in)) => {
                attempt.succeeded();
                if let Some(of_peer) = of_peer {
                    of_peer.succeeded();
                }
                self.opened(Proof::of(signed_in), connection, attempted)
            }
            (Attempt::Locked, _) => Err(Refusal::wrong(attempted.because("locked"))),
            (Attempt::Open(_) | Attempt::Unknown, Err(refused)) => {
                Err(Refusal::wrong(attempted.because(refused.reason().as_str())))
            }
            // It came into the feed while it was checked.
            (Attempt::Unknown, Ok(_)) => Err(Refusal::wrong(attempted.because("unknown name"))),
        }
    }

    /// Only names of the feed are counted, so that the table cannot be filled from outside.
    fn attempt(&self, name: &str, source: Option<Source>) -> Attempt<'_> {
        let mart = self.engine.mart();
        // No short cut: the time must not depend on where in the feed the name stands.
        let known = mart.directory().names().fold(false, |known, each| known | (each == name));
        if !known {
            return Attempt::Unknown;
        }
        self.passwords.lockout.attempt(name, source, Instant::now())
    }

    /// Checks password and code away from the tasks that serve requests.
    async fn check(
        &self,
        _place: Place<'_>,
        tried: Tried,
    ) -> Result<Result<SignedIn, SignInRefused>, Refused> {
        let permit = Arc::clone(&self.passwords.checks).acquire_owned().await;
        let permit = permit.map_err(|_| Refused::Unchecked)?;
        let mart = self.engine.mart();
        let (used, password_age) = (Arc::clone(&self.passwords.used_codes), self.passwords.age);
        let seconds = self.clock.seconds().ok_or(Refused::Unchecked)?;
        tokio::task::spawn_blocking(move || {
            let terms = Terms { seconds, password_age, used: &used };
            let checked = mart.directory().sign_in_on(tried.presented(), &terms);
            // Held until here: a caller who hangs up does not free a place that is still in use.
            drop(permit);
            checked
        })
        .await
        .map_err(|_| Refused::Unchecked)
    }

    async fn by_ldap(
        &self,
        ldap: &Ldap,
        tried: Tried,
        connection: &Connection,
    ) -> Result<Entered, Refusal> {
        let _place = Place::take(&self.passwords.waiting_for_ldap)?;
        let begin = |source| self.peers.begin(source, Instant::now());
        let of_peer = connection.source.map(begin).transpose()?;
        let attempted = Attempted::by(Method::Ldap, &tried.name);
        // Whoever is locked here is not tried there: guesses would go on, and lock there, too.
        let attempt = match self.attempt(&tried.name, connection.source) {
            Attempt::Open(attempt) => attempt,
            Attempt::Locked => return Err(Refusal::wrong(attempted.because("locked"))),
            Attempt::Unknown => return Err(Refusal::wrong(attempted.because("unknown name"))),
        };
        let mart = self.engine.mart();
        let password = mart.directory().password_for_ldap(tried.presented());
        let proven = match ldap.prove(&tried.name, password).await {
            Ok(proven) => proven,
            Err(denied) => {
                match denied.counts_for() {
                    CountsFor::NameAndPeer => {}
                    CountsFor::Peer => attempt.untried(),
                    CountsFor::Nobody => {
                        attempt.untried();
                        if let Some(of_peer) = of_peer {
                            of_peer.succeeded();
                        }
                    }
                }
                return Err(Refusal::wrong(attempted.because(denied.as_str())));
            }
        };
        let Proven { roles, vouched } = proven;
        let seconds = self.clock.seconds().ok_or(Refused::Unchecked)?;
        let used = &self.passwords.used_codes;
        let terms = Terms { seconds, password_age: self.passwords.age, used };
        let signed_in = mart.directory().sign_in_by_ldap(tried.presented(), &terms, roles);
        let signed_in = signed_in.map_err(|refused| {
            Refusal::wrong(attempted.clone().because(refused.reason().as_str()))
        })?;
        attempt.succeeded();
        if let Some(of_peer) = of_peer {
            of_peer.succeeded();
        }
        let attempted = attempted.lending(&signed_in);
        let lasts = match vouched {
            Some(_) => Duration::MAX,
            None => LDAP_UNASKED_LIFETIME_MAX,
        };
        let proof = Proof { vouched, lasts, ..Proof::of(signed_in) };
        self.opened(proof, connection, attempted)
    }
}

/// A place in a queue.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Refused> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before < WAITING_MAX { Ok(place) } else { Err(Refused::TooMany) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
