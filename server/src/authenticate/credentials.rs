//! Reads an `authorization` header.
//!
//! Owns the two forms that Flight SQL clients send: `Basic` (padded base64 or not; drivers
//! written in Go leave the padding out) and `Bearer`. Must never print what it read, and never
//! panic on any bytes.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tonic::metadata::MetadataMap;

use super::issuer::TOKEN_BYTES_MAX;

/// Bytes of a header that are looked at.
const HEADER_BYTES_MAX: usize = TOKEN_BYTES_MAX + 64;
/// Bytes of a name and a password in base64; both are far shorter.
const BASIC_BYTES_MAX: usize = 4 * 1024;

/// The header in which a one-time code may stand, for clients that cannot put it behind the
/// password.
const CODE_HEADER: &str = "martlet-totp";

const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A password, or a one-time code, on its way to the check.
#[derive(PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// The one-time code that a client sends by itself.
    pub(crate) fn code_of(headers: &MetadataMap) -> Option<Self> {
        let code = headers.get(CODE_HEADER)?.to_str().ok()?.trim();
        (!code.is_empty()).then(|| Self(code.to_string()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// What a client proves itself with.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A name and a password.
    Basic {
        /// The name.
        name: String,
        /// The password; it may hold colons.
        password: Password,
    },
    /// A token that a sign-in or an issuer gave.
    Bearer(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { name, .. } => write!(formatter, "Basic {{ name: {name:?}, .. }}"),
            Self::Bearer(_) => formatter.write_str("Bearer(..)"),
        }
    }
}

impl Credentials {
    /// Reads a header's value; `None` if it is neither form.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(header).ok()?.trim();
        let (scheme, rest) = text.split_once(' ')?;
        let rest = rest.trim();
        if rest.is_empty() {
            None
        } else if scheme.eq_ignore_ascii_case("basic") {
            Self::parse_basic(rest)
        } else if scheme.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer(rest.to_string()))
        } else {
            None
        }
    }

    fn parse_basic(encoded: &str) -> Option<Self> {
        if encoded.len() > BASIC_BYTES_MAX {
            return None;
        }
        let decoded = String::from_utf8(PADDED_OR_NOT.decode(encoded).ok()?).ok()?;
        let (name, password) = decoded.split_once(':')?;
        if name.is_empty() {
            return None;
        }
        Some(Self::Basic { name: name.to_string(), password: Password(password.to_string()) })
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
