//! An opened bitmap index: values, counts and the null bitmap decoded, the others on demand.
//!
//! Bitmaps are decoded when asked for, because a query needs few of them and a cold segment
//! should cost what it uses. What was proven at open (digest, table, offsets, counts) is
//! checked once more against each bitmap as it is decoded; a mismatch is an error, never an
//! answer.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Selection, Truth, Value};
use roaring::{MultiOps, RoaringBitmap};

use super::format;
use crate::error::IndexError;
use crate::kind::Reader;
use crate::logic::Leaf;

/// One roaring bitmap per distinct value.
#[derive(Debug, Clone)]
pub struct BitmapIndex {
    rows: u32,
    values: Vec<Value>,
    counts: Vec<u32>,
    offsets: Vec<u32>,
    area: Bytes,
    nulls: RoaringBitmap,
}

impl BitmapIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let mut index = Self {
            rows,
            values: parts.values,
            counts: parts.counts,
            offsets: parts.offsets,
            area: bytes.slice_ref(parts.area),
            nulls: RoaringBitmap::new(),
        };
        index.nulls = index.decode(index.values.len())?;
        Ok(index)
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The distinct values, ascending.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// How many rows hold the value at this position; 0 where there is none.
    #[must_use]
    pub fn count(&self, position: usize) -> u32 {
        if position < self.values.len() { self.counts[position] } else { 0 }
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        // Null's count stands behind those of the values, and was compared with the bitmap.
        self.counts.last().copied().unwrap_or(0)
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        Selection::from_bitmap(self.rows, self.nulls.clone())
    }

    /// The rows that hold the value at this position.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if its bitmap is not what was written.
    pub fn rows_with(&self, position: usize) -> Result<Selection, IndexError> {
        if position >= self.values.len() {
            return Ok(Selection::none(self.rows));
        }
        Ok(Selection::from_bitmap(self.rows, self.decode(position)?))
    }

    /// The rows that hold a value at one of the positions, which are ascending and disjoint.
    pub(crate) fn rows_within(&self, wanted: &[Range<usize>]) -> Result<Selection, IndexError> {
        let rows_of = |ranges: &[Range<usize>]| -> u64 {
            ranges
                .iter()
                .flat_map(|range| &self.counts[range.clone()])
                .map(|count| u64::from(*count))
                .sum()
        };
        let unwanted = gaps(wanted, self.values.len());
        if rows_of(wanted) <= rows_of(&unwanted) {
            return Ok(Selection::from_bitmap(self.rows, self.union(wanted)?));
        }
        // Fewer rows are left out than taken in: take them, and null, from the whole.
        let mut rest = self.union(&unwanted)?;
        rest |= &self.nulls;
        Ok(Selection::from_bitmap(self.rows, rest).complement())
    }

    fn union(&self, ranges: &[Range<usize>]) -> Result<RoaringBitmap, IndexError> {
        ranges.iter().flat_map(Clone::clone).map(|position| self.decode(position)).union()
    }

    fn decode(&self, position: usize) -> Result<RoaringBitmap, IndexError> {
        let refused = || IndexError::damaged("a bitmap is not well formed");
        let place = self.offsets[position] as usize..self.offsets[position + 1] as usize;
        let bytes = self.area.get(place).ok_or_else(refused)?;
        let bitmap = RoaringBitmap::deserialize_from(bytes).map_err(|_| refused())?;
        let is_within = bitmap.max().is_none_or(|last| last < self.rows);
        if !is_within || bitmap.len() != u64::from(self.counts[position]) {
            return Err(refused());
        }
        Ok(bitmap)
    }
}

impl Reader for BitmapIndex {
    fn rows(&self) -> u32 {
        self.rows
    }

    fn nulls(&self) -> Selection {
        Self::nulls(self)
    }

    fn null_count(&self) -> u32 {
        Self::null_count(self)
    }

    fn dictionary(&self) -> &[Value] {
        &self.values
    }

    fn distinct(&self) -> Option<u32> {
        u32::try_from(self.values.len()).ok()
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.values.first().is_none_or(|value| value.fits(column_type))
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        Some(self.leaf_truth(leaf))
    }

    fn memory_bytes(&self) -> usize {
        4 * (self.counts.len() + self.offsets.len()) + self.nulls.serialized_size()
    }
}

impl BitmapIndex {
    fn leaf_truth(&self, leaf: &Leaf<'_>) -> Result<Truth, IndexError> {
        let nulls = self.nulls();
        if matches!(leaf, Leaf::IsNull) {
            let present = nulls.complement();
            return Ok(Truth::exact(nulls, present));
        }
        let holds = self.rows_within(&leaf.matching(&self.values))?;
        Ok(Truth::exact_but(holds, nulls))
    }
}

/// The positions below `end` that the ranges leave out.
fn gaps(ranges: &[Range<usize>], end: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(ranges.iter().map(|range| range.end));
    let ends = ranges.iter().map(|range| range.start).chain(std::iter::once(end));
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}
