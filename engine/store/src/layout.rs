//! Where every object of a mart lies. The only place that builds or reads a path.
//!
//! ```text
//! snapshots/<20-digit number>          conditional create: this is the commit
//! tables/<table>/<digest>              a table's part, shared by the snapshots in which it is the same
//! segments/<table>/<id>.parquet        rows
//! indexes/<table>/<id>-<n>             the n-th object attached to a segment
//! deletes/<table>/<digest>             deleted rows of a segment that are too many for the table's part
//! policies/<digest>                    a policy bundle
//! principals/<digest>                  a feed of principals
//! ```

use martlet_core::{SegmentId, SnapshotNumber, TableName};

/// The folder of the snapshot objects.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// The folders of everything that a snapshot refers to.
pub(crate) const REFERRED: [&str; 6] =
    ["tables", "segments", "indexes", "deletes", "policies", "principals"];

/// Digits of a snapshot's number in its path: enough for any `u64`, so that names sort as numbers.
const NUMBER_DIGITS: usize = 20;

pub(crate) fn snapshot(number: SnapshotNumber) -> String {
    format!("{SNAPSHOTS}/{:0NUMBER_DIGITS$}", number.get())
}

/// The number of the snapshot at a path; `None` for any other object.
pub(crate) fn snapshot_number(path: &str) -> Option<SnapshotNumber> {
    let digits = path.strip_prefix(SNAPSHOTS)?.strip_prefix('/')?;
    let well_formed = digits.len() == NUMBER_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| digits.parse().ok().map(SnapshotNumber::new)).flatten()
}

pub(crate) fn table_part(table: &TableName, digest: &[u8; 32]) -> String {
    format!("tables/{table}/{}", hex(digest))
}

pub(crate) fn segment(table: &TableName, id: SegmentId) -> String {
    format!("segments/{table}/{id}.parquet")
}

pub(crate) fn attachment(table: &TableName, id: SegmentId, ordinal: usize) -> String {
    format!("indexes/{table}/{id}-{ordinal}")
}

pub(crate) fn deleted_rows(table: &TableName, digest: &[u8; 32]) -> String {
    format!("deletes/{table}/{}", hex(digest))
}

pub(crate) fn policy(digest: &[u8; 32]) -> String {
    format!("policies/{}", hex(digest))
}

pub(crate) fn principals(digest: &[u8; 32]) -> String {
    format!("principals/{}", hex(digest))
}

fn hex(digest: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshots_path_sorts_as_its_number_and_is_read_back() {
        let numbers = [1, 9, 10, 99_999, u64::MAX].map(SnapshotNumber::new);
        let paths = numbers.map(snapshot);
        assert!(paths.is_sorted());
        assert_eq!(paths.each_ref().map(|path| snapshot_number(path)), numbers.map(Some));
    }

    #[test]
    fn other_names_are_no_snapshots() {
        for path in [
            "snapshots/1",
            "snapshots/0000000000000000000x",
            "snapshots/99999999999999999999",
            "snapshots/00000000000000000001#1",
            "segments/00000000000000000001",
        ] {
            assert_eq!(snapshot_number(path), None, "{path}");
        }
    }
}
