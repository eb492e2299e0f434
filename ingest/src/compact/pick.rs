//! Which segments of a table are worth writing anew.
//!
//! Owns the rule. Reads the manifest only, never a row.

use std::sync::Arc;

use martlet_core::BatchDate;
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_store::{BatchLabel, Deletion, SegmentRef, TableVersion};

use super::CompactScope;

/// A segment with fewer live rows than this is small.
const SMALL_ROWS: u32 = SEGMENT_ROWS_MAX / 2;

/// A segment of so many bytes is full, however few rows it has: its rows are wide, and a load
/// ends segments by their bytes too.
const FULL_BYTES: u64 = 16 * 1024 * 1024;

/// One deleted row of so many is worth writing the others anew.
const DELETED_SHARE: u32 = 8;

/// Segments that give way together.
#[derive(Debug)]
pub(super) struct Picked {
    /// At least one, in the table's order.
    pub(super) segments: Vec<Arc<SegmentRef>>,
    /// The newest of their batches: the one that the new segments are of.
    pub(super) label: BatchLabel,
}

/// The segments of a table that give way; `None` if it is well as it is. Batches of
/// `correctable_from` and later ones stay apart.
pub(super) fn pick(
    table: &TableVersion,
    scope: CompactScope,
    correctable_from: Option<BatchDate>,
) -> Option<Picked> {
    let old_enough = |label: &BatchLabel| correctable_from.is_none_or(|date| label.date() < date);
    let segments = table.segments().iter().filter(|segment| {
        old_enough(segment.batch())
            && segment.deletions().iter().map(Deletion::batch).all(old_enough)
    });
    let is_wanted = |segment: &&Arc<SegmentRef>| match scope {
        CompactScope::Everything => true,
        CompactScope::Needed => is_small(segment) || has_many_deleted(segment),
    };
    let segments: Vec<Arc<SegmentRef>> = segments.filter(is_wanted).cloned().collect();
    let is_worth_it = segments.len() > 1
        || segments.iter().any(|segment| match scope {
            CompactScope::Needed => has_many_deleted(segment),
            CompactScope::Everything => segment.deleted_count() > 0,
        });
    let newest = segments.iter().map(|segment| segment.batch()).max_by_key(|label| {
        let label: &BatchLabel = label;
        (label.date(), label.name().to_string())
    });
    let label = newest.filter(|_| is_worth_it)?.clone();
    Some(Picked { segments, label })
}

fn is_small(segment: &SegmentRef) -> bool {
    segment.live_count() < SMALL_ROWS && segment.object().size_bytes() < FULL_BYTES
}

fn has_many_deleted(segment: &SegmentRef) -> bool {
    segment.deleted_count() > 0
        && segment.deleted_count().saturating_mul(DELETED_SHARE) >= segment.rows()
}
