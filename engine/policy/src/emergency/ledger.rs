//! What a mart keeps of emergencies: who was given which, by whose approval, and who closed it.
//!
//! Owns the stored bytes and one law: what was once learned is not unlearned. So a closing stays
//! one, whatever a later snapshot says or leaves out. Never says that anything counts: it holds
//! what was written, and [`super::counting`] proves it.

use std::fmt;

use super::approval::EmergencyApproval;
use super::{EmergencyId, EmergencyRequest, Fields, NAME_BYTES_MAX, REASON_BYTES_MAX, one_line};
use crate::approval::{read_time, written_time};
use crate::error::PolicyError;
use crate::stored::take_part;

/// The first bytes; the number changes with the layout.
const MAGIC: &[u8] = b"martlet emergencies 1\n";

/// The first line of a closing's text.
const CLOSING_TITLE: &str = "martlet emergency closing 1";

/// Entries of one mart at most: far more than there can be emergencies worth the name.
const ENTRIES_MAX: usize = 10_000;

/// Who closes what is lost.
const NOBODY: &str = "martlet";

/// A request with the officers' approvals, as it was put into the mart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What was asked.
    pub request: EmergencyRequest,
    /// Who approved it, by their own word.
    pub approvals: Vec<EmergencyApproval>,
}

impl Opening {
    /// The texts one after the other, with an empty line between.
    fn text(&self) -> String {
        let approvals = self.approvals.iter().map(ToString::to_string);
        let texts = std::iter::once(self.request.to_string()).chain(approvals);
        texts.collect::<Vec<_>>().join("\n")
    }

    fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut texts = text.split("\n\n");
        let request = EmergencyRequest::parse(texts.next().unwrap_or_default())?;
        let approvals = texts.map(EmergencyApproval::parse).collect::<Result<_, _>>()?;
        Ok(Self { request, approvals })
    }
}

/// The end of an emergency before its time. It only takes away, so it needs nobody's approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    id: EmergencyId,
    by: String,
    reason: String,
    /// Seconds since 1970-01-01 00:00 UTC.
    at: i64,
}

impl Closing {
    /// Closes an emergency.
    ///
    /// # Errors
    /// [`PolicyError::EmergencyLine`] if a text is not one line, or too long.
    pub fn new(id: EmergencyId, by: &str, reason: &str, at: i64) -> Result<Self, PolicyError> {
        let closing = Self { id, by: by.to_owned(), reason: reason.to_owned(), at };
        Self::parse(&closing.to_string())
    }

    fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut fields = Fields::of(text, CLOSING_TITLE)?;
        let id = fields.take("id", EmergencyId::parse)?;
        let by = fields.take("by", |text| one_line(text, NAME_BYTES_MAX))?;
        let reason = fields.take("reason", |text| one_line(text, REASON_BYTES_MAX))?;
        let at = fields.take("at", read_time)?;
        fields.end()?;
        Ok(Self { id, by, reason, at })
    }

    /// Who closed it, by their own word.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When, in seconds since 1970-01-01 00:00 UTC, by their own clock.
    #[must_use]
    pub const fn at(&self) -> i64 {
        self.at
    }
}

/// The text as it is stored.
impl fmt::Display for Closing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, by, reason, at } = self;
        let at = written_time(*at);
        writeln!(formatter, "{CLOSING_TITLE}\nid {id}\nby {by}\nreason {reason}\nat {at}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Opened(Opening),
    Closed(Closing),
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Opened(opening) => opening.text(),
            Self::Closed(closing) => closing.to_string(),
        }
    }

    fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.starts_with(CLOSING_TITLE) {
            Closing::parse(text).map(Self::Closed)
        } else {
            Opening::parse(text).map(Self::Opened)
        }
    }
}

/// Everything that a mart knows of emergencies, in the order in which it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmergencyLedger {
    entries: Vec<Entry>,
}

impl EmergencyLedger {
    /// Writes an emergency down.
    pub fn open(&mut self, opening: Opening) {
        self.note(Entry::Opened(opening));
    }

    /// Writes down that one was closed.
    pub fn close(&mut self, closing: Closing) {
        self.note(Entry::Closed(closing));
    }

    /// Takes in what another ledger of the same mart says, and forgets nothing.
    pub fn learn(&mut self, other: &Self) {
        other.entries.iter().for_each(|entry| self.note(entry.clone()));
    }

    /// Takes in the closings of another ledger alone; whether there was a new one.
    pub fn learn_closings(&mut self, other: &Self) -> bool {
        let known = self.entries.len();
        let closings = other.entries.iter().filter(|entry| matches!(entry, Entry::Closed(_)));
        closings.for_each(|entry| self.note(entry.clone()));
        self.entries.len() > known
    }

    /// Closes whatever is written: a part of the ledger is lost, and a closing may have stood there.
    pub fn close_all(&mut self, at: i64) {
        let open: Vec<EmergencyId> = self
            .openings()
            .map(|opening| opening.request.id())
            .filter(|id| self.closing(*id).is_none())
            .collect();
        let reason = "what the mart keeps of emergencies cannot be read";
        for id in open {
            self.close(Closing { id, by: NOBODY.to_owned(), reason: reason.to_owned(), at });
        }
    }

    /// Leaves out what ended before a moment: nothing of it can count again.
    pub fn leave_out_before(&mut self, seconds: i64) {
        let old: Vec<EmergencyId> = self
            .openings()
            .map(|opening| &opening.request)
            .filter(|request| request.span().until < seconds)
            .map(EmergencyRequest::id)
            .collect();
        self.entries.retain(|entry| match entry {
            Entry::Opened(opening) => opening.request.span().until >= seconds,
            Entry::Closed(closing) => closing.at >= seconds || !old.contains(&closing.id),
        });
    }

    /// What was opened, in its order.
    pub fn openings(&self) -> impl Iterator<Item = &Opening> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Opened(opening) => Some(opening),
            Entry::Closed(_) => None,
        })
    }

    /// Who closed one first, if anybody did.
    #[must_use]
    pub fn closing(&self, id: EmergencyId) -> Option<&Closing> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Closed(closing) if closing.id == id => Some(closing),
            _ => None,
        })
    }

    fn note(&mut self, entry: Entry) {
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    /// What a snapshot keeps: after the magic, for every entry the length of its text (`u64`,
    /// little-endian) and the text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for text in self.entries.iter().map(Entry::text) {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    /// Reads what [`EmergencyLedger::to_bytes`] wrote, and accepts nothing else.
    ///
    /// # Errors
    /// [`PolicyError::EmergenciesDamaged`] if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(PolicyError::EmergenciesDamaged)?;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let part = take_part(&mut rest).map_err(|_| PolicyError::EmergenciesDamaged)?;
            let entry = std::str::from_utf8(part).ok().and_then(|text| Entry::parse(text).ok());
            // One spelling, so that what is written is what was read.
            let entry = entry.filter(|entry| entry.text().as_bytes() == part);
            let entry = entry.filter(|_| entries.len() < ENTRIES_MAX);
            entries.push(entry.ok_or(PolicyError::EmergenciesDamaged)?);
        }
        Ok(Self { entries })
    }
}

#[cfg(test)]
mod tests;
