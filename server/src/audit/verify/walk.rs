//! Line after line: does each follow from the one before it?
//!
//! Owns the sequential part of a proof. After a finding the walk goes on with what stands there,
//! so that one change gives one finding. Must never take a crash for a deed, nor a deed for a
//! crash: what a crash left is named, with its digest, by the server that came after it.

use std::io;

use super::finding::{Finding, Problem, Remark};
use super::lines::{Kind, Line, Link, Says};
use super::notices::{Limits, Notices};
use super::witness::Witness;
use crate::audit::chain::{Head, linked};
use crate::audit::hex::{Digest, JournalId, PublicKey};
use crate::audit::mark::{Checkpoint, Mark, Opening, Span};
use crate::audit::scribe::CHECKPOINT_LINES;

/// Lines without a checkpoint that a server and its successor may leave.
const UNSIGNED_MAX: u64 = CHECKPOINT_LINES as u64 + 24;
/// Findings that are kept; all are counted.
const FINDINGS_KEPT: usize = 1_000;

/// What is known on the way through a journal.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) witness: Option<Witness>,
    /// Keys that checkpoints may be signed with; empty until the journal names its first.
    keys: Vec<PublicKey>,
    journal: Option<JournalId>,
    file: String,
    is_last_file: bool,
    line: u64,
    pub(super) head: Option<Head>,
    /// The link that the last line should have had, if it has another one.
    rival: Option<Digest>,
    /// The journal's first line, and what it follows.
    pub(super) first: Option<u64>,
    begins_behind: Option<(Place, Head)>,
    /// The last line that a good checkpoint covers, and lines since then.
    signed: u64,
    unsigned: u64,
    /// What may turn out to be left by a crash, or from before the chain.
    doubt: Option<Doubt>,
    absent: Vec<(Place, Span)>,
    notices: Notices,
    /// Where the journal begins, if that is behind removed files, and how old those had to be.
    pub(super) gone: Option<(Place, Limits)>,
    pub(super) findings: Vec<Finding>,
    pub(super) found: u64,
    pub(super) remarks: Vec<Remark>,
    pub(super) records: u64,
    pub(super) lines: u64,
    pub(super) checkpoints: u64,
}

/// Where a line stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) sequence: Option<u64>,
}

/// Where the walk was before the first line that does not follow, and all that came since.
#[derive(Debug)]
struct Doubt {
    head: Option<Head>,
    signed: u64,
    unsigned: u64,
    findings: usize,
    notices: usize,
    found: u64,
    spans: Vec<(String, u64, blake3::Hasher)>,
}

/// What a line is in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It stands behind this head.
    Behind(Head),
    /// It is the first one, or lines before it are missing: what it follows is not known.
    Alone,
    /// It does not belong here; the walk goes on as if it were not there.
    Stray,
}

impl Walk {
    pub(super) fn new(witness: Option<Witness>, keys: &[PublicKey]) -> Self {
        let keys = witness.as_ref().map_or(keys, Witness::keys).to_vec();
        Self {
            journal: witness.as_ref().and_then(|witness| witness.journal),
            witness,
            keys,
            file: String::new(),
            is_last_file: false,
            line: 0,
            head: None,
            rival: None,
            first: None,
            begins_behind: None,
            signed: 0,
            unsigned: 0,
            doubt: None,
            absent: Vec::new(),
            notices: Notices::default(),
            gone: None,
            findings: Vec::new(),
            found: 0,
            remarks: Vec::new(),
            records: 0,
            lines: 0,
            checkpoints: 0,
        }
    }

    /// The next lines are those of this file.
    pub(super) fn turn_to(&mut self, file: &str, is_last_file: bool) {
        file.clone_into(&mut self.file);
        self.is_last_file = is_last_file;
        self.line = 0;
    }

    /// Takes the next line.
    pub(super) fn step(&mut self, line: Line, bytes: &[u8]) -> io::Result<()> {
        self.line += 1;
        let (head, signed, unsigned, found) = (self.head, self.signed, self.unsigned, self.found);
        let (findings, notices) = (self.findings.len(), self.notices.len());
        match line.kind {
            Kind::Chained(link) => self.chained(link)?,
            Kind::Unchained => self.find(Problem::NotChained, None),
            Kind::Fragment if self.is_last_file => {
                let bytes = bytes.len() as u64;
                self.remarks.push(Remark::TornEnd { file: self.file.clone(), bytes });
            }
            Kind::Fragment => self.find(Problem::NotChained, None),
        }
        if self.found > found && self.doubt.is_none() {
            let spans = Vec::new();
            self.doubt = Some(Doubt { head, signed, unsigned, findings, notices, found, spans });
        }
        if let Some(doubt) = &mut self.doubt {
            doubt.take(&self.file, bytes);
        }
        Ok(())
    }

