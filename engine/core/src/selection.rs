//! The rows of one segment that are wanted: all, none, or a bitmap, always with the length.
//!
//! The two cheap answers are variants, so that no caller forgets them.

mod flagged;

use std::ops::Range;
use std::sync::Arc;

use roaring::RoaringBitmap;

use self::flagged::Flagged;

/// A set of row numbers below `rows`.
#[derive(Debug, Clone)]
pub struct Selection {
    rows: u32,
    set: RowSet,
}

#[derive(Debug, Clone)]
enum RowSet {
    All,
    None,
    /// Neither empty nor full, and within the length; shared, for a set of nulls is handed on by
    /// each question to its segment.
    Some(Arc<RoaringBitmap>),
    /// The same, one bit per row.
    Flagged(Arc<Flagged>),
}

/// Fewer rows than one in so many are kept as a bitmap, which then is smaller than bits by far.
const FLAGS_FOR_ONE_ROW: u64 = 512;

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (self.bitmap(), other.bitmap()) {
            (Some(rows), Some(others)) => rows == others,
            (None, None) => self.is_all() == other.is_all(),
            _ => false,
        };
        is_same && self.rows == other.rows
    }
}

impl Selection {
    /// Every row of a segment of `rows` rows.
    #[must_use]
    pub const fn all(rows: u32) -> Self {
        Self { rows, set: if rows == 0 { RowSet::None } else { RowSet::All } }
    }

    /// No row of a segment of `rows` rows.
    #[must_use]
    pub const fn none(rows: u32) -> Self {
        Self { rows, set: RowSet::None }
    }

    /// The rows of the bitmap; row numbers at or above `rows` are dropped.
    #[must_use]
    pub fn from_bitmap(rows: u32, mut bitmap: RoaringBitmap) -> Self {
        bitmap.remove_range(rows..);
        let set = match bitmap.len() {
            0 => RowSet::None,
            count if count == u64::from(rows) => RowSet::All,
            _ => RowSet::Some(Arc::new(bitmap)),
        };
        Self { rows, set }
    }

    /// The rows whose bits are set, the lowest first; bits at or above `rows` are dropped, and
    /// rows behind the last word are not selected.
    #[must_use]
    pub fn from_words(rows: u32, words: Vec<u64>) -> Self {
        let flagged = Flagged::new(words, rows);
        let set = match flagged.count() {
            0 => RowSet::None,
            count if count == u64::from(rows) => RowSet::All,
            count if count.saturating_mul(FLAGS_FOR_ONE_ROW) < u64::from(rows) => {
                RowSet::Some(Arc::new(flagged.few()))
            }
            _ => RowSet::Flagged(Arc::new(flagged.whole(rows))),
        };
        Self { rows, set }
    }

    /// The rows of these numbers, in any order; those at or above `rows` are dropped.
    #[must_use]
    pub fn from_rows(rows: u32, numbers: impl IntoIterator<Item = u32>) -> Self {
        Self::from_bitmap(rows, numbers.into_iter().collect())
    }

    /// The rows of these ascending numbers, which costs less than of any; from the first that
    /// does not ascend on they are dropped, and so are those at or above `rows`.
    #[must_use]
    pub fn from_ascending(rows: u32, numbers: impl IntoIterator<Item = u32>) -> Self {
        let mut bitmap = RoaringBitmap::new();
        // What was appended before one that does not ascend stays.
        let _ = bitmap.append(numbers);
        Self::from_bitmap(rows, bitmap)
    }

    /// The rows whose flag is set; the length is the iterator's.
    #[must_use]
    pub fn from_flags(flags: impl IntoIterator<Item = bool>) -> Self {
        let mut bitmap = RoaringBitmap::new();
        let mut rows = 0_u32;
        for flag in flags {
            if flag {
                bitmap.insert(rows);
            }
            rows += 1;
        }
        Self::from_bitmap(rows, bitmap)
    }

    /// The same rows in whichever form takes less memory: what is kept for long. Its bitmap may hold
    /// runs of rows, which `roaring` 0.12 does not iterate by `next_many`.
    #[must_use]
    pub fn compact(self) -> Self {
        let mut bitmap = match self.set {
            RowSet::All | RowSet::None => return self,
            RowSet::Some(bitmap) => Arc::unwrap_or_clone(bitmap),
            RowSet::Flagged(ref flagged) => flagged.bitmap().clone(),
        };
        bitmap.optimize();
        let bits = (self.rows as usize).div_ceil(u8::BITS as usize);
        if bitmap.serialized_size() < bits {
            return Self { rows: self.rows, set: RowSet::Some(Arc::new(bitmap)) };
        }
        // Scattered rows: bits are smaller, and joined faster.
        let mut words = vec![0_u64; (self.rows as usize).div_ceil(u64::BITS as usize)];
        for row in &bitmap {
            if let Some(word) = words.get_mut((row / u64::BITS) as usize) {
                *word |= 1 << (row % u64::BITS);
            }
        }
        Self::from_words(self.rows, words)
    }

