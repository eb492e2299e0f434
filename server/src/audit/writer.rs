//! Puts lines on disk: one thread, many waiting requests, one flush for all that wait.
//!
//! Owns the order in which lines come to the [`Scribe`]. Must never answer "written" before the
//! bytes are flushed to the device, and never spend the last room on a beginning.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::disk::{Disk, Local, is_full};
use super::repeats::Firsts;
use super::scribe::Scribe;
use super::{AuditError, JournalOptions};

/// Lines that may wait for the disk while somebody waits for them. Ends come on top: there is
/// one for each beginning, and none may be lost.
const WAITING_MAX: usize = 4_096;
/// Lines that one flush covers at most.
const GROUP_MAX: usize = 512;
/// Bytes from which on one flush takes no further line.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A disk that does not answer for this long counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often ends are tried again that the disk did not take.
const RETRY: Duration = Duration::from_secs(1);
const LOCK_FILE: &str = "writer.lock";

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Something is about to be told: only where its end will find room.
    Disclosing,
    /// An end or a refusal: as long as there is any room.
    Closing,
    /// No line: everything before it is signed.
    Signing,
}

/// A line's body and who waits for it.
struct Order {
    body: Vec<u8>,
    purpose: Purpose,
    waiting: Option<Waiting>,
}

struct Waiting {
    written: oneshot::Sender<bool>,
    /// Heard of here, where whoever waits cannot hang up.
    firsts: Option<Firsts>,
    _place: OwnedSemaphorePermit,
}

/// The way to the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    orders: Option<mpsc::Sender<Order>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    /// Held as long as the journal is open; the system frees it when the process dies.
    _lock: File,
}

impl Writer {
    /// Opens the journal's folder for writing, and proves that it can be written.
    pub(crate) fn open(options: &JournalOptions) -> Result<Self, AuditError> {
        Self::open_on(options, Box::new(Local))
    }

