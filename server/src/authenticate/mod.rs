//! Who is calling: passwords, codes, an issuer's tokens and certificates become sessions, and
//! every request proves its own.
//!
//! Owns the sign-in, the open sessions and the lock-out. Must never keep a password or a
//! token in the clear, never tell an unknown name from a wrong password, a wrong code, an expired
//! password or a token that proves nothing (neither by text nor, of passwords, by time), and never
//! let a request through on anything but a proof of its own session.
//!
//! Receives: an `authorization` header and the connection from `flight::service`.
//! Hands on: a `Caller` (proof of the sign-in, session, peer) to every command, and each attempt
//! to the audit record.
//!
//! Read in this order: `rules` (the figures), `credentials` and `certificate` (what comes),
//! `issuer` (whose tokens are believed), `ldap` (the passwords that a directory knows), `lockout`
//! and `peers` (how often one may try), `tokens` (the sessions), the gate below, `passwords`.

mod attempt;
mod caller;
mod certificate;
mod credentials;
mod der;
mod issuer;
mod ldap;
mod lockout;
mod passwords;
mod peers;
mod rules;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use martlet_core::{ErrorKind, Kinded};
use martlet_policy::SignedIn;
use martlet_query::clock::Clock;
use martlet_query::{Engine, Mart};
use tonic::metadata::MetadataMap;

use attempt::BEFORE_A_CUT;
pub(crate) use attempt::{Attempted, Method, Refusal};
pub(crate) use caller::{Caller, Connection, Origin, SessionId, SessionLife};
pub(crate) use certificate::ClientCertificate;
pub(crate) use credentials::{Credentials, Password};
use issuer::{Issued, Issuer, KeyId, Unproven};
pub use ldap::LdapUnusable;
use ldap::{Ldap, Vouched};
use passwords::Passwords;
pub(crate) use passwords::WAITING_MAX as SIGN_INS_WAITING_MAX;
use peers::Peers;
pub(crate) use peers::Source;
pub use rules::{
    CertificateName, ISSUER_LIFETIME_MAX, IssuerRules, LDAP_ASKED_EVERY, LDAP_UNASKED_LIFETIME_MAX,
    LdapGroups, LdapPeople, LdapRoles, LdapRules, LdapService, LdapTls, OldToken,
    PASSWORD_DAYS_MAX, PrincipalClaim, SESSION_IDLE_MAX, SESSION_LIFETIME_MAX,
    SESSIONS_PER_PRINCIPAL_MAX, SignInRules, TokenRotation,
};
use tokens::{Key, OpenSession, Tokens};

use crate::alarm::curbs::Curbs;
use crate::random::NoEntropy;

/// Why a caller was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// No usable `authorization` header, and no certificate.
    #[error(
        "sign in first: send your name and password (Basic) with the handshake, then its token (Bearer)"
    )]
    NoCredentials,
    /// Unknown name, wrong password or code, no password or an expired one, locked out, or a
    /// token or certificate that proves nothing: all the same.
    #[error("the name or the password is wrong, or the name is locked for a while")]
    WrongCredentials,
    /// Unknown, expired or closed token, one of another connection, or a principal who is no
    /// longer in the feed.
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
    /// A sign-in opened a session.
    New {
        /// Its bearer token.
        token: String,
        /// What is recorded of it, before the token is told.
        attempted: Attempted,
    },
    /// The token's session was open already.
    Again {
        /// The same token, or its successor.
        token: String,
    },
}

/// A request that is let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    /// What is recorded of it before it is answered, if this request opened its session.
    pub(crate) attempted: Option<Attempted>,
}

/// What was proven when a session was opened.
#[derive(Debug, Clone)]
struct Proof {
    signed_in: SignedIn,
    /// The certificate of the connection; the session is worth nothing over another one.
    certificate: Option<[u8; 32]>,
    /// The issuer's key that signed for it; without that key in the set it is worth nothing.
    key: Option<KeyId>,
    /// The entry of the LDAP directory that it stands on; it is worth what that says now.
    vouched: Option<Vouched>,
    /// A session by it ends after this, however busy it is, if not before.
    lasts: Duration,
}

impl Proof {
    /// Of somebody whom the feed alone can take it back from.
    const fn of(signed_in: SignedIn) -> Self {
        let lasts = Duration::MAX;
        Self { signed_in, certificate: None, key: None, vouched: None, lasts }
    }
}

/// Why nobody can be let in or refused at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoGate {
    /// The operating system gave no random bytes for its keys.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The LDAP directory cannot be asked as the options say.
    #[error(transparent)]
    Ldap(#[from] LdapUnusable),
}

