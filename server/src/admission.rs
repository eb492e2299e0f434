//! How much runs at once: a place for every request that is worked on, and for every answer that
//! its reader has not read to its end.
//!
//! Owns the bounds, for the server and for one principal, and the time that planning may take.
//! Must never give a place back while the work that it stands for still goes on, and never let
//! a principal who waits for its own places hold one of the server's.
//!
//! Receives: the principal's name from `flight`.
//! Hands on: a [`Place`], which travels with the work and is free when it is dropped; an [`Open`],
//! which travels with the answer.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use martlet_core::{ErrorKind, Kinded};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::alarm::curbs::Curbs;

/// Statements that are planned or answered at once, of all principals together.
const STATEMENTS_MAX: usize = 64;
/// Statements of one principal at once.
const STATEMENTS_PER_PRINCIPAL_MAX: usize = 8;
/// Requests that are no statements (questions about the catalog, what is refused unplanned): they
/// wait for none of the statements, and have places of their own. So have uploads, which are as
/// slow as their sender likes.
const OTHERS_MAX: usize = 32;
/// Such requests of one principal at once.
const OTHERS_PER_PRINCIPAL_MAX: usize = 4;
/// Requests of one principal that wait for a place; each holds its text.
const WAITING_PER_PRINCIPAL_MAX: usize = 128;
/// Answers that their readers have not taken to the end. Each may hold two messages here, and the
/// connection about as much.
const ANSWERS_MAX: usize = 512;
/// Such answers of one principal.
const ANSWERS_PER_PRINCIPAL_MAX: usize = 32;
/// How long a request waits for its place at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wall time that planning one statement may take.
pub(crate) const PLANNING_TIME_MAX: Duration = Duration::from_secs(30);

const _: () = assert!(STATEMENTS_PER_PRINCIPAL_MAX < STATEMENTS_MAX);
const _: () = assert!(STATEMENTS_PER_PRINCIPAL_MAX < ANSWERS_PER_PRINCIPAL_MAX);

/// There was no place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    /// All of the principal's own places are taken.
    #[error("too many of your requests are running: wait for one, or end one, and try again")]
    Principal,
    /// All of the principal's answers are open.
    #[error(
        "{ANSWERS_PER_PRINCIPAL_MAX} of your answers are not read to their end: read or close one"
    )]
    Unread,
    /// All of the server's places are taken.
    #[error("the server is busy: try again")]
    Server,
}

impl Kinded for Busy {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Exhausted
    }
}

/// Why work that was given a time limit has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The time was over.
    TooSlow,
    /// It broke an internal promise.
    Broken,
}

/// The places of one server.
#[derive(Debug)]
pub(crate) struct Admission {
    statements: Places,
    others: Places,
    uploads: Places,
    answers: Places,
    patience: Duration,
    /// Who has one place only, after a pause.
    curbs: Arc<Curbs>,
}

/// Places of one kind: so many, and of one principal so many.
#[derive(Debug)]
struct Places {
    server: Arc<Semaphore>,
    of_principal_max: usize,
    /// A principal's places live as long as one of them is taken or waited for.
    principals: Mutex<HashMap<String, Weak<OwnPlaces>>>,
}

/// The places of one kind that one principal has.
#[derive(Debug)]
struct OwnPlaces {
    free: Arc<Semaphore>,
    /// Room to wait for one.
    waiting: Semaphore,
}

/// A place that is taken.
#[derive(Debug)]
pub(crate) struct Place {
    _server: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
    /// So that whoever comes next finds the same places.
    _of: Arc<OwnPlaces>,
}

/// The place of an answer that is open.
#[derive(Debug)]
pub(crate) struct Open {
    _place: Place,
}

