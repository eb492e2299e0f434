//! The joins of one segment's rows: which of them have partners, and which partners.
//!
//! Receives: the partners of every key, and the segment's own index of the column that is
//! joined by. Hands on: a column to group by, whose groups are combinations of joined rows.

use std::sync::Arc;

use martlet_core::Selection;
use martlet_index::grouping::KeyColumn;
use martlet_index::{IndexKind, NumberedIndex};

use super::partners::Partners;
use super::segment::open;
use super::spec::Spec;
use crate::indexed_table::IndexedSegment;
use crate::scan::SegmentScan;

/// The rows with partners are looked for in the whole segment; that is worth it only where at
/// least one row of so many is selected.
const LOOKED_FOR_ONE_ROW_OF: u64 = 16;

/// A join of a segment's rows.
pub(super) struct OpenedJoin {
    numbered: NumberedIndex,
    /// The combination of every row that is left, where there is only one.
    only: Option<u32>,
}

/// A group of a segment among the groups of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Its position in the segment.
    pub(super) position: usize,
    /// Its position among all groups.
    pub(super) group: usize,
    /// How often each of its rows is in that group.
    pub(super) times: u64,
}

impl Placed {
    /// How many rows of the join so many rows of the group make.
    pub(super) const fn rows(&self, rows: u64) -> u64 {
        rows.saturating_mul(self.times)
    }
}

impl OpenedJoin {
    /// The joins of a segment; `None` if an index is not sound.
    pub(super) async fn open(
        scan: &SegmentScan,
        spec: &Spec,
        segment: &IndexedSegment,
        joined: &[Arc<Partners>],
    ) -> Option<Vec<Self>> {
        let mut joins = Vec::with_capacity(joined.len());
        for (dimension, partners) in spec.dimensions.iter().zip(joined) {
            let kinds = [IndexKind::Codes, IndexKind::Vector];
            let index = open(scan, segment, dimension.column, kinds).await?;
            joins.push(Self { numbered: partners.keys().over(index)?, only: None });
        }
        Some(joins)
    }

    /// Whether rows may have different partners, or none.
    pub(super) const fn is_told_apart(&self) -> bool {
        self.only.is_none()
    }

    /// The column to group by.
    pub(super) fn column(&self) -> Option<KeyColumn<'_>> {
        self.numbered.column()
    }

    /// The combination of a group, given its number in [`Self::column`] where the join is told
    /// apart; `None` if its rows have no partners.
    pub(super) fn combination(&self, local: impl FnOnce() -> Option<u32>) -> Option<u32> {
        match self.only {
            Some(only) => Some(only),
            None => self.numbered.number(local()?),
        }
    }
}

/// The selected rows that have partners, where many must be expected to have none: then their
/// other columns are not looked at. `None` where nothing was narrowed.
pub(super) fn narrowed(joins: &mut [OpenedJoin], rows: &Selection) -> Option<Selection> {
    let mut narrowed: Option<Selection> = None;
    for join in joins {
        let rows = narrowed.as_ref().unwrap_or(rows);
        let few = rows.count().saturating_mul(LOOKED_FOR_ONE_ROW_OF) < u64::from(rows.rows());
        if few || !join.numbered.is_sparse() {
            continue;
        }
        let Some(with_partners) = join.numbered.rows() else { continue };
        join.only = join.numbered.only_number();
        narrowed = Some(rows.and(&with_partners));
    }
    narrowed
}
