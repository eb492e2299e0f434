//! The audit journal: who saw what, on disk before the first byte leaves.
//!
//! Owns the journal's files (one per day, one JSON object per line, only ever appended to, each
//! line linked to the one before it and signed at checkpoints) and the newest records in memory
//! for `system.audit_record`. Must never let a disclosure pass that is not on disk: where a
//! record cannot be written, the request is refused.
//!
//! Receives: an [`Entry`] from every command that discloses or refuses something.
//! Hands on: lines to the file through `writer`, rows to `martlet-query` as [`SystemRecords`].
//!
//! Read in this order: `record` and `mark` (the lines), `repeats`, `chain`, `signing`, `scribe`,
//! `writer`; then [`verify`], which proves what these have written.

mod anchor;
mod chain;
mod day_files;
mod disk;
mod hex;
mod mark;
pub mod prune;
mod reader;
mod record;
mod recover;
mod repeats;
mod reserve;
mod ring;
mod scribe;
pub mod search;
mod signing;
mod table;
pub mod uses;
pub mod verify;
pub mod workload;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use martlet_core::{ErrorKind, Kinded};
use martlet_query::SystemRecords;
use tokio::sync::mpsc;

pub use hex::{Digest, Hex, PublicKey};
pub(crate) use reader::{days_since, replay_day};
pub use record::{Decision, Ending, Entry, Outcome, RecordId};
pub(crate) use record::{
    EMERGENCY_OPENED, Line, PARAMETER_BYTES_KEPT, SIGN_IN, behind_comments, now_micros,
};
use repeats::Repeats;
use ring::Ring;
pub use signing::{public_key_of, public_keys};
pub(crate) use writer::make_folder;
use writer::{Purpose, Writer};

/// Where a journal is written, and with what it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// The folder of the day files.
    pub folder: PathBuf,
    /// The file of the private signing key; it is made where there is none.
    pub key: PathBuf,
    /// A second place for checkpoints, out of reach of whoever administers the journal.
    pub anchor: Option<PathBuf>,
    /// Whether the anchor is new to a journal that has lines already. To be said once: where
    /// nobody says it, an anchor that is not there was taken away.
    pub new_anchor: bool,
}

impl JournalOptions {
    /// A journal with its key in its own folder, and no anchor.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            key: folder.join("signing.key"),
            anchor: None,
            new_anchor: false,
        }
    }
}

/// Why the journal cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The folder or a file in it cannot be used.
    #[error("the audit journal {} cannot be used", path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Another server writes the same journal.
    #[error("the audit journal {} is written by another server: give each server its own", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The signing key's file is not usable as such.
    #[error("the key of the audit journal in {} cannot be used: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The operating system gave no random bytes for a key.
    #[error("cannot draw the audit journal's key: the operating system gave no random bytes")]
    NoRandomBytes,
    /// The anchor knows of lines that the journal has not: something was taken away.
    #[error(
        "the audit journal ends at line {journal}, but its anchor {} signs line {anchored} or \
         another journal: it was cut, exchanged or removed; keep both as they are for the \
         auditors, and begin a new journal with a new anchor",
        anchor.display()
    )]
    BehindAnchor {
        /// The anchor.
        anchor: PathBuf,
        /// The last line that it signs.
        anchored: u64,
        /// The journal's last line; 0 if it is not the anchor's journal at all.
        journal: u64,
    },
    /// The journal has lines, and its anchor is not there or says nothing.
    #[error(
        "the audit journal has lines, but its anchor {} is missing or empty: mount what it lies \
         on, or bring the right file back; if this journal shall have a new anchor from here on, \
         start once with --new-anchor",
        anchor.display()
    )]
    AnchorMissing {
        /// The anchor.
        anchor: PathBuf,
    },
    /// The anchor holds something, and nothing of it was signed with a key of the journal.
    #[error(
        "no line of the audit anchor {} is a checkpoint with a good signature of this journal's \
         keys: name the journal's own anchor and key, or keep both as they are for the auditors",
        anchor.display()
    )]
    AnchorForeign {
        /// The anchor.
        anchor: PathBuf,
    },
    /// The anchor that is said to be new holds something.
    #[error(
        "the audit anchor {} is not new, it holds lines already: leave --new-anchor out",
        anchor.display()
    )]
    AnchorNotNew {
        /// The anchor.
        anchor: PathBuf,
    },
    /// The bank's records must be kept longer.
    #[error("audit records are kept {min} days at least, not {days}")]
    KeptTooShortly {
        /// What was asked for.
        days: u32,
        /// The least.
        min: u32,
    },
    /// A record could not be put on disk.
    #[error("the audit record cannot be written, so nothing is answered: call the operator")]
    NotWritten,
}

