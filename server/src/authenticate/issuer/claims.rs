//! The claims of a verified token (RFC 7519), and whether they are good here and now.
//!
//! Owns their types and the judgement of their times. A claim of the wrong type is no claim: a
//! time in quotes, a time with a fraction and a claim that stands there twice refuse the token,
//! because readers that let them pass have skipped the check (CVE-2026-25537).

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::{ClientCertificate, IssuerRules, PrincipalClaim};
use super::Unproven;

/// How far the issuer's clock and this one may differ.
const SKEW_SECONDS: i64 = 60;

/// What is read of a token; other claims are not looked at.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
    preferred_username: Option<String>,
    upn: Option<String>,
    cnf: Option<Confirmation>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn holds(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(all) => all.iter().any(|one| one == wanted),
        }
    }
}

/// What beside the token its sender has to have (RFC 7800).
#[derive(Deserialize)]
struct Confirmation {
    /// The digest of a client's certificate (RFC 8705).
    #[serde(rename = "x5t#S256")]
    certificate: Option<String>,
    /// The digest of a key that every request is signed with (RFC 9449), which Flight has no
    /// place for.
    jkt: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
}

impl Claims {
    /// Reads the claims; `None` if one is missing, of the wrong type or there twice.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let claims: Self = serde_json::from_slice(json).ok()?;
        // One of the two says when the token's life began.
        (claims.nbf.is_some() || claims.iat.is_some()).then_some(claims)
    }

    /// The claim that is the principal's name.
    pub(super) fn principal(&self, claim: PrincipalClaim) -> Option<&str> {
        let name = match claim {
            PrincipalClaim::Subject => Some(&self.sub),
            PrincipalClaim::PreferredUsername => self.preferred_username.as_ref(),
            PrincipalClaim::Upn => self.upn.as_ref(),
        };
        name.map(String::as_str).filter(|name| !name.is_empty())
    }

    /// When it was issued at the earliest by this server's clock. Where it does not say when, the
    /// time from which on it is good stands for that.
    pub(super) fn issued_at_the_earliest(&self) -> Option<i64> {
        i64::try_from(self.iat.or(self.nbf)?).ok()?.checked_sub(SKEW_SECONDS)
    }

    /// Judges issuer, audience, times and binding; gives for how long the token is still good.
    pub(super) fn judge(
        &self,
        rules: &IssuerRules,
        seconds: i64,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Duration, Unproven> {
        if self.iss != rules.issuer {
            return Err(Unproven::Issuer);
        }
        if !self.aud.holds(&rules.audience) {
            return Err(Unproven::Audience);
        }
        let lasts = self.lasts(rules.lifetime_max, seconds).ok_or(Unproven::Time)?;
        if self.cnf.as_ref().is_some_and(|bound| !bound.is_met_by(certificate)) {
            return Err(Unproven::Certificate);
        }
        Ok(lasts)
    }

    /// From now to the token's end, if it has begun, has not ended, and is not for longer than a
    /// token may be.
    fn lasts(&self, lifetime_max: Duration, seconds: i64) -> Option<Duration> {
        let ends = i64::try_from(self.exp).ok()?;
        let lifetime_max = i64::try_from(lifetime_max.as_secs()).ok()?;
        for begins in [self.nbf, self.iat].into_iter().flatten() {
            let begins = i64::try_from(begins).ok()?;
            let has_begun = begins <= seconds.checked_add(SKEW_SECONDS)?;
            let lifetime = ends.checked_sub(begins)?;
            if !has_begun || !(1..=lifetime_max).contains(&lifetime) {
                return None;
            }
        }
        let left = ends.checked_add(SKEW_SECONDS)?.checked_sub(seconds)?;
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_secs)
    }
}

impl Confirmation {
    /// A binding that cannot be checked here is not met.
    fn is_met_by(&self, certificate: Option<&ClientCertificate>) -> bool {
        let is_known = self.jkt.is_none() && self.jwk.is_none();
        let wanted = self.certificate.as_ref().filter(|_| is_known);
        matches!((wanted, certificate), (Some(wanted), Some(shown)) if *wanted == shown.thumbprint())
    }
}
