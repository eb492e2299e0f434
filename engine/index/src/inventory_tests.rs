//! That the inventory is the sum of what the descriptors tell.

use super::*;
use crate::descriptor::SectionRef;

fn section(column: usize, kind: IndexKind, length: u64, distinct: u32) -> SectionRef {
    let (offset, digest, build_micros) = (8, 0, length * 2);
    SectionRef { column, kind, offset, length, digest, distinct, build_micros }
}

#[test]
fn sections_of_one_kind_and_column_are_added_up() {
    let one = Descriptor::new(
        10,
        Vec::new(),
        vec![section(3, IndexKind::Codes, 7, 2), section(3, IndexKind::Bitmap, 5, 2)],
    );
    let two = Descriptor::new(20, Vec::new(), vec![section(3, IndexKind::Bitmap, 11, 9)]);
    let none = Descriptor::without_indexes(5);
    let found = inventory([&one, &two, &none]);
    let bitmap = IndexFigures {
        column: 3,
        kind: IndexKind::Bitmap,
        segments: 2,
        bytes: 16,
        distinct_at_least: 9,
        build_micros: 32,
    };
    let codes = IndexFigures {
        column: 3,
        kind: IndexKind::Codes,
        segments: 1,
        bytes: 7,
        distinct_at_least: 2,
        build_micros: 14,
    };
    assert_eq!(found, [bitmap, codes]);
    assert_eq!(inventory([&none]), []);
}
