//! ORDER BY … LIMIT as a condition of a scan: only rows that can be among the first, of all or
//! of each value of another column.
//!
//! Receives: the column that orders first, and how many rows are wanted, from the optimizer.
//! Hands on: a narrower selection per segment; the sort or window above still decides. Only rows
//! that are granted and wanted are compared, so nothing is learned from others.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use martlet_core::{ColumnType, Selection};
use martlet_index::grouping::{Best, Counted, MeasureColumn, Nulls, Order, TopKeys, TopKeysOfEach};
use martlet_index::{Index, IndexKind, key_of_value};

use crate::indexed_table::IndexedSegment;

/// The kinds that know every row's key, the faster first.
pub(super) const KEY_KINDS: [IndexKind; 2] = [IndexKind::Vector, IndexKind::Codes];

/// Of what the first rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    All,
    /// Of the rows of each value of a column, by its position in the table.
    Each(usize, Counted),
}

/// See the module.
pub(crate) struct TopRows {
    /// The column's position in the table.
    pub(crate) column: usize,
    order: Order,
    pub(crate) rows: usize,
    among: Among,
    /// The best keys of every segment so far, over all partitions.
    keys: Mutex<Keys>,
}

enum Keys {
    OfAll(TopKeys),
    OfEach(TopKeysOfEach),
}

impl fmt::Debug for TopRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TopRows(column {}, {} rows)", self.column, self.rows)
    }
}

impl TopRows {
    pub(crate) fn new(column: usize, order: Order, rows: usize, among: Among) -> Self {
        let keys = match among {
            Among::All => Keys::OfAll(TopKeys::new(order.best, rows)),
            Among::Each(_, counted) => Keys::OfEach(TopKeysOfEach::new(order, rows, counted)),
        };
        Self { column, order, rows, among, keys: Mutex::new(keys) }
    }

    /// The same for another run of the same plan.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.column, self.order, self.rows, self.among)
    }

    /// The column of whose values each has its own first rows.
    pub(crate) const fn each(&self) -> Option<usize> {
        match self.among {
            Among::All => None,
            Among::Each(column, _) => Some(column),
        }
    }

    /// Whether the keys of a column have an order that all segments share.
    pub(crate) const fn applies_to(column_type: ColumnType) -> bool {
        !matches!(column_type, ColumnType::Text | ColumnType::Boolean)
    }

    /// Whether a segment can hold one of the first rows, as far as its zone map tells.
    pub(super) fn may_be_in(&self, segment: &IndexedSegment) -> bool {
        let Some((low, high, nulls)) = self.bounds(segment) else { return true };
        match &*self.keys.lock().unwrap_or_else(PoisonError::into_inner) {
            Keys::OfAll(keys) => {
                keys.can_reach(low, high) || (nulls > 0 && self.order.nulls == Nulls::First)
            }
            // It may hold the first row of its value.
            Keys::OfEach(_) => true,
        }
    }

    /// The order in which segments are worth reading: those with the best keys first.
    pub(super) fn rank(&self, segment: &IndexedSegment) -> i64 {
        match (self.bounds(segment), self.order.best) {
            (Some((_, high, _)), Best::Highest) => !high,
            (Some((low, _, _)), Best::Lowest) => low,
            (None, _) => i64::MIN,
        }
    }

    fn bounds(&self, segment: &IndexedSegment) -> Option<(i64, i64, u32)> {
        let (_, descriptor) = segment.indexes().first()?;
        let zone = descriptor.zone_map(self.column)?;
        let low = key_of_value(zone.min.as_ref()?)?;
        Some((low, key_of_value(zone.max.as_ref()?)?, zone.nulls))
    }

    /// The rows that may be among the first, given the index of the column, and of the one of
    /// whose values each has its own first rows; `None` if they cannot tell.
    pub(super) fn narrowed(
        &self,
        index: &Index,
        each: Option<&Index>,
        rows: &Selection,
    ) -> Option<Selection> {
        let of_code: Vec<i64>;
        let column = match (index.as_vector(), index.as_codes()) {
            (Some(vector), _) => MeasureColumn::Vector(vector),
            (_, Some(codes)) => {
                of_code = codes.dictionary().narrow_keys()?;
                MeasureColumn::Codes(codes, &of_code)
            }
            _ => return None,
        };
        // Held while the segment is gone through: each key may be noted once only.
        let best = match &mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner) {
            Keys::OfAll(keys) => keys.rows(&column, rows),
            Keys::OfEach(keys) => return keys.rows(each?.as_codes()?, &column, rows),
        };
        let nulls = index.nulls().and(rows);
        Some(match self.order.nulls {
            Nulls::First => best.or(&nulls),
            // Null comes behind everything else, so it counts only while there is too little.
            Nulls::Last if best.count() < self.rows as u64 => best.or(&nulls),
            Nulls::Last => best,
        })
    }
}