impl Admission {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::with_patience(PATIENCE)
    }

    /// The places of a server that slows some principals down.
    pub(crate) fn under(curbs: Arc<Curbs>) -> Self {
        Self { curbs, ..Self::with_patience(PATIENCE) }
    }

    fn with_patience(patience: Duration) -> Self {
        Self {
            statements: Places::new(STATEMENTS_MAX, STATEMENTS_PER_PRINCIPAL_MAX),
            others: Places::new(OTHERS_MAX, OTHERS_PER_PRINCIPAL_MAX),
            uploads: Places::new(OTHERS_MAX, OTHERS_PER_PRINCIPAL_MAX),
            answers: Places::new(ANSWERS_MAX, ANSWERS_PER_PRINCIPAL_MAX),
            patience,
            curbs: Arc::default(),
        }
    }

    /// Waits for a statement's place.
    pub(crate) async fn enter(&self, principal: &str) -> Result<Place, Busy> {
        self.enter_at(&self.statements, principal, self.curbs.pause(principal)).await
    }

    /// Waits for the place of a request that is no statement.
    pub(crate) async fn enter_aside(&self, principal: &str) -> Result<Place, Busy> {
        self.enter_at(&self.others, principal, None).await
    }

    /// Waits for the place of parameters that are about to arrive.
    pub(crate) async fn enter_upload(&self, principal: &str) -> Result<Place, Busy> {
        self.enter_at(&self.uploads, principal, None).await
    }

    /// Counts an answer until it is read to its end or dropped. Nobody waits: what is open is
    /// open as long as its reader likes.
    pub(crate) fn open(&self, principal: &str) -> Result<Open, Busy> {
        let own = self.answers.of(principal);
        let free = Arc::clone(&own.free).try_acquire_owned().map_err(|_| Busy::Unread)?;
        let server = Arc::clone(&self.answers.server);
        let server = server.try_acquire_owned().map_err(|_| Busy::Server)?;
        Ok(Open { _place: Place { _server: server, _own: free, _of: own } })
    }

    /// First one of the principal's own, then one of the server's. Who is slowed down takes all
    /// of its own for one request, and pauses while it holds them.
    async fn enter_at(
        &self,
        places: &Places,
        principal: &str,
        pause: Option<Duration>,
    ) -> Result<Place, Busy> {
        let until = Instant::now() + self.patience;
        let count = if pause.is_some() { places.of_principal_max } else { 1 };
        let of = places.of(principal);
        let waits = of.waiting.try_acquire().map_err(|_| Busy::Principal)?;
        let own = taken(Arc::clone(&of.free), count, until).await.ok_or(Busy::Principal)?;
        drop(waits);
        let until = until + pause.unwrap_or_default();
        sleep(pause.unwrap_or_default()).await;
        let server = taken(Arc::clone(&places.server), 1, until).await.ok_or(Busy::Server)?;
        Ok(Place { _server: server, _own: own, _of: of })
    }
}

impl Places {
    fn new(max: usize, of_principal_max: usize) -> Self {
        let server = Arc::new(Semaphore::new(max));
        Self { server, of_principal_max, principals: Mutex::default() }
    }

    fn of(&self, principal: &str) -> Arc<OwnPlaces> {
        let mut principals = self.principals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = principals.get(principal).and_then(Weak::upgrade) {
            return places;
        }
        principals.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(OwnPlaces {
            free: Arc::new(Semaphore::new(self.of_principal_max)),
            waiting: Semaphore::new(WAITING_PER_PRINCIPAL_MAX),
        });
        principals.insert(principal.to_string(), Arc::downgrade(&places));
        places
    }
}

async fn taken(
    places: Arc<Semaphore>,
    count: usize,
    until: Instant,
) -> Option<OwnedSemaphorePermit> {
    let count = u32::try_from(count).ok()?;
    timeout_at(until, places.acquire_many_owned(count)).await.ok()?.ok()
}

/// Does work in a task of its own, so that work which never pauses does not hold up the answer
/// either. The place goes with the work: it is free when that has really ended.
pub(crate) async fn in_time<T: Send + 'static>(
    time_max: Duration,
    place: Place,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<(T, Place), Stopped> {
    // The set ends its task when it is dropped, as it is when the caller hangs up.
    let mut task = JoinSet::new();
    task.spawn(async move { (work.await, place) });
    match timeout(time_max, task.join_next()).await {
        Ok(Some(Ok(done))) => Ok(done),
        Ok(Some(Err(_)) | None) => Err(Stopped::Broken),
        Err(_) => Err(Stopped::TooSlow),
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
