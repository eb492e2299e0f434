//! An issuer's token (a JSON Web Signature in the compact form, RFC 7515): its parts.
//!
//! Owns the form. Must never hand out a claim before the signature over it was verified, and
//! refuses every header that wants to say more about verifying than which key: keys and
//! certificates that a token brings along, extensions it demands, compression.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::key_set::{Algorithm, Key};

/// Bytes of a token at most. Tokens with long lists of groups have some 6 KiB.
pub(in crate::authenticate) const TOKEN_BYTES_MAX: usize = 16 * 1024;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    jku: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    x5c: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
}

impl Header {
    fn says_only_which_key(&self) -> bool {
        let more = [
            &self.crit, &self.jwk, &self.jku, &self.x5u, &self.x5c, &self.zip, &self.enc, &self.b64,
        ];
        let is_token = |typ: &String| {
            ["jwt", "at+jwt", "application/at+jwt"].iter().any(|of| typ.eq_ignore_ascii_case(of))
        };
        more.into_iter().all(Option::is_none) && self.typ.as_ref().is_none_or(is_token)
    }
}

/// A token whose signature was not verified yet.
pub(super) struct Token<'a> {
    algorithm: Algorithm,
    key_name: String,
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Parts a token; `None` if it has not the one form that is accepted.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') {
            return None;
        }
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let algorithm = Algorithm::parse(&header.alg).filter(|_| header.says_only_which_key())?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { algorithm, key_name: header.kid, signed, claims, signature })
    }

    /// The name of the key that the token says it is signed with.
    pub(super) fn key_name(&self) -> &str {
        &self.key_name
    }

    /// The algorithm that it says.
    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The claims as JSON, if the key has signed them.
    pub(super) fn verified_by(&self, key: &Key) -> Option<Vec<u8>> {
        let is_signed = key.has_signed(self.signed.as_bytes(), &self.signature);
        is_signed.then(|| URL_SAFE_NO_PAD.decode(self.claims).ok()).flatten()
    }
}
