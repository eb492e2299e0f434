//! The index object of a segment: a magic, then one section per index, end to end.
//!
//! Where each section lies and what its digest is stands in the descriptor, so that a section
//! is read and proven alone. Never knows what is inside a section.

use std::time::Instant;

use bytes::Bytes;

use crate::descriptor::SectionRef;
use crate::kind::IndexKind;

/// The first eight bytes of every index object; the last of them is the version.
pub(crate) const MAGIC: [u8; 8] = *b"MARTIDX\x01";

/// Collects sections into one object.
pub(crate) struct FileBuilder {
    bytes: Vec<u8>,
    sections: Vec<SectionRef>,
}

impl FileBuilder {
    /// An object of about so many bytes. Room that is not used costs nothing; a buffer that
    /// grows is copied and touched anew.
    pub(crate) fn with_room(bytes: usize) -> Self {
        let mut file = Self { bytes: Vec::with_capacity(bytes), sections: Vec::new() };
        file.bytes.extend_from_slice(&MAGIC);
        file
    }

    /// Adds a section whose building began at `started`.
    pub(crate) fn push(
        &mut self,
        column: usize,
        kind: IndexKind,
        distinct: u32,
        section: &[u8],
        started: Instant,
    ) {
        self.sections.push(SectionRef {
            column,
            kind,
            offset: self.bytes.len() as u64,
            length: section.len() as u64,
            digest: digest(section),
            distinct,
            build_micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        self.bytes.extend_from_slice(section);
    }

    /// Adds a section that was built before; only where it lies changes.
    pub(crate) fn keep(&mut self, section: SectionRef, bytes: &[u8]) {
        let (offset, length) = (self.bytes.len() as u64, bytes.len() as u64);
        self.sections.push(SectionRef { offset, length, ..section });
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn finish(self) -> (Bytes, Vec<SectionRef>) {
        (self.bytes.into(), self.sections)
    }
}

/// The first eight bytes of the BLAKE3 of the bytes, little endian.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    hash.as_bytes()[..8].iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}
