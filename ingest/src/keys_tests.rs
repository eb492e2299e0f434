//! Keys that come twice are found, and every key is told.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Adds the keys in chunks of `chunk_rows`, and gives what the collector says with what the
/// plain way says.
fn found_and_expected(
    keys: &[u64],
    chunk_rows: usize,
    held_max: usize,
) -> ((Vec<Origin>, KeySet), (Vec<Origin>, KeySet)) {
    let scratch = tempfile::tempdir().unwrap();
    let mut collector = KeyCollector::new(held_max * ENTRY_BYTES, scratch.path());
    let digest = |key: &u64| KeyDigest::of(&key.to_be_bytes());
    let entries: Vec<KeyEntry> =
        (0_u64..).zip(keys).map(|(row, key)| KeyEntry::new(digest(key), row)).collect();
    for chunk in entries.chunks(chunk_rows) {
        collector.add(KeyRun::of(chunk)).unwrap();
    }
    let (later, mut sorted) = collector.finish().unwrap();
    let mut told = KeySet::default();
    while let Some(part) = sorted.next_part().unwrap() {
        told.extend(part);
    }
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    let mut seen = BTreeSet::new();
    let expected_later = (0_u64..).zip(keys).filter(|(_, key)| !seen.insert(**key));
    let expected_later = expected_later.map(|(row, _)| Origin::from_bits(row)).collect();
    ((later, told), (expected_later, seen.iter().map(digest).collect()))
}

proptest! {
    /// Looking in memory and merging spilled runs both agree with the plain way, and tell
    /// every key.
    #[test]
    fn later_rows_are_found(
        keys in prop::collection::vec(0_u64..40, 0..200),
        chunk_rows in 1_usize..30,
        held_max in 2_usize..3_000,
    ) {
        let (found, expected) = found_and_expected(&keys, chunk_rows, held_max);
        prop_assert_eq!(found, expected);
    }
}

/// So many rows that every part has some, ascending and mixed.
#[test]
fn a_key_that_comes_twice_is_found_in_whatever_part() {
    let rows = 300_000_u64;
    let ascending: Vec<u64> = (0..rows).map(|row| row - row % 100_003 / 100_002).collect();
    let mixed: Vec<u64> = (0..rows).map(|row| row * 7_919 % 299_993).collect();
    let one_key_often: Vec<u64> = (0..rows).map(|row| row / 200_000 * row).collect();
    for keys in [ascending, mixed, one_key_often] {
        let (found, expected) = found_and_expected(&keys, 10_007, usize::MAX / ENTRY_BYTES);
        assert!(!expected.0.is_empty());
        assert_eq!(found, expected);
    }
}
