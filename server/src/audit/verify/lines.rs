//! A file as blocks of whole lines, and what each line says by itself.
//!
//! Owns the parallel part of a proof: digests and signatures of single lines, in any order. Must
//! never judge: whether a line stands where it belongs is for the walk.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use crate::audit::chain::{Chained, Head};
use crate::audit::hex::Digest;
use crate::audit::mark::Mark;
use crate::audit::signing::is_signed;

/// Bytes that are read at once; a longer line makes a longer block.
const BLOCK_BYTES: u64 = 8 * 1024 * 1024;
/// Lines that one task takes.
const LINES_PER_TASK: usize = 64;

/// Reads a file block by block, as long as it is when it is opened.
#[derive(Debug)]
pub(super) struct Blocks {
    file: io::Take<File>,
    /// The beginning of a line whose end is not read yet.
    begun: Vec<u8>,
}

impl Blocks {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file: file.take(bytes), begun: Vec::new() })
    }

    /// Whole lines; only the file's last may lack its newline.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut block = std::mem::take(&mut self.begun);
        loop {
            let from = block.len();
            let read = self.file.by_ref().take(BLOCK_BYTES).read_to_end(&mut block)?;
            if read == 0 {
                return Ok((!block.is_empty()).then_some(block));
            }
            if let Some(last) = memchr::memrchr(b'\n', &block[from..]) {
                self.begun = block.split_off(from + last + 1);
                return Ok(Some(block));
            }
        }
    }
}

/// One line, read by itself.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it stands in its block, with its newline.
    pub(super) bytes: Range<usize>,
    pub(super) kind: Kind,
}

/// What a line is by itself.
#[derive(Debug)]
pub(super) enum Kind {
    /// It has a number and a link.
    Chained(Link),
    /// It has none.
    Unchained,
    /// It has no newline: a file's end.
    Fragment,
}

/// A chained line.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) head: Head,
    /// The digest of its content.
    pub(super) content: Digest,
    pub(super) says: Says,
}

/// What a chained line says, as far as a proof needs it.
#[derive(Debug)]
pub(super) enum Says {
    /// A statement begins, or was over at once.
    Record,
    /// A statement's end, or whatever later versions write.
    Other,
    /// Something about the journal; a checkpoint among them is signed with the key it names.
    Mark(Box<Mark>),
    /// A checkpoint whose signature is not good.
    Forged,
    /// Something about the journal that is not in its form.
    Garbled,
}

/// Reads all lines of a block, on all processors.
pub(super) fn parse(block: &[u8]) -> Vec<Line> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    for newline in memchr::memchr_iter(b'\n', block) {
        ranges.push(from..newline + 1);
        from = newline + 1;
    }
    if from < block.len() {
        ranges.push(from..block.len());
    }
    let read = |bytes: Range<usize>| Line { kind: kind_of(&block[bytes.clone()]), bytes };
    ranges.into_par_iter().with_min_len(LINES_PER_TASK).map(read).collect()
}

fn kind_of(line: &[u8]) -> Kind {
    let Some(text) = line.strip_suffix(b"\n") else { return Kind::Fragment };
    let Some(chained) = Chained::read(text) else { return Kind::Unchained };
    let says = says_of(text, &chained);
    Kind::Chained(Link { head: chained.head(), content: chained.digest(), says })
}

fn says_of(line: &[u8], chained: &Chained<'_>) -> Says {
    if !Mark::is_named(line) {
        let is_record =
            line.starts_with(b"{\"event\":\"begin\"") || line.starts_with(b"{\"event\":\"whole\"");
        return if is_record { Says::Record } else { Says::Other };
    }
    match Mark::from_json(&chained.body()) {
        None => Says::Garbled,
        Some(Mark::Checkpoint(checkpoint)) if !is_signed(&checkpoint) => Says::Forged,
        Some(mark) => Says::Mark(Box::new(mark)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn blocks_hold_whole_lines_and_all_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let long = vec![b'x'; usize::try_from(BLOCK_BYTES).unwrap() * 2 + 5];
        let mut file = File::create(&path).unwrap();
        for part in [b"a\nb\n".as_slice(), &long, b"\nlast"] {
            file.write_all(part).unwrap();
        }
        let mut blocks = Blocks::open(&path).unwrap();
        let mut all = Vec::new();
        let mut lines = 0;
        while let Some(block) = blocks.next().unwrap() {
            lines += parse(&block).len();
            all.extend(block);
        }
        assert_eq!(all, std::fs::read(&path).unwrap());
        assert_eq!(lines, 4);
    }
}