impl Kinded for AuditError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unusable { .. }
            | Self::InUse { .. }
            | Self::Key { .. }
            | Self::AnchorMissing { .. }
            | Self::AnchorNotNew { .. }
            | Self::KeptTooShortly { .. } => ErrorKind::Invalid,
            Self::BehindAnchor { .. } | Self::AnchorForeign { .. } => ErrorKind::Damaged,
            Self::NoRandomBytes => ErrorKind::Retry,
            Self::NotWritten => ErrorKind::Exhausted,
        }
    }
}

/// The journal of one server.
#[derive(Debug)]
pub struct Journal {
    writer: Writer,
    repeats: Arc<Repeats>,
    ring: Mutex<Ring>,
    folder: PathBuf,
    /// Who hears every record, if anybody does.
    tap: OnceLock<mpsc::UnboundedSender<Tapped>>,
}

/// What whoever keeps watch over the journal hears.
#[derive(Debug)]
pub(crate) enum Tapped {
    /// A record.
    Line(Box<Line>),
    /// So many rows of a disclosure that goes on have left; that is on no record yet.
    Sent { record_id: RecordId, at: i64, rows: u64 },
}

impl Journal {
    /// Opens the journal in a folder, with its key beside its files and without an anchor.
    ///
    /// # Errors
    /// As [`Journal::open_with`].
    pub fn open(folder: &Path) -> Result<Self, AuditError> {
        Self::open_with(&JournalOptions::in_folder(folder))
    }

    /// Opens a journal, whose folder is made if there is none, takes its chain up, and reads its
    /// newest records. A line that was torn by a crash is skipped.
    ///
    /// # Errors
    /// [`AuditError::Unusable`] if the folder, the key or the anchor cannot be read and written,
    /// [`AuditError::InUse`] if another server has it open, [`AuditError::BehindAnchor`] if lines
    /// are missing, [`AuditError::AnchorMissing`], [`AuditError::AnchorForeign`] and
    /// [`AuditError::AnchorNotNew`] if the anchor is not what it should be.
    pub fn open_with(options: &JournalOptions) -> Result<Self, AuditError> {
        let writer = Writer::open(options)?;
        Self::over(writer, &options.folder)
    }

    fn over(writer: Writer, folder: &Path) -> Result<Self, AuditError> {
        let mut ring = Ring::new();
        reader::replay(folder, &mut |line| ring.apply(line))?;
        ring.abandon_running();
        let folder = folder.to_path_buf();
        let (repeats, ring) = (Arc::default(), Mutex::new(ring));
        Ok(Self { writer, repeats, ring, folder, tap: OnceLock::new() })
    }

    /// Records something that is over as soon as it is recorded: a sign-in, a refusal, a
    /// description. When this returns, the record is on disk.
    pub(crate) async fn whole(&self, entry: Entry, ending: Ending) -> Result<(), AuditError> {
        let purpose = match entry.decision {
            Decision::Allowed => Purpose::Disclosing,
            Decision::Denied | Decision::Failed | Decision::Alarm => Purpose::Closing,
        };
        self.commit(Line::Whole { entry, ending }, purpose).await
    }

    /// Records the beginning of a disclosure. When this returns, the record is on disk and the
    /// first byte may leave.
    pub(crate) async fn begin(self: &Arc<Self>, entry: Entry) -> Result<OpenRecord, AuditError> {
        // Made before the line is written: a caller who hangs up while the disk works leaves
        // a beginning in the file, and this one's drop its end.
        let mut open = OpenRecord::new(Arc::clone(self), entry.record_id.clone());
        let written = self.commit(Line::Begin { entry }, Purpose::Disclosing).await;
        if written.is_err() {
            open.ended = true;
        }
        written.map(|()| open)
    }

