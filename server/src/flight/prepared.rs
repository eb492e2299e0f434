//! The prepared statements of the open sessions.
//!
//! Owns their handles (sixteen random bytes), their life and the bound on how many there are.
//! Must never find a handle for another session: that is the same as no such handle. Holds a
//! statement's text and what it looked like, never a plan or a grant: both are made anew at
//! every execution.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use martlet_policy::EmergencyId;
use martlet_query::Mart;

use super::ticket::Holder;
use crate::authenticate::SessionId;
use crate::random::{self, NoEntropy};

/// A statement that was not used for this long is forgotten; every use begins it anew.
pub(crate) const PREPARED_IDLE_MAX: Duration = Duration::from_secs(60 * 60);
/// Statements of one session at most; beyond it the one used longest ago is forgotten.
const PER_SESSION_MAX: usize = 1_024;
/// Bytes of one session's statements at most, likewise.
const BYTES_PER_SESSION_MAX: usize = 16 * 1024 * 1024;
/// Bytes of one principal's statements in all its sessions at most, likewise.
const BYTES_PER_PRINCIPAL_MAX: usize = 32 * 1024 * 1024;
/// Bytes of all statements together at most, likewise.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What a statement holds beside its text and parameters, roughly.
const BYTES_PER_STATEMENT: usize = 512;
/// What a column of its schema holds, roughly.
const BYTES_PER_COLUMN: usize = 256;

type Handle = [u8; 16];

/// A prepared statement.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// Its text.
    pub(crate) sql: Arc<str>,
    /// Its bound parameters as an Arrow IPC stream; empty where there are none.
    pub(crate) parameters: Bytes,
    /// The schema of its rows, as it was when it was described.
    pub(crate) schema: SchemaRef,
    /// The state of the mart in which it was described.
    pub(crate) described_in: Weak<Mart>,
    /// The emergency under which it was described.
    pub(crate) described_under: Option<EmergencyId>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Prepared({} bytes)", self.sql.len())
    }
}

impl Prepared {
    /// Whether the description still holds: neither data, rules nor principals have changed, and
    /// its reader is under the same emergency, or under none as then.
    pub(crate) fn is_described_in(&self, mart: &Arc<Mart>, under: Option<EmergencyId>) -> bool {
        Weak::ptr_eq(&self.described_in, &Arc::downgrade(mart)) && self.described_under == under
    }

    fn bytes(&self) -> usize {
        let columns = self.schema.fields().len() * BYTES_PER_COLUMN;
        BYTES_PER_STATEMENT + columns + self.sql.len() + self.parameters.len()
    }
}

#[derive(Debug)]
struct Entry {
    session: SessionId,
    principal: String,
    prepared: Prepared,
    used: Instant,
}

/// The prepared statements of all sessions.
#[derive(Debug, Default)]
pub(crate) struct PreparedStatements {
    entries: Mutex<HashMap<Handle, Entry>>,
}

impl PreparedStatements {
    /// Keeps a statement and gives its handle.
    pub(crate) fn keep(
        &self,
        holder: Holder<'_>,
        prepared: Prepared,
        now: Instant,
    ) -> Result<Bytes, NoEntropy> {
        let handle: Handle = random::draw()?;
        let mut entries = self.lock();
        entries.retain(|_, entry| is_alive(entry, now));
        let Holder { principal, session } = holder;
        let principal = principal.to_string();
        entries.insert(handle, Entry { session, principal, prepared, used: now });
        forget_beyond_limits(&mut entries, &handle);
        Ok(Bytes::copy_from_slice(&handle))
    }

    /// Finds a statement of this session; finding it counts as use.
    pub(crate) fn find(&self, handle: &[u8], session: SessionId, now: Instant) -> Option<Prepared> {
        self.with(handle, session, now, |prepared| prepared.clone())
    }

    /// Binds parameters, in place of earlier ones. `None` if there is no such statement.
    pub(crate) fn bind(
        &self,
        handle: &[u8],
        session: SessionId,
        parameters: Bytes,
        now: Instant,
    ) -> Option<()> {
        self.with(handle, session, now, |prepared| prepared.parameters = parameters)?;
        forget_beyond_limits(&mut self.lock(), &Handle::try_from(handle).ok()?);
        Some(())
    }

    /// Notes how a statement was described anew.
    pub(crate) fn describe(
        &self,
        handle: &[u8],
        session: SessionId,
        described: &Prepared,
        now: Instant,
    ) {
        self.with(handle, session, now, |prepared| {
            prepared.schema = Arc::clone(&described.schema);
            prepared.described_in = Weak::clone(&described.described_in);
            prepared.described_under = described.described_under;
        });
    }

    /// Forgets a statement of this session.
    pub(crate) fn close(&self, handle: &[u8], session: SessionId) {
        if let Ok(handle) = Handle::try_from(handle) {
            let mut entries = self.lock();
            if entries.get(&handle).is_some_and(|entry| entry.session == session) {
                entries.remove(&handle);
            }
        }
    }

    /// Forgets all statements of a session.
    pub(crate) fn close_session(&self, session: SessionId) {
        self.lock().retain(|_, entry| entry.session != session);
    }

    fn with<T>(
        &self,
        handle: &[u8],
        session: SessionId,
        now: Instant,
        act: impl FnOnce(&mut Prepared) -> T,
    ) -> Option<T> {
        let handle = Handle::try_from(handle).ok()?;
        let mut entries = self.lock();
        let entry = entries.get_mut(&handle)?;
        if entry.session != session || !is_alive(entry, now) {
            return None;
        }
        entry.used = now;
        Some(act(&mut entry.prepared))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Handle, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_alive(entry: &Entry, now: Instant) -> bool {
    now.saturating_duration_since(entry.used) < PREPARED_IDLE_MAX
}

/// Makes room after this statement was kept or has grown: among its session's, then among its
/// principal's, then among all.
fn forget_beyond_limits(entries: &mut HashMap<Handle, Entry>, grown: &Handle) {
    let Some(entry) = entries.get(grown) else { return };
    let (session, principal) = (entry.session, entry.principal.clone());
    let of_session = |entry: &Entry| entry.session == session;
    forget_oldest(entries, of_session, PER_SESSION_MAX, BYTES_PER_SESSION_MAX);
    let of_principal = |entry: &Entry| entry.principal == principal;
    forget_oldest(entries, of_principal, usize::MAX, BYTES_PER_PRINCIPAL_MAX);
    forget_oldest(entries, |_| true, usize::MAX, BYTES_MAX);
}

fn forget_oldest(
    entries: &mut HashMap<Handle, Entry>,
    belongs: impl Fn(&Entry) -> bool,
    count_max: usize,
    bytes_max: usize,
) {
    let members = entries.iter().filter(|(_, entry)| belongs(entry));
    let (mut count, mut bytes) = members
        .clone()
        .fold((0, 0), |(count, bytes), (_, entry)| (count + 1, bytes + entry.prepared.bytes()));
    if count <= count_max && bytes <= bytes_max {
        return;
    }
    let mut oldest_first: Vec<(Instant, Handle, usize)> =
        members.map(|(handle, entry)| (entry.used, *handle, entry.prepared.bytes())).collect();
    oldest_first.sort_unstable();
    for (_, handle, size) in oldest_first {
        if count <= count_max && bytes <= bytes_max {
            break;
        }
        entries.remove(&handle);
        count -= 1;
        bytes -= size;
    }
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
