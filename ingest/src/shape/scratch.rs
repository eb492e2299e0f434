//! Sorted chunks that did not fit in memory, in one working file.
//!
//! Owns the file. It has no name, so nobody else can open it and it is gone with the process,
//! whatever happens. Any thread may write or read at any time; what was written is not changed.

use std::fs::File;
use std::io::{self, Cursor};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use crate::error::IngestError;

/// The working file of one table's load, made when it is first needed.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    file: OnceLock<File>,
    end: AtomicU64,
}

/// Where a batch lies in the working file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    offset: u64,
    bytes: usize,
}

impl Scratch {
    pub(super) fn within(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), file: OnceLock::new(), end: AtomicU64::new(0) }
    }

    fn file(&self) -> Result<&File, IngestError> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let made = tempfile::tempfile_in(&self.folder).map_err(|error| self.failed(error))?;
        // Where another thread was faster, this one's file vanishes unused.
        Ok(self.file.get_or_init(|| made))
    }

    fn failed(&self, error: io::Error) -> IngestError {
        IngestError::scratch(&self.folder, error)
    }

    /// Writes a batch, in portions of so many rows, each to be read alone.
    pub(super) fn write(
        &self,
        batch: &RecordBatch,
        portion_rows: usize,
    ) -> Result<Vec<Place>, IngestError> {
        let mut bytes = Vec::new();
        let mut lengths = Vec::new();
        for start in (0..batch.num_rows()).step_by(portion_rows) {
            let before = bytes.len();
            let portion = batch.slice(start, portion_rows.min(batch.num_rows() - start));
            let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema())?;
            writer.write(&portion)?;
            writer.finish()?;
            lengths.push(bytes.len() - before);
        }
        let mut offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file()?.write_all_at(&bytes, offset).map_err(|error| self.failed(error))?;
        let place = |bytes: usize| {
            let place = Place { offset, bytes };
            offset += bytes as u64;
            place
        };
        Ok(lengths.into_iter().map(place).collect())
    }

    pub(super) fn read(&self, place: Place) -> Result<RecordBatch, IngestError> {
        let mut bytes = vec![0; place.bytes];
        self.file()?.read_exact_at(&mut bytes, place.offset).map_err(|error| self.failed(error))?;
        let mut reader = StreamReader::try_new(Cursor::new(bytes), None)?;
        let batch = reader.next().transpose()?;
        batch.ok_or_else(|| self.failed(io::ErrorKind::UnexpectedEof.into()))
    }
}
