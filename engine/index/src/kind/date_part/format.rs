//! The layout of a date part section, little endian:
//!
//! ```text
//! magic    "DTP1"
//! rows     u32
//! form     u8                4 date, 5 timestamp
//! months   u32 count n, then i32 x n: year x 12 + month - 1, ascending
//! bitmaps  rows in each u32, places u32, area: n of months, 7 of days of the week from Sunday,
//!          of timestamps 24 of hours, and that of null
//! ```
//!
//! Every row is null or in one month, one day of the week and, of a timestamp, one hour.

use bytes::Bytes;

use super::month::{Month, Unit};
use crate::error::IndexError;
use crate::kind::bitmaps::{Bitmaps, BitmapsBuilder};
use crate::kind::cursor::Cursor;

const MAGIC: [u8; 4] = *b"DTP1";
const DATE: u8 = 4;
const TIMESTAMP: u8 = 5;

pub(super) const WEEKDAYS: usize = 7;

/// Hours that are told apart.
pub(super) const fn hours(unit: Unit) -> usize {
    match unit {
        Unit::Days => 0,
        Unit::Microseconds => 24,
    }
}

pub(super) struct Parts {
    pub(super) rows: u32,
    pub(super) unit: Unit,
    pub(super) months: Vec<Month>,
    pub(super) bitmaps: Bitmaps,
}

pub(super) fn write(rows: u32, unit: Unit, months: &[Month], bitmaps: &BitmapsBuilder) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&rows.to_le_bytes());
    bytes.push(match unit {
        Unit::Days => DATE,
        Unit::Microseconds => TIMESTAMP,
    });
    // A few thousand at most.
    let count = u32::try_from(months.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&count.to_le_bytes());
    months.iter().for_each(|month| bytes.extend_from_slice(&month.0.to_le_bytes()));
    bitmaps.write(&mut bytes);
    bytes
}

pub(super) fn read(section: &Bytes) -> Result<Parts, IndexError> {
    let mut cursor = Cursor::new(section);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let unit = match cursor.u8()? {
        DATE => Unit::Days,
        TIMESTAMP => Unit::Microseconds,
        _ => return Err(IndexError::damaged("its values are of an unknown type")),
    };
    let count = cursor.u32()? as usize;
    let months: Vec<Month> =
        cursor.u32s(count)?.into_iter().map(|month| Month(month.cast_signed())).collect();
    // Within what a month of a date can be, so that the calendar's arithmetic holds.
    let is_possible = |month: &Month| month.year().abs() < 10_000_000;
    if !months.is_sorted_by(|left, right| left < right) || !months.iter().all(is_possible) {
        return Err(IndexError::damaged("its months are not sorted"));
    }
    let bitmaps = Bitmaps::read(rows, count + WEEKDAYS + hours(unit) + 1, cursor, section)?;
    let parts = Parts { rows, unit, months, bitmaps };
    if parts.add_up() { Ok(parts) } else { Err(IndexError::damaged("its counts do not add up")) }
}

impl Parts {
    fn add_up(&self) -> bool {
        let months = self.months.len();
        let weekdays = months + WEEKDAYS;
        let hours = weekdays + hours(self.unit);
        let count =
            |from: usize, to: usize| self.bitmaps.rows_of(std::slice::from_ref(&(from..to)));
        let present = count(0, months);
        present + count(hours, hours + 1) == u64::from(self.rows)
            && present == count(months, weekdays)
            && (hours == weekdays || present == count(weekdays, hours))
    }
}
