//! Files to checked rows, on all cores, in the order in which the rows arrived.
//!
//! Receives: files from `arrive`. Hands on: decoded chunks to whoever calls [`decode_table`].
//! Reading is done once and in order, by whichever thread needs a chunk; decoding and checking
//! in parallel. Holds one chunk per thread.

mod bind;
mod chunks;
pub(crate) mod delimited;
mod delivery;
pub(crate) mod encoding;
pub(crate) mod fields;
pub(crate) mod parquet;
mod records;

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use martlet_core::{BatchDate, TableSchema};

use self::parquet::{ParquetForm, ParquetReader};
use crate::arrive::ArrivedFile;
use crate::check::CheckedRows;
use crate::config::plan::{FileFormat, SourcePlan, TablePlan};
use crate::error::IngestError;
use crate::reject::Reject;
use chunks::Chunk;
use delimited::{DelimitedForm, DelimitedReader};
use delivery::Delivery;

/// A file that is being read.
#[derive(Debug)]
pub(crate) struct OpenFile<'a> {
    /// Its place in the table's delivery.
    pub(crate) ordinal: u32,
    /// Its path as messages show it.
    pub(crate) shown: &'a str,
    pub(crate) source: &'a SourcePlan,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Delimited(DelimitedForm),
    Parquet(ParquetForm),
}

/// What one chunk came to.
#[derive(Debug)]
pub(crate) struct DecodedChunk {
    /// Equal to the rows that stand and the rejects together.
    pub(crate) rows_read: u64,
    pub(crate) rows: CheckedRows,
    pub(crate) rejects: Vec<Reject>,
}

/// Decodes all files of a table, on all threads. `shape` gets each chunk where it was decoded;
/// `take` gets what it came to, in the order of the chunks, and the bytes read so far.
///
/// # Errors
/// The first one in the order of the chunks; no chunk behind it is taken then.
pub(crate) fn decode_table<T: Send>(
    table: &TablePlan,
    files: &[ArrivedFile],
    date: BatchDate,
    shape: impl Fn(DecodedChunk) -> Result<T, IngestError> + Sync,
    take: impl FnMut(T, u64) -> Result<(), IngestError> + Send,
) -> Result<(), IngestError> {
    let reading = Mutex::new(Reading::of(table, files, date));
    let delivery = Mutex::new(Delivery::to(take));
    let work_off = || -> Result<(), IngestError> {
        loop {
            let next = reading.lock().map_err(|_| IngestError::Worker)?.next_work();
            let (place, shaped, bytes_read) = match next {
                Ok(None) => return Ok(()),
                Ok(Some(work)) => {
                    let shaped = work.decode(&table.schema).and_then(&shape);
                    (work.place, shaped, work.bytes_read)
                }
                Err((place, error)) => (place, Err(error), 0),
            };
            let mut delivery = delivery.lock().map_err(|_| IngestError::Worker)?;
            if delivery.accept(place, shaped, bytes_read).is_break() {
                reading.lock().map_err(|_| IngestError::Worker)?.stop();
                return Ok(());
            }
        }
    };
    rayon::broadcast(|_| work_off()).into_iter().collect::<Result<(), _>>()?;
    delivery.into_inner().map_err(|_| IngestError::Worker)?.outcome
}

/// A piece of a file, with all that is needed to decode it apart from the rest.
struct Work<'a> {
    file: Arc<OpenFile<'a>>,
    piece: Piece,
    /// Its place in the order of the chunks.
    place: u64,
    /// Bytes of all files up to its end.
    bytes_read: u64,
}

enum Piece {
    Text(Chunk),
    Rows { batch: RecordBatch, first_row: u64 },
}

impl Work<'_> {
    fn decode(&self, schema: &TableSchema) -> Result<DecodedChunk, IngestError> {
        match (&self.file.form, &self.piece) {
            (Form::Delimited(form), Piece::Text(chunk)) => {
                delimited::decode_chunk(schema, &self.file, form, chunk)
            }
            (Form::Parquet(form), Piece::Rows { batch, first_row }) => {
                parquet::decode_rows(schema, &self.file, form, batch, *first_row)
            }
            // A piece is made from the reader that belongs to its file's form.
            _ => Err(IngestError::Worker),
        }
    }
}

