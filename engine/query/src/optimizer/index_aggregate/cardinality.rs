//! How many groups a segment must be expected to have: whether totals per group are worth it.
//!
//! Where nearly every row is a group of its own there is nothing to total: the rows are as short
//! as the groups, and the plain operator hashes them once instead of twice. Told from zone maps,
//! which describe every row: so only for readers from whom no row is hidden, since the operator
//! shows in plans, and in the order of rows that nobody ordered.

use martlet_index::key_of_value;

use super::bucket::Bucket;
use super::spec::Spec;
use crate::access_path::AccessPath;
use crate::indexed_table::IndexedSegment;
use crate::scan::SecuredScan;

/// Groups are totalled while so many rows of a segment fall to each.
const ROWS_PER_GROUP_MIN: u64 = 2;

/// Whether the groups are so many that rows are as good as totals. Distinct values and ranks are
/// found better by group however many there are, and somebody may want totals at any cost.
pub(super) fn are_too_many(spec: &Spec, scan: &SecuredScan) -> bool {
    if scan.segment_scan().path() == AccessPath::Totals {
        return false;
    }
    if !spec.distincts.is_empty() || !spec.ranked.is_empty() || !spec.dimensions.is_empty() {
        return false;
    }
    let Some(table) = scan.indexed_table().filter(|_| scan.hides_no_row()) else { return false };
    let (groups, rows) = table.segments().iter().fold((0, 0), |(groups, rows), segment| {
        (groups + groups_in(spec, segment), rows + u64::from(segment.rows()))
    });
    groups * ROWS_PER_GROUP_MIN > rows
}

/// At most every combination of values, and at most every row.
fn groups_in(spec: &Spec, segment: &IndexedSegment) -> u64 {
    let rows = u64::from(segment.rows());
    // A date's month, say: few beside the dates themselves.
    let values = spec.keys.iter().filter(|key| key.bucket == Bucket::Value);
    let groups = values.map(|key| distinct_values(segment, key.column));
    groups.fold(1_u64, u64::saturating_mul).min(rows)
}

/// How many values of a column a segment can have: as many as were counted, else as many as
/// there are keys between the lowest and the highest, else as many as rows.
fn distinct_values(segment: &IndexedSegment, column: usize) -> u64 {
    let rows = u64::from(segment.rows());
    let zones = segment.indexes().iter().find_map(|(_, descriptor)| descriptor.zone_map(column));
    let Some(zone) = zones else { return rows };
    if let Some(counted) = zone.distinct {
        return u64::from(counted) + 1;
    }
    let key = |value: &Option<_>| value.as_ref().and_then(key_of_value);
    match (key(&zone.min), key(&zone.max)) {
        (Some(lowest), Some(highest)) => highest.abs_diff(lowest).saturating_add(2).min(rows),
        _ => rows,
    }
}
