//! What every session and scan of one engine shares: the store, the caches, the limits.
//!
//! Owns nothing of a principal: whatever is here is the same for everyone.

use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use martlet_policy::TokenKeys;
use martlet_store::Store;

use crate::index_cache::IndexCache;
use crate::system::SystemRecords;

/// Whether indexes may be used. Answers are the same either way; the switch exists so that
/// tests can prove it and the operator can measure what indexes bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// Selections and counts come from indexes wherever they can.
    Allowed,
    /// Every answer is computed from the stored rows.
    Forbidden,
}

/// How large an engine may become.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// Partitions of a query that run at the same time.
    pub threads: usize,
    /// Bytes that all running queries together may hold for sorts, joins and groups.
    pub memory_bytes: usize,
    /// Bytes of opened indexes kept in memory.
    pub index_cache_bytes: u64,
    /// Whether indexes are used.
    pub indexes: IndexUse,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            memory_bytes: 2 << 30,
            index_cache_bytes: 1 << 30,
            indexes: IndexUse::Allowed,
        }
    }
}

/// What every session and scan shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: EngineOptions,
    pub(crate) indexes: IndexCache,
    pub(crate) records: Arc<dyn SystemRecords>,
    pub(crate) keys: TokenKeys,
    /// A session state with every function registered and no table: sessions copy it.
    pub(crate) template: SessionState,
}
