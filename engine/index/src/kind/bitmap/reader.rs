//! An opened bitmap index: counts and the null bitmap decoded, the others on demand, values where
//! they lie.
//!
//! Bitmaps are decoded when asked for, because a query needs few of them and a cold segment
//! should cost what it uses.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Selection, Truth};
use roaring::RoaringBitmap;

use super::format;
use crate::error::IndexError;
use crate::filter::gaps;
use crate::kind::Reader;
use crate::kind::bitmaps::{Bitmaps, StoredBitmap};
use crate::kind::dictionary::Dictionary;
use crate::logic::Leaf;

/// One roaring bitmap per distinct value.
#[derive(Debug, Clone)]
pub struct BitmapIndex {
    rows: u32,
    values: Dictionary,
    bitmaps: Bitmaps,
    nulls: RoaringBitmap,
}

impl BitmapIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let nulls = parts.bitmaps.decode(parts.values.len())?;
        Ok(Self { rows, values: parts.values, bitmaps: parts.bitmaps, nulls })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The distinct values, ascending.
    #[must_use]
    pub const fn values(&self) -> &Dictionary {
        &self.values
    }

    /// How many rows hold the value at this position; 0 where there is none.
    #[must_use]
    pub fn count(&self, position: usize) -> u32 {
        if position < self.values.len() { self.bitmaps.counts()[position] } else { 0 }
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        // Null's count stands behind those of the values, and was compared with the bitmap.
        self.bitmaps.counts().last().copied().unwrap_or(0)
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
        Ok(Selection::from_bitmap(self.rows, self.bitmaps.decode(position)?))
    }

    /// The bitmaps of the values at these positions, as they are stored.
    pub(crate) fn stored(
        &self,
        positions: &[Range<usize>],
    ) -> Result<Vec<StoredBitmap>, IndexError> {
        positions.iter().flat_map(Clone::clone).map(|at| self.bitmaps.stored(at)).collect()
    }

    /// The bitmap of the rows that are null, if there are any.
    pub(crate) fn stored_nulls(&self) -> Result<Vec<StoredBitmap>, IndexError> {
        if self.nulls.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![self.bitmaps.stored(self.values.len())?])
    }

    /// The rows that hold a value at one of the positions, which are ascending and disjoint.
    pub(crate) fn rows_within(&self, wanted: &[Range<usize>]) -> Result<Selection, IndexError> {
        let unwanted = gaps(wanted, self.values.len());
        if self.bitmaps.rows_of(wanted) <= self.bitmaps.rows_of(&unwanted) {
            return Ok(Selection::from_bitmap(self.rows, self.bitmaps.union(wanted)?));
        }
        // Fewer rows are left out than taken in: take them, and null, from the whole.
        let mut rest = self.bitmaps.union(&unwanted)?;
        rest |= &self.nulls;
        Ok(Selection::from_bitmap(self.rows, rest).complement())
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

    fn dictionary(&self) -> Option<&Dictionary> {
        Some(&self.values)
    }

    fn distinct(&self) -> Option<u32> {
        u32::try_from(self.values.len()).ok()
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.values.fits(column_type)
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        Some(self.leaf_truth(leaf))
    }

    fn memory_bytes(&self) -> usize {
        self.bitmaps.memory_bytes() + self.nulls.serialized_size()
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
