//! The bad rows of a load: counted, written to one file, and weighed against the limit.
//!
//! Receives: refused rows from `decode` and `check`. Hands on: the reject file to the engineer
//! of the night. It is the only place where Martlet writes a cell's value outside of a segment,
//! so the file is readable by its owner only, and it is never made when every row is good.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8};

use crate::config::plan::RejectLimit;
use crate::decode::encoding::decode;
use crate::error::IngestError;
use crate::reason::Reason;

/// Rows that the reject file holds at most; further ones are only counted.
pub(crate) const WRITTEN_MAX: u64 = 100_000;

/// Bad rows that are still looked for once the limit is passed, so that the engineer sees more
/// than the first of them.
pub(crate) const SHOWN_BEYOND_LIMIT: u64 = 1_000;

/// Characters of a raw row that the reject file holds at most.
const RAW_CHARS_MAX: usize = 4_096;

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) file: String,
    /// From 1; for a Parquet file, the row.
    pub(crate) line: u64,
    pub(crate) byte_offset: Option<u64>,
    pub(crate) column: Option<String>,
    pub(crate) reason: Reason,
    /// Escaped by [`raw_text`].
    pub(crate) raw: String,
}

/// The reject file of one load.
#[derive(Debug)]
pub(crate) struct RejectLog {
    directory: PathBuf,
    path: PathBuf,
    limit: RejectLimit,
    writer: Option<csv::Writer<File>>,
    rejected: u64,
}

/// For the owner alone: rejected rows are customers' data.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

impl RejectLog {
    /// Starts with none, and removes what an earlier try of the same batch left.
    pub(crate) fn start(
        directory: &Path,
        batch: &str,
        limit: RejectLimit,
    ) -> Result<Self, IngestError> {
        let path = directory.join(format!("{batch}.rejects.csv"));
        make_folder(directory).map_err(|error| IngestError::scratch(directory, error))?;
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(IngestError::scratch(directory, error)),
        }
        Ok(Self { directory: directory.to_path_buf(), path, limit, writer: None, rejected: 0 })
    }

    /// Rows refused so far.
    pub(crate) const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Whether the batch is already refused.
    pub(crate) const fn limit_is_passed(&self) -> bool {
        self.limit.is_passed_by(self.rejected)
    }

    /// Where the bad rows stand, if there are any.
    pub(crate) fn path(&self) -> Option<&Path> {
        (self.rejected > 0).then_some(self.path.as_path())
    }

    /// Adds refused rows of a table. An error once so many rows are bad that looking further
    /// shows nothing new.
    pub(crate) fn add(&mut self, table: &str, rejects: &[Reject]) -> Result<(), IngestError> {
        for reject in rejects {
            if self.rejected < WRITTEN_MAX {
                self.write(table, reject)?;
            }
            self.rejected += 1;
            if let RejectLimit::Rows(limit) = self.limit
                && self.rejected > limit.saturating_add(SHOWN_BEYOND_LIMIT)
            {
                return self.refuse_if_passed();
            }
        }
        Ok(())
    }

    /// Counts refused rows without their text.
    pub(crate) fn count_only(&mut self, rows: u64) {
        self.rejected += rows;
    }

    /// The refusal, once the limit is passed; the file is complete then.
    pub(crate) fn refuse_if_passed(&mut self) -> Result<(), IngestError> {
        self.flush()?;
        match self.limit {
            RejectLimit::Rows(limit) if self.limit.is_passed_by(self.rejected) => {
                Err(IngestError::TooManyRejects {
                    rejected: self.rejected,
                    limit,
                    rejects_file: self.path.clone(),
                })
            }
            RejectLimit::Rows(_) | RejectLimit::Unlimited => Ok(()),
        }
    }

    /// Rows that may still be written with their text.
    pub(crate) const fn room(&self) -> u64 {
        WRITTEN_MAX.saturating_sub(self.rejected)
    }

    fn flush(&mut self) -> Result<(), IngestError> {
        match &mut self.writer {
            Some(writer) => {
                writer.flush().map_err(|error| IngestError::scratch(&self.directory, error))
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, table: &str, reject: &Reject) -> Result<(), IngestError> {
        let failed = |error: csv::Error| IngestError::scratch(&self.directory, error.into());
        if self.writer.is_none() {
            let file = create_private(&self.path)
                .map_err(|error| IngestError::scratch(&self.directory, error))?;
            let mut writer =
                csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(file);
            writer
                .write_record(["table", "file", "line", "byte_offset", "column", "reason", "raw"])
                .map_err(failed)?;
            self.writer = Some(writer);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let offset = reject.byte_offset.map(|at| at.to_string()).unwrap_or_default();
        writer
            .write_record([
                table,
                &reject.file,
                &reject.line.to_string(),
                &offset,
                reject.column.as_deref().unwrap_or_default(),
                &reject.reason.to_string(),
                &reject.raw,
            ])
            .map_err(failed)
    }
}

/// Makes a file that only its owner may read: it holds customers' data.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// A raw row in one line of plain text, from which the bytes can be told again: a backslash is
/// doubled, a control character or a byte that is not of the encoding becomes `\n`, `\r`, `\t`
/// or `\xNN`. What is longer than the bound ends in `…`.
pub(crate) fn raw_text(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut escaped = Escaped { text: String::new(), room: RAW_CHARS_MAX };
    if let Some(text) = decode(encoding, bytes) {
        text.chars().for_each(|character| escaped.push_char(character));
        return escaped.text;
    }
    if encoding != UTF_8 {
        for byte in bytes {
            match char::from(*byte) {
                character if character.is_ascii() => escaped.push_char(character),
                _ => escaped.push(&format!("\\x{byte:02x}")),
            }
        }
        return escaped.text;
    }
    for part in bytes.utf8_chunks() {
        part.valid().chars().for_each(|character| escaped.push_char(character));
        part.invalid().iter().for_each(|byte| escaped.push(&format!("\\x{byte:02x}")));
    }
    escaped.text
}

struct Escaped {
    text: String,
    room: usize,
}

impl Escaped {
    fn push_char(&mut self, character: char) {
        match character {
            '\\' => self.push("\\\\"),
            '\n' => self.push("\\n"),
            '\r' => self.push("\\r"),
            '\t' => self.push("\\t"),
            control if control.is_control() => {
                let mut utf8 = [0; 4];
                for byte in control.encode_utf8(&mut utf8).bytes() {
                    self.push(&format!("\\x{byte:02x}"));
                }
            }
            plain => self.push(plain.encode_utf8(&mut [0; 4])),
        }
    }

    fn push(&mut self, text: &str) {
        match self.room {
            0 => {}
            1 => self.text.push('…'),
            _ => self.text.push_str(text),
        }
        self.room = self.room.saturating_sub(1);
    }
}

#[cfg(test)]
#[path = "reject_tests.rs"]
mod tests;