    /// How many rows the segment has.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many rows are selected.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.set {
            RowSet::All => u64::from(self.rows),
            RowSet::None => 0,
            RowSet::Some(bitmap) => bitmap.len(),
            RowSet::Flagged(flagged) => flagged.count(),
        }
    }

    /// Bytes held in memory, roughly; of clones each counts what they share.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        match &self.set {
            RowSet::All | RowSet::None => 0,
            RowSet::Some(bitmap) => bitmap.serialized_size(),
            RowSet::Flagged(flagged) => flagged.memory_bytes(),
        }
    }

    /// Whether every row is selected.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self.set, RowSet::All) || self.rows == 0
    }

    /// Whether no row is selected.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.set, RowSet::None)
    }

    /// Whether this row is selected.
    #[must_use]
    pub fn contains(&self, row: u32) -> bool {
        match &self.set {
            RowSet::All => row < self.rows,
            RowSet::None => false,
            RowSet::Some(bitmap) => bitmap.contains(row),
            RowSet::Flagged(flagged) => flagged.contains(row),
        }
    }

    /// The bitmap, where the selection is neither all nor none.
    #[must_use]
    pub fn bitmap(&self) -> Option<&RoaringBitmap> {
        match &self.set {
            RowSet::Some(bitmap) => Some(bitmap),
            RowSet::Flagged(flagged) => Some(flagged.bitmap()),
            RowSet::All | RowSet::None => None,
        }
    }

    /// The rows one bit each, the lowest first, where they are at hand so.
    #[must_use]
    pub fn words(&self) -> Option<&[u64]> {
        match &self.set {
            RowSet::Flagged(flagged) => Some(flagged.words()),
            RowSet::Some(_) | RowSet::All | RowSet::None => None,
        }
    }

    /// Rows in both. The lengths must be equal; the shorter one counts otherwise.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let rows = self.rows.min(other.rows);
        match (self.bitmap(), other.bitmap()) {
            _ if self.is_none() || other.is_none() => Self::none(rows),
            (None, None) => Self::all(rows),
            (None, Some(_)) => other.within(rows),
            (Some(_), None) => self.within(rows),
            (Some(left), Some(right)) => Self::from_bitmap(rows, left & right),
        }
    }

    /// Rows in either. The lengths must be equal; the shorter one counts otherwise.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let rows = self.rows.min(other.rows);
        match (self.bitmap(), other.bitmap()) {
            _ if self.is_all() || other.is_all() => Self::all(rows),
            (None, None) => Self::none(rows),
            (None, Some(_)) => other.within(rows),
            (Some(_), None) => self.within(rows),
            (Some(left), Some(right)) => Self::from_bitmap(rows, left | right),
        }
    }

    /// Rows of this selection that are not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let rows = self.rows.min(other.rows);
        match (self.bitmap(), other.bitmap()) {
            _ if self.is_none() || other.is_all() => Self::none(rows),
            (None, _) => other.complement(),
            (Some(_), None) => self.within(rows),
            (Some(left), Some(right)) => {
                // Taken out of runs, rows are taken one by one, each a search; out of sets of
                // bits, 64 at a time.
                let mut rest = left.clone();
                rest.remove_run_compression();
                rest -= right;
                Self::from_bitmap(rows, rest)
            }
        }
    }

    /// The same rows, as far as they are below `rows`, which is not more than there are.
    fn within(&self, rows: u32) -> Self {
        if rows == self.rows {
            return self.clone();
        }
        self.bitmap().map_or_else(
            || if self.is_none() { Self::none(rows) } else { Self::all(rows) },
            |bitmap| Self::from_bitmap(rows, bitmap.clone()),
        )
    }

    /// The rows that are not selected.
    #[must_use]
    pub fn complement(&self) -> Self {
        match (&self.set, self.bitmap()) {
            (RowSet::Flagged(flagged), _) => {
                Self::from_words(self.rows, flagged.words().iter().map(|word| !word).collect())
            }
            (_, None) if self.is_none() => Self::all(self.rows),
            (_, None) => Self::none(self.rows),
            (_, Some(bitmap)) => {
                let mut rest = whole(self.rows, bitmap);
                rest -= bitmap;
                // What lies behind the last row is dropped here.
                Self::from_bitmap(self.rows, rest)
            }
        }
    }

    /// Whether every row of this selection is in the other.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.minus(other).is_none()
    }

    /// The selected row numbers, ascending.
    pub fn iter(&self) -> Box<dyn Iterator<Item = u32> + Send + '_> {
        match &self.set {
            RowSet::All => Box::new(0..self.rows),
            RowSet::None => Box::new(std::iter::empty()),
            RowSet::Some(bitmap) => Box::new(bitmap.iter()),
            RowSet::Flagged(flagged) => Box::new(flagged.bitmap().iter()),
        }
    }

    /// The selection in parts of at most `rows` selected rows (at least 1), ascending, each over
    /// the whole segment.
    #[must_use]
    pub fn chunks(self, rows: usize) -> Chunks {
        let rows = u32::try_from(rows.max(1)).unwrap_or(u32::MAX);
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX);
        Chunks { selection: self, chunk_rows: rows, done: 0, count }
    }

    /// The selected rows from the `start`-th on, up to before the `end`-th, counted from 0.
    fn ranked(&self, start: u32, end: u32) -> Self {
        match self.bitmap() {
            None if self.is_none() => Self::none(self.rows),
            None => {
                let mut bitmap = RoaringBitmap::new();
                bitmap.insert_range(start..end.min(self.rows));
                Self::from_bitmap(self.rows, bitmap)
            }
            Some(bitmap) => {
                let first = bitmap.select(start).unwrap_or(self.rows);
                let behind = bitmap.select(end).unwrap_or(self.rows);
                // Whole containers at a time, and none beside the part.
                let mut part = RoaringBitmap::new();
                part.insert_range(first..behind);
                part &= bitmap;
                Self::from_bitmap(self.rows, part)
            }
        }
    }

    /// The selected rows as ascending runs that neither touch nor overlap.
    #[must_use]
    pub fn runs(&self) -> Vec<Range<u32>> {
        match self.bitmap() {
            None if self.is_none() => Vec::new(),
            None => std::iter::once(0..self.rows).collect(),
            Some(bitmap) => {
                let mut runs: Vec<Range<u32>> = Vec::new();
                let mut rows = bitmap.iter();
                while let Some(found) = rows.next_range() {
                    match runs.last_mut() {
                        // A run that crosses from one container to the next may come in two.
                        Some(run) if run.end == *found.start() => run.end = found.end() + 1,
                        _ => runs.push(*found.start()..found.end() + 1),
                    }
                }
                runs
            }
        }
    }

    /// The selected rows as bytes: the portable roaring format, run-optimized. The number of
    /// rows is not in it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bitmap = match self.bitmap() {
            None if self.is_none() => RoaringBitmap::new(),
            None => (0..self.rows).collect(),
            Some(bitmap) => bitmap.clone(),
        };
        bitmap.optimize();
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        match bitmap.serialize_into(&mut bytes) {
            Ok(()) => bytes,
            Err(_) => unreachable!("a vector takes whatever is written to it"),
        }
    }

    /// Reads what [`Self::to_bytes`] wrote for a segment of `rows` rows; `None` if the bytes are
    /// no such thing, name a row that the segment does not have, or go on behind the end.
    #[must_use]
    pub fn from_bytes(rows: u32, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let bitmap = RoaringBitmap::deserialize_from(&mut rest).ok()?;
        let within = bitmap.max().is_none_or(|last| last < rows);
        (within && rest.is_empty()).then(|| Self::from_bitmap(rows, bitmap))
    }
}

