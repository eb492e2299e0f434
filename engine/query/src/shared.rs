//! What every session and scan of one engine shares: the store, the caches, the limits.
//!
//! Owns nothing of a principal but what each was told in groups; all else is the same for everyone.

use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use martlet_policy::TokenKeys;
use martlet_store::{Store, machine};

use crate::access_path::AccessPath;
use crate::clock::Clock;
use crate::granted_rows::GrantedRows;
use crate::group_size::GroupMemory;
use crate::index_cache::IndexCache;
use crate::masked_cache::MaskedCache;
use crate::system::SystemRecords;

/// How large an engine may become.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// Partitions of a query that run at the same time.
    pub threads: usize,
    /// Bytes that all running queries together may hold for sorts, joins and groups.
    pub memory_bytes: usize,
    /// Bytes of opened indexes kept in memory. Those of a mart in a local folder read most of
    /// what they know where it lies in the mapped file, which is not counted here.
    pub index_cache_bytes: u64,
    /// Bytes of row numbers that are remembered for row rules.
    pub granted_rows_bytes: u64,
    /// Bytes of codes over masked columns kept in memory: what does not fit is masked each time.
    pub masked_cache_bytes: u64,
    /// Bytes of mapped files that may count as this process's memory.
    pub mapped_bytes: u64,
    /// Which way answers are computed.
    pub path: AccessPath,
}

/// Opened indexes are given so much at least, and an eighth of the machine otherwise.
const INDEX_CACHE_BYTES_LEAST: u64 = 256 << 20;

/// Thousands of outlets, whose rows lie together and take some hundred bytes a segment, and a few
/// hundred rules that leave scattered rows of a segment.
const GRANTED_ROWS_BYTES: u64 = 128 << 20;
/// Codes over masked columns take at most this, and a sixteenth of the machine.
const MASKED_CACHE_BYTES_MOST: u64 = 512 << 20;

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            memory_bytes: 2 << 30,
            index_cache_bytes: (machine::usable_bytes() / 8).max(INDEX_CACHE_BYTES_LEAST),
            granted_rows_bytes: GRANTED_ROWS_BYTES,
            masked_cache_bytes: (machine::usable_bytes() / 16).min(MASKED_CACHE_BYTES_MOST),
            mapped_bytes: machine::mapped_bytes_default(),
            path: AccessPath::ByCost,
        }
    }
}

/// What every session and scan shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: EngineOptions,
    pub(crate) indexes: IndexCache,
    /// What row rules leave of segments.
    pub(crate) granted_rows: GrantedRows,
    /// What masked columns show, under masks whose tokens are made with `keys`.
    pub(crate) masked: MaskedCache,
    pub(crate) records: Arc<dyn SystemRecords>,
    pub(crate) keys: TokenKeys,
    /// What each reader was told in groups.
    pub(crate) groups: GroupMemory,
    /// A session state with every function registered and no table: sessions copy it.
    pub(crate) template: SessionState,
    pub(crate) clock: Clock,
}
