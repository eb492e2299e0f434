//! Leaves out the groups of a segment that cannot be among the best, before their values are
//! looked up: by their codes and totals alone.
//!
//! Never leaves out a group that another segment may have too, or whose total is not known
//! exactly as it will be sorted.

use datafusion::arrow::datatypes::DataType;
use martlet_core::Value;
use martlet_index::grouping::{Grouped, Rank, SharedCodes, Totals};
use martlet_index::key_of_value;

use super::super::best_groups::{BestOfPartition, Leading, SharedKey};
use super::super::spec::{Function, Part, Spec};
use super::{Opened, OpenedMeasure};

impl Opened {
    /// Leaves out what cannot be among the best groups.
    pub(super) fn retain_best(
        &self,
        spec: &Spec,
        best: &mut BestOfPartition,
        grouped: &mut Grouped,
    ) {
        let shared = best.take_shared();
        let keys: Vec<ApartKey<'_>> =
            shared.iter().filter_map(|key| self.apart_key(key, grouped)).collect();
        if keys.is_empty() {
            return;
        }
        let totals = SegmentTotals::of(spec, grouped, &self.measures);
        let leading = best.leading().clone();
        let mut kept: Vec<(u32, Option<Rank>)> = Vec::new();
        // A segment has fewer groups than rows, which are numbered in 32 bits.
        for at in 0..grouped.len() {
            let is_complete = keys.iter().any(|key| key.is_apart(at));
            let total = if is_complete { totals.shown(&leading, at) } else { Shown::Unknown };
            let rank = match total {
                Shown::Unknown => None,
                Shown::Null => Some(best.rank(None)),
                Shown::Number(number) => Some(best.rank(Some(number))),
            };
            if rank.is_none_or(|rank| best.offer(rank)) {
                kept.push((at as u32, rank));
            }
        }
        let bound = best.bound();
        let can_be_best =
            |(_, rank): &&(u32, Option<Rank>)| rank.is_none_or(|rank| Some(rank) >= bound);
        let positions: Vec<u32> = kept.iter().filter(can_be_best).map(|(at, _)| *at).collect();
        grouped.retain(&positions);
    }

    /// `None` where the segment is not grouped by the key's codes.
    fn apart_key<'a>(&self, key: &'a SharedKey, grouped: &'a Grouped) -> Option<ApartKey<'a>> {
        let opened = self.keys.get(key.slot).filter(|opened| opened.groups.is_none())?;
        Some(ApartKey {
            codes: grouped.keys.get(key.slot)?,
            null: opened.index.as_codes()?.null_code(),
            shared: key.overlap.get(key.segment)?,
        })
    }
}

/// A key of the segment's groups, and which of its values other segments may have.
struct ApartKey<'a> {
    codes: &'a [u32],
    null: u32,
    shared: &'a SharedCodes,
}

impl ApartKey<'_> {
    /// Whether no other segment has a group of that value. Null may be anywhere.
    fn is_apart(&self, group: usize) -> bool {
        let code = self.codes[group];
        code < self.null && !self.shared.contains(code)
    }
}

/// A total as it will be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Only the operators above can tell.
    Unknown,
    Null,
    /// In the order of the totals; the same number is the same total.
    Number(i128),
}

/// The totals of one segment's groups.
struct SegmentTotals<'a> {
    counts: &'a [u64],
    /// For each measure; without a column it counts rows.
    measures: Vec<(Option<&'a Totals>, &'a OpenedMeasure)>,
    spec: &'a Spec,
}

/// What the parts of a function come to in a group.
#[derive(Default)]
struct Added {
    present: u64,
    sum: i128,
    float_sum: f64,
}

impl<'a> SegmentTotals<'a> {
    fn of(spec: &'a Spec, grouped: &'a Grouped, opened: &'a [OpenedMeasure]) -> Self {
        let mut totalled = grouped.totals.iter();
        let measures = spec.measures.iter().zip(opened).map(|(measure, opened)| {
            let totals = if measure.column.is_some() { totalled.next() } else { None };
            (totals, opened)
        });
        Self { counts: &grouped.counts, measures: measures.collect(), spec }
    }

