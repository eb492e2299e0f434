//! Dates per row to bitmaps of months, days of the week and hours.

use std::collections::BTreeMap;

use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::format::{self, WEEKDAYS, hours};
use super::month::{Month, Unit};
use crate::kind::bitmaps::BitmapsBuilder;
use crate::values::{ColumnKeys, Keys};

/// A column of more months than these is not built: its dates are not those of a business.
const MONTHS_MAX: usize = 4_096;

const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;

/// The section of a column; `None` if it is not of dates or timestamps, or of too many months.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    let unit = match column_type {
        ColumnType::Date => Unit::Days,
        ColumnType::Timestamp => Unit::Microseconds,
        _ => return None,
    };
    let Keys::Narrow { keys, .. } = &column.keys else { return None };
    let rows = u32::try_from(keys.len()).ok()?;
    let mut months = Months::default();
    let mut weekdays = vec![Vec::new(); WEEKDAYS];
    let mut of_day = vec![Vec::new(); hours(unit)];
    let mut nulls = RoaringBitmap::new();
    for (row, key) in (0..rows).zip(keys) {
        if column.is_null(row as usize) {
            nulls.insert(row);
            continue;
        }
        let day = key.div_euclid(unit.per_day());
        months.push(day, row);
        // 1970-01-01 was a Thursday; a remainder is a position.
        weekdays[(day + 4).rem_euclid(7) as usize].push(row);
        if unit == Unit::Microseconds {
            of_day[(key.rem_euclid(unit.per_day()) / MICROSECONDS_PER_HOUR) as usize].push(row);
        }
        if months.rows.len() > MONTHS_MAX {
            return None;
        }
    }
    let mut bitmaps = BitmapsBuilder::default();
    let in_order: Vec<Month> = months.positions.keys().copied().collect();
    months.positions.values().for_each(|position| bitmaps.push_rows(&months.rows[*position]));
    weekdays.iter().chain(&of_day).for_each(|rows| bitmaps.push_rows(rows));
    bitmaps.push(nulls);
    Some(format::write(rows, unit, &in_order, &bitmaps))
}

/// The rows of each month, in order of first sight.
#[derive(Default)]
struct Months {
    positions: BTreeMap<Month, usize>,
    rows: Vec<Vec<u32>>,
    /// The month found last, as days and position: rows that follow each other often share it.
    last: Option<(i64, i64, usize)>,
}

impl Months {
    fn push(&mut self, day: i64, row: u32) {
        let position = match self.last {
            Some((first, end, position)) if first <= day && day < end => position,
            _ => self.find(day),
        };
        self.rows[position].push(row);
    }

    fn find(&mut self, day: i64) -> usize {
        let month = Month::of_day(day);
        let position = *self.positions.entry(month).or_insert_with(|| {
            self.rows.push(Vec::new());
            self.rows.len() - 1
        });
        let days = month.keys(Unit::Days);
        // Days of a timestamp of 64 bits fit them.
        self.last = Some((days.start as i64, days.end as i64, position));
        position
    }
}
