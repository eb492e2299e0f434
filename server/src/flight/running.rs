//! The statements that are being answered, so that they can be cancelled.
//!
//! Owns the signal from a cancel request (or a closed session) to a running statement. Must
//! never cancel across sessions: whoever calls has opened the ticket or is the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::ticket::{StatementId, TICKET_LIFETIME};
use crate::authenticate::SessionId;

/// Cancelled statements that are remembered at most; their tickets die anyway.
const CANCELLED_MAX: usize = 2_000;
/// Tickets that one request may cancel. What is told of a statement has one; each of those that come
/// is opened and remembered.
pub(crate) const CANCELLED_AT_ONCE_MAX: usize = 64;

#[derive(Debug)]
struct Entry {
    session: SessionId,
    /// Whose it is; empty where none of it has begun.
    principal: String,
    cancelled: watch::Sender<Option<Stop>>,
    runs: usize,
    cancelled_at: Option<Instant>,
}

impl Entry {
    fn new(session: SessionId, principal: &str) -> Self {
        let principal = principal.to_owned();
        let cancelled = watch::Sender::new(None);
        Self { session, principal, cancelled, runs: 0, cancelled_at: None }
    }
}

/// The running statements, and the cancelled ones whose tickets may still come back.
#[derive(Debug, Default)]
pub(crate) struct Running {
    statements: Mutex<HashMap<StatementId, Entry>>,
}

/// Why a statement has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its reader asked for it.
    Asked,
    /// Its session was ended: nothing more may leave.
    SessionEnded,
}

/// The statement was cancelled before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlreadyCancelled;

impl Running {
    /// Registers one execution of a statement.
    pub(crate) fn enter(
        self: &Arc<Self>,
        id: StatementId,
        session: SessionId,
        principal: &str,
    ) -> Result<Run, AlreadyCancelled> {
        let signal = self.register(id, session, principal)?;
        Ok(Run { registry: Arc::clone(self), id, signal })
    }

    fn register(
        &self,
        id: StatementId,
        session: SessionId,
        principal: &str,
    ) -> Result<watch::Receiver<Option<Stop>>, AlreadyCancelled> {
        let mut statements = self.lock();
        let entry = statements.entry(id).or_insert_with(|| Entry::new(session, principal));
        if entry.cancelled_at.is_some() {
            return Err(AlreadyCancelled);
        }
        entry.runs += 1;
        Ok(entry.cancelled.subscribe())
    }

    /// Cancels statements, whether they run, have ended or have not begun. Their tickets are worth
    /// nothing afterwards.
    pub(crate) fn cancel(&self, ids: &[StatementId], session: SessionId, now: Instant) {
        let mut statements = self.lock();
        forget_old(&mut statements, ids.len(), now);
        for id in ids {
            let entry = statements.entry(*id).or_insert_with(|| Entry::new(session, ""));
            entry.cancelled_at = Some(now);
            entry.cancelled.send_replace(Some(Stop::Asked));
        }
    }

    /// Ends everything that runs in a session.
    pub(crate) fn cancel_session(&self, session: SessionId) {
        for entry in self.lock().values().filter(|entry| entry.session == session) {
            entry.cancelled.send_replace(Some(Stop::SessionEnded));
        }
    }

    /// Ends everything that runs for a principal, in whatever session.
    pub(crate) fn cancel_principal(&self, principal: &str) {
        for entry in self.lock().values().filter(|entry| entry.principal == principal) {
            entry.cancelled.send_replace(Some(Stop::SessionEnded));
        }
    }

    fn leave(&self, id: StatementId) {
        let mut statements = self.lock();
        let Some(entry) = statements.get_mut(&id) else { return };
        entry.runs = entry.runs.saturating_sub(1);
        if entry.runs == 0 && entry.cancelled_at.is_none() {
            statements.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StatementId, Entry>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the memory of cancelled statements bounded in time and number, with room for those that
/// come.
fn forget_old(statements: &mut HashMap<StatementId, Entry>, coming: usize, now: Instant) {
    let is_over = |entry: &Entry| {
        entry.runs == 0
            && entry
                .cancelled_at
                .is_some_and(|at| now.saturating_duration_since(at) >= TICKET_LIFETIME)
    };
    statements.retain(|_, entry| !is_over(entry));
    let ended = statements.iter().filter(|(_, entry)| entry.runs == 0);
    let surplus = (ended.clone().count() + coming).saturating_sub(CANCELLED_MAX);
    if surplus > 0 {
        let mut oldest_first: Vec<_> = ended.map(|(id, entry)| (entry.cancelled_at, *id)).collect();
        oldest_first.sort_unstable_by_key(|(at, _)| *at);
        for (_, id) in oldest_first.into_iter().take(surplus) {
            statements.remove(&id);
        }
    }
}

/// One execution. Dropping it takes it out of the registry.
#[derive(Debug)]
pub(crate) struct Run {
    registry: Arc<Running>,
    id: StatementId,
    signal: watch::Receiver<Option<Stop>>,
}

impl Run {
    /// Waits until the statement has to end.
    pub(crate) async fn cancelled(&mut self) -> Stop {
        if let Ok(stop) = self.signal.wait_for(Option::is_some).await
            && let Some(stop) = *stop
        {
            return stop;
        }
        // Without a registry nobody can cancel any more.
        std::future::pending().await
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.registry.leave(self.id);
    }
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;