    fn shown(&self, leading: &Leading, group: usize) -> Shown {
        match &leading.function {
            Function::CountRows => Shown::Number(self.counts[group].into()),
            Function::Count(parts) => self
                .added(parts, group)
                .map_or(Shown::Unknown, |added| Shown::Number(added.present.into())),
            Function::Sum(parts) => self.some(parts, group, |added| sum(&added, &leading.shown)),
            Function::Average(parts) => {
                self.some(parts, group, |added| self.average(parts, &added, &leading.shown))
            }
            Function::Lowest(measure) => {
                self.extreme(*measure, group, |totals| totals.lowest.get(group))
            }
            Function::Highest(measure) => {
                self.extreme(*measure, group, |totals| totals.highest.get(group))
            }
            Function::CountDistinct(_) | Function::AtRank(..) => Shown::Unknown,
        }
    }

    /// Null where no row holds a value.
    fn some(&self, parts: &[Part], group: usize, number: impl Fn(Added) -> Option<i128>) -> Shown {
        match self.added(parts, group) {
            None => Shown::Unknown,
            Some(added) if added.present == 0 => Shown::Null,
            Some(added) => number(added).map_or(Shown::Unknown, Shown::Number),
        }
    }

    /// What the parts come to; `None` if a number became too large.
    fn added(&self, parts: &[Part], group: usize) -> Option<Added> {
        let mut added = Added::default();
        for part in parts {
            let (totals, _) = self.measures.get(part.measure)?;
            let (present, sum, float_sum) = match totals {
                None => (self.counts[group], self.counts[group].into(), 0.0),
                Some(totals) => (
                    totals.present[group],
                    totals.sums.get(group).copied().unwrap_or(0),
                    totals.float_sums.get(group).copied().unwrap_or(0.0),
                ),
            };
            added.present += present;
            added.sum = added.sum.checked_add(part.times.checked_mul(sum)?)?;
            added.float_sum += part.times as f64 * float_sum;
        }
        Some(added)
    }

    fn average(&self, parts: &[Part], added: &Added, shown: &DataType) -> Option<i128> {
        match shown {
            DataType::Float64 => float((added.float_sum + added.sum as f64) / added.present as f64),
            DataType::Decimal128(_, to) => {
                let column = |part: &Part| self.spec.measures.get(part.measure)?.column;
                let (_, column_type) = parts.iter().find_map(column)?;
                let DataType::Decimal128(_, from) = column_type.arrow() else { return None };
                let power = 10_i128.checked_pow(u32::try_from(to.checked_sub(from)?).ok()?)?;
                Some(added.sum.checked_mul(power)? / i128::from(added.present))
            }
            _ => None,
        }
    }

    fn extreme(
        &self,
        measure: usize,
        group: usize,
        key: impl Fn(&'a Totals) -> Option<&'a i64>,
    ) -> Shown {
        let Some((Some(totals), opened)) = self.measures.get(measure) else {
            return Shown::Unknown;
        };
        if totals.present[group] == 0 {
            return Shown::Null;
        }
        let value = key(totals).and_then(|key| opened.value(*key, &self.spec.measures[measure]));
        let number = value.and_then(|value| match value {
            Value::Float(value) => float(value),
            value => key_of_value(&value).map(i128::from),
        });
        number.map_or(Shown::Unknown, Shown::Number)
    }
}

/// The number of a sum as it is shown: one of 64 bits wraps around.
fn sum(added: &Added, shown: &DataType) -> Option<i128> {
    match shown {
        DataType::Int64 => Some((added.sum as i64).into()),
        DataType::Decimal128(..) => Some(added.sum),
        DataType::Float64 => float(added.float_sum + added.sum as f64),
        _ => None,
    }
}

/// A float's place among floats. What is not finite does not compare as it is added up.
fn float(value: f64) -> Option<i128> {
    let key = value.is_finite().then(|| key_of_value(&Value::Float(value)))?;
    key.map(i128::from)
}

#[cfg(test)]
#[path = "best_tests.rs"]
mod tests;
