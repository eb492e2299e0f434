//! A chunk of a file to its records, each with its byte offset and line number.
//!
//! Owns where a record ends. By default every physical line is a record, so a torn quote costs
//! one row; only where the source says so may a quoted value hold line ends.

use encoding_rs::Encoding;

use crate::config::plan::{Dialect, Newlines};

use super::encoding::decode_roughly;
use super::fields::Splitter;

/// Where records end.
#[derive(Debug, Clone)]
pub(crate) enum Cutter {
    Lines,
    Quoted { splitter: Splitter, encoding: &'static Encoding },
}

impl Cutter {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        match dialect.newlines {
            Newlines::EndRecords => Self::Lines,
            Newlines::InValues => Self::Quoted {
                splitter: Splitter::new(dialect.delimiter, dialect.quote),
                encoding: dialect.encoding,
            },
        }
    }

    /// The place behind the line end of the record that begins at `start`, if it is complete.
    pub(crate) fn record_end(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut line_start = start;
        let mut inside = false;
        loop {
            let end = line_start + memchr::memchr(b'\n', &bytes[line_start..])? + 1;
            match self {
                Self::Lines => return Some(end),
                Self::Quoted { splitter, encoding } => {
                    let line = without_line_end(&bytes[line_start..end]);
                    inside = splitter.is_inside_after(&decode_roughly(encoding, line), inside);
                    if !inside {
                        return Some(end);
                    }
                }
            }
            line_start = end;
        }
    }

    /// The place behind the last complete record, if there is one.
    pub(crate) fn last_record_end(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Lines => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
            Self::Quoted { .. } => {
                let mut last = None;
                while let Some(end) = self.record_end(bytes, last.unwrap_or(0)) {
                    last = Some(end);
                }
                last
            }
        }
    }
}

/// The bytes without the line end that closes them, `\n` or `\r\n`.
pub(crate) fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Without its line end.
    pub(crate) bytes: &'a [u8],
    /// Of its first byte, from the file's start.
    pub(crate) offset: u64,
    /// Of its first line, from 1.
    pub(crate) line: u64,
    pub(crate) ending: Ending,
}

/// What closes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    LineEnd,
    EndOfFile,
}

/// The records of a chunk, in order; empty lines are none.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    cutter: &'a Cutter,
    rest: &'a [u8],
    offset: u64,
    line: u64,
}

impl<'a> Records<'a> {
    /// `offset` and `line` are those of the first byte.
    pub(crate) fn new(cutter: &'a Cutter, bytes: &'a [u8], offset: u64, line: u64) -> Self {
        Self { cutter, rest: bytes, offset, line }
    }

    fn take(&mut self) -> Record<'a> {
        let end = self.cutter.record_end(self.rest, 0);
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let ending = if end.is_some() { Ending::LineEnd } else { Ending::EndOfFile };
        let record =
            Record { bytes: without_line_end(taken), offset: self.offset, line: self.line, ending };
        self.rest = rest;
        self.offset += taken.len() as u64;
        self.line += match self.cutter {
            Cutter::Lines => 1,
            Cutter::Quoted { .. } => memchr::memchr_iter(b'\n', taken).count() as u64,
        };
        record
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while !self.rest.is_empty() {
            let record = self.take();
            if !record.bytes.is_empty() {
                return Some(record);
            }
        }
        None
    }
}
