//! How much runs at once: a place for every statement that is planned or answered.
//!
//! Owns the bounds, for the server and for one principal, and the time that planning may take.
//! Must never give a place back while the work that it stands for still goes on, and never let
//! a principal who waits for its own places hold one of the server's.
//!
//! Receives: the principal's name from `flight::statement`.
//! Hands on: a [`Place`], which travels with the work and is free when it is dropped.

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
/// How long a statement waits for its place at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wall time that planning one statement may take.
pub(crate) const PLANNING_TIME_MAX: Duration = Duration::from_secs(30);

const _: () = assert!(STATEMENTS_PER_PRINCIPAL_MAX < STATEMENTS_MAX);

/// There was no place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    /// All of the principal's own places are taken.
    #[error("{STATEMENTS_PER_PRINCIPAL_MAX} of your statements are running: end one, or try again")]
    Principal,
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
    server: Arc<Semaphore>,
    /// A principal's places live as long as one of them is taken or waited for.
    principals: Mutex<HashMap<String, Weak<Semaphore>>>,
    patience: Duration,
    /// Who has one place only, after a pause.
    curbs: Arc<Curbs>,
}

/// A place that is taken.
#[derive(Debug)]
pub(crate) struct Place {
    _server: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
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
        let server = Arc::new(Semaphore::new(STATEMENTS_MAX));
        Self { server, principals: Mutex::default(), patience, curbs: Arc::default() }
    }

    /// Waits for a place: first one of the principal's own, then one of the server's. Who is
    /// slowed down takes all of its own for one statement, and pauses while it holds them.
    pub(crate) async fn enter(&self, principal: &str) -> Result<Place, Busy> {
        let until = Instant::now() + self.patience;
        let pause = self.curbs.pause(principal);
        let count = if pause.is_some() { STATEMENTS_PER_PRINCIPAL_MAX } else { 1 };
        let own = taken(self.places_of(principal), count, until).await.ok_or(Busy::Principal)?;
        let until = until + pause.unwrap_or_default();
        sleep(pause.unwrap_or_default()).await;
        let server = taken(Arc::clone(&self.server), 1, until).await.ok_or(Busy::Server)?;
        Ok(Place { _server: server, _own: own })
    }

    fn places_of(&self, principal: &str) -> Arc<Semaphore> {
        let mut principals = self.principals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = principals.get(principal).and_then(Weak::upgrade) {
            return places;
        }
        principals.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(STATEMENTS_PER_PRINCIPAL_MAX));
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
