//! What a load did, in numbers: for the terminal, and as JSON for the morning's dashboards.
//!
//! Owns the report's form. Never holds a value of a row.

use std::path::PathBuf;

use serde::Serialize;

/// The report of one load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadReport {
    /// The batch's name.
    pub batch: String,
    /// Its business date, `YYYY-MM-DD`.
    pub date: String,
    /// BLAKE3 over the load file and the files, in hexadecimal.
    pub digest: String,
    /// The snapshot that holds the batch.
    pub snapshot: u64,
    /// One entry per table, in the load file's order.
    pub tables: Vec<TableReport>,
    /// Rows read over all tables.
    pub rows_read: u64,
    /// Rows loaded over all tables.
    pub rows_loaded: u64,
    /// Rows rejected over all tables.
    pub rows_rejected: u64,
    /// Bytes of all files.
    pub bytes_read: u64,
    /// Bytes of all segments and indexes.
    pub bytes_stored: u64,
    /// From the first look at the files to the published snapshot.
    pub seconds: f64,
    /// Rows read per second.
    pub rows_per_second: f64,
    /// Where the rejected rows stand, if there are any.
    pub rejects_file: Option<PathBuf>,
}

/// What a load did to one table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: String,
    /// `replace`, `append`, `upsert` or `delete`.
    pub mode: &'static str,
    /// Files that were read.
    pub files: usize,
    /// Rows of the files; equal to the loaded and the rejected ones together, but where rows are
    /// deleted and none is loaded.
    pub rows_read: u64,
    /// Rows that are in the mart now.
    pub rows_loaded: u64,
    /// Rows that are in the reject file.
    pub rows_rejected: u64,
    /// Rows of earlier batches that an upsert took the place of, or that were deleted.
    pub rows_superseded: u64,
    /// Bytes of the files.
    pub bytes_read: u64,
    /// Segments written.
    pub segments: usize,
    /// Bytes of the segments and their indexes.
    pub bytes_stored: u64,
    /// From the first byte read to the last one stored.
    pub seconds: f64,
    /// Rows read per second.
    pub rows_per_second: f64,
}

/// Rows per second; 0 where no time passed.
pub(crate) fn per_second(rows: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people, not a count")]
    let rows = rows as f64;
    if seconds > 0.0 { rows / seconds } else { 0.0 }
}

impl LoadReport {
    /// Adds a table to the totals.
    pub(crate) fn add(&mut self, table: TableReport) {
        self.rows_read += table.rows_read;
        self.rows_loaded += table.rows_loaded;
        self.rows_rejected += table.rows_rejected;
        self.bytes_read += table.bytes_read;
        self.bytes_stored += table.bytes_stored;
        self.tables.push(table);
    }
}
