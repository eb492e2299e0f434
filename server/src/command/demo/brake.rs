//! Stopping a worker thread at a safe place when whoever waits for it gives up.
//!
//! A blocking task goes on after its future is dropped; here it would write into a folder that
//! is being removed. Owns only the stop: the worker stands still for good, and the process
//! ends with it. Must never be used where the process goes on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A worker that does not come to a safe place in this time is left alone.
const STOP_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopping,
    /// At a safe place, or at its end.
    Standing,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand(&self) {
        *self.state() = State::Standing;
        self.changed.notify_all();
    }
}

/// The waiting side: when it is dropped, the worker is stopped.
#[derive(Debug)]
pub(crate) struct Brake(Arc<Shared>);

/// The worker's side: when it is dropped, the worker has ended.
#[derive(Debug)]
pub(crate) struct Worker(Arc<Shared>);

/// The two sides of a worker that runs.
pub(crate) fn brake() -> (Brake, Worker) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Running), changed: Condvar::new() });
    (Brake(Arc::clone(&shared)), Worker(shared))
}

impl Worker {
    /// A safe place: returns at once while the worker may run, and never after.
    pub(crate) fn safe_place(&self) {
        if *self.0.state() == State::Running {
            return;
        }
        self.0.stand();
        loop {
            std::thread::park();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.stand();
    }
}

impl Drop for Brake {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if *state == State::Running {
            *state = State::Stopping;
        }
        // Beyond the time there is nothing more to do: the process is ending.
        let _ =
            self.0.changed.wait_timeout_while(state, STOP_WAIT, |state| *state != State::Standing);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_worker_does_nothing_after_the_brake() {
        let steps = Arc::new(AtomicU64::new(0));
        let (brake, worker) = brake();
        let counted = Arc::clone(&steps);
        std::thread::spawn(move || {
            loop {
                worker.safe_place();
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        while steps.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        drop(brake);
        let stopped_at = steps.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(steps.load(Ordering::SeqCst), stopped_at);
    }

    #[test]
    fn a_worker_that_ended_is_not_waited_for() {
        let start = std::time::Instant::now();
        let (brake, worker) = brake();
        drop(worker);
        drop(brake);
        assert!(start.elapsed() < STOP_WAIT);
    }
}