    /// Signs all that is recorded: a server's orderly end.
    ///
    /// # Errors
    /// [`AuditError::NotWritten`] if the signature cannot be put on disk.
    pub async fn sign(&self) -> Result<(), AuditError> {
        self.writer.sign().await
    }

    async fn commit(&self, line: Line, purpose: Purpose) -> Result<(), AuditError> {
        let (body, firsts) = self.repeats.body_of(&line);
        let mut told = Told { journal: self, line: Some(line) };
        let written = self.writer.write(body, firsts, purpose).await;
        if written.is_err() {
            told.line = None;
        }
        written
    }

    fn tell(&self, line: Line) {
        self.hear(&line);
        self.ring().apply(line);
    }

    /// Where every record is heard from now on. There is one such place.
    pub(crate) fn tap(&self) -> mpsc::UnboundedReceiver<Tapped> {
        let (hears, heard) = mpsc::unbounded_channel();
        if self.tap.set(hears).is_err() {
            tracing::error!("two keep watch over one audit journal: the second hears nothing");
        }
        heard
    }

    /// The newest alarms and notices that are still in memory, oldest first.
    pub(crate) fn notices(&self) -> Vec<Entry> {
        let newest = self.ring().newest_alarms(usize::MAX);
        newest.iter().rev().map(|row| row.entry.clone()).collect()
    }

    /// The folder of its files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn hear(&self, line: &Line) {
        if let Some(tap) = self.tap.get() {
            // Whoever kept watch has gone with the server.
            let _ = tap.send(Tapped::Line(Box::new(line.clone())));
        }
    }

    /// Records without waiting, for a statement whose task was dropped.
    fn commit_later(&self, line: Line) {
        self.writer.write_later(line.to_json());
        self.tell(line);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SystemRecords for Journal {
    fn audit_records(&self, limit: usize) -> Result<RecordBatch, String> {
        let rows = self.ring().newest(limit);
        table::batch_of(&rows).map_err(|error| error.to_string())
    }

    fn alarms(&self, limit: usize) -> Result<RecordBatch, String> {
        let rows = self.ring().newest_alarms(limit);
        table::alarms_of(&rows).map_err(|error| error.to_string())
    }
}

/// A line that the disk is given, to be heard and shown when it is dropped: whoever hangs up while the
/// disk works must not leave a record that nobody hears.
struct Told<'a> {
    journal: &'a Journal,
    line: Option<Line>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            self.journal.tell(line);
        }
    }
}

/// A disclosure that has begun. It ends exactly once: by [`OpenRecord::end`], or as cancelled
/// when it is dropped.
pub(crate) struct OpenRecord {
    journal: Arc<Journal>,
    record_id: RecordId,
    began: Instant,
    ended: bool,
}

impl OpenRecord {
    fn new(journal: Arc<Journal>, record_id: RecordId) -> Self {
        Self { journal, record_id, began: Instant::now(), ended: false }
    }

    /// Tells whoever keeps watch how many rows have left so far; that is on no record.
    pub(crate) fn sent(&self, rows: u64) {
        if let Some(tap) = self.journal.tap.get() {
            let (record_id, at) = (self.record_id.clone(), record::now_micros());
            let _ = tap.send(Tapped::Sent { record_id, at, rows });
        }
    }

    /// Records how the disclosure ended and how much left. Does not wait for the disk: the
    /// beginning stands there already.
    pub(crate) fn end(mut self, outcome: Outcome, sent: Sent) {
        self.ended = true;
        self.journal.commit_later(self.line(outcome, sent));
    }

    fn line(&self, outcome: Outcome, sent: Sent) -> Line {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ending = Ending { rows: sent.rows, bytes: sent.bytes, milliseconds, outcome };
        Line::End { record_id: self.record_id.clone(), at: record::now_micros(), ending }
    }
}

impl fmt::Debug for OpenRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OpenRecord({})", self.record_id)
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        if !self.ended {
            self.journal.commit_later(self.line(Outcome::Cancelled, Sent::default()));
        }
    }
}

/// What left the server for one statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes as encoded for the wire, before TLS.
    pub(crate) bytes: u64,
}

#[cfg(test)]
pub(crate) use record::tests as tests_support;
#[cfg(test)]
mod tests;
