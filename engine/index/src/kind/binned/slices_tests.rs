//! Codes compared slice by slice against codes compared one by one.

use proptest::prelude::*;

use super::*;

/// The slices of these codes, some bytes off where words would be aligned.
fn sliced(codes: &[u8], digits: u32, off: usize) -> Slices {
    let rows = u32::try_from(codes.len()).unwrap();
    let mut bytes = vec![0; off + stored_bytes(rows, digits)];
    for (row, code) in codes.iter().enumerate() {
        let place = Place::of(rows, digits, row / WINDOW_ROWS);
        let (word, bit) = (row % WINDOW_ROWS / WORD_ROWS, row % WORD_ROWS);
        for digit in 0..digits {
            bytes[off + place.word(digit, word) + bit / 8] |= (code >> digit & 1) << (bit % 8);
        }
    }
    Slices::new(rows, digits, Bytes::from(bytes).slice(off..))
}

fn expect_rows(slices: &Slices, codes: &[u8], ranges: &[Range<u32>]) -> Result<(), TestCaseError> {
    // What stood there before is no answer.
    let mut found = [u64::MAX; WINDOW_WORDS];
    for (window, codes) in codes.chunks(WINDOW_ROWS).enumerate() {
        slices.rows_in(window, ranges, &mut found);
        for row in 0..WINDOW_ROWS {
            let is_in = |code: &u8| ranges.iter().any(|range| range.contains(&u32::from(*code)));
            let is_found = found[row / WORD_ROWS] >> (row % WORD_ROWS) & 1 == 1;
            prop_assert_eq!(is_found, codes.get(row).is_some_and(is_in), "row {}", row);
        }
    }
    for range in ranges {
        let plain = codes.iter().filter(|code| range.contains(&u32::from(**code))).count();
        prop_assert_eq!(slices.count(range.clone()), plain as u64);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rows_in_ranges_are_found(
        rows in prop_oneof![
            4 => 0_usize..600, 1 => 65_000_usize..66_500, 1 => Just(WINDOW_ROWS), 1 => Just(2 * WINDOW_ROWS),
        ],
        pattern in proptest::collection::vec(0_u8..64, 1..90),
        digits in 0_u32..=6,
        off in 0_usize..9,
        ends in proptest::collection::btree_set(0_u32..70, 0..12),
    ) {
        let most = (1_u8 << digits) - 1;
        let codes: Vec<u8> = (0..rows).map(|row| pattern[row % pattern.len()] & most).collect();
        let slices = sliced(&codes, digits, off);
        let ends: Vec<u32> = ends.into_iter().collect();
        let ranges: Vec<Range<u32>> =
            ends.as_chunks::<2>().0.iter().map(|[start, end]| *start..*end).collect();
        expect_rows(&slices, &codes, &ranges)?;
        for digit in 0..digits {
            let ones = codes.iter().filter(|code| *code >> digit & 1 == 1).count();
            prop_assert_eq!(slices.ones(digit), ones as u64);
        }
    }
}

#[test]
fn ranges_that_touch_or_hold_nothing_are_no_other_set() {
    let codes: Vec<u8> = (0..200).map(|row| row % 32).collect();
    let slices = sliced(&codes, 5, 1);
    for ranges in [vec![3..7, 7..9, 9..9], vec![0..0, 0..32], vec![5..6, 31..u32::MAX]] {
        expect_rows(&slices, &codes, &ranges).unwrap();
    }
}
