//! An attempt to sign in, as the audit record has it.
//!
//! Owns what is said of it to auditors: the name that was tried, by which means, and why it was
//! refused. Nothing of it is ever told to who tried.

use martlet_policy::SignedIn;

use super::Refused;

/// Why a token was refused that its issuer did sign, for a time that is over or still to come.
pub(crate) const OUT_OF_TIME: &str = "time";

/// Why a token was refused that its issuer did sign, before its principal was last cut off.
pub(crate) const BEFORE_A_CUT: &str = "from before a cut";

/// By which means somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// A password.
    Password,
    /// A password with a one-time code.
    Totp,
    /// A password that the LDAP directory knows, with or without a code.
    Ldap,
    /// A token of the issuer.
    Issuer,
    /// A client's certificate.
    Certificate,
}

impl Method {
    /// The word in the record.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Ldap => "ldap",
            Self::Issuer => "oidc",
            Self::Certificate => "certificate",
        }
    }
}

/// An attempt to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempted {
    /// The name; empty where none was proven or given.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// Why it was refused; `None` if it was not.
    pub(crate) refused_because: Option<&'static str>,
    /// The roles that came with it beside the feed's.
    pub(crate) lent: Vec<String>,
}

impl Attempted {
    pub(crate) fn by(method: Method, name: &str) -> Self {
        Self { name: name.to_string(), method, refused_because: None, lent: Vec::new() }
    }

    /// The same, with the roles that came with it.
    pub(crate) fn lending(self, signed_in: &SignedIn) -> Self {
        Self { lent: signed_in.lent().iter().map(ToString::to_string).collect(), ..self }
    }

    pub(crate) fn because(self, reason: &'static str) -> Self {
        Self { refused_because: Some(reason), ..self }
    }
}

/// A caller who was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What the caller is told.
    pub(crate) told: Refused,
    /// What is recorded of it, if it was an attempt to sign in.
    pub(crate) attempted: Option<Attempted>,
}

impl Refusal {
    /// What was presented proves nothing.
    pub(crate) const fn wrong(attempted: Attempted) -> Self {
        Self { told: Refused::WrongCredentials, attempted: Some(attempted) }
    }

    /// Whether nothing was guessed: a tool that goes on with a token that has run out, or is from before a cut, must not
    /// use up the tries of everybody at its address.
    pub(crate) fn is_no_guess(&self) -> bool {
        let because = self.attempted.as_ref().and_then(|tried| tried.refused_because);
        because.is_some_and(|because| [OUT_OF_TIME, BEFORE_A_CUT].contains(&because))
    }

    /// A token came over a connection that is not its own.
    pub(crate) const fn stolen(attempted: Attempted) -> Self {
        Self { told: Refused::NoSession, attempted: Some(attempted) }
    }
}

impl From<Refused> for Refusal {
    fn from(told: Refused) -> Self {
        Self { told, attempted: None }
    }
}
