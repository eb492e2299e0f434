//! An opened date part index: the months known, the bitmaps decoded when asked for.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, DatePart, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::format::{self, WEEKDAYS, hours};
use super::month::{Month, Unit, key_of};
use crate::error::IndexError;
use crate::kind::Reader;
use crate::kind::bitmaps::Bitmaps;
use crate::logic::Leaf;

/// One roaring bitmap per month, day of the week and hour.
#[derive(Debug, Clone)]
pub struct DatePartIndex {
    rows: u32,
    unit: Unit,
    months: Vec<Month>,
    bitmaps: Bitmaps,
    nulls: Selection,
}

impl DatePartIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let last = parts.bitmaps.counts().len() - 1;
        let nulls = Selection::from_bitmap(rows, parts.bitmaps.decode(last)?);
        Ok(Self { rows, unit: parts.unit, months: parts.months, bitmaps: parts.bitmaps, nulls })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        // Below the number of rows.
        self.nulls.count() as u32
    }

    /// The rows that are null.
    #[must_use]
    pub const fn nulls(&self) -> &Selection {
        &self.nulls
    }

    /// The months that occur, ascending: year and month from 1.
    pub fn months(&self) -> impl ExactSizeIterator<Item = (i64, i64)> + '_ {
        self.months.iter().map(|month| (month.year(), month.of_year()))
    }

    /// The rows of the month at this position of [`Self::months`].
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if its bitmap is not what was written.
    pub fn rows_of_month(&self, position: usize) -> Result<Selection, IndexError> {
        if position >= self.months.len() {
            return Ok(Selection::none(self.rows));
        }
        Ok(Selection::from_bitmap(self.rows, self.bitmaps.decode(position)?))
    }

    /// How many of the rows are in each month that occurs among them: year, month from 1, rows.
    ///
    /// # Errors
    /// [`IndexError::Lengths`] if the selection is over another number of rows,
    /// [`IndexError::Damaged`] if a bitmap is not what was written.
    pub fn month_counts(&self, rows: &Selection) -> Result<Vec<(i64, i64, u64)>, IndexError> {
        let counts = self.counts_at(0..self.months.len(), rows)?;
        let counted = self.months().zip(counts).filter(|(_, count)| *count > 0);
        Ok(counted.map(|((year, month), count)| (year, month, count)).collect())
    }

    /// How many of the rows have each value of a part, ascending by value; `None` for a part
    /// that is not told apart (day, day of the year).
    ///
    /// # Errors
    /// As [`Self::month_counts`].
    pub fn part_counts(
        &self,
        part: DatePart,
        rows: &Selection,
    ) -> Option<Result<Vec<(i64, u64)>, IndexError>> {
        let values = self.values_of(part)?;
        let (positions, values): (Vec<usize>, Vec<i64>) = values.into_iter().unzip();
        let within = match (positions.first(), positions.last()) {
            (Some(first), Some(last)) => *first..last + 1,
            _ => 0..0,
        };
        Some(self.counts_at(within, rows).map(|counts| {
            let mut sums = std::collections::BTreeMap::new();
            for (value, count) in values.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
                *sums.entry(value).or_insert(0) += count;
            }
            sums.into_iter().collect()
        }))
    }

    fn counts_at(&self, positions: Range<usize>, rows: &Selection) -> Result<Vec<u64>, IndexError> {
        if rows.rows() != self.rows {
            return Err(IndexError::Lengths { index: self.rows, selection: rows.rows() });
        }
        positions
            .map(|position| match rows.bitmap() {
                Some(bitmap) => Ok(self.bitmaps.decode(position)?.intersection_len(bitmap)),
                None if rows.is_none() => Ok(0),
                None => Ok(u64::from(self.bitmaps.counts()[position])),
            })
            .collect()
    }

    /// The positions of the bitmaps that tell the part apart, one after the other, each with
    /// the part's value.
    fn values_of(&self, part: DatePart) -> Option<Vec<(usize, i64)>> {
        let weekdays = self.months.len();
        let of_day = weekdays + WEEKDAYS;
        match part {
            DatePart::Year | DatePart::Quarter | DatePart::Month => {
                let values = self.months.iter().map(|month| month.part(part));
                values.enumerate().map(|(position, value)| Some((position, value?))).collect()
            }
            DatePart::DayOfWeek => Some((weekdays..of_day).zip(0..).collect()),
            DatePart::Hour if self.unit == Unit::Microseconds => {
                Some((of_day..of_day + hours(self.unit)).zip(0..).collect())
            }
            // Every hour of a date is 0.
            DatePart::Hour => Some((0..self.months.len()).map(|position| (position, 0)).collect()),
            DatePart::Day | DatePart::DayOfYear => None,
        }
    }

    fn leaf_truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        match leaf {
            Leaf::IsNull => Some(Ok(Truth::exact(self.nulls.clone(), self.nulls.complement()))),
            Leaf::Part(part, comparison, constant) => {
                let wanted: Vec<Range<usize>> = self
                    .values_of(*part)?
                    .into_iter()
                    .filter(|(_, value)| comparison.holds(value.cmp(constant)))
                    .map(|(position, _)| position..position + 1)
                    .collect();
                let rows = self.bitmaps.union(&wanted);
                Some(rows.map(|rows| Truth::exact_but(self.selection(rows), self.nulls.clone())))
            }
            Leaf::Compare(comparison, value) => Some(self.compare(*comparison, value)),
            Leaf::In(values) => Some(self.months_truth(|keys| {
                let is_touched = values.iter().any(|value| {
                    key_of(value).is_some_and(|(_, key)| keys.contains(&i128::from(key)))
                });
                if is_touched { InMonth::Some } else { InMonth::None }
            })),
            Leaf::Like(_) | Leaf::Between(..) => None,
        }
    }

    fn compare(&self, comparison: Comparison, value: &Value) -> Result<Truth, IndexError> {
        let Some((_, key)) = key_of(value) else { return Ok(Truth::unknown(self.rows)) };
        let key = i128::from(key);
        self.months_truth(|keys| {
            // Whether keys below, at and above the constant may be in the month.
            let (below, at, above) = (keys.start < key, keys.contains(&key), keys.end > key + 1);
            let (may_hold, may_fail) = match comparison {
                Comparison::Equal => (at, below || above),
                Comparison::NotEqual => (below || above, at),
                Comparison::Less => (below, at || above),
                Comparison::LessOrEqual => (below || at, above),
                Comparison::Greater => (above, below || at),
                Comparison::GreaterOrEqual => (at || above, below),
            };
            match (may_hold, may_fail) {
                (true, false) => InMonth::All,
                (true, true) => InMonth::Some,
                (false, _) => InMonth::None,
            }
        })
    }

    /// What is known of the rows when it is known of each month, by the month's keys.
    fn months_truth(&self, answer: impl Fn(Range<i128>) -> InMonth) -> Result<Truth, IndexError> {
        let mut sure = Vec::new();
        let mut open = Vec::new();
        for (position, month) in self.months.iter().enumerate() {
            match answer(month.keys(self.unit)) {
                InMonth::All => sure.push(position..position + 1),
                InMonth::Some => open.push(position..position + 1),
                InMonth::None => {}
            }
        }
        let sure = self.bitmaps.union(&sure)?;
        if open.is_empty() {
            return Ok(Truth::exact_but(self.selection(sure), self.nulls.clone()));
        }
        let fails = self.nulls.or(&self.selection(sure.clone())).complement();
        let holds = self.selection(sure | self.bitmaps.union(&open)?);
        Ok(Truth::bounds(holds, fails))
    }

    fn selection(&self, rows: RoaringBitmap) -> Selection {
        Selection::from_bitmap(self.rows, rows)
    }
}

/// How many rows of a month satisfy a condition.
enum InMonth {
    All,
    Some,
    None,
}

impl Reader for DatePartIndex {
    fn rows(&self) -> u32 {
        self.rows
    }

    fn nulls(&self) -> Selection {
        self.nulls.clone()
    }

    fn null_count(&self) -> u32 {
        Self::null_count(self)
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        match self.unit {
            Unit::Days => column_type == ColumnType::Date,
            Unit::Microseconds => column_type == ColumnType::Timestamp,
        }
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        self.leaf_truth(leaf)
    }

    fn memory_bytes(&self) -> usize {
        let nulls = self.nulls.bitmap().map_or(0, RoaringBitmap::serialized_size);
        self.months.len() * size_of::<Month>() + self.bitmaps.memory_bytes() + nulls
    }
}
