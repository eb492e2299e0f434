//! Keys per row to entries: hash, sort by hash and group, drop what is said twice.

use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::format::{self, FINGERPRINT_BITS, GROUP_SHIFT, Shape};
use super::hash::{HASH_BITS, hash_row};
use crate::values::ColumnKeys;

/// Any number would do; it stands in the section.
const SEED: u64 = 0x6d61_7274_6c65_7401;

/// The lowest bits of an entry while it is sorted hold the group, those above the hash.
const GROUP_MASK: u64 = (1 << (u64::BITS - HASH_BITS)) - 1;

/// The section of a column.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Vec<u8> {
    let mut nulls = RoaringBitmap::new();
    let mut hashed = Vec::with_capacity(column.rows());
    for row in 0..column.rows() {
        // Rows are at most 2^20, and groups fewer.
        let group = (row >> GROUP_SHIFT) as u64;
        if column.is_null(row) {
            nulls.insert(row as u32);
        } else {
            hashed.push(hash_row(SEED, &column.keys, row) << (u64::BITS - HASH_BITS) | group);
        }
    }
    hashed.sort_unstable();
    hashed.dedup();
    nulls.optimize();
    let rows = u32::try_from(column.rows()).unwrap_or(u32::MAX);
    write(column_type, rows, &hashed, &nulls)
}

fn write(column_type: ColumnType, rows: u32, hashed: &[u64], nulls: &RoaringBitmap) -> Vec<u8> {
    let shape = Shape {
        column_type: format::tag(column_type),
        rows,
        seed: SEED,
        group_shift: GROUP_SHIFT,
        fingerprint_bits: FINGERPRINT_BITS,
        entries: u32::try_from(hashed.len()).unwrap_or(u32::MAX),
    };
    let mut counts = vec![0_u32; shape.entries as usize];
    let mut entries = format::Packer::new(&shape);
    let place = |entry: &u64| shape.place(entry >> (u64::BITS - HASH_BITS));
    let mut groups = Vec::new();
    // Different hashes with one fingerprint come by hash; an entry has to come by group.
    for alike in hashed.chunk_by(|left, right| place(left) == place(right)) {
        let (bucket, fingerprint) = place(&alike[0]);
        groups.clear();
        groups.extend(alike.iter().map(|entry| entry & GROUP_MASK));
        groups.sort_unstable();
        counts[bucket] += u32::try_from(groups.len()).unwrap_or(u32::MAX);
        groups.iter().for_each(|group| entries.push(fingerprint, *group));
    }
    format::write(&shape, &counts, &entries.finish(), nulls)
}