impl Kinded for NoGate {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoEntropy(_) => ErrorKind::Retry,
            Self::Ldap(error) => error.kind(),
        }
    }
}

/// Checks sign-ins and tokens.
pub(crate) struct Gate {
    engine: Engine,
    tokens: Tokens<Proof>,
    passwords: Passwords,
    peers: Peers,
    issuer: Option<Issuer>,
    ldap: Option<Ldap>,
    /// Who was cut off, and when.
    curbs: Arc<Curbs>,
    clock: Clock,
    /// Set when what watches over the server has broken off: nobody is let in any more.
    shut: AtomicBool,
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gate(..)")
    }
}

impl Gate {
    pub(crate) fn new(
        engine: Engine,
        rules: &SignInRules,
        curbs: Arc<Curbs>,
    ) -> Result<Self, NoGate> {
        let mart = engine.mart();
        let ldap = rules.ldap.as_ref().map(|ldap| Ldap::set_up(ldap, mart.bundle())).transpose()?;
        Ok(Self {
            engine,
            tokens: Tokens::new(rules)?,
            passwords: Passwords::new(rules),
            peers: Peers::default(),
            issuer: rules.issuer.clone().map(Issuer::new),
            ldap,
            curbs,
            clock: Clock::start(),
            shut: AtomicBool::new(false),
        })
    }

    /// The state of the mart whose people may sign in now.
    pub(crate) fn mart(&self) -> Arc<Mart> {
        self.engine.mart()
    }

    /// Keeps what sessions stand on up to date, for ever: the issuer's keys, and what the LDAP
    /// directory says.
    pub(crate) async fn keep(&self) {
        let keys = async {
            match &self.issuer {
                Some(issuer) => issuer.keep_reading().await,
                None => std::future::pending().await,
            }
        };
        let people = async {
            match &self.ldap {
                Some(ldap) => ldap.keep_asking(|| self.whom_ldap_vouches_for()).await,
                None => std::future::pending().await,
            }
        };
        // Neither ends of itself; whichever breaks off is missed at once.
        tokio::select! {
            () = keys => {}
            () = people => {}
        }
    }

    fn whom_ldap_vouches_for(&self) -> Vec<String> {
        self.tokens.names(|proof| proof.vouched.is_some(), Instant::now())
    }

