//! The night's delivery: which files there are, how large, and what they are as a whole.
//!
//! Receives: a checked plan and a date. Hands on: files in a fixed order to `decode`, and the
//! batch's digest to `publish`, by which loading it twice is told from loading another one. A
//! file is hashed while it is decoded, or before, where the digest decides whether to load at
//! all. Never looks into a row.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use martlet_core::{BatchDate, TableName};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::config::plan::{LoadPlan, SourcePlan, TablePlan};
use crate::error::IngestError;
use crate::origin::{FILE_BYTES_MAX, FILES_MAX};
use crate::progress::{Progress, Stage};

/// Begins every batch digest, so that another way to compute it can never give the same.
const DIGEST_CONTEXT: &[u8] = b"martlet batch digest, version 1\n";

const READ_BYTES: usize = 1024 * 1024;

/// One file of a table's delivery.
#[derive(Debug, Clone)]
pub(crate) struct ArrivedFile {
    pub(crate) path: PathBuf,
    /// The path from the input folder, as messages show it.
    pub(crate) shown: String,
    pub(crate) bytes: u64,
    modified: Option<SystemTime>,
    /// Which of the table's sources it belongs to.
    pub(crate) source: usize,
    /// Of its content, once somebody has read it to the end.
    pub(crate) digest: FileDigest,
}

/// The place for the BLAKE3 digest of a file.
pub(crate) type FileDigest = Arc<OnceLock<blake3::Hash>>;

impl ArrivedFile {
    /// An error if the file is not as long and as old as it was when it arrived.
    pub(crate) fn is_unchanged(&self) -> Result<(), IngestError> {
        let now =
            std::fs::metadata(&self.path).map_err(|error| IngestError::read(&self.path, error))?;
        if now.len() == self.bytes && now.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(IngestError::FileChanged { path: self.path.clone() })
        }
    }
}

/// The whole delivery.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// One list per table of the plan: by source, then by path.
    pub(crate) tables: Vec<Vec<ArrivedFile>>,
}

/// Finds the files of a batch.
pub(crate) fn arrive(plan: &LoadPlan, date: BatchDate) -> Result<Arrival, IngestError> {
    let tables = plan.tables.iter().map(|table| files_of(table, &plan.input, date));
    Ok(Arrival { tables: tables.collect::<Result<_, _>>()? })
}

fn files_of(
    table: &TablePlan,
    input: &Path,
    date: BatchDate,
) -> Result<Vec<ArrivedFile>, IngestError> {
    let name = table.schema.name();
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for (at, source) in table.sources.iter().enumerate() {
        for path in paths_of(name, source, input, date)? {
            if !seen.insert(path.clone()) {
                return Err(IngestError::FileTwice { table: name.clone(), path });
            }
            files.push(arrived(path, input, at)?);
        }
    }
    let too_large = files.iter().find(|file| file.bytes >= FILE_BYTES_MAX);
    let out_of_bounds = |file: &ArrivedFile, limit| IngestError::FileOutOfBounds {
        table: name.clone(),
        path: file.path.clone(),
        limit,
    };
    match (too_large, files.get(FILES_MAX)) {
        (Some(file), _) => Err(out_of_bounds(file, "a file has less than one tebibyte")),
        (None, Some(file)) => Err(out_of_bounds(file, "a table has at most 16777216 files")),
        (None, None) => Ok(files),
    }
}

fn paths_of(
    table: &TableName,
    source: &SourcePlan,
    input: &Path,
    date: BatchDate,
) -> Result<Vec<PathBuf>, IngestError> {
    let mut paths = Vec::new();
    for pattern in &source.patterns {
        let dated = with_date(pattern, date);
        let mut found = matching(&dated, input)?;
        if found.is_empty() {
            return Err(IngestError::NoFile {
                table: table.clone(),
                pattern: dated,
                directory: input.to_path_buf(),
            });
        }
        paths.append(&mut found);
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The pattern with the batch's date in the place of `{date}` and `{yyyymmdd}`.
fn with_date(pattern: &str, date: BatchDate) -> String {
    pattern
        .replace("{date}", &date.to_string())
        .replace("{yyyymmdd}", &date.date().format("%Y%m%d").to_string())
}

fn matching(pattern: &str, input: &Path) -> Result<Vec<PathBuf>, IngestError> {
    let whole = if Path::new(pattern).is_absolute() {
        pattern.to_string()
    } else {
        format!("{}/{pattern}", glob::Pattern::escape(&input.to_string_lossy()))
    };
    let paths = glob::glob(&whole).map_err(|error| {
        IngestError::form(Path::new(pattern), format!("is not a pattern: {error}"))
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let path = error.path().to_path_buf();
            IngestError::read(&path, error.into())
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn arrived(path: PathBuf, input: &Path, source: usize) -> Result<ArrivedFile, IngestError> {
    let about = std::fs::metadata(&path).map_err(|error| IngestError::read(&path, error))?;
    let shown = path.strip_prefix(input).unwrap_or(&path).to_string_lossy().into_owned();
    Ok(ArrivedFile {
        shown,
        bytes: about.len(),
        modified: about.modified().ok(),
        source,
        path,
        digest: FileDigest::default(),
    })
}

impl Arrival {
    /// BLAKE3 over the load file and all files in order. Those that nobody has read are read.
    pub(crate) fn digest(
        &self,
        plan: &LoadPlan,
        progress: &dyn Progress,
    ) -> Result<[u8; 32], IngestError> {
        let files: Vec<&ArrivedFile> = self.tables.iter().flatten().collect();
        let total = files.iter().map(|file| file.bytes).sum();
        let done = AtomicU64::new(0);
        let hashed = |bytes: u64| {
            let so_far = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            progress.stage("", Stage::Hash, so_far, total);
        };
        let digests = files
            .par_iter()
            .map(|file| file_digest(file, &hashed))
            .collect::<Result<Vec<_>, _>>()?;
        let mut whole = blake3::Hasher::new();
        whole.update(DIGEST_CONTEXT);
        update_framed(&mut whole, plan.text.as_bytes());
        for (file, digest) in files.iter().zip(&digests) {
            update_framed(&mut whole, file.shown.as_bytes());
            whole.update(&file.bytes.to_le_bytes());
            whole.update(digest.as_bytes());
        }
        Ok(*whole.finalize().as_bytes())
    }
}

/// Length first, so that no two lists of texts run into the same bytes.
fn update_framed(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn file_digest(
    file: &ArrivedFile,
    hashed: &(dyn Fn(u64) + Sync),
) -> Result<blake3::Hash, IngestError> {
    if let Some(digest) = file.digest.get() {
        hashed(file.bytes);
        return Ok(*digest);
    }
    let failed = |error| IngestError::read(&file.path, error);
    let mut input = std::fs::File::open(&file.path).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = input.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        hashed(read as u64);
    }
    file.is_unchanged()?;
    Ok(*file.digest.get_or_init(|| hasher.finalize()))
}

#[cfg(test)]
#[path = "arrive_tests.rs"]
mod tests;
