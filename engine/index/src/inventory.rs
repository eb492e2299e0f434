//! What the indexes of a table take and took: figures for operators and the advisor.
//!
//! Receives: the descriptors of a table's segments. Hands on: one sum per column and kind. Adds
//! up what descriptors tell and opens nothing; tells no value of a column.

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::kind::IndexKind;

/// One kind of index over one column, over all segments of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFigures {
    /// Position of the column in the table's schema.
    pub column: usize,
    /// The kind of index.
    pub kind: IndexKind,
    /// Segments that have it.
    pub segments: u64,
    /// Bytes of its sections.
    pub bytes: u64,
    /// Distinct values of the segment that has most of them, without null; the table has at
    /// least as many.
    pub distinct_at_least: u32,
    /// Microseconds that building it took, over all segments; sections that nobody measured
    /// count nothing.
    pub build_micros: u64,
}

/// Adds up the sections of all descriptors, by column and kind, ascending.
pub fn inventory<'a>(descriptors: impl IntoIterator<Item = &'a Descriptor>) -> Vec<IndexFigures> {
    let mut sums: BTreeMap<(usize, IndexKind), IndexFigures> = BTreeMap::new();
    for section in descriptors.into_iter().flat_map(Descriptor::sections) {
        let (column, kind) = (section.column, section.kind);
        let sum = sums.entry((column, kind)).or_insert(IndexFigures {
            column,
            kind,
            segments: 0,
            bytes: 0,
            distinct_at_least: 0,
            build_micros: 0,
        });
        sum.segments += 1;
        sum.bytes += section.length;
        sum.distinct_at_least = sum.distinct_at_least.max(section.distinct);
        sum.build_micros = sum.build_micros.saturating_add(section.build_micros);
    }
    sums.into_values().collect()
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