    fn chained(&mut self, link: Link) -> io::Result<()> {
        self.lines += 1;
        self.records += u64::from(matches!(link.says, Says::Record));
        let mark = match &link.says {
            Says::Mark(mark) => Some(mark.as_ref()),
            Says::Record | Says::Other | Says::Forged | Says::Garbled => None,
        };
        if let Some(Mark::ChainStarted(opening) | Mark::Opened(opening)) = mark {
            self.open(opening, &link);
        }
        let prior = self.head;
        let prior_rival = self.rival;
        let standing = self.place(&link, mark);
        if standing == Standing::Stray {
            return Ok(());
        }
        self.prove(&link, mark, standing);
        self.unsigned += 1;
        match link.says {
            Says::Record | Says::Other => {}
            Says::Forged => self.find(Problem::Forged, Some(link.head.sequence)),
            Says::Garbled => self.find(Problem::Garbled, Some(link.head.sequence)),
            Says::Mark(mark) => {
                let known = (standing != Standing::Alone).then_some((prior, prior_rival));
                self.mark(*mark, link.head.sequence, known)?;
            }
        }
        if self.unsigned == UNSIGNED_MAX + 1 {
            self.find(Problem::Unsigned { first: self.signed + 1 }, Some(link.head.sequence));
        }
        Ok(())
    }

    /// Where the line stands by its number.
    fn place(&mut self, link: &Link, mark: Option<&Mark>) -> Standing {
        let sequence = link.head.sequence;
        let Some(head) = self.head else {
            self.begin(link, mark);
            return Standing::Alone;
        };
        if sequence <= head.sequence {
            let problem = if link.head == head {
                Problem::Repeated
            } else {
                Problem::OutOfPlace { after: head.sequence }
            };
            self.find(problem, Some(sequence));
            return Standing::Stray;
        }
        if sequence > head.sequence + 1 {
            let problem = Problem::Missing { first: head.sequence + 1, last: sequence - 1 };
            self.find(problem, Some(sequence));
            return Standing::Alone;
        }
        Standing::Behind(head)
    }

    /// The journal's first chained line.
    fn begin(&mut self, link: &Link, mark: Option<&Mark>) {
        let sequence = link.head.sequence;
        self.first = Some(sequence);
        self.signed = sequence.saturating_sub(1);
        match mark.and_then(Mark::heading) {
            None => self.find(Problem::NoBeginning, Some(sequence)),
            Some((previous, _)) => {
                let behind = Head { sequence: sequence.saturating_sub(1), link: previous };
                if behind != Head::START || !matches!(mark, Some(Mark::ChainStarted(_))) {
                    self.begins_behind = Some((self.place_of(Some(sequence)), behind));
                }
            }
        }
    }

    /// Whether the line's link follows from what it stands behind.
    fn prove(&mut self, link: &Link, mark: Option<&Mark>, standing: Standing) {
        let sequence = Some(link.head.sequence);
        let heading = mark.and_then(Mark::heading);
        if let Some((_, file)) = heading
            && file != self.file
        {
            self.find(Problem::Renamed { was: file.to_owned() }, sequence);
        }
        let written = match standing {
            Standing::Behind(head) => Some(head.link),
            Standing::Alone | Standing::Stray => None,
        };
        let rival = self.rival.take();
        self.head = Some(link.head);
        if let (Some((previous, _)), Some(written)) = (heading, written)
            && previous != written
            && rival != Some(previous)
        {
            self.find(Problem::NotConnected, sequence);
        }
        let Some(before) = heading.map(|(previous, _)| previous).or(written) else { return };
        let should = linked(before, link.content);
        // A changed link shows in its own line; the next one follows from the link as it was.
        let follows_rival =
            || rival.is_some_and(|rival| linked(rival, link.content) == link.head.link);
        if should != link.head.link && !follows_rival() {
            self.rival = Some(should);
            self.find(Problem::Changed, sequence);
        }
    }

    /// A server begins its part: what is in doubt may be what it found.
    fn open(&mut self, opening: &Opening, link: &Link) {
        let doubt = self.doubt.take();
        let behind = doubt.as_ref().map_or(self.head, |doubt| doubt.head).unwrap_or(Head::START);
        let follows = opening.previous == behind.link
            && link.head.sequence == behind.sequence + 1
            && linked(opening.previous, link.content) == link.head.link;
        let seen: Vec<Span> = doubt.as_ref().map(Doubt::spans).unwrap_or_default();
        let is_named = seen.iter().all(|span| opening.unchained.contains(span));
        if follows
            && is_named
            && let Some(doubt) = doubt
        {
            self.head = doubt.head;
            self.rival = None;
            (self.signed, self.unsigned) = (doubt.signed, doubt.unsigned);
            self.findings.truncate(doubt.findings);
            self.notices.truncate(doubt.notices);
            self.found = doubt.found;
        }
        let place = self.place_of(Some(link.head.sequence));
        let gone = opening.unchained.iter().filter(|span| !seen.contains(span));
        self.absent.extend(gone.map(|span| (place.clone(), span.clone())));
        self.remark_opening(seen.iter().map(|span| span.bytes).sum());
    }

    fn remark_opening(&mut self, bytes: u64) {
        if self.head.is_none() {
            if bytes > 0 {
                self.remarks.push(Remark::BeforeTheChain { bytes });
            }
        } else if bytes > 0 || self.unsigned > 0 {
            self.remarks.push(Remark::Crashed {
                file: self.file.clone(),
                line: self.line,
                torn_bytes: bytes,
                unsigned: self.unsigned,
            });
        }
    }

