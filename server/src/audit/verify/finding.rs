//! What a proof finds, in words for a person and in fields for a program.
//!
//! Owns the wording. Must never print a line's content: it holds customers' values.

use std::fmt;

use chrono::DateTime;

use crate::audit::hex::{Digest, PublicKey};

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file: a day's, or the anchor.
    pub file: String,
    /// The line in it, from 1; 0 if it is about the file as a whole.
    pub line: u64,
    /// The line's number in the chain, where it says one.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The line's bytes do not give its link.
    Changed,
    /// The line carries no number and no link, and none says that it may.
    NotChained,
    /// Numbers are left out.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The same line stands there already.
    Repeated,
    /// Its number is below that of the line before.
    OutOfPlace {
        /// The number of the line before.
        after: u64,
    },
    /// A file's heading names another link than that of the line before it.
    NotConnected,
    /// The first line is not the chain's first, and no signed line says what was before it.
    NoBeginning,
    /// There is no chained line at all.
    Empty,
    /// The file had another name when the line was written.
    Renamed {
        /// That name.
        was: String,
    },
    /// A line about the journal is not in its form.
    Garbled,
    /// A checkpoint's signature is not good.
    Forged,
    /// A checkpoint is signed with another key than the journal's.
    ForeignKey {
        /// That key.
        key: PublicKey,
    },
    /// The line belongs to another journal.
    OtherJournal,
    /// A checkpoint signs another link than the one that stands there.
    Rewritten {
        /// The last line that is as it was signed.
        since: u64,
    },
    /// More lines than a server leaves unsigned have no checkpoint.
    Unsigned {
        /// The first of them.
        first: u64,
    },
    /// What stood before the chain, or what a crash left, is not as it was then.
    UnchainedGone {
        /// Its file.
        file: String,
        /// Its length.
        bytes: u64,
        /// Its digest.
        digest: Digest,
    },
    /// The anchor has checkpoints that the journal has not.
    NotAsAnchored {
        /// The first line whose checkpoint is missing.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// The anchor has another link for the line.
    AnchorDiffers {
        /// The line.
        covers: u64,
    },
    /// A line of the anchor is no checkpoint, or its signature is not good or foreign.
    AnchorUnreadable,
    /// The anchor has no checkpoint at all.
    AnchorEmpty,
    /// Something was removed before it was old enough.
    PrunedTooEarly(TooEarly),
    /// The time of a removal lies in the future, or before or behind that of its neighbours.
    PrunedAtWrongTime {
        /// That time, in microseconds since 1970.
        at: i64,
    },
}

/// How it is known that something was removed too early. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TooEarly {
    /// The removal's own line names files that were too young.
    Files {
        /// How many.
        files: u64,
        /// The newest of them.
        newest: String,
        /// When they were removed, as the line says.
        at: i64,
        /// Days that they had to be kept.
        days: u32,
    },
    /// The anchor has a checkpoint over a line that is gone, and it is too young.
    Line {
        /// The line.
        covers: u64,
        /// When it was signed.
        at: i64,
        /// Days that it had to be kept.
        days: u32,
    },
}

