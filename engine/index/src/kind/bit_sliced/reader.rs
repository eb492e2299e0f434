//! An opened bit-sliced index: conditions and aggregates by ANDs of whole bitmaps.
//!
//! All bitmaps are decoded at open: every question reads all of them.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::format;
use crate::error::IndexError;
use crate::kind::Reader;
use crate::kind::vector::VectorForm;
use crate::logic::Leaf;

/// One roaring bitmap per binary digit of the keys above the lowest.
#[derive(Debug, Clone)]
pub struct BitSlicedIndex {
    rows: u32,
    form: VectorForm,
    lowest: i64,
    /// The digits, the lowest first.
    slices: Vec<RoaringBitmap>,
    present: RoaringBitmap,
}

impl BitSlicedIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let format::Parts { form, lowest, slices, present, .. } = parts;
        Ok(Self { rows, form, lowest, slices, present })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        self.rows - self.present.len() as u32
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        Selection::from_bitmap(self.rows, self.present.clone()).complement()
    }

    /// What the keys stand for; never a digit text.
    #[must_use]
    pub const fn form(&self) -> &VectorForm {
        &self.form
    }

    /// The value that a key stands for.
    #[must_use]
    pub fn value_of(&self, key: i64) -> Value {
        self.form.value_of(key)
    }

    /// How many of the rows hold a value.
    #[must_use]
    pub fn count(&self, rows: &Selection) -> u64 {
        self.present_in(rows).len()
    }

    /// The sum of the rows' keys: of integers and decimals that of the values, of dates and
    /// timestamps that of their distances from 1970. `None` for floats, whose keys are not
    /// their values.
    #[must_use]
    pub fn sum(&self, rows: &Selection) -> Option<i128> {
        if self.form == VectorForm::Float {
            return None;
        }
        let count = |bitmap: &RoaringBitmap| match rows.bitmap() {
            Some(rows) => bitmap.intersection_len(rows),
            None if rows.is_none() => 0,
            None => bitmap.len(),
        };
        // At most 2^20 rows of 64 bits.
        let above = self.slices.iter().enumerate();
        let above: i128 = above.map(|(digit, slice)| i128::from(count(slice)) << digit).sum();
        Some(above + i128::from(count(&self.present)) * i128::from(self.lowest))
    }

    /// The lowest key of the rows; `None` where none holds a value.
    #[must_use]
    pub fn min(&self, rows: &Selection) -> Option<i64> {
        self.kth(rows, 0)
    }

    /// The highest key of the rows; `None` where none holds a value.
    #[must_use]
    pub fn max(&self, rows: &Selection) -> Option<i64> {
        self.kth(rows, self.count(rows).checked_sub(1)?)
    }

    /// The key that stands at position `k`, from 0, when the rows that hold a value are sorted;
    /// `None` where they are fewer. A percentile is one of these.
    #[must_use]
    pub fn kth(&self, rows: &Selection, mut k: u64) -> Option<i64> {
        let mut among = self.present_in(rows).into_owned();
        if k >= among.len() {
            return None;
        }
        let mut above = 0_u64;
        for (digit, slice) in self.slices.iter().enumerate().rev() {
            let with_digit = among.intersection_len(slice);
            let without = among.len() - with_digit;
            if k < without {
                among -= slice;
            } else {
                k -= without;
                among &= slice;
                above |= 1 << digit;
            }
        }
        Some(self.lowest.wrapping_add(above.cast_signed()))
    }

    fn present_in(&self, rows: &Selection) -> Cow<'_, RoaringBitmap> {
        match rows.bitmap() {
            Some(bitmap) => Cow::Owned(&self.present & bitmap),
            None if rows.is_none() => Cow::Owned(RoaringBitmap::new()),
            None => Cow::Borrowed(&self.present),
        }
    }

    /// The rows whose key is in the range.
    fn rows_between(&self, keys: &Range<i128>) -> RoaringBitmap {
        let lowest = i128::from(self.lowest);
        let beyond = lowest + (1_i128 << self.slices.len());
        if keys.start >= keys.end || keys.end <= lowest || keys.start >= beyond {
            return RoaringBitmap::new();
        }
        let mut rows = match u64::try_from(keys.end.min(beyond) - lowest) {
            Ok(end) if keys.end < beyond => self.rows_below(end),
            _ => self.present.clone(),
        };
        if keys.start > lowest {
            // Below `beyond`, at most 2^64 above the lowest.
            rows -= self.rows_below((keys.start - lowest) as u64);
        }
        rows
    }

    /// The rows whose key is less than `end` above the lowest, `end` being of as many digits as
    /// there are slices.
    fn rows_below(&self, end: u64) -> RoaringBitmap {
        let mut below = RoaringBitmap::new();
        let mut equal = self.present.clone();
        for (digit, slice) in self.slices.iter().enumerate().rev() {
            if end >> digit & 1 == 1 {
                below |= &equal - slice;
                equal &= slice;
            } else {
                equal -= slice;
            }
            if equal.is_empty() {
                break;
            }
        }
        below
    }

    /// The rows with exactly this key.
    fn rows_at(&self, key: i64) -> RoaringBitmap {
        let above = key.wrapping_sub(self.lowest).cast_unsigned();
        let is_beyond = self.slices.len() < 64 && above >> self.slices.len() != 0;
        if key < self.lowest || is_beyond {
            return RoaringBitmap::new();
        }
        let mut equal = self.present.clone();
        for (digit, slice) in self.slices.iter().enumerate().rev() {
            if above >> digit & 1 == 1 {
                equal &= slice;
            } else {
                equal -= slice;
            }
            if equal.is_empty() {
                break;
            }
        }
        equal
    }

    fn leaf_truth(&self, leaf: &Leaf<'_>) -> Option<Truth> {
        let nulls = self.nulls();
        let rows = match leaf {
            Leaf::IsNull => {
                let present = nulls.complement();
                return Some(Truth::exact(nulls, present));
            }
            Leaf::Compare(Comparison::Equal | Comparison::NotEqual, value) => {
                self.form.key_of(value).map_or_else(RoaringBitmap::new, |key| self.rows_at(key))
            }
            Leaf::Compare(comparison, value) => {
                self.rows_between(&self.form.keys_that(*comparison, value)?)
            }
            Leaf::In(values) => {
                let keys = values.iter().filter_map(|value| self.form.key_of(value));
                keys.map(|key| self.rows_at(key)).fold(RoaringBitmap::new(), |all, rows| all | rows)
            }
            Leaf::Part(part, comparison, constant) => {
                let keys = self.form.keys_of_part(*part, *comparison, *constant)?;
                keys.iter()
                    .map(|keys| self.rows_between(keys))
                    .fold(RoaringBitmap::new(), |all, rows| all | rows)
            }
            Leaf::Like(_) | Leaf::Between(..) => return None,
        };
        let truth = Truth::exact_but(Selection::from_bitmap(self.rows, rows), nulls);
        Some(match leaf {
            Leaf::Compare(Comparison::NotEqual, _) => truth.negated(),
            _ => truth,
        })
    }
}

impl Reader for BitSlicedIndex {
    fn rows(&self) -> u32 {
        self.rows
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
        let bitmaps = self.slices.iter().chain(std::iter::once(&self.present));
        bitmaps.map(RoaringBitmap::serialized_size).sum()
    }
}
