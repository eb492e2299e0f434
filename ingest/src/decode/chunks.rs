//! A file to chunks of whole records, read once from front to back.
//!
//! Owns the reading and the memory that it takes: a chunk is about [`CHUNK_BYTES`] long, and a
//! record that never ends is skipped instead of held.

use std::io::{self, Read};

use martlet_core::limits::LINE_BYTES_MAX;

use super::records::Cutter;
use crate::arrive::FileDigest;

/// Bytes that one worker decodes at a time: large enough that the work outweighs the hand-over,
/// small enough that a round of them fits the caches' neighbourhood.
pub(crate) const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Bytes kept of a record that is too long.
const TOO_LONG_KEPT_BYTES: usize = 4 * 1024;

/// Whole records of a file.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    /// Where the first byte stands in the file.
    pub(crate) offset: u64,
    /// The first byte's line, from 1.
    pub(crate) line: u64,
    /// Line ends.
    pub(crate) lines: u64,
    pub(crate) content: Content,
}

/// What a chunk's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Records,
    /// The beginning of one record that is longer than any may be.
    TooLong,
}

/// Reads chunks.
#[derive(Debug)]
pub(crate) struct ChunkReader<R> {
    input: R,
    cutter: Cutter,
    chunk_bytes: usize,
    /// Read and not yet handed on.
    held: Vec<u8>,
    offset: u64,
    line: u64,
    at_end: bool,
    /// Boxed: its state is two kilobytes.
    hashing: Option<Box<Hashing>>,
}

/// A digest that grows with what is read.
#[derive(Debug)]
struct Hashing {
    hasher: blake3::Hasher,
    digest: FileDigest,
}

impl<R: Read> ChunkReader<R> {
    pub(crate) fn new(input: R, cutter: Cutter, chunk_bytes: usize) -> Self {
        Self {
            input,
            cutter,
            chunk_bytes,
            held: Vec::new(),
            offset: 0,
            line: 1,
            at_end: false,
            hashing: None,
        }
    }

    /// Puts the digest of all that is read there when the end is reached, unless it is known.
    pub(crate) fn hashing(mut self, digest: FileDigest) -> Self {
        let is_known = digest.get().is_some();
        self.hashing =
            (!is_known).then(|| Box::new(Hashing { hasher: blake3::Hasher::new(), digest }));
        self
    }

    /// Bytes handed on so far.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.offset
    }

    /// The next chunk, or `None` at the file's end.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.chunk_bytes;
        loop {
            self.fill(wanted)?;
            if let Some(end) = self.cutter.last_record_end(&self.held) {
                return Ok(Some(self.cut(end)));
            }
            if self.held.len() > LINE_BYTES_MAX {
                return self.skip_record().map(Some);
            }
            if self.at_end {
                let end = self.held.len();
                return Ok((end > 0).then(|| self.cut(end)));
            }
            wanted = self.held.len() * 2;
        }
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.at_end || self.held.len() >= wanted {
            return Ok(());
        }
        let missing = (wanted - self.held.len()) as u64;
        self.held.reserve_exact(wanted - self.held.len());
        let before = self.held.len();
        let read = (&mut self.input).take(missing).read_to_end(&mut self.held)?;
        self.at_end = (read as u64) < missing;
        if let Some(hashing) = &mut self.hashing {
            hashing.hasher.update(&self.held[before..]);
            if self.at_end {
                hashing.digest.get_or_init(|| hashing.hasher.finalize());
            }
        }
        Ok(())
    }

    fn cut(&mut self, end: usize) -> Chunk {
        let rest = self.held.split_off(end);
        let bytes = std::mem::replace(&mut self.held, rest);
        self.advance(bytes, Content::Records)
    }

    fn advance(&mut self, bytes: Vec<u8>, content: Content) -> Chunk {
        let (offset, line, lines) = (self.offset, self.line, line_ends(&bytes));
        self.offset += bytes.len() as u64;
        self.line += lines;
        Chunk { bytes, offset, line, lines, content }
    }

    /// Reads on to the next line end and keeps only the record's beginning.
    fn skip_record(&mut self) -> io::Result<Chunk> {
        let searched_from = match self.cutter {
            // No line end was found in what is held.
            Cutter::Lines => self.held.len(),
            // A quote is open over all of it; the record is given up at the bound.
            Cutter::Quoted { .. } => LINE_BYTES_MAX,
        };
        let (mut bytes, mut lines) = (0_u64, 0_u64);
        let mut searched = searched_from;
        let mut kept = Vec::new();
        loop {
            let line_end = self.held.get(searched..).and_then(|rest| memchr::memchr(b'\n', rest));
            let end = line_end.map_or(self.held.len(), |at| searched + at + 1);
            if kept.is_empty() {
                kept = self.held[..end.min(TOO_LONG_KEPT_BYTES)].to_vec();
            }
            bytes += end as u64;
            lines += line_ends(&self.held[..end]);
            self.held.drain(..end);
            if line_end.is_some() || (self.at_end && self.held.is_empty()) {
                break;
            }
            searched = 0;
            self.fill(self.chunk_bytes)?;
        }
        let (offset, line) = (self.offset, self.line);
        let chunk = Chunk { bytes: kept, offset, line, lines, content: Content::TooLong };
        self.offset += bytes;
        self.line += lines;
        Ok(chunk)
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
