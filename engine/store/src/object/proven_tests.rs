//! That a map gives the bytes that were written, finds damage on the first touch of a block,
//! and looks again when the file has changed.
#![allow(clippy::single_range_in_vec_init, reason = "one range is what is meant")]

use martlet_core::{ErrorKind, Kinded};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::object::access::Objects;

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// An object that lies in a folder.
struct Stored {
    folder: TempDir,
    object: ObjectRef,
}

impl Stored {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stored = Self { folder, object: ObjectRef::describe("some/object", bytes) };
        std::fs::create_dir(stored.folder.path().join("some")).unwrap();
        stored.replace(bytes);
        stored
    }

    /// As every writer does it: another file takes the name.
    fn replace(&self, bytes: &[u8]) {
        let (new, place) = (self.folder.path().join("new"), self.folder.path().join("some/object"));
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, place).unwrap();
    }

    fn objects(&self) -> Objects {
        Objects::in_folder(LocalFileSystem::new_with_prefix(self.folder.path()).unwrap())
    }

    fn maps(&self) -> ProvenMaps {
        ProvenMaps::of(LocalFileSystem::new_with_prefix(self.folder.path()).unwrap(), u64::MAX)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mapped_ranges_are_those_that_are_read(
        length in 0_usize..400_000,
        ends in proptest::collection::vec((0.0..=1.0, 0.0..=1.0), 0..8),
    ) {
        let bytes = noise(length);
        let at = |share: f64| (share * length as f64) as u64;
        let ranges: Vec<Range<u64>> = ends
            .iter()
            .map(|(one, other): &(f64, f64)| at(one.min(*other))..at(one.max(*other)))
            .collect();
        let stored = Stored::new(&bytes);
        let objects = stored.objects();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let read = objects.read_ranges(&stored.object, &ranges).await.unwrap();
            for _ in 0..2 {
                let mapped = objects.map_ranges(&stored.object, &ranges).await.unwrap();
                prop_assert_eq!(&mapped.ranges, &read.ranges);
                prop_assert_eq!(mapped.bytes_touched, read.bytes_touched);
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_was_noted_is_no_longer_missing(
        noted in proptest::collection::vec((0_u64..300, 0_u64..40), 0..10),
        asked in (0_u64..300, 0_u64..300),
    ) {
        let proofs = Proofs::none_of(300);
        let mut plain = vec![false; 300];
        for (from, length) in noted {
            let run = from..(from + length).min(300);
            plain[run.start as usize..run.end as usize].fill(true);
            proofs.note(&run);
        }
        let run = asked.0.min(asked.1)..asked.0.max(asked.1);
        let missing = proofs.missing_in(&run);
        prop_assert!(missing.windows(2).all(|pair| pair[0].end < pair[1].start));
        let expected: Vec<u64> = run.filter(|block| !plain[*block as usize]).collect();
        prop_assert_eq!(missing.into_iter().flatten().collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn nothing_is_copied() {
    let stored = Stored::new(&noise(3 * BLOCK_BYTES));
    let objects = stored.objects();
    let map = async || objects.map_ranges(&stored.object, &[5..70_000]).await.unwrap();
    assert_eq!(map().await.ranges[0].as_ptr(), map().await.ranges[0].as_ptr());
}

#[tokio::test]
async fn a_damaged_block_is_found_on_its_first_touch_and_the_others_are_read() {
    let bytes = noise(3 * BLOCK_BYTES + 5);
    let stored = Stored::new(&bytes);
    let block = CHECKSUM_BLOCK_BYTES;
    for (bit, damaged_block) in [(0, 0), (BLOCK_BYTES * 8, 1), ((bytes.len() - 1) * 8, 3)] {
        stored.replace(&crate::fixture::flipped(&bytes, bit));
        let objects = stored.objects();
        // Twice: a block that did not prove right is not taken for proven.
        for at in (0..4_u64).chain(0..4) {
            let range = at * block..at * block + 1;
            match objects.map_ranges(&stored.object, std::slice::from_ref(&range)).await {
                Ok(read) => {
                    assert_ne!(at, damaged_block);
                    assert_eq!(read.ranges[0][0], bytes[range.start as usize]);
                }
                Err(error) => {
                    assert_eq!((at, error.kind()), (damaged_block, ErrorKind::Damaged));
                }
            }
        }
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_mapped_is_read_and_told_as_damage() {
    let bytes = noise(100_000);
    let stored = Stored::new(&bytes);
    for cut in [0, 99_999] {
        stored.replace(&bytes[..cut]);
        let error = stored.objects().map_ranges(&stored.object, &[99_999..100_000]).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Damaged, "{cut}");
    }
    std::fs::remove_file(stored.folder.path().join("some/object")).unwrap();
    let error = stored.objects().map_ranges(&stored.object, &[0..1]).await.unwrap_err();
    assert!(error.to_string().contains("it is missing"), "{error}");
    let empty = Stored::new(&[]);
    let read = empty.objects().map_ranges(&empty.object, &[0..0]).await.unwrap();
    assert_eq!(read.ranges, [Bytes::new()]);
}

#[tokio::test]
async fn what_was_proven_of_one_file_is_not_proven_of_another() {
    let bytes = noise(2 * BLOCK_BYTES);
    let stored = Stored::new(&bytes);
    let maps = stored.maps();
    maps.map(&stored.object).unwrap().prove(&[0..2]).await.unwrap();

    // The map was closed to make room, and is made again of the same file.
    maps.maps.invalidate_all();
    let again = maps.map(&stored.object).unwrap();
    assert!(again.proofs.missing_in(&(0..2)).is_empty());

    stored.replace(&crate::fixture::flipped(&bytes, 9));
    assert_eq!(maps.map(&stored.object).unwrap().bytes(), bytes, "an open map is as it was");
    maps.maps.invalidate_all();
    let other = maps.map(&stored.object).unwrap();
    assert_eq!(other.prove(&[0..2]).await.unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn a_lease_counts_what_was_given_back_and_is_used_again() {
    let bytes = noise(3 * 1_048_576);
    let stored = Stored::new(&bytes);
    let objects = stored.objects();
    let read = objects.map_kept(&stored.object, 5..2_000_000).await.unwrap();
    assert_eq!(read.bytes.bytes(), &bytes[5..2_000_000]);
    assert_eq!(read.lease.held_bytes(), 0);
    let resident = || objects.resident_bytes().unwrap();
    let blocks = 31 * CHECKSUM_BLOCK_BYTES;
    assert_eq!(resident(), blocks);
    objects.limit_resident(16 * CHECKSUM_BLOCK_BYTES);
    assert_eq!(resident(), 12 * CHECKSUM_BLOCK_BYTES);
    objects.limit_resident(u64::MAX);
    read.lease.used();
    assert_eq!(resident(), blocks);
    assert_eq!(read.bytes.bytes(), &bytes[5..2_000_000]);
}
