//! Where every object of a mart lies. The only place that builds or reads a path.
//!
//! ```text
//! snapshots/<20-digit number>          conditional create: this is the commit
//! retired/<20-digit number>            a snapshot that is kept no longer, until its objects are removed
//! tables/<table>/<digest>              a table's part, shared by the snapshots in which it is the same
//! segments/<table>/<id>.parquet        rows
//! indexes/<table>/<id>-<n>             the n-th object attached to a segment when it was staged
//! indexes/<table>/<id>-<32 hex digits> an object attached to it later
//! deletes/<table>/<digest>             deleted rows of a segment that are too many for the table's part
//! policies/<digest>                    a policy bundle
//! principals/<digest>                  a feed of principals
//! emergencies/<digest>                 what the mart keeps of emergencies
//! ```

use martlet_core::{SegmentId, SnapshotNumber, TableName};

/// The folder of the snapshot objects.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// The folder of snapshots that are kept no longer.
pub(crate) const RETIRED: &str = "retired";

/// The folders of everything that a snapshot refers to.
pub(crate) const REFERRED: [&str; 7] =
    ["tables", "segments", "indexes", "deletes", "policies", "principals", "emergencies"];

/// Digits of a snapshot's number in its path: enough for any `u64`, so that names sort as numbers.
const NUMBER_DIGITS: usize = 20;

pub(crate) fn snapshot(number: SnapshotNumber) -> String {
    format!("{SNAPSHOTS}/{:0NUMBER_DIGITS$}", number.get())
}

pub(crate) fn retired(number: SnapshotNumber) -> String {
    format!("{RETIRED}/{:0NUMBER_DIGITS$}", number.get())
}

/// The number of the snapshot at a path; `None` for any other object.
pub(crate) fn snapshot_number(path: &str) -> Option<SnapshotNumber> {
    number_below(SNAPSHOTS, path)
}

/// The number of the retired snapshot at a path; `None` for any other object.
pub(crate) fn retired_number(path: &str) -> Option<SnapshotNumber> {
    number_below(RETIRED, path)
}

fn number_below(folder: &str, path: &str) -> Option<SnapshotNumber> {
    let digits = path.strip_prefix(folder)?.strip_prefix('/')?;
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

/// An object that is attached to a segment after it was published. Named at random, because a
/// number might have been used in a snapshot that nobody looks at any more.
pub(crate) fn later_attachment(table: &TableName, id: SegmentId, name: [u8; 16]) -> String {
    format!("indexes/{table}/{id}-{}", SegmentId::from_bytes(name))
}

/// Whether an object attached to this segment may lie there.
pub(crate) fn is_attachment(path: &str, table: &TableName, id: SegmentId) -> bool {
    let name = path.strip_prefix(&format!("indexes/{table}/{id}-"));
    name.is_some_and(|name| {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let random = name.len() == 32 && name.bytes().all(lower_hex);
        random || name.parse::<u16>().is_ok_and(|ordinal| ordinal.to_string() == name)
    })
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

pub(crate) fn emergencies(digest: &[u8; 32]) -> String {
    format!("emergencies/{}", hex(digest))
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
        let retired = numbers.map(retired);
        assert_eq!(retired.each_ref().map(|path| retired_number(path)), numbers.map(Some));
        assert_eq!(retired.each_ref().map(|path| snapshot_number(path)), [None; 5]);
    }

    #[test]
    fn attachments_are_known_by_their_segment() {
        let table = TableName::new("sale").unwrap();
        let [one, other] = [1, 2].map(|byte| SegmentId::from_bytes([byte; 16]));
        let paths = [
            attachment(&table, one, 0),
            attachment(&table, one, 17),
            later_attachment(&table, one, [0xab; 16]),
        ];
        for path in &paths {
            assert!(is_attachment(path, &table, one), "{path}");
            assert!(!is_attachment(path, &table, other), "{path}");
            assert!(!is_attachment(path, &TableName::new("sales").unwrap(), one), "{path}");
        }
        let beside = attachment(&table, one, 0);
        let beside = beside.trim_end_matches('0');
        for name in ["", "00", "+1", "x", "1/2", "../1", "AB".repeat(16).as_str()] {
            assert!(!is_attachment(&format!("{beside}{name}"), &table, one), "{name}");
        }
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