/// Reads the files of a table one after the other.
struct Reading<'a> {
    table: &'a TablePlan,
    files: &'a [ArrivedFile],
    next_file: usize,
    date: BatchDate,
    open: Option<(Arc<OpenFile<'a>>, Reader, &'a ArrivedFile)>,
    /// Bytes of the files that were read to their end.
    bytes_done: u64,
    /// Pieces cut so far.
    cut: u64,
}

enum Reader {
    Delimited(DelimitedReader),
    Parquet(Box<ParquetReader>),
}

impl Reader {
    fn bytes_read(&self) -> u64 {
        match self {
            Self::Delimited(reader) => reader.bytes_read(),
            Self::Parquet(reader) => reader.bytes_read(),
        }
    }
}

impl<'a> Reading<'a> {
    const fn of(table: &'a TablePlan, files: &'a [ArrivedFile], date: BatchDate) -> Self {
        Self { table, files, next_file: 0, date, open: None, bytes_done: 0, cut: 0 }
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_done + self.open.as_ref().map_or(0, |(_, reader, _)| reader.bytes_read())
    }

    /// The next piece, or the place in the order where reading failed.
    fn next_work(&mut self) -> Result<Option<Work<'a>>, (u64, IngestError)> {
        let place = self.cut;
        self.cut += 1;
        match self.next_piece() {
            Ok(piece) => Ok(piece.map(|(file, piece)| {
                let bytes_read = self.bytes_read();
                Work { file, piece, place, bytes_read }
            })),
            Err(error) => {
                self.stop();
                Err((place, error))
            }
        }
    }

    /// Nothing more is read.
    fn stop(&mut self) {
        self.open = None;
        self.next_file = self.files.len();
    }

    fn next_piece(&mut self) -> Result<Option<(Arc<OpenFile<'a>>, Piece)>, IngestError> {
        loop {
            if self.open.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let Some((file, reader, arrived)) = &mut self.open else { return Ok(None) };
            let failed = |error| IngestError::read(&arrived.path, error);
            let piece = match reader {
                Reader::Delimited(reader) => reader.next_chunk().map_err(failed)?.map(Piece::Text),
                Reader::Parquet(reader) => reader
                    .next_rows()
                    .map_err(|error| {
                        let problem = format!("cannot be read as Parquet: {error}");
                        IngestError::form(&arrived.path, problem)
                    })?
                    .map(|(batch, first_row)| Piece::Rows { batch, first_row }),
            };
            if let Some(piece) = piece {
                return Ok(Some((Arc::clone(file), piece)));
            }
            arrived.is_unchanged()?;
            self.bytes_done += arrived.bytes;
            self.open = None;
        }
    }

    fn open_next(&mut self) -> Result<bool, IngestError> {
        let Some(arrived) = self.files.get(self.next_file) else { return Ok(false) };
        let source = &self.table.sources[arrived.source];
        let (schema, path, date) = (&self.table.schema, &arrived.path, self.date);
        let (reader, form) = match &source.format {
            FileFormat::Delimited(dialect) => {
                let digest = Arc::clone(&arrived.digest);
                let (reader, form) = delimited::open(path, digest, schema, source, dialect, date)?;
                (Reader::Delimited(reader), Form::Delimited(form))
            }
            FileFormat::Parquet => {
                let (reader, form) = parquet::open(path, schema, source, date)?;
                (Reader::Parquet(Box::new(reader)), Form::Parquet(form))
            }
        };
        let ordinal = u32::try_from(self.next_file).unwrap_or(u32::MAX);
        let file = Arc::new(OpenFile { ordinal, shown: &arrived.shown, source, form });
        self.open = Some((file, reader, arrived));
        self.next_file += 1;
        Ok(true)
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
