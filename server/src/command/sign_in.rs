//! How principals sign in, as options of `martlet serve`.
//!
//! Owns the names of the options and their meaning in `SignInRules` and the transport; the rules
//! themselves are the library's.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use martlet_server::authenticate::{
    CertificateName, IssuerRules, OldToken, PASSWORD_DAYS_MAX, PrincipalClaim,
    SESSIONS_PER_PRINCIPAL_MAX, SignInRules, TokenRotation,
};
use martlet_server::{ClientAuthority, ClientCertificates};

use super::ldap::LdapArguments;

const SECONDS_PER_MINUTE: u64 = 60;

/// The options about signing in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing in")]
pub(crate) struct SignInArguments {
    /// Sessions of one principal at once; one more ends the one used longest ago
    #[arg(long, value_name = "N", default_value_t = SESSIONS_PER_PRINCIPAL_MAX, value_parser = sessions)]
    sessions: usize,
    /// Days that a password is good for, where the feed has the column `password_changed`
    #[arg(long, value_name = "N", default_value_t = PASSWORD_DAYS_MAX)]
    password_days: u32,
    /// Minutes after which a session's token gets a successor
    #[arg(long, value_name = "N", default_value_t = TokenRotation::default().after.as_secs() / SECONDS_PER_MINUTE)]
    token_minutes: u64,
    /// Refuse a token a minute after its successor was told, though no driver used it
    #[arg(long)]
    strict_token_rotation: bool,
    /// Take tokens of this issuer (OpenID Connect), whose claim `iss` is this to the letter
    #[arg(long, value_name = "URL", requires = "oidc_audience", requires = "oidc_jwks")]
    oidc_issuer: Option<String>,
    /// What the claim `aud` of its tokens has to hold
    #[arg(long, value_name = "NAME", requires = "oidc_issuer")]
    oidc_audience: Option<String>,
    /// The issuer's public keys (JSON Web Key Set); read again when the file changes
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_jwks: Option<PathBuf>,
    /// The claim that is the principal's name in the feed
    #[arg(long, value_name = "CLAIM", value_enum, default_value_t = Claim::Sub, requires = "oidc_issuer")]
    oidc_claim: Claim,
    /// Minutes that a token of the issuer may live, from its beginning to its end
    #[arg(long, value_name = "N", default_value_t = 120, requires = "oidc_issuer")]
    oidc_minutes: u64,
    #[command(flatten)]
    ldap: LdapArguments,
    /// Take client certificates of these authorities (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Which part of a client's certificate is the principal's name
    #[arg(long, value_name = "PART", value_enum, default_value_t = Part::Cn, requires = "tls_client_ca")]
    tls_client_name: Part,
    /// Refuse connections without a client certificate
    #[arg(long, requires = "tls_client_ca")]
    tls_client_required: bool,
}

/// A claim that may be the principal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Claim {
    /// The subject, which an issuer never gives to another
    Sub,
    /// The name for display; only where people cannot choose it
    PreferredUsername,
    /// The user principal name of Windows directories
    Upn,
}

/// A part of a certificate that may be the principal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The subject's common name
    Cn,
    /// The one DNS name among the alternative names
    Dns,
    /// The one URI among the alternative names
    Uri,
}

/// None would let nobody sign in.
fn sessions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on".into()),
        Ok(number) => Ok(number),
    }
}

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(number.saturating_mul(SECONDS_PER_MINUTE))
}

impl SignInArguments {
    /// The rules that the options say.
    pub(crate) fn rules(&self) -> SignInRules {
        let old = if self.strict_token_rotation {
            OldToken::OverlapOnly
        } else {
            OldToken::UntilSuccessorIsUsed
        };
        let usual = TokenRotation::default();
        SignInRules {
            sessions_max: self.sessions,
            password_days_max: self.password_days,
            rotation: TokenRotation { after: minutes(self.token_minutes), old, ..usual },
            issuer: self.issuer(),
            ldap: self.ldap.rules(),
            ..SignInRules::default()
        }
    }

    fn issuer(&self) -> Option<IssuerRules> {
        let (Some(issuer), Some(audience), Some(keys)) =
            (&self.oidc_issuer, &self.oidc_audience, &self.oidc_jwks)
        else {
            return None;
        };
        let principal = match self.oidc_claim {
            Claim::Sub => PrincipalClaim::Subject,
            Claim::PreferredUsername => PrincipalClaim::PreferredUsername,
            Claim::Upn => PrincipalClaim::Upn,
        };
        Some(IssuerRules {
            issuer: issuer.clone(),
            audience: audience.clone(),
            keys: keys.clone(),
            principal,
            lifetime_max: minutes(self.oidc_minutes),
        })
    }

    /// Whether clients show certificates.
    pub(crate) fn certificates(&self) -> ClientCertificates {
        let Some(authority) = &self.tls_client_ca else { return ClientCertificates::NotAsked };
        let name = match self.tls_client_name {
            Part::Cn => CertificateName::CommonName,
            Part::Dns => CertificateName::Dns,
            Part::Uri => CertificateName::Uri,
        };
        let authority = ClientAuthority { certificates: authority.clone(), name };
        if self.tls_client_required {
            ClientCertificates::Required(authority)
        } else {
            ClientCertificates::Optional(authority)
        }
    }
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
