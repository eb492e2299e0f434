//! Round dates as keys: where thousands of years, years, quarters, months, their halves, days
//! and hours begin.
//!
//! As everywhere, timestamps are local and without a zone. Never overflows: what is no key is
//! left out.

use martlet_core::CivilDate;

/// What the keys of dates count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    Days,
    Microseconds,
}

/// Months from one round date to the next, by fineness, as far as they are whole.
const MONTH_STRIDES: [i64; 8] = [1_200_000, 12_000, 1_200, 120, 60, 12, 3, 1];

const HALF_MONTHS: u8 = 8;
const DAYS: u8 = 9;

/// The day with which the second half of a month begins.
const SECOND_HALF: i64 = 16;

const HOURS_PER_DAY: i128 = 24;

/// More dates of one fineness are never looked at within a bin.
const DATES_MAX: i64 = 20_000;

impl Calendar {
    /// Single years.
    pub(super) const SPREAD: u8 = 5;
    pub(super) const QUARTERS: u8 = 6;
    /// The last fineness that is of whole months.
    pub(super) const MONTHS: u8 = 7;
    pub(super) const FINEST: u8 = 10;

    pub(super) fn keys(self, fineness: u8, from: i64, to: i64) -> Vec<i64> {
        let unit = self.per_day();
        let (first, last) = (from.div_euclid(unit), to.div_euclid(unit));
        let keys: Vec<i128> = match fineness {
            ..HALF_MONTHS => {
                let stride = MONTH_STRIDES[usize::from(fineness)];
                self.first_days(stride, first, last, &[1])
            }
            HALF_MONTHS => self.first_days(1, first, last, &[1, SECOND_HALF]),
            DAYS => self.parts_of_days(1, first, last),
            _ => self.parts_of_days(HOURS_PER_DAY, first, last),
        };
        let keys = keys.into_iter().filter_map(|key| i64::try_from(key).ok());
        keys.filter(|key| from < *key && *key <= to).collect()
    }

    const fn per_day(self) -> i64 {
        match self {
            Self::Days => 1,
            Self::Microseconds => 86_400_000_000,
        }
    }

    /// These days of every so many months, from that of the first day to behind that of the last.
    fn first_days(self, stride: i64, first: i64, last: i64, of_month: &[i64]) -> Vec<i128> {
        let stride_of = |day| {
            let date = CivilDate::of_days(day);
            (date.year * 12 + date.month - 1).div_euclid(stride)
        };
        let strides = stride_of(first)..=stride_of(last);
        if strides.end() - strides.start() > DATES_MAX {
            return Vec::new();
        }
        let days = |stride_number: i64| {
            let months = stride_number * stride;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            let key = move |day: &i64| {
                i128::from(CivilDate { year, month, day: *day }.days()) * i128::from(self.per_day())
            };
            of_month.iter().map(key)
        };
        strides.flat_map(days).collect()
    }

    /// Where so many parts of each day begin, from the first day to the end of the last.
    fn parts_of_days(self, parts: i128, first: i64, last: i64) -> Vec<i128> {
        let unit = i128::from(self.per_day());
        if last - first > DATES_MAX || unit % parts != 0 {
            return Vec::new();
        }
        let parts_before = |day: i64| i128::from(day) * parts;
        (parts_before(first)..parts_before(last + 1)).map(|part| part * (unit / parts)).collect()
    }
}