    /// `known` is what stands before the line, and the link it should have had.
    fn mark(
        &mut self,
        mark: Mark,
        sequence: u64,
        known: Option<(Option<Head>, Option<Digest>)>,
    ) -> io::Result<()> {
        if let Some(journal) = mark.journal()
            && *self.journal.get_or_insert(journal) != journal
        {
            self.find(Problem::OtherJournal, Some(sequence));
        }
        match mark {
            Mark::ChainStarted(opening) | Mark::Opened(opening) => {
                if self.keys.is_empty() {
                    self.keys.push(opening.key);
                }
            }
            Mark::DayStarted(_) => {}
            Mark::Pruned(pruning) => {
                self.notices.take(self.place_of(Some(sequence)), pruning);
            }
            Mark::Checkpoint(checkpoint) => self.checkpoint(&checkpoint, sequence, known)?,
        }
        Ok(())
    }

    fn checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        sequence: u64,
        known: Option<(Option<Head>, Option<Digest>)>,
    ) -> io::Result<()> {
        if self.keys.is_empty() {
            self.keys.push(checkpoint.key);
        }
        let found = self.found;
        if !self.keys.contains(&checkpoint.key) {
            self.find(Problem::ForeignKey { key: checkpoint.key }, Some(sequence));
        }
        let covered = checkpoint.covered();
        if let Some((prior, rival)) = known {
            let should = rival.map(|link| Head { sequence: covered.sequence, link });
            if prior != Some(covered) && should != Some(covered) {
                self.find(Problem::Rewritten { since: self.signed }, Some(sequence));
            }
        }
        if self.found > found || self.journal != Some(checkpoint.journal) {
            return Ok(());
        }
        self.checkpoints += 1;
        (self.signed, self.unsigned) = (covered.sequence, 0);
        self.notices.signed(checkpoint.at);
        if self.rival.is_none() && known.is_some() {
            self.doubt = None;
        }
        let first = self.first.unwrap_or_default();
        if let Some(witness) = &mut self.witness {
            for problem in witness.see(covered, first)? {
                self.find(problem, Some(sequence));
            }
        }
        Ok(())
    }

    /// What can only be said at the end, which is now, in microseconds since 1970.
    pub(super) fn finish(&mut self, now: i64) {
        self.line = 0;
        if self.head.is_none() {
            self.find(Problem::Empty, None);
        }
        let signed = self.signed;
        let notices = std::mem::take(&mut self.notices);
        let removed = notices.files(signed);
        if let Some((place, behind)) = self.begins_behind.take() {
            let is_behind = |head: (Option<u64>, Option<Digest>)| {
                head == (Some(behind.sequence), Some(behind.link))
            };
            if removed.iter().any(|file| is_behind((file.last, file.head))) {
                let files = removed.len() as u64;
                self.remarks.push(Remark::Pruned { files, last: behind.sequence });
                let first = self.first.unwrap_or_default();
                self.gone = Some((place, notices.limits(now, signed, first)));
            } else {
                self.find_at(place, Problem::NoBeginning);
            }
        }
        for (place, problem) in notices.judged(now, signed) {
            self.find_at(place, problem);
        }
        for (place, span) in std::mem::take(&mut self.absent) {
            if !removed.iter().any(|file| file.file == span.file) {
                let Span { file, bytes, digest } = span;
                self.find_at(place, Problem::UnchainedGone { file, bytes, digest });
            }
        }
        if self.unsigned > 0 {
            self.remarks.push(Remark::NotYetSigned { lines: self.unsigned });
        }
    }

    fn place_of(&self, sequence: Option<u64>) -> Place {
        Place { file: self.file.clone(), line: self.line, sequence }
    }

    pub(super) fn find(&mut self, problem: Problem, sequence: Option<u64>) {
        self.find_at(self.place_of(sequence), problem);
    }

    /// A line of the anchor, which the walk has turned to, is not good.
    pub(super) fn find_in_anchor(&mut self, line: u64) {
        let place = Place { line, ..self.place_of(None) };
        self.find_at(place, Problem::AnchorUnreadable);
    }

    pub(super) fn find_at(&mut self, place: Place, problem: Problem) {
        self.found += 1;
        if self.findings.len() < FINDINGS_KEPT {
            let Place { file, line, sequence } = place;
            self.findings.push(Finding { file, line, sequence, problem });
        }
    }
}

impl Doubt {
    fn take(&mut self, file: &str, bytes: &[u8]) {
        match self.spans.last_mut() {
            Some((name, length, hasher)) if name == file => {
                *length += bytes.len() as u64;
                hasher.update(bytes);
            }
            _ => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(bytes);
                self.spans.push((file.to_owned(), bytes.len() as u64, hasher));
            }
        }
    }

    fn spans(&self) -> Vec<Span> {
        let span = |(file, bytes, hasher): &(String, u64, blake3::Hasher)| Span {
            file: file.clone(),
            bytes: *bytes,
            digest: Digest::new(*hasher.finalize().as_bytes()),
        };
        self.spans.iter().map(span).collect()
    }
}