    /// Lets nobody in any more, and nothing go on: what watches over the server has broken off.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
    }

    /// Answers a handshake: a password, an issuer's token or a certificate opens a session, a
    /// token of the server's own proves that one is open.
    pub(crate) async fn enter(
        &self,
        credentials: Option<Credentials>,
        code: Option<Password>,
        connection: &Connection,
    ) -> Result<Entered, Refusal> {
        match credentials {
            Some(Credentials::Basic { name, password }) => {
                self.by_password(name, password, code, connection).await
            }
            Some(Credentials::Bearer(token)) if Issuer::looks_issued(&token) => {
                let prove = || self.prove_issued(&token, connection);
                let (proof, issued) = self.counted(connection, prove)?;
                self.opened(proof, connection, Attempted::by(Method::Issuer, &issued.name))
            }
            Some(Credentials::Bearer(token)) => {
                let open = self.by_token(&token, connection)?;
                let successor = open.successor.map(|successor| successor.text().to_string());
                Ok(Entered::Again { token: successor.unwrap_or(token) })
            }
            None if self.shown(connection).is_none() => Err(Refused::NoCredentials.into()),
            None => {
                let proof = self.counted(connection, || self.prove_certificate(connection))?;
                let attempted = Attempted::by(Method::Certificate, proof.signed_in.name());
                self.opened(proof, connection, attempted)
            }
        }
    }

    /// Opens a session of the server's own, bound to the connection's certificate.
    fn opened(
        &self,
        proof: Proof,
        connection: &Connection,
        attempted: Attempted,
    ) -> Result<Entered, Refusal> {
        let certificate = connection.certificate.as_ref().map(|shown| *shown.digest());
        if self.shut.load(Ordering::Acquire) {
            return Err(Refused::Unchecked.into());
        }
        let (name, lasts) = (proof.signed_in.name().to_string(), proof.lasts);
        let proof = Proof { certificate, ..proof };
        let token = self.tokens.open_for(lasts, &name, proof, Instant::now())?;
        Ok(Entered::New { token, attempted })
    }

    /// Proves a request's token or certificate, and looks the principal up as the feed has it
    /// today.
    pub(crate) fn admit(
        &self,
        headers: &MetadataMap,
        connection: &Connection,
        origin: Origin,
    ) -> Result<Admitted, Refusal> {
        match credentials_of(headers)? {
            Some(Credentials::Bearer(token)) if Issuer::looks_issued(&token) => {
                self.admit_issued(&token, connection, origin)
            }
            Some(Credentials::Bearer(token)) => {
                let OpenSession { session, proof, successor } =
                    self.by_token(&token, connection)?;
                let life = SessionLife::OfSignIn;
                let caller =
                    Caller { session, signed_in: proof.signed_in, life, successor, origin };
                Ok(Admitted { caller, attempted: None })
            }
            Some(Credentials::Basic { .. }) => Err(Refused::NoCredentials.into()),
            None => self.admit_certified(connection, origin),
        }
    }

    /// The session of one of the server's own tokens, over this connection.
    fn by_token(
        &self,
        token: &str,
        connection: &Connection,
    ) -> Result<OpenSession<Proof>, Refusal> {
        let holds = |proof: &Proof| {
            self.is_of(connection, proof)?;
            self.still_holds(proof).map_err(Refusal::from)
        };
        let open = self.tokens.find(Key::Token(token), Instant::now(), holds)?;
        open.ok_or_else(|| Refused::NoSession.into())
    }

    /// A session that was opened over a certificate is worth nothing over another one, or none.
    fn is_of(&self, connection: &Connection, proof: &Proof) -> Result<(), Refusal> {
        let shown = self.shown(connection).map(ClientCertificate::digest);
        if proof.certificate.as_ref().is_none_or(|bound| Some(bound) == shown) {
            return Ok(());
        }
        let attempted = Attempted::by(Method::Certificate, proof.signed_in.name());
        Err(Refusal::stolen(attempted.because("another connection's token")))
    }

    fn admit_issued(
        &self,
        token: &str,
        connection: &Connection,
        origin: Origin,
    ) -> Result<Admitted, Refusal> {
        let key = Key::Issued(token);
        let is_of = |proof: &Proof| self.is_of(connection, proof);
        let known = self.tokens.find(key, Instant::now(), is_of)?;
        let prove = || self.prove_issued(token, connection);
        let (proof, issued) = match &known {
            // What it has proven before it has to prove again: keys and time go on.
            Some(open) => prove().inspect_err(|_| self.tokens.close(open.session))?,
            None => self.counted(connection, prove)?,
        };
        let certificate = connection.certificate.as_ref().map(|shown| *shown.digest());
        let proof = Proof { certificate, lasts: issued.lasts, ..proof };
        let attempted = Attempted::by(Method::Issuer, &issued.name);
        self.adopted(known, key, proof, origin, attempted)
    }

    fn admit_certified(
        &self,
        connection: &Connection,
        origin: Origin,
    ) -> Result<Admitted, Refusal> {
        let Some(shown) = self.shown(connection) else {
            return Err(Refused::NoCredentials.into());
        };
        let key = Key::Certificate(shown.digest());
        let known = self.tokens.find(key, Instant::now(), |_| Ok::<(), Refusal>(()))?;
        let prove = || self.prove_certificate(connection);
        let proof = match known {
            Some(_) => prove()?,
            None => self.counted(connection, prove)?,
        };
        let attempted = Attempted::by(Method::Certificate, proof.signed_in.name());
        self.adopted(known, key, proof, origin, attempted)
    }

    /// The caller of a credential that comes with every request, in the session that all its
    /// requests share.
    fn adopted(
        &self,
        known: Option<OpenSession<Proof>>,
        key: Key<'_>,
        proof: Proof,
        origin: Origin,
        attempted: Attempted,
    ) -> Result<Admitted, Refusal> {
        self.still_holds(&proof)?;
        let signed_in = proof.signed_in.clone();
        let life = SessionLife::OfCredential;
        let caller = |session| Caller { session, signed_in, life, successor: None, origin };
        if let Some(open) = known {
            return Ok(Admitted { caller: caller(open.session), attempted: None });
        }
        let (name, lasts) = (proof.signed_in.name().to_string(), proof.lasts);
        let session = self.tokens.adopt(key, &name, proof, lasts, Instant::now())?;
        Ok(Admitted { caller: caller(session), attempted: Some(attempted) })
    }

    /// Counts a failure to prove who calls for where the caller is.
    fn counted<T>(
        &self,
        connection: &Connection,
        prove: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let begin = |source| self.peers.begin(source, Instant::now());
        let of_peer = connection.source.map(begin).transpose()?;
        let proven = prove();
        let is_failure = proven.as_ref().is_err_and(|refusal| !refusal.is_no_guess());
        if let Some(of_peer) = of_peer.filter(|_| !is_failure) {
            of_peer.succeeded();
        }
        proven
    }

    /// For whom the issuer vouches by a token.
    fn prove_issued(
        &self,
        token: &str,
        connection: &Connection,
    ) -> Result<(Proof, Issued), Refusal> {
        let refused = |name: &str, why: &'static str| {
            Refusal::wrong(Attempted::by(Method::Issuer, name).because(why))
        };
        let Some(issuer) = &self.issuer else {
            return Err(refused("", "no issuer is trusted"));
        };
        let seconds = self.clock.seconds().ok_or(Refused::Unchecked)?;
        let issued = issuer
            .verify(token, seconds, self.shown(connection))
            .map_err(|unproven: Unproven| refused("", unproven.as_str()))?;
        let mart = self.engine.mart();
        let Some(signed_in) = mart.directory().vouched_for(&issued.name) else {
            return Err(refused(&issued.name, "not in the feed"));
        };
        // Whoever was let go again begins anew: a token of before may be in other hands.
        if self.curbs.was_cut_since(&issued.name, issued.earliest) {
            return Err(refused(&issued.name, BEFORE_A_CUT));
        }
        Ok((Proof { key: Some(issued.key), ..Proof::of(signed_in) }, issued))
    }

    /// Whom the connection's certificate names.
    fn prove_certificate(&self, connection: &Connection) -> Result<Proof, Refusal> {
        let Some(shown) = self.shown(connection) else {
            return Err(Refused::NoCredentials.into());
        };
        let name = shown.name().unwrap_or_default();
        let Some(signed_in) = self.engine.mart().directory().vouched_for(name) else {
            let attempted = Attempted::by(Method::Certificate, name);
            return Err(Refusal::wrong(attempted.because("not in the feed")));
        };
        Ok(Proof { certificate: Some(*shown.digest()), ..Proof::of(signed_in) })
    }

    /// The connection's certificate, while it is good.
    fn shown<'a>(&self, connection: &'a Connection) -> Option<&'a ClientCertificate> {
        let seconds = self.clock.seconds()?;
        connection.certificate.as_ref().filter(|shown| shown.is_good_at(seconds))
    }

    /// A principal who left the feed has no session, whatever the token says; nor has one for
    /// whom a key vouched that the issuer's set does not hold any more, or of whom the LDAP
    /// directory says something else than it did, or nothing for too long.
    fn still_holds(&self, proof: &Proof) -> Result<(), Refused> {
        let is_known = self.engine.mart().directory().principal(&proof.signed_in).is_some();
        let pins = |key| self.issuer.as_ref().is_some_and(|issuer| issuer.pins(key));
        let vouches = |ldap: &Ldap, entry: &Vouched| ldap.still_vouches(&proof.signed_in, entry);
        let is_vouched = proof
            .vouched
            .as_ref()
            .is_none_or(|entry| self.ldap.as_ref().is_some_and(|ldap| vouches(ldap, entry)));
        let is_shut = self.shut.load(Ordering::Acquire);
        if is_known && proof.key.is_none_or(pins) && is_vouched && !is_shut {
            Ok(())
        } else {
            Err(Refused::NoSession)
        }
    }

    /// Whether a session is still open and its principal still there. Asking keeps it open: it is
    /// asked for streams that are being sent.
    pub(crate) fn still_open(&self, session: SessionId) -> bool {
        let kept = self.tokens.keep(session, Instant::now());
        kept.is_some_and(|proof| self.still_holds(&proof).is_ok())
    }

    /// Ends all sessions of a principal.
    pub(crate) fn close_all(&self, name: &str) {
        self.tokens.close_all(name);
    }

    /// Ends the session; its token is worth nothing afterwards.
    pub(crate) fn close(&self, session: SessionId) {
        self.tokens.close(session);
    }
}

/// The credentials in a request's `authorization` header: none is another thing than some that
/// cannot be understood, or several that differ.
pub(crate) fn credentials_of(headers: &MetadataMap) -> Result<Option<Credentials>, Refused> {
    let mut given = headers.get_all("authorization").iter();
    let Some(header) = given.next() else { return Ok(None) };
    if given.any(|other| other.as_bytes() != header.as_bytes()) {
        return Err(Refused::NoCredentials);
    }
    Credentials::parse(header.as_bytes()).map(Some).ok_or(Refused::NoCredentials)
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
