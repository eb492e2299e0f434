//! One sorted run on disk: rows that did not fit in memory.
//!
//! Owns the working file. It has no name, so nobody else can open it and it is gone with the
//! process, whatever happens.

use std::fs::File;
use std::io::{BufReader, BufWriter, IntoInnerError, Seek};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use super::SortedBatches;
use crate::error::IngestError;

/// Bytes of one batch of a run: a merge holds one or two batches of every run.
const BATCH_BYTES: usize = 512 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// A run that was written and not yet read.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
}

/// A run that is being read.
pub(super) type RunReader = StreamReader<BufReader<File>>;

impl Run {
    pub(super) fn write(
        schema: &SchemaRef,
        mut sorted: SortedBatches,
        scratch: &Path,
    ) -> Result<Self, IngestError> {
        let failed = |error| IngestError::scratch(scratch, error);
        let file = tempfile::tempfile_in(scratch).map_err(failed)?;
        let buffered = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut writer = StreamWriter::try_new(buffered, schema)?;
        let batch_rows = batch_rows(&sorted);
        while let Some(batch) = sorted.next(batch_rows)? {
            writer.write(&batch)?;
        }
        writer.finish()?;
        let buffered = writer.into_inner()?;
        let mut file = buffered.into_inner().map_err(IntoInnerError::into_error).map_err(failed)?;
        file.rewind().map_err(failed)?;
        Ok(Self { file })
    }

    pub(super) fn read(self) -> Result<RunReader, IngestError> {
        Ok(StreamReader::try_new_buffered(self.file, None)?)
    }
}

fn batch_rows(sorted: &SortedBatches) -> usize {
    let bytes: usize = sorted.batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let row_bytes = bytes / sorted.places.len().max(1);
    (BATCH_BYTES / row_bytes.max(1)).clamp(16, 16 * 1024)
}
