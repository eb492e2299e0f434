//! That ranges are the bytes that were written, and that only proven blocks are handed on.

use martlet_core::{ErrorKind, Kinded};
use object_store::memory::InMemory;
use proptest::prelude::*;

use super::*;
use crate::fixture;

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

async fn stored(bytes: &[u8]) -> (Objects, Arc<InMemory>, ObjectRef) {
    let memory = Arc::new(InMemory::new());
    let objects = Objects::over(memory.clone());
    let object = ObjectRef::describe("some/object", bytes);
    objects.put(&object, Bytes::copy_from_slice(bytes)).await.unwrap();
    (objects, memory, object)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ranges_are_slices_and_shared_blocks_are_fetched_once(
        length in 0_usize..300_000,
        ends in proptest::collection::vec((0.0..=1.0, 0.0..=1.0), 0..8),
    ) {
        let bytes = noise(length);
        let at = |share: f64| (share * length as f64) as u64;
        let ranges: Vec<Range<u64>> = ends
            .iter()
            .map(|(one, other): &(f64, f64)| at(one.min(*other))..at(one.max(*other)))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (objects, _, object) = stored(&bytes).await;
            let read = objects.read_ranges(&object, &ranges).await.unwrap();
            for (range, found) in ranges.iter().zip(&read.ranges) {
                prop_assert_eq!(&bytes[range.start as usize..range.end as usize], &found[..]);
            }
            prop_assert_eq!(ranges.len(), read.ranges.len());
            let touched = (0..length.div_ceil(BLOCK_BYTES)).filter(|block| {
                let (from, to) = ((block * BLOCK_BYTES) as u64, ((block + 1) * BLOCK_BYTES) as u64);
                ranges.iter().any(|range| !range.is_empty() && range.start < to && range.end > from)
            });
            let expected: usize =
                touched.map(|block| BLOCK_BYTES.min(length - block * BLOCK_BYTES)).sum();
            prop_assert_eq!(read.bytes_touched, expected as u64);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_flip_damages_the_blocks_it_is_in_and_the_whole() {
    let bytes = noise(3 * BLOCK_BYTES + 5);
    let (objects, memory, object) = stored(&bytes).await;
    let block = CHECKSUM_BLOCK_BYTES;
    for (bit, damaged_block) in [(0, 0), (BLOCK_BYTES * 8, 1), ((bytes.len() - 1) * 8, 3)] {
        let flipped = fixture::flipped(&bytes, bit);
        fixture::overwrite(memory.as_ref(), "some/object", flipped).await;
        assert_eq!(objects.read(&object).await.unwrap_err().kind(), ErrorKind::Damaged);
        for at in 0..4_u64 {
            let range = at * block..at * block + 1;
            let read = objects.read_ranges(&object, std::slice::from_ref(&range)).await;
            match read {
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
async fn bytes_beyond_the_end_are_refused() {
    let (objects, _, object) = stored(&noise(100)).await;
    #[allow(clippy::reversed_empty_ranges, reason = "a reversed range is what is tested")]
    for range in [0..101, 101..101, 5..4] {
        let error = objects.read_ranges(&object, &[range]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
    }
}
