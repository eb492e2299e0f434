//! Whether an index that is not open yet is opened for the values of some rows.

use martlet_core::Selection;
use martlet_index::{IndexKind, SectionRef};

use super::{are_worth_opening, is_worth_opening};
use crate::access_path::AccessPath;

const ROWS: u32 = 6_400;

/// What is decided by cost, and on the paths by totals, gathering and scanning.
fn decided(decide: impl Fn(AccessPath) -> bool) -> [bool; 4] {
    AccessPath::ALL.map(decide)
}

#[test]
fn a_forced_path_decides_however_few_rows_are_wanted() {
    let of = |rows: u32| Selection::from_ascending(ROWS, (0..rows).collect::<Vec<_>>());
    assert_eq!(decided(|path| is_worth_opening(path, &of(99))), [false, true, true, false]);
    assert_eq!(decided(|path| is_worth_opening(path, &of(100))), [true, true, true, false]);
}

#[test]
fn texts_are_opened_for_some_rows_or_where_they_are_small() {
    let texts = |length: u64| SectionRef {
        column: 0,
        kind: IndexKind::Texts,
        offset: 0,
        length,
        digest: 0,
        distinct: 0,
        build_micros: 0,
    };
    let (large, small) = (texts(1 << 20), texts(1 << 10));
    let of = |texts: &SectionRef, rows: u64| decided(|path| are_worth_opening(path, texts, rows));
    assert_eq!(of(&large, 15), [false, true, true, false]);
    assert_eq!(of(&large, 16), [true, true, true, false]);
    assert_eq!(of(&small, 1), [true, true, true, false]);
}
