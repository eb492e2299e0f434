//! A row of roaring bitmaps inside a section, found by position and decoded when asked for.
//!
//! Layout, little endian: one u32 per bitmap of how many rows it holds, one u32 per bitmap of
//! where it begins in the area and one for the area's end, then the area: the bitmaps in the
//! portable format, run-optimized. The area is the last thing in a section.

mod stored;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use roaring::{MultiOps, RoaringBitmap};

pub(crate) use self::stored::StoredBitmap;

use super::cursor::Cursor;
use crate::error::IndexError;

/// Bitmaps being laid out.
#[derive(Default)]
pub(super) struct BitmapsBuilder {
    counts: Vec<u32>,
    ends: Vec<u32>,
    area: Vec<u8>,
}

impl BitmapsBuilder {
    pub(super) fn push(&mut self, mut bitmap: RoaringBitmap) {
        bitmap.optimize();
        // Writing into memory cannot fail; were it to, the section would be refused at open.
        let _ = bitmap.serialize_into(&mut self.area);
        // A segment has 2^20 rows, and all of its bitmaps take a few MiB.
        self.counts.push(u32::try_from(bitmap.len()).unwrap_or(u32::MAX));
        self.ends.push(u32::try_from(self.area.len()).unwrap_or(u32::MAX));
    }

    /// The rows of one bitmap, ascending.
    pub(super) fn push_rows(&mut self, rows: &[u32]) {
        if let Some(bitmap) = dense(rows) {
            return self.push(bitmap);
        }
        let mut bitmap = RoaringBitmap::new();
        // Ascending by promise; were they not, the counts would not add up at open.
        let _ = bitmap.append(rows.iter().copied());
        self.push(bitmap);
    }

    pub(super) fn write(&self, into: &mut Vec<u8>) {
        for number in self.counts.iter().chain(&[0]).chain(&self.ends) {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.extend_from_slice(&self.area);
    }
}

/// The bitmap of rows that stand so close that setting bits is faster than appending numbers.
fn dense(rows: &[u32]) -> Option<RoaringBitmap> {
    let first = rows.first()? / 8 * 8;
    let bytes = (rows.last()? - first) as usize / 8 + 1;
    if rows.len() < bytes / 4 {
        return None;
    }
    let mut flags = vec![0_u8; bytes];
    rows.iter().for_each(|row| flags[(row - first) as usize / 8] |= 1 << (row % 8));
    Some(RoaringBitmap::from_lsb0_bytes(first, &flags))
}

/// Bitmaps over the rows of a segment. What was proven at open (counts and places) is checked
/// once more against each bitmap as it is decoded; a mismatch is an error, never an answer.
#[derive(Debug, Clone)]
pub(super) struct Bitmaps {
    rows: u32,
    counts: Vec<u32>,
    offsets: Vec<u32>,
    area: Bytes,
    /// Each bitmap as it is stored, once it was asked for; `None` if it is damaged.
    stored: Arc<[OnceLock<Option<StoredBitmap>>]>,
}

impl Bitmaps {
    /// Reads so many bitmaps up to the end of the section.
    pub(super) fn read(
        rows: u32,
        count: usize,
        mut cursor: Cursor<'_>,
        section: &Bytes,
    ) -> Result<Self, IndexError> {
        let counts = cursor.u32s(count)?;
        let offsets = cursor.u32s(count.saturating_add(1))?;
        let area = cursor.rest();
        let ends_fit = offsets.is_sorted()
            && offsets.first() == Some(&0)
            && offsets.last().is_some_and(|end| *end as usize == area.len());
        if !ends_fit || counts.iter().any(|count| *count > rows) {
            return Err(IndexError::damaged("its bitmaps do not fill their place"));
        }
        let stored = counts.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { rows, counts, offsets, area: section.slice_ref(area), stored })
    }

    /// How many rows each bitmap holds.
    pub(super) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// How many rows the bitmaps at these positions hold together, if they share none.
    pub(super) fn rows_of(&self, positions: &[Range<usize>]) -> u64 {
        let counts = positions.iter().flat_map(|range| &self.counts[range.clone()]);
        counts.map(|count| u64::from(*count)).sum()
    }

    /// The bitmap at a position as it is stored.
    pub(super) fn stored(&self, position: usize) -> Result<StoredBitmap, IndexError> {
        let opened = || {
            let stored = StoredBitmap::open(self.area.slice(self.place(position)), self.rows);
            let is_whole =
                |stored: &StoredBitmap| stored.rows() == u64::from(self.counts[position]);
            stored.ok().filter(is_whole)
        };
        self.stored[position].get_or_init(opened).clone().ok_or_else(refused)
    }

    /// Where a bitmap lies in the area, which the places fill.
    fn place(&self, position: usize) -> Range<usize> {
        self.offsets[position] as usize..self.offsets[position + 1] as usize
    }

    pub(super) fn decode(&self, position: usize) -> Result<RoaringBitmap, IndexError> {
        let bytes = self.area.get(self.place(position)).ok_or_else(refused)?;
        let bitmap = RoaringBitmap::deserialize_from(bytes).map_err(|_| refused())?;
        let is_within = bitmap.max().is_none_or(|last| last < self.rows);
        if !is_within || bitmap.len() != u64::from(self.counts[position]) {
            return Err(refused());
        }
        Ok(bitmap)
    }

    pub(super) fn union(&self, positions: &[Range<usize>]) -> Result<RoaringBitmap, IndexError> {
        positions.iter().flat_map(Clone::clone).map(|position| self.decode(position)).union()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        // What is looked over later is told before: a cache weighs once.
        let slot = size_of::<OnceLock<Option<StoredBitmap>>>();
        let stored = slot + StoredBitmap::container_bytes(self.rows);
        4 * (self.counts.len() + self.offsets.len()) + stored * self.stored.len()
    }
}

const fn refused() -> IndexError {
    IndexError::damaged("a bitmap is not well formed")
}
