//! An approval: an officer's signature under one change of the rules.
//!
//! It names the bundle that is to come into force and the very edition of the rules in force that
//! it was compared with, so it is worth nothing for another bundle, on other rules, or a second
//! time. Owns its text, what is signed, and the judgement of several. Never knows a clock or a
//! file: the time is the officer's own word.

use std::fmt::{self, Write as _};

use chrono::{DateTime, NaiveDateTime};

use crate::error::PolicyError;
use crate::key::{OfficerKey, OfficerSecret, read_hex, write_hex};
use crate::officers::Officers;
use crate::stored::Edition;

/// The first line of an approval's text; the number changes with its form.
const TITLE: &str = "martlet policy approval 1";

/// What the first bytes of every signed message say, so that no signature means anything else.
const PURPOSE: &[u8; 32] = b"martlet policy approval, form 1\n";

/// How the time is written: UTC, to the second.
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";

/// One change of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The digest of the bundle that is to come into force.
    pub bundle: [u8; 32],
    /// The rules in force that it is to follow.
    pub base: Edition,
}

/// An officer's word for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    officer: String,
    key: OfficerKey,
    step: Step,
    /// Seconds since 1970-01-01 00:00 UTC.
    at: i64,
    signature: [u8; 64],
}

impl Approval {
    /// Approves a change.
    ///
    /// # Errors
    /// [`PolicyError::NotAnApproval`] if the name is none or the time is in no calendar.
    pub fn sign(
        officer: &str,
        secret: &OfficerSecret,
        step: Step,
        at: i64,
    ) -> Result<Self, PolicyError> {
        let officer = officer.to_owned();
        let unsigned = Self { officer, key: secret.public(), step, at, signature: [0; 64] };
        let signature = secret.sign(&unsigned.message());
        // What cannot be read again is none.
        Self::parse(&Self { signature, ..unsigned }.to_string())
    }

    /// Reads an approval's text; that it is genuine is judged later.
    ///
    /// # Errors
    /// [`PolicyError::NotAnApproval`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let refused = |what| PolicyError::NotAnApproval { what };
        let mut lines = text.trim_end().lines();
        if lines.next() != Some(TITLE) {
            return Err(refused("it does not begin like one"));
        }
        let mut field =
            |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let officer = field("officer");
        let officer = officer
            .filter(|name| !name.trim().is_empty() && !name.chars().any(char::is_control))
            .ok_or_else(|| refused("it names no officer"))?;
        let key = field("key").and_then(|text| OfficerKey::parse(&text));
        let key = key.ok_or_else(|| refused("it has no key"))?;
        let bundle = field("bundle").and_then(|text| read_hex(&text));
        let bundle = bundle.ok_or_else(|| refused("it does not say which bundle"))?;
        let base = field("base").and_then(|text| read_hex(&text)).map(Edition);
        let base = base.ok_or_else(|| refused("it does not say which rules in force"))?;
        let at = field("at").and_then(|text| read_time(&text));
        let at = at.ok_or_else(|| refused("it does not say when"))?;
        let signature = field("signature").and_then(|text| read_hex(&text));
        let signature = signature.ok_or_else(|| refused("it is not signed"))?;
        if lines.next().is_some() {
            return Err(refused("something stands behind its signature"));
        }
        Ok(Self { officer, key, step: Step { bundle, base }, at, signature })
    }

    /// Who approved, by their own word.
    #[must_use]
    pub fn officer(&self) -> &str {
        &self.officer
    }

    /// The key that is said to have signed.
    #[must_use]
    pub const fn key(&self) -> OfficerKey {
        self.key
    }

    /// When, in seconds since 1970-01-01 00:00 UTC, by the officer's own clock.
    #[must_use]
    pub const fn at(&self) -> i64 {
        self.at
    }

    /// What it approves.
    #[must_use]
    pub const fn step(&self) -> &Step {
        &self.step
    }

    /// The lines before the signature.
    fn body(&self) -> String {
        let mut body = format!("{TITLE}\nofficer {}\nkey {}\nbundle ", self.officer, self.key);
        self.step.bundle.iter().for_each(|byte| {
            let _ = write!(body, "{byte:02x}");
        });
        let _ = write!(body, "\nbase {}\nat {}\n", self.step.base, written_time(self.at));
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
impl fmt::Display for Approval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}signature ", self.body())?;
        write_hex(formatter, &self.signature)?;
        formatter.write_str("\n")
    }
}

pub(crate) fn written_time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(String::new, |moment| moment.format(TIME).to_string())
}

pub(crate) fn read_time(text: &str) -> Option<i64> {
    let seconds = NaiveDateTime::parse_from_str(text, TIME).ok()?.and_utc().timestamp();
    (written_time(seconds) == text).then_some(seconds)
}

/// Whether an approval counts, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Counts,
    /// It is for another bundle.
    OtherBundle,
    /// It was judged against other rules than those in force.
    OtherBase,
    /// The rules in force name no such officer.
    UnknownOfficer,
    /// The officer has another key.
    OtherKey,
    /// The signature is not of this text.
    Forged,
    /// The officer has approved it already.
    Repeated,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Counts => "it counts",
            Self::OtherBundle => "it is for another bundle; have this one approved",
            Self::OtherBase => {
                "it was judged against other rules than those in force; have the bundle approved anew"
            }
            Self::UnknownOfficer => "the rules in force name no such officer",
            Self::OtherKey => "the rules in force give this officer another key",
            Self::Forged => "the signature is not of this text: it was changed or made with another key",
            Self::Repeated => "this officer has approved already; another one has to",
        })
    }
}

/// Judges approvals of a change, each by the officers of the rules in force.
#[must_use]
pub fn judge(approvals: &[Approval], officers: &Officers, step: &Step) -> Vec<Verdict> {
    let mut counted: Vec<OfficerKey> = Vec::new();
    let mut verdict = |approval: &Approval| {
        let Some(officer) = officers.named(&approval.officer) else {
            return Verdict::UnknownOfficer;
        };
        if officer.key != approval.key {
            Verdict::OtherKey
        } else if !approval.is_genuine() {
            Verdict::Forged
        } else if approval.step.bundle != step.bundle {
            Verdict::OtherBundle
        } else if approval.step.base != step.base {
            Verdict::OtherBase
        } else if counted.contains(&approval.key) {
            Verdict::Repeated
        } else {
            counted.push(approval.key);
            Verdict::Counts
        }
    };
    approvals.iter().map(&mut verdict).collect()
}

#[cfg(test)]
mod tests;
