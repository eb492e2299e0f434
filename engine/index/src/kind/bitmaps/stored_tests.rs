use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::StoredBitmap;
use crate::filter::bits::{Bits, WINDOW_ROWS};

fn stored(bitmap: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    bitmap.serialize_into(&mut bytes).unwrap();
    bytes
}

fn rows_of(stored: &StoredBitmap, windows: u32) -> Vec<u32> {
    let mut rows = Vec::new();
    let mut bits = Bits::none();
    for window in 0..windows {
        stored.copy_into(window, &mut bits);
        let of_window: Vec<u32> = (0..WINDOW_ROWS)
            .filter(|row| bits.words()[*row as usize / 64] >> (row % 64) & 1 == 1)
            .collect();
        assert_eq!(of_window.len(), stored.rows_of_window(window) as usize);
        rows.extend(of_window.iter().map(|row| window * WINDOW_ROWS + row));
    }
    rows
}

/// Bitmaps with containers of every form, and windows without one.
fn bitmaps() -> impl Strategy<Value = RoaringBitmap> {
    let listed = prop::collection::btree_set(0_u32..6 * WINDOW_ROWS, 0..200);
    let runs = prop::collection::vec((0_u32..5 * WINDOW_ROWS, 1_u32..90_000), 0..4);
    let dense = prop::option::of((0_u32..5, 2_u32..9));
    (listed, runs, dense, any::<bool>()).prop_map(|(listed, runs, dense, optimized)| {
        let mut bitmap: RoaringBitmap = listed.into_iter().collect();
        for (first, length) in runs {
            bitmap.insert_range(first..first + length);
        }
        if let Some((window, step)) = dense {
            let first = window * WINDOW_ROWS;
            bitmap.extend((first..first + WINDOW_ROWS).step_by(step as usize));
        }
        if optimized {
            bitmap.optimize();
        }
        bitmap
    })
}

proptest! {
    #[test]
    fn a_stored_bitmap_has_the_rows_that_were_written(bitmap in bitmaps()) {
        let opened = StoredBitmap::open(stored(&bitmap).into(), 7 * WINDOW_ROWS).unwrap();
        prop_assert_eq!(opened.rows(), bitmap.len());
        prop_assert_eq!(rows_of(&opened, 7), bitmap.iter().collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_within_bounds(
        bitmap in bitmaps(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        cut in any::<bool>(),
    ) {
        let mut bytes = stored(&bitmap);
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        if let Ok(opened) = StoredBitmap::open(bytes.into(), 7 * WINDOW_ROWS) {
            prop_assert_eq!(rows_of(&opened, 7).len() as u64, opened.rows());
        }
    }
}

#[test]
fn a_row_at_the_end_of_the_segment_is_refused() {
    for row in [99_u32, WINDOW_ROWS + 5] {
        let bitmap: RoaringBitmap = [3, row].into_iter().collect();
        assert!(StoredBitmap::open(stored(&bitmap).into(), row + 1).is_ok());
        assert!(StoredBitmap::open(stored(&bitmap).into(), row).is_err());
    }
}

#[test]
fn a_bitmap_in_memory_is_read_as_it_is() {
    let mut bitmap: RoaringBitmap = (0..200_000).step_by(3).collect();
    bitmap.insert_range(150_000..190_000);
    let opened = StoredBitmap::of(&bitmap);
    assert_eq!(opened.rows(), bitmap.len());
    assert_eq!(rows_of(&opened, 4), bitmap.iter().collect::<Vec<_>>());
    assert_eq!(StoredBitmap::of(&RoaringBitmap::new()).rows(), 0);
}
