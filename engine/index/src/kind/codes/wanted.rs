//! The codes that satisfy a condition, as a walk over packed codes asks for them.

use std::ops::Range;

use crate::filter::packed::BlockAnswer;

/// Ascending, disjoint ranges of codes.
#[derive(Debug, Clone)]
pub(crate) struct WantedCodes {
    ranges: Vec<Range<usize>>,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// The usual case is worth a comparison instead of a look-up.
    One { start: u32, length: u32 },
    /// Whether each code up to the last wanted one is wanted.
    Listed(Vec<bool>),
}

impl WantedCodes {
    /// The codes of these ranges, which are ascending and disjoint, of a column of so many
    /// values and null.
    pub(crate) fn new(ranges: Vec<Range<usize>>) -> Self {
        let test = match ranges.as_slice() {
            // A segment has at most 2^20 rows, and so many values.
            [one] => Test::One { start: one.start as u32, length: one.len() as u32 },
            _ => {
                let mut is_wanted = vec![false; ranges.last().map_or(0, |range| range.end)];
                ranges.iter().for_each(|range| is_wanted[range.clone()].fill(true));
                Test::Listed(is_wanted)
            }
        };
        Self { ranges, test }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn contains(&self, code: u32) -> bool {
        match &self.test {
            Test::One { start, length } => code.wrapping_sub(*start) < *length,
            Test::Listed(is_wanted) => is_wanted.get(code as usize).is_some_and(|wanted| *wanted),
        }
    }

    /// The one range, as its first code and length, where there is but one.
    pub(super) const fn one(&self) -> Option<(u32, u32)> {
        match self.test {
            Test::One { start, length } => Some((start, length)),
            Test::Listed(_) => None,
        }
    }

    /// What is known of codes between these two, both included.
    pub(super) fn of_bounds(&self, lowest: usize, highest: usize) -> BlockAnswer {
        let next = self.ranges.partition_point(|range| range.end <= lowest);
        match self.ranges.get(next) {
            Some(range) if range.start <= lowest && highest < range.end => BlockAnswer::All,
            Some(range) if range.start <= highest => BlockAnswer::Some,
            _ => BlockAnswer::None,
        }
    }
}
