//! An opened binned index: the table of bins decoded, the slices where they were read.
//!
//! What was proven at open: that bins ascend and their rows add up, that the slices
//! have their place, and that no row is in a bin that is not there.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Selection, Truth};
use roaring::RoaringBitmap;

use super::format::{self, BinTable};
use super::slices::{Slices, WINDOW_WORDS, windows};
use crate::error::IndexError;
use crate::kind::Reader;
use crate::kind::vector::VectorForm;
use crate::logic::Leaf;

/// The number of a bin per row, in bit slices.
#[derive(Debug, Clone)]
pub struct BinnedIndex {
    form: VectorForm,
    pub(super) bins: BinTable,
    slices: Slices,
}

impl BinnedIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let (form, bins, slices) = format::read(bytes)?;
        if slices.rows() != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        Ok(Self { form, bins, slices })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.slices.rows()
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        self.bins.counts[0]
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        self.selection(std::slice::from_ref(&(0..1)))
    }

    /// What the keys stand for; never a digit text.
    #[must_use]
    pub const fn form(&self) -> &VectorForm {
        &self.form
    }

    /// The lowest and the highest key of each bin, ascending; both occur, and so does a row in
    /// every bin. The first of them has code 1.
    pub fn bounds(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.bins.lowest.iter().copied().zip(self.bins.highest.iter().copied())
    }

    /// Windows of [`WINDOW_ROWS`](super::WINDOW_ROWS) rows; the last may be shorter.
    #[must_use]
    pub const fn windows(&self) -> usize {
        windows(self.rows())
    }

    /// Sets in `into` the bits of the rows of this window that are in one of the bins (ranges of
    /// codes, ascending and disjoint; 0 is null's); other bits are cleared.
    pub fn rows_in_bins(&self, window: usize, bins: &[Range<u32>], into: &mut [u64; WINDOW_WORDS]) {
        // A code that no row has tells nothing apart: moved over it, an end costs no slice.
        let end = self.end();
        let has_nulls = self.null_count() > 0;
        let moved = |code: u32| match code {
            1 if !has_nulls => 0,
            code if code >= end => u32::MAX,
            code => code,
        };
        match bins {
            [bins] => {
                let bins = moved(bins.start)..moved(bins.end);
                self.slices.rows_in(window, std::slice::from_ref(&bins), into);
            }
            several => {
                let moved: Vec<Range<u32>> =
                    several.iter().map(|bins| moved(bins.start)..moved(bins.end)).collect();
                self.slices.rows_in(window, &moved, into);
            }
        }
    }

    /// How many rows are in the bins.
    #[must_use]
    pub fn rows_of(&self, bins: &[Range<u32>]) -> u64 {
        let counts = &self.bins.counts;
        let place = |code: u32| (code as usize).min(counts.len());
        let of_bins = |bins: &Range<u32>| counts.get(place(bins.start)..place(bins.end));
        bins.iter().filter_map(of_bins).flatten().map(|count| u64::from(*count)).sum()
    }

    /// The code behind the last bin's.
    pub(crate) const fn end(&self) -> u32 {
        // At most 63 bins.
        self.bins.len() as u32 + 1
    }

    /// The rows that are in the bins.
    fn selection(&self, bins: &[Range<u32>]) -> Selection {
        let rows = self.rows();
        match self.rows_of(bins) {
            0 => return Selection::none(rows),
            count if count == u64::from(rows) => return Selection::all(rows),
            _ => {}
        }
        let mut flags = Vec::with_capacity(self.windows() * WINDOW_WORDS * size_of::<u64>());
        let mut words = [0; WINDOW_WORDS];
        for window in 0..self.windows() {
            self.rows_in_bins(window, bins, &mut words);
            words.iter().for_each(|word| flags.extend_from_slice(&word.to_le_bytes()));
        }
        Selection::from_bitmap(rows, RoaringBitmap::from_lsb0_bytes(0, &flags))
    }

    fn leaf_truth(&self, leaf: &Leaf<'_>) -> Option<Truth> {
        let bins = self.bins(leaf)?;
        let holds = self.selection(&bins.sure);
        if matches!(leaf, Leaf::IsNull) {
            let present = holds.complement();
            return Some(Truth::exact(holds, present));
        }
        let nulls = self.nulls();
        if bins.open.is_empty() {
            return Some(Truth::exact_but(holds, nulls));
        }
        let open = self.selection(&bins.open);
        let fails = holds.or(&nulls).complement();
        Some(Truth::bounds(holds.or(&open), fails))
    }
}

impl Reader for BinnedIndex {
    fn rows(&self) -> u32 {
        Self::rows(self)
    }

    fn nulls(&self) -> Selection {
        Self::nulls(self)
    }

    fn null_count(&self) -> u32 {
        Self::null_count(self)
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.form.fits(column_type)
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        self.leaf_truth(leaf).map(Ok)
    }

    fn memory_bytes(&self) -> usize {
        self.bins.len() * (2 * size_of::<i64>() + size_of::<u32>())
    }
}