impl Problem {
    /// One word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NotChained => "not_chained",
            Self::Missing { .. } => "missing",
            Self::Repeated => "repeated",
            Self::OutOfPlace { .. } => "out_of_place",
            Self::NotConnected => "not_connected",
            Self::NoBeginning => "no_beginning",
            Self::Empty => "empty",
            Self::Renamed { .. } => "renamed",
            Self::Garbled => "garbled",
            Self::Forged => "forged",
            Self::ForeignKey { .. } => "foreign_key",
            Self::OtherJournal => "other_journal",
            Self::Rewritten { .. } => "rewritten",
            Self::Unsigned { .. } => "unsigned",
            Self::UnchainedGone { .. } => "unchained_gone",
            Self::NotAsAnchored { .. } => "not_as_anchored",
            Self::AnchorDiffers { .. } => "anchor_differs",
            Self::AnchorUnreadable => "anchor_unreadable",
            Self::AnchorEmpty => "anchor_empty",
            Self::PrunedTooEarly(_) => "pruned_too_early",
            Self::PrunedAtWrongTime { .. } => "pruned_at_wrong_time",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => out.write_str(
                "the line was changed: its link does not follow from its bytes and the line before",
            ),
            Self::NotChained => {
                out.write_str("the line is no record: it was changed, cut or put in")
            }
            Self::Missing { first, last } if first == last => {
                write!(out, "line {first} of the chain is missing before this one")
            }
            Self::Missing { first, last } => {
                write!(out, "lines {first} to {last} of the chain are missing before this one")
            }
            Self::Repeated => out.write_str("the line stands there twice"),
            Self::OutOfPlace { after } => {
                write!(
                    out,
                    "the line is out of its place: it stands behind line {after} of the chain"
                )
            }
            Self::NotConnected => out.write_str(
                "the file does not follow from the line before it: one of the two was exchanged",
            ),
            Self::NoBeginning => out.write_str(
                "the journal begins here, and no signed line says that what came before was pruned",
            ),
            Self::Empty => {
                out.write_str("the journal has no chained line: it was removed, or never begun")
            }
            Self::Renamed { was } => {
                write!(out, "the file was renamed: the line was written into {was}")
            }
            Self::Garbled => {
                out.write_str("a line about the journal is not in the form that servers write")
            }
            Self::Forged => out.write_str(
                "the checkpoint's signature is not good: the checkpoint was changed or made up",
            ),
            Self::ForeignKey { key } => {
                write!(out, "the checkpoint is signed with a key that is not this journal's: {key}")
            }
            Self::OtherJournal => out.write_str("the line belongs to another journal"),
            Self::Rewritten { since } => {
                write!(
                    out,
                    "the checkpoint signs another history: what stands behind line {since} was rewritten"
                )
            }
            Self::Unsigned { first } => {
                write!(
                    out,
                    "no checkpoint from line {first} on to here: checkpoints were taken out"
                )
            }
            Self::UnchainedGone { file, bytes, digest } => write!(
                out,
                "{bytes} bytes of {file} (BLAKE3 {digest}), which this line names, were changed or removed"
            ),
            Self::NotAsAnchored { first, last } => write!(
                out,
                "the anchor has checkpoints over line {first} up to {last} that the journal has not: lines were cut off, rewritten or taken out"
            ),
            Self::AnchorDiffers { covers } => {
                write!(out, "the anchor signs another line {covers}: the journal was rewritten")
            }
            Self::AnchorUnreadable => out.write_str(
                "the anchor's line is no checkpoint of this journal with a good signature",
            ),
            Self::AnchorEmpty => out.write_str(
                "the anchor has no checkpoint of this journal: it is another file, or what it lies on is not there",
            ),
            Self::PrunedTooEarly(early) => early.fmt(out),
            Self::PrunedAtWrongTime { at } => write!(
                out,
                "the line says that files were removed at {}, and that cannot be: it lies in the future, or does not fit the times of the checkpoints before and behind it",
                utc(*at)
            ),
        }
    }
}

impl fmt::Display for TooEarly {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { files, newest, at, days } => write!(
                out,
                "{files} files, the newest of them {newest}, were removed at {} and were not {days} days old",
                utc(*at)
            ),
            Self::Line { covers, at, days } => write!(
                out,
                "what stood before this line was removed too early: the anchor has line {covers} as signed at {}, and lines are kept {days} days at least",
                utc(*at)
            ),
        }
    }
}

fn utc(at: i64) -> String {
    let time = DateTime::from_timestamp_micros(at).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Something that a reader should know and that is no damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Lines from before the chain: their digests were taken when the chain began.
    BeforeTheChain {
        /// Their bytes.
        bytes: u64,
    },
    /// A server ended without order; the next one named what was left.
    Crashed {
        /// The file.
        file: String,
        /// The line of the next server's beginning.
        line: u64,
        /// Bytes of torn lines, which nobody was told to be written.
        torn_bytes: u64,
        /// Lines that had no signature until then.
        unsigned: u64,
    },
    /// The last line is not whole: a crash tore it, or it is being written.
    TornEnd {
        /// The file.
        file: String,
        /// Bytes.
        bytes: u64,
    },
    /// The last lines have no signature yet.
    NotYetSigned {
        /// How many.
        lines: u64,
    },
    /// Files were removed because they were old enough.
    Pruned {
        /// How many.
        files: u64,
        /// The last line of the chain among them.
        last: u64,
    },
    /// The signatures were proven with a key that stands in the journal itself.
    KeyOfTheJournal,
    /// There was no anchor to hold the journal against.
    NoAnchor,
    /// The anchor's last line is not whole.
    AnchorTorn,
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeTheChain { bytes } => write!(
                out,
                "{bytes} bytes were written before the chain began; they are as they were then"
            ),
            Self::Crashed { file, line, torn_bytes, unsigned } => write!(
                out,
                "before {file}:{line} a server ended without order: {unsigned} lines were not signed yet, {torn_bytes} bytes of unfinished lines were left"
            ),
            Self::TornEnd { file, bytes } => write!(
                out,
                "the last line of {file} is not whole ({bytes} bytes): it is being written, or a crash tore it"
            ),
            Self::NotYetSigned { lines } => write!(
                out,
                "the last {lines} lines are chained and not signed yet"
            ),
            Self::Pruned { files, last } => {
                write!(out, "{files} files were pruned, up to line {last} of the chain")
            }
            Self::KeyOfTheJournal => out.write_str(
                "the key is the one that the journal names: with --public-key or --anchor, another key would show",
            ),
            Self::NoAnchor => out.write_str(
                "without --anchor nobody can tell whether lines were cut off at the end",
            ),
            Self::AnchorTorn => out.write_str("the anchor's last line is not whole"),
        }
    }
}
