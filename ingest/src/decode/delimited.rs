//! Delimited text: a file's header, and its chunks to checked rows.
//!
//! Receives: chunks from `chunks`. Hands on: fields to `check`, bad records to `reject`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::UTF_8;
use martlet_core::limits::LINE_BYTES_MAX;
use martlet_core::{BatchDate, TableSchema};

use crate::arrive::FileDigest;
use crate::check::{Bound, Cell, RowChecker};
use crate::config::plan::{Dialect, Header, SourcePlan};
use crate::error::IngestError;
use crate::origin::Origin;
use crate::reason::Reason;
use crate::reject::{Reject, raw_text};

use super::bind::{FileFacts, FileFields, bind};
use super::chunks::{CHUNK_BYTES, Chunk, ChunkReader, Content};
use super::encoding::{decode, without_mark};
use super::fields::{Fields, Splitter, Torn};
use super::records::{Cutter, Ending, Record, Records};
use super::{DecodedChunk, OpenFile};

/// Bytes that are read first when a single record is looked up again.
const RECORD_BYTES_EXPECTED: usize = 16 * 1024;

/// How the records of one file are read.
#[derive(Debug)]
pub(crate) struct DelimitedForm {
    dialect: Dialect,
    cutter: Cutter,
    splitter: Splitter,
    fields: FileFields,
    bound: Vec<Bound>,
}

/// A delimited file whose header was read.
#[derive(Debug)]
pub(crate) struct DelimitedReader {
    reader: ChunkReader<File>,
    /// What stands behind the header in the first chunk.
    first: Option<Chunk>,
}

impl DelimitedReader {
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        match self.first.take() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.reader.next_chunk(),
        }
    }

    pub(crate) const fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }
}

/// Opens a file and reads its header. Its digest is known when it was read to its end.
pub(crate) fn open(
    path: &Path,
    digest: FileDigest,
    schema: &TableSchema,
    source: &SourcePlan,
    dialect: &Dialect,
    date: BatchDate,
) -> Result<(DelimitedReader, DelimitedForm), IngestError> {
    let file = File::open(path).map_err(|error| IngestError::read(path, error))?;
    let cutter = Cutter::new(dialect);
    let splitter = Splitter::new(dialect.delimiter, dialect.quote);
    let mut reader = ChunkReader::new(file, cutter.clone(), CHUNK_BYTES).hashing(digest);
    let mut first = reader.next_chunk().map_err(|error| IngestError::read(path, error))?;
    let fields = match dialect.header {
        Header::Named => take_header(path, dialect, &cutter, &splitter, first.as_mut())?,
        Header::Absent { fields } => FileFields::Counted(fields),
    };
    let facts = FileFacts { path, system: source.system.as_deref(), date };
    let bound = bind(schema, &source.rules, &fields, facts)?;
    let form = DelimitedForm { dialect: dialect.clone(), cutter, splitter, fields, bound };
    Ok((DelimitedReader { reader, first }, form))
}

/// Reads the first record as the header and takes it off the chunk.
fn take_header(
    path: &Path,
    dialect: &Dialect,
    cutter: &Cutter,
    splitter: &Splitter,
    first: Option<&mut Chunk>,
) -> Result<FileFields, IngestError> {
    let empty = || IngestError::form(path, "the file is empty; its first line has to be a header");
    let chunk = first.ok_or_else(empty)?;
    let record =
        Records::new(cutter, &chunk.bytes, chunk.offset, chunk.line).next().ok_or_else(empty)?;
    if chunk.content == Content::TooLong {
        return Err(IngestError::form(path, "its first line is too long to be a header"));
    }
    let text = decode(dialect.encoding, record.bytes).ok_or_else(|| {
        IngestError::form(path, format!("its header is not valid {}", dialect.encoding.name()))
    })?;
    let text = without_mark(&text);
    let mut fields = Fields::default();
    splitter.split(text, &mut fields).map_err(|torn| {
        IngestError::form(path, format!("its header, field {}: {}", torn.field + 1, torn.reason))
    })?;
    let names = (0..fields.len()).map(|at| fields.get(at, text).text.trim().to_string()).collect();

    let header_start = usize::try_from(record.offset - chunk.offset).unwrap_or(usize::MAX);
    let end = cutter.record_end(&chunk.bytes, header_start).unwrap_or(chunk.bytes.len());
    chunk.line += memchr::memchr_iter(b'\n', &chunk.bytes[..end]).count() as u64;
    chunk.offset += end as u64;
    chunk.bytes.drain(..end);
    Ok(FileFields::Named(names))
}

/// Decodes and checks one chunk.
pub(crate) fn decode_chunk(
    schema: &TableSchema,
    file: &OpenFile<'_>,
    form: &DelimitedForm,
    chunk: &Chunk,
) -> Result<DecodedChunk, IngestError> {
    let checker = RowChecker::new(schema, &file.source.rules, &form.bound, rows_max(form, chunk));
    let is_utf8 = form.dialect.encoding == UTF_8;
    let text = if is_utf8 { std::str::from_utf8(&chunk.bytes).ok() } else { None };
    let mut decoder = ChunkDecoder {
        schema,
        file,
        form,
        text: text.map(|text| (text, chunk.offset)),
        checker,
        fields: Fields::default(),
        rejects: Vec::new(),
    };
    let mut rows_read = 0;
    match chunk.content {
        Content::TooLong => {
            rows_read = 1;
            decoder.reject(chunk.offset, chunk.line, None, Reason::TooLong, &chunk.bytes);
        }
        Content::Records => {
            for record in Records::new(&form.cutter, &chunk.bytes, chunk.offset, chunk.line) {
                rows_read += 1;
                decoder.take(record);
            }
        }
    }
    let rows = decoder.checker.finish()?;
    Ok(DecodedChunk { rows_read, rows, rejects: decoder.rejects })
}