    pub(crate) fn open_on(
        options: &JournalOptions,
        disk: Box<dyn Disk>,
    ) -> Result<Self, AuditError> {
        let folder = options.folder.as_path();
        let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
        let lock = lock(folder)?;
        let desk = Desk { scribe: Scribe::open(options, disk)?, unwritten: Vec::new() };
        let (orders, incoming) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("audit-writer".into())
            .spawn(move || desk.serve_all(&incoming))
            .map_err(unusable)?;
        let places = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self { orders: Some(orders), places, thread: Some(thread), _lock: lock })
    }

    /// Writes a line and waits until it is on disk.
    pub(crate) async fn write(
        &self,
        body: Vec<u8>,
        firsts: Option<Firsts>,
        purpose: Purpose,
    ) -> Result<(), AuditError> {
        let (written, answer) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or(AuditError::NotWritten)?;
        let places = Arc::clone(&self.places);
        let done = async {
            let place = places.acquire_owned().await.map_err(|_| AuditError::NotWritten)?;
            let waiting = Some(Waiting { written, firsts, _place: place });
            orders.send(Order { body, purpose, waiting }).map_err(|_| AuditError::NotWritten)?;
            answer.await.map_err(|_| AuditError::NotWritten)
        };
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false) | Err(_)) | Err(_) => Err(AuditError::NotWritten),
        }
    }

    /// Signs all that was written before and waits until that is on disk.
    pub(crate) async fn sign(&self) -> Result<(), AuditError> {
        self.write(Vec::new(), None, Purpose::Signing).await
    }

    /// Writes an end without waiting; it is on disk with the next flush that succeeds.
    pub(crate) fn write_later(&self, body: Vec<u8>) {
        let order = Order { body, purpose: Purpose::Closing, waiting: None };
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

/// Where orders are served.
struct Desk {
    scribe: Scribe,
    /// Ends that a failing disk did not take; no beginning passes meanwhile, so they are few.
    unwritten: Vec<Vec<u8>>,
}

impl Desk {
    fn serve_all(mut self, incoming: &mpsc::Receiver<Order>) {
        loop {
            let leisure = self.scribe.leisure();
            let leisure = if self.unwritten.is_empty() { leisure } else { leisure.min(RETRY) };
            match incoming.recv_timeout(leisure) {
                Ok(first) => self.serve(group_of(first, incoming)),
                Err(mpsc::RecvTimeoutError::Timeout) => self.retry(),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            self.scribe.attend();
        }
        self.retry();
        if !self.unwritten.is_empty() {
            tracing::error!("ends of statements could not be recorded: their records stay open");
        }
        if let Err(error) = self.scribe.checkpoint() {
            tracing::error!(%error, "the end of the audit journal could not be signed");
        }
    }

    fn serve(&mut self, group: Vec<Order>) {
        let (signing, lines) = parted(group, |order| order.purpose == Purpose::Signing);
        self.serve_lines(lines);
        if signing.is_empty() {
            return;
        }
        match self.scribe.checkpoint() {
            Ok(()) => answer(signing, Answer::Written),
            Err(error) => {
                tracing::error!(%error, "the audit journal cannot be signed");
                answer(signing, Answer::NotWritten);
            }
        }
    }

    /// Writes a group with one flush. Where the disk is full, ends and refusals get the room
    /// that was kept for them, and nothing else is written.
    fn serve_lines(&mut self, group: Vec<Order>) {
        let may_begin = self.scribe.may_begin();
        let (group, refused) = parted(group, |order| may_begin || order.is_closing());
        answer(refused, Answer::NotWritten);
        let Err(error) = self.write(&group) else { return answer(group, Answer::Written) };
        tracing::error!(%error, "the audit journal cannot be written; requests are refused");
        let (closing, refused) = parted(group, Order::is_closing);
        answer(refused, Answer::NotWritten);
        let has_room = is_full(&error) && self.scribe.give_up_reserve();
        if has_room && self.write(&closing).is_ok() {
            return answer(closing, Answer::Written);
        }
        let (waiting, ends) = parted(closing, |order| order.waiting.is_some());
        answer(waiting, Answer::NotWritten);
        self.unwritten.extend(ends.into_iter().map(|order| order.body));
    }

    fn retry(&mut self) {
        // What still fails is tried again.
        let _ = self.write(&[]);
    }

    /// Writes what waits for a better disk, then these.
    fn write(&mut self, group: &[Order]) -> std::io::Result<()> {
        let new = group.iter().map(|order| order.body.as_slice());
        let bodies: Vec<&[u8]> = self.unwritten.iter().map(Vec::as_slice).chain(new).collect();
        if !bodies.is_empty() {
            self.scribe.append(&bodies)?;
            self.unwritten.clear();
        }
        Ok(())
    }
}

impl Order {
    fn is_closing(&self) -> bool {
        self.purpose == Purpose::Closing
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Written,
    NotWritten,
}

fn answer(orders: Vec<Order>, answer: Answer) {
    for waiting in orders.into_iter().filter_map(|order| order.waiting) {
        let written = answer == Answer::Written;
        if let Some(firsts) = waiting.firsts.filter(|_| written) {
            firsts.stand();
        }
        // Whoever hung up needs no answer.
        let _ = waiting.written.send(written);
    }
}

/// Those that are, and those that are not.
fn parted(orders: Vec<Order>, is: impl Fn(&Order) -> bool) -> (Vec<Order>, Vec<Order>) {
    orders.into_iter().partition(is)
}

/// The lines that one flush covers.
fn group_of(first: Order, incoming: &mpsc::Receiver<Order>) -> Vec<Order> {
    let mut bytes = first.body.len();
    let mut group = vec![first];
    while group.len() < GROUP_MAX
        && bytes < GROUP_BYTES_MAX
        && let Ok(next) = incoming.try_recv()
    {
        bytes += next.body.len();
        group.push(next);
    }
    group
}

/// Makes a folder that only who runs the server may look into.
pub(crate) fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the folder where there is none, and holds it against every other writer.
pub(crate) fn lock(folder: &Path) -> Result<File, AuditError> {
    let unusable = |source| AuditError::Unusable { path: folder.to_path_buf(), source };
    make_folder(folder).map_err(unusable)?;
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
