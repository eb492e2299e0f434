//! The journal's lines about itself: where its chain began and was taken up again, where a day
//! begins, what was signed, what was removed.
//!
//! Owns their form. They are chained like every line. Must never hold anything of a request.

use serde::{Deserialize, Serialize};

use super::chain::Head;
use super::hex::{Digest, JournalId, PublicKey, Signature};
use super::record::time_text;

/// A line about the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Mark {
    /// The first line of a chain; what stands before it has no chain, and its digests are here.
    ChainStarted(Opening),
    /// A server took the chain up again.
    Opened(Opening),
    /// The first line of a day's file.
    DayStarted(DayStart),
    /// All lines before this one are signed.
    Checkpoint(Checkpoint),
    /// Old files were removed.
    Pruned(Pruning),
}

/// The beginning of a chain, or of a server's part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    #[serde(with = "time_text")]
    pub(crate) at: i64,
    pub(crate) journal: JournalId,
    /// What the checkpoints from here on are signed with.
    pub(crate) key: PublicKey,
    /// The file that this line stands in.
    pub(crate) file: String,
    /// The link of the line before.
    pub(crate) previous: Digest,
    /// What stands between the line before and this one and is no chained line: journals from
    /// before the chain, or what a crash left of lines that nobody was told to be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unchained: Vec<Span>,
}

/// Bytes of a file that carry no chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

/// The head of a day's file: the file can be proven without the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DayStart {
    #[serde(with = "time_text")]
    pub(crate) at: i64,
    pub(crate) file: String,
    pub(crate) previous: Digest,
}

/// A signature over the chain as far as the line before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) journal: JournalId,
    pub(crate) key: PublicKey,
    /// The number of the last line that it covers.
    pub(crate) covers: u64,
    /// That line's link.
    pub(crate) head: Digest,
    #[serde(with = "time_text")]
    pub(crate) at: i64,
    pub(crate) signature: Signature,
}

impl Checkpoint {
    /// The line that it covers last.
    pub(crate) const fn covered(&self) -> Head {
        Head { sequence: self.covers, link: self.head }
    }
}

/// Files that were removed because they were older than the bank keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pruning {
    #[serde(with = "time_text")]
    pub(crate) at: i64,
    /// Days that are kept.
    pub(crate) keeps_days: u32,
    pub(crate) files: Vec<Removed>,
}

/// One removed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
    /// The number and the link of its last line, if it was chained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) head: Option<Digest>,
}

impl Mark {
    /// The line's body.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and lists only: there is nothing that JSON cannot hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a body in its one spelling; `None` for records, and for what is spelled otherwise.
    pub(crate) fn from_json(body: &[u8]) -> Option<Self> {
        if !Self::is_named(body) {
            return None;
        }
        let mark: Self = serde_json::from_slice(body).ok()?;
        (mark.to_json() == body).then_some(mark)
    }

    /// Whether a line says that it is one.
    pub(crate) fn is_named(line: &[u8]) -> bool {
        const EVENTS: [&str; 5] =
            ["chain_started", "opened", "day_started", "checkpoint", "pruned"];
        let event = line.strip_prefix(b"{\"event\":\"").unwrap_or_default();
        EVENTS.iter().any(|name| {
            event.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""))
        })
    }

    /// The line that a file's or a server's first line stands behind, and the file that it says
    /// to be in. Such a line can be proven alone.
    pub(crate) fn heading(&self) -> Option<(Digest, &str)> {
        match self {
            Self::ChainStarted(opening) | Self::Opened(opening) => {
                Some((opening.previous, &opening.file))
            }
            Self::DayStarted(start) => Some((start.previous, &start.file)),
            Self::Checkpoint(_) | Self::Pruned(_) => None,
        }
    }

    /// The journal that it names.
    pub(crate) const fn journal(&self) -> Option<JournalId> {
        match self {
            Self::ChainStarted(opening) | Self::Opened(opening) => Some(opening.journal),
            Self::Checkpoint(checkpoint) => Some(checkpoint.journal),
            Self::DayStarted(_) | Self::Pruned(_) => None,
        }
    }
}