/// Rows of a chunk at most, for sizing buffers only: a row has a line end but for the last, and
/// a mark behind every field.
fn rows_max(form: &DelimitedForm, chunk: &Chunk) -> usize {
    let by_bytes = chunk.bytes.len() / form.fields.len().max(1);
    usize::try_from(chunk.lines).unwrap_or(usize::MAX).min(by_bytes) + 1
}

struct ChunkDecoder<'a> {
    schema: &'a TableSchema,
    file: &'a OpenFile<'a>,
    form: &'a DelimitedForm,
    /// The whole chunk and its offset, where all of it is UTF-8.
    text: Option<(&'a str, u64)>,
    checker: RowChecker<'a>,
    fields: Fields,
    rejects: Vec<Reject>,
}

impl<'a> ChunkDecoder<'a> {
    fn take(&mut self, record: Record<'_>) {
        if let Err((column, reason)) = self.try_take(record) {
            let reason = match record.ending {
                Ending::LineEnd => reason,
                Ending::EndOfFile => reason.at_end_of_file(),
            };
            self.reject(record.offset, record.line, column, reason, record.bytes);
        }
    }

    fn try_take(&mut self, record: Record<'_>) -> Result<(), (Option<String>, Reason)> {
        if record.bytes.len() > LINE_BYTES_MAX {
            return Err((None, Reason::TooLong));
        }
        let text = self.text_of(record)?;
        let text = if record.offset == 0 { without_mark(&text) } else { &text };
        self.form.splitter.split(text, &mut self.fields).map_err(|torn| self.torn(torn))?;
        let (found, expected) = (self.fields.len(), self.form.fields.len());
        if found != expected {
            return Err((None, Reason::FieldCount { found, expected }));
        }
        let origin = Origin::new(self.file.ordinal, record.offset);
        let fields = &self.fields;
        self.checker.add_row(origin, |at| Cell::Field(fields.get(at, text))).map_err(|refused| {
            let column = &self.schema.columns()[refused.column];
            (Some(column.name.to_string()), refused.reason)
        })
    }

    fn text_of<'r>(&self, record: Record<'r>) -> Result<Cow<'r, str>, (Option<String>, Reason)>
    where
        'a: 'r,
    {
        if let Some((text, offset)) = self.text {
            let start = usize::try_from(record.offset - offset).unwrap_or(usize::MAX);
            if let Some(text) = text.get(start..start.saturating_add(record.bytes.len())) {
                return Ok(Cow::Borrowed(text));
            }
        }
        let encoding = self.form.dialect.encoding;
        decode(encoding, record.bytes).ok_or((None, Reason::Encoding { name: encoding.name() }))
    }

    fn torn(&self, torn: Torn) -> (Option<String>, Reason) {
        (Some(self.form.fields.label(torn.field)), torn.reason)
    }

    fn reject(
        &mut self,
        offset: u64,
        line: u64,
        column: Option<String>,
        reason: Reason,
        raw: &[u8],
    ) {
        self.rejects.push(Reject {
            file: self.file.shown.to_string(),
            line,
            byte_offset: Some(offset),
            column,
            reason,
            raw: raw_text(self.form.dialect.encoding, raw),
        });
    }
}

/// Finds records again by their offsets, for the reject file: one pass over the file, so the
/// offsets have to ascend.
#[derive(Debug)]
pub(crate) struct Revisit<'a> {
    file: File,
    dialect: &'a Dialect,
    cutter: Cutter,
    position: u64,
    line: u64,
}

impl<'a> Revisit<'a> {
    pub(crate) fn open(path: &Path, dialect: &'a Dialect) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { file, dialect, cutter: Cutter::new(dialect), position: 0, line: 1 })
    }

    /// The line and the raw text of the record at an offset.
    pub(crate) fn record_at(&mut self, offset: u64) -> io::Result<(u64, String)> {
        self.go_to(offset)?;
        let mut bytes = Vec::new();
        loop {
            let before = bytes.len();
            let wanted = before.clamp(RECORD_BYTES_EXPECTED, LINE_BYTES_MAX) as u64;
            (&mut self.file).take(wanted).read_to_end(&mut bytes)?;
            let complete = self.cutter.record_end(&bytes, 0).is_some();
            if complete || bytes.len() == before || bytes.len() > LINE_BYTES_MAX {
                break;
            }
        }
        let record = Records::new(&self.cutter, &bytes, offset, self.line).next();
        let raw =
            record.map_or_else(String::new, |found| raw_text(self.dialect.encoding, found.bytes));
        Ok((self.line, raw))
    }

    /// Counts the lines up to an offset and stands there.
    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.position))?;
        let mut buffer = vec![0; 256 * 1024];
        while self.position < offset {
            let left = usize::try_from(offset - self.position).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            let read = self.file.read(&mut buffer[..wanted])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.line += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
            self.position += read as u64;
        }
        Ok(())
    }
}
