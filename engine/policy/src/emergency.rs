//! Emergency access: for a short while somebody is decided about by a role that nobody holds.
//!
//! A bundle provides for it ([`EmergencyRule`]); somebody asks ([`EmergencyRequest`], this file);
//! officers of the rules in force sign ([`approval`]); the mart keeps who was given it and who
//! closed it ([`ledger`]); and whoever reads the mart proves it all by itself ([`counting`]).
//! Owns the form of a request and the two bounds that no bundle moves. Never knows a clock: the
//! time is handed in.

pub mod approval;
pub mod counting;
pub mod ledger;

use std::collections::BTreeSet;
use std::fmt;

use crate::approval::{read_time, written_time};
use crate::error::PolicyError;
use crate::key::{read_hex, write_hex};
use crate::names::RoleName;
use crate::stored::Edition;

/// Nobody has emergency access for longer than so many hours, whatever a bundle says.
pub const HOURS_MAX: u32 = 4;

/// Nobody has it with fewer approvals of different officers, whatever a bundle says.
pub const APPROVERS_MIN: usize = 2;

/// The first line of a request's text; the number changes with its form.
const TITLE: &str = "martlet emergency request 1";

/// Of what a request's digest is made, said in its first bytes.
const DIGEST: &[u8] = b"martlet emergency request digest 1\n";

/// A name is one line of a file; it has at most so many bytes.
const NAME_BYTES_MAX: usize = 128;

/// So is a reason.
const REASON_BYTES_MAX: usize = 500;

const SECONDS_PER_HOUR: i64 = 60 * 60;

/// An emergency for which a bundle provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRule {
    /// Its name, such as `core outage`.
    pub name: String,
    /// The role that decides while it is open. Nobody holds it by the feed.
    pub role: RoleName,
    /// Who holds one of these may be given it.
    pub may_ask: BTreeSet<RoleName>,
    /// For how many hours at most; 1 to [`HOURS_MAX`].
    pub hours: u32,
    /// How many different officers have to approve; at least [`APPROVERS_MIN`].
    pub approvers: usize,
}

/// A request's id: sixteen random bytes. It is good for one emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmergencyId([u8; 16]);

impl EmergencyId {
    /// The id of these bytes, which have to be random.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_hex(text).map(Self)
    }
}

impl fmt::Display for EmergencyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

/// From when until when, in seconds since 1970-01-01 00:00 UTC; the end is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first second.
    pub from: i64,
    /// The first second that is not in it.
    pub until: i64,
}

impl Span {
    /// Whether a moment is in it.
    #[must_use]
    pub const fn includes(self, seconds: i64) -> bool {
        self.from <= seconds && seconds < self.until
    }

    /// Whether it is longer than so many hours; one that is in no calendar is.
    const fn is_longer_than(self, hours: u32) -> bool {
        match self.until.checked_sub(self.from) {
            Some(length) => length > hours as i64 * SECONDS_PER_HOUR,
            None => true,
        }
    }
}

/// `2026-11-23T01:00:00Z to 2026-11-23T03:00:00Z`.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} to {}", written_time(self.from), written_time(self.until))
    }
}

/// Who asks for which emergency, why, and for when, under which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRequest {
    id: EmergencyId,
    principal: String,
    access: String,
    reason: String,
    span: Span,
    rules: Edition,
}

impl EmergencyRequest {
    /// Asks for `access` for a principal, under the rules of this edition.
    ///
    /// # Errors
    /// [`PolicyError::NotAnEmergency`] if a text is not one line, or too long, or the time is in no
    /// calendar, or ends before it begins.
    pub fn new(
        id: EmergencyId,
        principal: &str,
        access: &str,
        reason: &str,
        span: Span,
        rules: Edition,
    ) -> Result<Self, PolicyError> {
        let [principal, access, reason] = [principal, access, reason].map(str::to_owned);
        // What cannot be read again is none.
        Self::parse(&Self { id, principal, access, reason, span, rules }.to_string())
    }

    /// Reads a request's text.
    ///
    /// # Errors
    /// [`PolicyError::NotAnEmergency`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut fields = Fields::of(text, TITLE)?;
        let id = fields.take("id", EmergencyId::parse)?;
        let principal = fields.take("principal", |text| one_line(text, NAME_BYTES_MAX))?;
        let access = fields.take("access", |text| one_line(text, NAME_BYTES_MAX))?;
        let reason = fields.take("reason", |text| one_line(text, REASON_BYTES_MAX))?;
        let from = fields.take("from", read_time)?;
        let until = fields.take("until", read_time)?;
        let rules = fields.take("rules", |text| read_hex(text).map(Edition))?;
        fields.end()?;
        if until <= from {
            return Err(not("it ends before it begins"));
        }
        Ok(Self { id, principal, access, reason, span: Span { from, until }, rules })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EmergencyId {
        self.id
    }

    /// Whom it is for.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The name of the emergency, as the bundle has it.
    #[must_use]
    pub fn access(&self) -> &str {
        &self.access
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// For when.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The edition of the rules that it was asked under, and under which alone it counts.
    #[must_use]
    pub const fn rules(&self) -> Edition {
        self.rules
    }

    /// Stands for every word of it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(DIGEST).update(self.to_string().as_bytes());
        hasher.finalize().into()
    }
}

/// The text as it stands in its file.
impl fmt::Display for EmergencyRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, principal, access, reason, span, rules } = self;
        writeln!(formatter, "{TITLE}\nid {id}\nprincipal {principal}\naccess {access}")?;
        writeln!(formatter, "reason {reason}\nfrom {}", written_time(span.from))?;
        writeln!(formatter, "until {}\nrules {rules}", written_time(span.until))
    }
}

/// The lines of a text of ours: each a word and what it says, in one order.
struct Fields<'a>(std::str::Lines<'a>);

impl<'a> Fields<'a> {
    /// The lines behind the title. Empty lines at the end are no part of a text: mail adds some.
    fn of(text: &'a str, title: &str) -> Result<Self, PolicyError> {
        let mut lines = text.trim_end_matches(['\n', '\r']).lines();
        if lines.next() != Some(title) {
            return Err(not("it does not begin like one"));
        }
        Ok(Self(lines))
    }

    fn take<T>(
        &mut self,
        word: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, PolicyError> {
        let line = self.0.next().and_then(|line| line.strip_prefix(word)?.strip_prefix(' '));
        line.and_then(read).ok_or(PolicyError::EmergencyLine { word })
    }

    fn end(mut self) -> Result<(), PolicyError> {
        self.0.next().map_or(Ok(()), |_| Err(not("something stands behind its last line")))
    }
}

const fn not(what: &'static str) -> PolicyError {
    PolicyError::NotAnEmergency { what }
}

/// A text of one line that can be shown to an officer: nothing in it moves what stands beside it.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> Option<String> {
    let moves = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let fits =
        !text.is_empty() && text.len() <= bytes_max && text.trim() == text && !text.contains(moves);
    fits.then(|| text.to_owned())
}

/// Reads the name of an emergency as a bundle has it.
pub(crate) fn access_name(text: &str) -> Option<String> {
    one_line(text, NAME_BYTES_MAX)
}

#[cfg(test)]
mod tests;
