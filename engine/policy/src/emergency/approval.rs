//! An officer's word for one request of emergency access.
//!
//! It is made with the same key as an approval of rules and can never be taken for one, nor the
//! other way: what is signed begins with other words. It names the digest of the request, so it is
//! worth nothing for another person, time, reason or edition of the rules.

use std::fmt::{self, Write as _};

use super::{EmergencyRequest, Fields, NAME_BYTES_MAX, one_line};
use crate::approval::{read_time, written_time};
use crate::error::PolicyError;
use crate::key::{OfficerKey, OfficerSecret, read_hex, write_hex};
use crate::officers::Officers;

/// The first line of an approval's text; the number changes with its form.
const TITLE: &str = "martlet emergency approval 1";

/// What the first bytes of every signed message say, so that no signature means anything else.
const PURPOSE: &[u8; 32] = b"martlet emergency approval, v 1\n";

/// How long before its beginning a request may be approved at most: nobody lays up a stock.
const AHEAD_MAX: i64 = 24 * 60 * 60;

/// An officer's word for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyApproval {
    officer: String,
    key: OfficerKey,
    request: [u8; 32],
    /// Seconds since 1970-01-01 00:00 UTC.
    at: i64,
    signature: [u8; 64],
}

impl EmergencyApproval {
    /// Approves a request.
    ///
    /// # Errors
    /// [`PolicyError::EmergencyLine`] if the name is none or the time is in no calendar.
    pub fn sign(
        officer: &str,
        secret: &OfficerSecret,
        request: &EmergencyRequest,
        at: i64,
    ) -> Result<Self, PolicyError> {
        let (officer, key) = (officer.to_owned(), secret.public());
        let unsigned = Self { officer, key, request: request.digest(), at, signature: [0; 64] };
        let signature = secret.sign(&unsigned.message());
        // What cannot be read again is none.
        Self::parse(&Self { signature, ..unsigned }.to_string())
    }

    /// Reads an approval's text; that it is genuine is judged later.
    ///
    /// # Errors
    /// [`PolicyError::NotAnEmergency`] or [`PolicyError::EmergencyLine`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut fields = Fields::of(text, TITLE)?;
        let officer = fields.take("officer", |text| one_line(text, NAME_BYTES_MAX))?;
        let key = fields.take("key", OfficerKey::parse)?;
        let request = fields.take("request", read_hex)?;
        let at = fields.take("at", read_time)?;
        let signature = fields.take("signature", read_hex)?;
        fields.end()?;
        Ok(Self { officer, key, request, at, signature })
    }

    /// Who approved, by their own word.
    #[must_use]
    pub fn officer(&self) -> &str {
        &self.officer
    }

    /// When, in seconds since 1970-01-01 00:00 UTC, by the officer's own clock.
    #[must_use]
    pub const fn at(&self) -> i64 {
        self.at
    }

    /// The lines before the signature.
    fn body(&self) -> String {
        let mut body = format!("{TITLE}\nofficer {}\nkey {}\nrequest ", self.officer, self.key);
        self.request.iter().for_each(|byte| {
            let _ = write!(body, "{byte:02x}");
        });
        let _ = write!(body, "\nat {}\n", written_time(self.at));
        body
    }

    fn message(&self) -> Vec<u8> {
        let mut message = PURPOSE.to_vec();
        message.extend(self.body().as_bytes());
        message
    }

    fn is_genuine(&self) -> bool {
        self.key.has_signed(&self.message(), &self.signature)
    }
}

/// The text as it stands in its file.
impl fmt::Display for EmergencyApproval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}signature ", self.body())?;
        write_hex(formatter, &self.signature)?;
        formatter.write_str("\n")
    }
}

/// Whether an approval of a request counts, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmergencyVerdict {
    /// It does.
    Counts,
    /// It is for another request.
    OtherRequest,
    /// The rules in force name no such officer.
    UnknownOfficer,
    /// The officer has another key.
    OtherKey,
    /// The signature is not of this text.
    Forged,
    /// Who asks cannot approve.
    OwnRequest,
    /// It was given long before the request begins, or after it ends.
    OtherTime,
    /// The officer has approved it already.
    Repeated,
}

impl fmt::Display for EmergencyVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Counts => "it counts",
            Self::OtherRequest => "it is for another request, or this one was changed since",
            Self::UnknownOfficer => "the rules in force name no such officer",
            Self::OtherKey => "the rules in force give this officer another key",
            Self::Forged => "the signature is not of this text: it was changed or made with another key",
            Self::OwnRequest => "nobody approves their own request; another officer has to",
            Self::OtherTime => {
                "it was given more than a day before the request begins, or after it ends; check the \
                 clocks and have it approved anew"
            }
            Self::Repeated => "this officer has approved already; another one has to",
        })
    }
}

/// Judges approvals of a request by the officers of the rules in force.
#[must_use]
pub fn judge_emergency(
    approvals: &[EmergencyApproval],
    officers: &Officers,
    request: &EmergencyRequest,
) -> Vec<EmergencyVerdict> {
    let (digest, span) = (request.digest(), request.span());
    let mut counted: Vec<OfficerKey> = Vec::new();
    let mut verdict = |approval: &EmergencyApproval| {
        let Some(officer) = officers.named(&approval.officer) else {
            return EmergencyVerdict::UnknownOfficer;
        };
        let in_time =
            approval.at >= span.from.saturating_sub(AHEAD_MAX) && approval.at < span.until;
        if officer.key != approval.key {
            EmergencyVerdict::OtherKey
        } else if !approval.is_genuine() {
            EmergencyVerdict::Forged
        } else if approval.request != digest {
            EmergencyVerdict::OtherRequest
        } else if approval.officer == request.principal() {
            EmergencyVerdict::OwnRequest
        } else if !in_time {
            EmergencyVerdict::OtherTime
        } else if counted.contains(&approval.key) {
            EmergencyVerdict::Repeated
        } else {
            counted.push(approval.key);
            EmergencyVerdict::Counts
        }
    };
    approvals.iter().map(&mut verdict).collect()
}

#[cfg(test)]
mod tests;
