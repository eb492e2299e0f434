//! Puts lines on disk: one thread, many waiting requests, one flush for all that wait.
//!
//! Owns the journal's open file. Must never answer "written" before the bytes are flushed to
//! the device, never write over what stands there, and never leave half a line in the middle
//! of a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::AuditError;

/// Lines that may wait for the disk while somebody waits for them. Ends come on top: there is
/// one for each beginning, and none may be lost.
const WAITING_MAX: usize = 4_096;
/// Lines that one flush covers at most.
const GROUP_MAX: usize = 512;
/// Bytes from which on one flush takes no further line.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A disk that does not answer for this long counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);
const LOCK_FILE: &str = "writer.lock";

/// A line and who waits for it.
struct Order {
    line: Vec<u8>,
    waiting: Option<Waiting>,
}

struct Waiting {
    written: oneshot::Sender<bool>,
    _place: OwnedSemaphorePermit,
}

/// The way to the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    orders: Option<mpsc::UnboundedSender<Order>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    /// Held as long as the journal is open; the system frees it when the process dies.
    _lock: File,
}

impl Writer {
    /// Opens the journal's folder for writing, and proves that it can be written.
    pub(crate) fn open(folder: &Path) -> Result<Self, AuditError> {
        let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
        make_folder(folder).map_err(unusable)?;
        let lock = lock(folder)?;
        let mut journal = JournalFile { folder: folder.to_path_buf(), open: None };
        journal.file_of(today()).map_err(unusable)?;
        let (orders, incoming) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("audit-writer".into())
            .spawn(move || write_all_orders(journal, incoming))
            .map_err(unusable)?;
        let places = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self { orders: Some(orders), places, thread: Some(thread), _lock: lock })
    }

    /// Writes a line and waits until it is on disk.
    pub(crate) async fn write(&self, line: Vec<u8>) -> Result<(), AuditError> {
        let (written, answer) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or(AuditError::NotWritten)?;
        let places = Arc::clone(&self.places);
        let done = async {
            let place = places.acquire_owned().await.map_err(|_| AuditError::NotWritten)?;
            let waiting = Some(Waiting { written, _place: place });
            orders.send(Order { line, waiting }).map_err(|_| AuditError::NotWritten)?;
            answer.await.map_err(|_| AuditError::NotWritten)
        };
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false) | Err(_)) | Err(_) => Err(AuditError::NotWritten),
        }
    }

    /// Writes a line without waiting; it is on disk with the next flush that succeeds.
    pub(crate) fn write_later(&self, line: Vec<u8>) {
        let order = Order { line, waiting: None };
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if !sent {
            tracing::error!("the end of a statement could not be recorded: its record stays open");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread writes what still waits and ends when no sender is left.
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all_orders(mut journal: JournalFile, mut incoming: mpsc::UnboundedReceiver<Order>) {
    // Ends that a failing disk did not take; no beginning passes meanwhile, so they are few.
    let mut unwritten = Vec::new();
    while let Some(first) = incoming.blocking_recv() {
        let group = group_of(first, &mut incoming);
        let mut lines = std::mem::take(&mut unwritten);
        lines.extend(group.iter().flat_map(|order| &order.line));
        let written = journal.append(&lines);
        if let Err(error) = &written {
            tracing::error!(%error, "the audit journal cannot be written; requests are refused");
            unwritten = lines_of_ends(lines, &group);
        }
        for waiting in group.into_iter().filter_map(|order| order.waiting) {
            let _ = waiting.written.send(written.is_ok());
        }
    }
    if !unwritten.is_empty() && journal.append(&unwritten).is_err() {
        tracing::error!("ends of statements could not be recorded: their records stay open");
    }
}

/// The lines that one flush covers.
fn group_of(first: Order, incoming: &mut mpsc::UnboundedReceiver<Order>) -> Vec<Order> {
    let mut bytes = first.line.len();
    let mut group = vec![first];
    while group.len() < GROUP_MAX
        && bytes < GROUP_BYTES_MAX
        && let Ok(next) = incoming.try_recv()
    {
        bytes += next.line.len();
        group.push(next);
    }
    group
}

/// Of lines that were not written, those that nobody waits for: the earlier ones, which stand
/// before the group, and the group's own.
fn lines_of_ends(mut lines: Vec<u8>, group: &[Order]) -> Vec<u8> {
    let new: usize = group.iter().map(|order| order.line.len()).sum();
    lines.truncate(lines.len() - new);
    let ends = group.iter().filter(|order| order.waiting.is_none());
    lines.extend(ends.flat_map(|order| &order.line));
    lines
}

/// The file of the day and how much of it is whole.
struct JournalFile {
    folder: PathBuf,
    open: Option<DayFile>,
}

struct DayFile {
    name: String,
    file: File,
    whole_bytes: u64,
}

impl JournalFile {
    /// Appends whole lines and flushes them; on an error nothing of them stays.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let day = self.file_of(today())?;
        let result = day.file.write_all(lines).and_then(|()| day.file.sync_data());
        match result {
            Ok(()) => day.whole_bytes += lines.len() as u64,
            Err(_) => {
                // Take half a line back where that still works; the next try opens anew and
                // puts a newline after whatever stayed.
                let _ = day.file.set_len(day.whole_bytes);
                self.open = None;
            }
        }
        result
    }

    fn file_of(&mut self, name: String) -> io::Result<&mut DayFile> {
        if self.open.as_ref().is_none_or(|day| day.name != name) {
            self.open = None;
        }
        match &mut self.open {
            Some(day) => Ok(day),
            slot => Ok(slot.insert(open_day(&self.folder, name)?)),
        }
    }
}

fn today() -> String {
    Utc::now().format("audit-%Y-%m-%d.jsonl").to_string()
}

fn open_day(folder: &Path, name: String) -> io::Result<DayFile> {
    let path = folder.join(&name);
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    if ends_torn(&path)? {
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    // The name of a new file is in the folder, so the folder is flushed too.
    File::open(folder)?.sync_all()?;
    let whole_bytes = file.metadata()?.len();
    Ok(DayFile { name, file, whole_bytes })
}

/// Whether the last line has no end: the process died while it wrote.
fn ends_torn(path: &Path) -> io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8; 1];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lock(folder: &Path) -> Result<File, AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    let path = folder.join(LOCK_FILE);
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(AuditError::InUse { path: folder.to_path_buf() }),
        Err(fs::TryLockError::Error(source)) => Err(unusable(source)),
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
