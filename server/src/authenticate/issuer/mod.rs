//! Tokens of an issuer (OpenID Connect): whether one proves who calls.
//!
//! Owns the whole judgement: form, key, signature, claims, in this order. Must never believe a
//! word of a token whose signature was not verified, and never let a token choose how it is
//! verified: key and algorithm are those of the key set, which the operator pins in a file. No
//! keys, no sign-in.
//!
//! Read in this order: `key_set` (which keys), `keys_file` (where they come from), `token` (form
//! and signature), `claims` (meaning).

mod claims;
mod key_set;
mod keys_file;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::OUT_OF_TIME;
use super::{ClientCertificate, IssuerRules};
use claims::Claims;
pub(crate) use key_set::KeyId;
use keys_file::KeysFile;
pub(super) use token::TOKEN_BYTES_MAX;
use token::Token;

/// An issuer whose tokens sign in.
pub(crate) struct Issuer {
    rules: IssuerRules,
    keys: Arc<KeysFile>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Issuer({:?})", self.rules.issuer)
    }
}

/// What a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    /// The name that the issuer gives; whether the feed has it is another question.
    pub(crate) name: String,
    /// The key that signed it.
    pub(crate) key: KeyId,
    /// For how long it is still good.
    pub(crate) lasts: Duration,
    /// When it was issued at the earliest, in seconds since 1970-01-01 00:00 UTC by this server's clock,
    /// from which the issuer's may differ.
    pub(crate) earliest: i64,
}

/// Why a token proves nothing: for the audit record, never for who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// The key set's file is missing or damaged.
    NoKeys,
    /// It is no token as they are accepted: its form, its header, or its length.
    Form,
    /// The key set has no key of that name for that algorithm.
    UnknownKey,
    /// The signature is not the key's.
    Signature,
    /// A claim is missing or of the wrong type.
    Claims,
    /// It is another issuer's.
    Issuer,
    /// It is for another audience.
    Audience,
    /// It is not good yet, or no more, or for longer than tokens may be.
    Time,
    /// It is bound to another certificate than the connection's.
    Certificate,
}

impl Unproven {
    /// The words in the record.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoKeys => "no keys of the issuer",
            Self::Form => "form of the token",
            Self::UnknownKey => "key of the token",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Time => OUT_OF_TIME,
            Self::Certificate => "certificate",
        }
    }
}

impl Issuer {
    pub(crate) fn new(rules: IssuerRules) -> Self {
        let keys = Arc::new(KeysFile::new(rules.keys.clone()));
        // Before anything is served: whoever comes first finds them.
        keys.look(Instant::now());
        Self { rules, keys }
    }

    /// Keeps the keys up to date, for ever.
    pub(crate) async fn keep_reading(&self) {
        self.keys.keep_reading().await;
    }

    /// Whether a bearer's text has the form of an issuer's token and not of the server's own.
    pub(crate) fn looks_issued(text: &str) -> bool {
        text.contains('.')
    }

    /// Judges a token at this time, from a connection with this certificate.
    pub(crate) fn verify(
        &self,
        text: &str,
        seconds: i64,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Issued, Unproven> {
        let keys = self.keys.current(Instant::now()).ok_or(Unproven::NoKeys)?;
        let token = Token::parse(text).ok_or(Unproven::Form)?;
        let key = keys.find(token.key_name(), token.algorithm()).ok_or(Unproven::UnknownKey)?;
        let claims = token.verified_by(key).ok_or(Unproven::Signature)?;
        let claims = Claims::parse(&claims).ok_or(Unproven::Claims)?;
        let lasts = claims.judge(&self.rules, seconds, certificate)?;
        let name = claims.principal(self.rules.principal).ok_or(Unproven::Claims)?;
        let earliest = claims.issued_at_the_earliest().ok_or(Unproven::Claims)?;
        Ok(Issued { name: name.to_string(), key: key.id(), lasts, earliest })
    }

    /// Whether the key set still has a key: what it signed is worth nothing once it was taken out.
    pub(crate) fn pins(&self, key: KeyId) -> bool {
        self.keys.current(Instant::now()).is_some_and(|keys| keys.has(key))
    }
}

#[cfg(test)]
mod tests;