/// Rows of a container of a bitmap.
const CONTAINER_ROWS: u32 = 1 << 16;

/// All rows, in the form that the bitmap is taken away from in the least time: single rows from
/// bits, for each that is taken from a run splits it, and whatever else from runs.
fn whole(rows: u32, bitmap: &RoaringBitmap) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    all.insert_range(..rows);
    if bitmap.statistics().n_array_containers == 0 {
        return all;
    }
    let bits = [u8::MAX; CONTAINER_ROWS as usize / 8];
    for start in (0..rows).step_by(CONTAINER_ROWS as usize) {
        let end = rows.min(start.saturating_add(CONTAINER_ROWS));
        if bitmap.range_cardinality(start..end) > 0 {
            all.remove_range(start..end);
            // Rows behind the end are dropped with what is made of it.
            let bytes = (end - start).div_ceil(8) as usize;
            all |= RoaringBitmap::from_lsb0_bytes(start, &bits[..bytes]);
        }
    }
    all
}

/// See [`Selection::chunks`].
#[derive(Debug)]
pub struct Chunks {
    selection: Selection,
    chunk_rows: u32,
    done: u32,
    count: u32,
}

impl Iterator for Chunks {
    type Item = Selection;

    fn next(&mut self) -> Option<Selection> {
        if self.done >= self.count {
            return None;
        }
        let end = self.count.min(self.done.saturating_add(self.chunk_rows));
        let chunk = if self.done == 0 && end == self.count {
            self.selection.clone()
        } else {
            self.selection.ranked(self.done, end)
        };
        self.done = end;
        Some(chunk)
    }
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
