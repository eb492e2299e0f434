//! The rules of signing in, as the operator sets them.
//!
//! Owns the figures and their defaults, nothing that decides. Must never hold a secret.

use std::path::PathBuf;
use std::time::Duration;

/// A session without a request for this long is closed (PCI DSS 8.2.8).
pub const SESSION_IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// A session older than this is closed, however busy it is.
pub const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of one principal at most. People need a few; but many drivers never close theirs, and
/// each of a tool's connections is a session until it has been idle for its fifteen minutes.
pub const SESSIONS_PER_PRINCIPAL_MAX: usize = 256;
/// Days after which a password does not sign in any more (PCI DSS 8.3.9).
pub const PASSWORD_DAYS_MAX: u32 = 90;
/// A token of an issuer lives this long at most, whatever it says itself.
pub const ISSUER_LIFETIME_MAX: Duration = Duration::from_secs(2 * 60 * 60);

/// How principals sign in, and for how long they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRules {
    /// Sessions of one principal at most; one more ends the one that was used longest ago.
    pub sessions_max: usize,
    /// Days that a password is good for, where the feed tells when it was set.
    pub password_days_max: u32,
    /// A session without a request or an open stream for this long is closed.
    pub session_idle_max: Duration,
    /// A session older than this is closed.
    pub session_lifetime_max: Duration,
    /// When a session's token gets a successor.
    pub rotation: TokenRotation,
    /// Whose tokens sign in beside passwords; nobody's where this is `None`.
    pub issuer: Option<IssuerRules>,
    /// The LDAP directory that knows the passwords which the feed does not; without it, nobody
    /// signs in by such a password.
    pub ldap: Option<LdapRules>,
    /// How often an open stream is asked whether its reader may still have it.
    pub streams_checked_every: Duration,
}

impl Default for SignInRules {
    fn default() -> Self {
        Self {
            sessions_max: SESSIONS_PER_PRINCIPAL_MAX,
            password_days_max: PASSWORD_DAYS_MAX,
            session_idle_max: SESSION_IDLE_MAX,
            session_lifetime_max: SESSION_LIFETIME_MAX,
            rotation: TokenRotation::default(),
            issuer: None,
            ldap: None,
            streams_checked_every: Duration::from_secs(5),
        }
    }
}

/// When a session's token gets a successor, which leaves in the header `authorization` of an
/// answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRotation {
    /// A token of this age gets a successor.
    pub after: Duration,
    /// For how long both are good.
    pub overlap: Duration,
    /// What begins the overlap.
    pub old: OldToken,
}

impl Default for TokenRotation {
    fn default() -> Self {
        Self {
            after: Duration::from_secs(10 * 60),
            overlap: Duration::from_secs(60),
            old: OldToken::UntilSuccessorIsUsed,
        }
    }
}

/// Until when a token is good that has a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldToken {
    /// Until the overlap after the successor's first use is over. Drivers that take successors
    /// over, as ADBC does, rotate; those that do not keep their first token.
    UntilSuccessorIsUsed,
    /// Until the overlap after the successor was first given is over, used or not: drivers that
    /// do not take it over have to sign in again.
    OverlapOnly,
}

/// Whose tokens sign in, and what they have to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRules {
    /// The claim `iss`, to the letter.
    pub issuer: String,
    /// What the claim `aud` has to hold.
    pub audience: String,
    /// The issuer's public keys: a JSON Web Key Set, read again when it changes.
    pub keys: PathBuf,
    /// Which claim is the principal's name in the feed.
    pub principal: PrincipalClaim,
    /// A token's lifetime at most, from its beginning to its `exp`.
    pub lifetime_max: Duration,
}

/// The claim that is the principal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalClaim {
    /// `sub`: the one that an issuer never gives to another.
    Subject,
    /// `preferred_username`: for issuers that do not let people choose it.
    PreferredUsername,
    /// `upn`, as directories of Windows write it.
    Upn,
}

/// A session by a password of the LDAP directory lives so long where nobody can ask the directory
/// again.
pub const LDAP_UNASKED_LIFETIME_MAX: Duration = Duration::from_secs(15 * 60);
/// How often the LDAP directory is asked again about everybody who has a session by it.
pub const LDAP_ASKED_EVERY: Duration = Duration::from_secs(15);

/// How long the directory's word about somebody counts. Together with the five seconds after which
/// open streams ask, who lost a group is cut within the minute, also where the directory is silent.
const LDAP_WORD_COUNTS_FOR: Duration = Duration::from_secs(50);

/// The LDAP directory, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapRules {
    /// `ldaps://host:636`, or `ldap://host:389`.
    pub url: String,
    /// When TLS begins.
    pub tls: LdapTls,
    /// The certificates (PEM) by which the directory is proven.
    pub authorities: Option<PathBuf>,
    /// How a person's entry is found.
    pub people: LdapPeople,
    /// The account that searches, and asks again about who is signed in.
    pub service: Option<LdapService>,
    /// The groups whose members have roles.
    pub roles: Option<LdapRoles>,
    /// How often everybody who has a session is asked about again.
    pub asked_every: Duration,
    /// How long the directory's word counts: silent for longer, and who signed in by it is refused
    /// until it answers again.
    pub word_counts_for: Duration,
    /// How long it may take until there is a connection.
    pub connect_time_max: Duration,
    /// How long one answer may take.
    pub answer_time_max: Duration,
    /// A refused sign-in, of whomever, takes this long at least: the time of the answer must not
    /// tell whose password the directory knows.
    pub refusals_take: Duration,
}

impl LdapRules {
    /// A directory at this URL whose people are found like that: three seconds to connect, five
    /// for an answer.
    #[must_use]
    pub const fn new(url: String, people: LdapPeople) -> Self {
        Self {
            url,
            tls: LdapTls::ByUrl,
            authorities: None,
            people,
            service: None,
            roles: None,
            asked_every: LDAP_ASKED_EVERY,
            word_counts_for: LDAP_WORD_COUNTS_FOR,
            connect_time_max: Duration::from_secs(3),
            answer_time_max: Duration::from_secs(5),
            refusals_take: Duration::from_secs(1),
        }
    }
}

/// When TLS to the LDAP directory begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LdapTls {
    /// With the first byte by `ldaps://`; never by `ldap://`, which is for this machine alone.
    ByUrl,
    /// On demand, before anything else is said (StartTLS).
    StartTls,
}

/// How a person's entry is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapPeople {
    /// Its distinguished name, with `{name}` in it.
    Named {
        /// Such as `uid={name},ou=people,dc=bank`.
        dn: String,
    },
    /// The one entry that is found.
    Searched {
        /// Below which entry.
        base: String,
        /// By which filter, with `{name}` in it.
        filter: String,
    },
}

/// The account that searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapService {
    /// Its distinguished name.
    pub dn: String,
    /// The file with its password.
    pub password: PathBuf,
}

/// The groups whose members have roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapRoles {
    /// The file that says which groups give which roles (TOML).
    pub file: PathBuf,
    /// Where a person's groups stand.
    pub groups: LdapGroups,
}

/// Where a person's groups stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapGroups {
    /// In the attribute `memberOf` of the person's entry.
    OfEntry,
    /// In entries of their own.
    Searched {
        /// Below which entry.
        base: String,
        /// By which filter, with `{dn}` or `{name}` in it.
        filter: String,
    },
}

/// Which part of a client's certificate is the principal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateName {
    /// The subject's common name.
    CommonName,
    /// The one DNS name among the alternative names.
    Dns,
    /// The one URI among the alternative names.
    Uri,
}
