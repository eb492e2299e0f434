//! The rows that a row rule leaves of a sealed segment, remembered.
//!
//! Owns sets of row numbers in memory, up to a number of bytes. Each is found under two digests: of
//! the rule with all its constants, and of the segment's bytes; neither ever changes what it stands
//! for, so nothing here grows old, and nobody is given what another rule leaves. Rows that were
//! deleted since are taken away by whoever asks. Never holds a value, nor the answer to a question.

use martlet_core::Selection;
use martlet_policy::RowsDigest;
use martlet_store::SegmentRef;
use moka::sync::Cache;

/// The rule, and the bytes of the segment.
type Key = (RowsDigest, [u8; 32]);

/// What an entry costs beside its rows.
const ENTRY_BYTES: usize = 192;

/// The memory; shared by all sessions.
#[derive(Debug)]
pub(crate) struct GrantedRows {
    found: Cache<Key, Selection>,
}

impl GrantedRows {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let found = Cache::builder()
            .max_capacity(bytes_max)
            .weigher(|_: &Key, rows: &Selection| {
                // A set of bits is given a second form by those who ask for it.
                u32::try_from(2 * rows.memory_bytes() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .build();
        Self { found }
    }

    /// The rows of the segment that the rule leaves, deleted ones among them, if they are known.
    pub(crate) fn known(&self, rule: RowsDigest, segment: &SegmentRef) -> Option<Selection> {
        self.found.get(&key(rule, segment))
    }

    /// Remembers what the rule leaves of the segment, whether or not it was deleted since.
    pub(crate) fn remember(&self, rule: RowsDigest, segment: &SegmentRef, rows: &Selection) {
        self.found.insert(key(rule, segment), rows.clone().compact());
    }
}

fn key(rule: RowsDigest, segment: &SegmentRef) -> Key {
    (rule, *segment.object().digest())
}
