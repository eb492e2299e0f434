//! Files to checked rows, on all cores, in the order in which the rows arrived.
//!
//! Receives: files from `arrive`. Hands on: decoded chunks, in order, to whoever calls
//! [`decode_table`]. Reading is done once and in order; decoding and checking in parallel.
//! Never holds more than two rounds of chunks.

mod bind;
mod chunks;
pub(crate) mod delimited;
pub(crate) mod encoding;
pub(crate) mod fields;
pub(crate) mod parquet;
mod records;

use std::sync::Arc;

use arrow::array::RecordBatch;
use martlet_core::{BatchDate, TableSchema};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::parquet::{ParquetForm, ParquetReader};
use crate::arrive::ArrivedFile;
use crate::check::CheckedRows;
use crate::config::plan::{FileFormat, SourcePlan, TablePlan};
use crate::error::IngestError;
use crate::reject::Reject;
use chunks::Chunk;
use delimited::{DelimitedForm, DelimitedReader};

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

/// Decodes all files of a table. `take` gets the chunks in order and the bytes read so far.
pub(crate) fn decode_table(
    table: &TablePlan,
    files: &[ArrivedFile],
    date: BatchDate,
    mut take: impl FnMut(DecodedChunk, u64) -> Result<(), IngestError>,
) -> Result<(), IngestError> {
    let mut reading = Reading { table, files, next_file: 0, date, open: None, bytes_done: 0 };
    let mut round = reading.next_round()?;
    while !round.is_empty() {
        let bytes_read = reading.bytes_read();
        let (next, decoded) = rayon::join(
            || reading.next_round(),
            || round.par_iter().map(|work| work.decode(&table.schema)).collect::<Vec<_>>(),
        );
        for chunk in decoded {
            take(chunk?, bytes_read)?;
        }
        round = next?;
    }
    Ok(())
}

/// A piece of a file, with all that is needed to decode it apart from the rest.
struct Work<'a> {
    file: Arc<OpenFile<'a>>,
    piece: Piece,
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
    fn bytes_read(&self) -> u64 {
        self.bytes_done + self.open.as_ref().map_or(0, |(_, reader, _)| reader.bytes_read())
    }

    fn next_round(&mut self) -> Result<Vec<Work<'a>>, IngestError> {
        let most = rayon::current_num_threads() * 2;
        let mut round = Vec::with_capacity(most);
        while round.len() < most {
            let Some(work) = self.next_work()? else { break };
            round.push(work);
        }
        Ok(round)
    }

    fn next_work(&mut self) -> Result<Option<Work<'a>>, IngestError> {
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
                return Ok(Some(Work { file: Arc::clone(file), piece }));
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
                let (reader, form) = delimited::open(path, schema, source, dialect, date)?;
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
