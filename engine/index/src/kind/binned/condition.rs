//! Conditions over bins: which of them a condition takes whole, in part, or not at all.
//!
//! A bin is known by its lowest and highest key; between them everything is possible. Never
//! looks at a row.

use std::ops::{Range, RangeInclusive};

use martlet_core::{CivilDate, Comparison, DatePart, Value};

use super::Bins;
use super::reader::BinnedIndex;
use crate::kind::vector::VectorForm;
use crate::logic::Leaf;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

impl BinnedIndex {
    /// The bins that a condition takes; `None` for one that keys cannot tell.
    pub(crate) fn bins(&self, leaf: &Leaf<'_>) -> Option<Bins> {
        let wanted = Wanted::of(leaf, self.form())?;
        let mut bins = Bins::default();
        if matches!(wanted, Wanted::Null) {
            push(&mut bins.sure, 0);
            return Some(bins);
        }
        for ((lowest, highest), code) in self.bounds().zip(1..) {
            match wanted.among(lowest, highest, self.form()) {
                Among { may_hold: true, may_fail: false } => push(&mut bins.sure, code),
                Among { may_hold: true, may_fail: true } => push(&mut bins.open, code),
                Among { may_hold: false, .. } => {}
            }
        }
        Some(bins)
    }
}

fn push(ranges: &mut Vec<Range<u32>>, code: u32) {
    match ranges.last_mut() {
        Some(last) if last.end == code => last.end += 1,
        _ => ranges.push(code..code + 1),
    }
}

/// What a condition asks of keys.
enum Wanted {
    /// That there is none.
    Null,
    /// That it is in the range.
    Within(Range<i128>),
    /// That it is outside the range.
    Outside(Range<i128>),
    /// That it is one of these, which ascend.
    OneOf(Vec<i64>),
    /// That a part of the date compares so with a number.
    Part(DatePart, Comparison, i64),
}

/// What is possible between two keys.
#[derive(Debug, Clone, Copy)]
struct Among {
    may_hold: bool,
    may_fail: bool,
}

impl Among {
    const fn negated(self) -> Self {
        Self { may_hold: self.may_fail, may_fail: self.may_hold }
    }
}

impl Wanted {
    fn of(leaf: &Leaf<'_>, form: &VectorForm) -> Option<Self> {
        Some(match leaf {
            Leaf::IsNull => Self::Null,
            Leaf::Compare(Comparison::NotEqual, constant) => {
                Self::Outside(form.keys_that(Comparison::Equal, constant)?)
            }
            Leaf::Compare(comparison, constant) => {
                Self::Within(form.keys_that(*comparison, constant)?)
            }
            Leaf::Between(low, high) => {
                let low = form.keys_that(low.comparison, &low.value)?;
                let high = form.keys_that(high.comparison, &high.value)?;
                Self::Within(low.start.max(high.start)..low.end.min(high.end))
            }
            Leaf::In(values) => {
                let mut keys: Vec<i64> =
                    values.iter().filter_map(|value| form.key_of(value)).collect();
                keys.sort_unstable();
                Self::OneOf(keys)
            }
            Leaf::Part(part, comparison, constant) => match form {
                VectorForm::Date | VectorForm::Timestamp => {
                    Self::Part(*part, *comparison, *constant)
                }
                _ => return None,
            },
            Leaf::Like(_) => return None,
        })
    }

    /// What is possible for keys from the one to the other, both of which occur.
    fn among(&self, lowest: i64, highest: i64, form: &VectorForm) -> Among {
        match self {
            Self::Null => Among { may_hold: false, may_fail: true },
            Self::Within(keys) => within(keys, lowest, highest),
            Self::Outside(keys) => within(keys, lowest, highest).negated(),
            Self::OneOf(keys) => {
                let from = keys.partition_point(|key| *key < lowest);
                let to = keys.partition_point(|key| *key <= highest);
                Among { may_hold: from < to, may_fail: from == to || lowest < highest }
            }
            Self::Part(part, comparison, constant) => {
                let values = values_of(*part, &form.value_of(lowest), &form.value_of(highest));
                compared(*comparison, *constant, &values)
            }
        }
    }
}

fn within(keys: &Range<i128>, lowest: i64, highest: i64) -> Among {
    let (lowest, highest) = (i128::from(lowest), i128::from(highest));
    Among {
        may_hold: keys.start <= highest && lowest < keys.end && keys.start < keys.end,
        may_fail: lowest < keys.start || keys.end <= highest,
    }
}

/// What is possible for any of these numbers against a constant.
fn compared(comparison: Comparison, constant: i64, values: &RangeInclusive<i64>) -> Among {
    let holds = |value: &i64| comparison.holds(value.cmp(&constant));
    match comparison {
        Comparison::Equal => Among {
            may_hold: values.contains(&constant),
            may_fail: *values.start() != constant || *values.end() != constant,
        },
        Comparison::NotEqual => compared(Comparison::Equal, constant, values).negated(),
        // What holds for one of two numbers and fails for the other changes once in between.
        Comparison::Less
        | Comparison::LessOrEqual
        | Comparison::Greater
        | Comparison::GreaterOrEqual => Among {
            may_hold: holds(values.start()) || holds(values.end()),
            may_fail: !holds(values.start()) || !holds(values.end()),
        },
    }
}

/// The numbers that a part can be of dates from the one to the other: those between, where the
/// part does not begin anew in between, else all there are.
fn values_of(part: DatePart, lowest: &Value, highest: &Value) -> RangeInclusive<i64> {
    let (of_lowest, of_highest) = (part.of(lowest), part.of(highest));
    let turns = |value: &Value| day_of(value).map(|day| turn_of(part, day));
    match (of_lowest, of_highest) {
        (Some(first), Some(last)) if turns(lowest) == turns(highest) => first..=last,
        _ => match part {
            DatePart::Year => i64::MIN..=i64::MAX,
            DatePart::Quarter => 1..=4,
            DatePart::Month => 1..=12,
            DatePart::Day => 1..=31,
            DatePart::DayOfWeek => 0..=6,
            DatePart::DayOfYear => 1..=366,
            DatePart::Hour => 0..=23,
        },
    }
}

fn day_of(value: &Value) -> Option<i64> {
    match value {
        Value::Date(days) => Some(i64::from(*days)),
        Value::Timestamp(micros) => Some(micros.div_euclid(MICROSECONDS_PER_DAY)),
        _ => None,
    }
}

/// How often a part has begun anew up to a day: while this stays the same, the part only rises.
const fn turn_of(part: DatePart, day: i64) -> i64 {
    let date = CivilDate::of_days(day);
    match part {
        DatePart::Year => 0,
        DatePart::Quarter | DatePart::Month | DatePart::DayOfYear => date.year,
        DatePart::Day => date.year * 12 + date.month,
        // 1970-01-01 was a Thursday, and weeks begin on Sundays.
        DatePart::DayOfWeek => (day + 4).div_euclid(7),
        DatePart::Hour => day,
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
