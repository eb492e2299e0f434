//! Ranges: of a column's values, and of the days on which a rule counts.

use std::fmt;

use martlet_core::{BatchDate, ColumnName, Comparison, Predicate, Value};

/// Values of a column from the first to the last; a bound that is absent bounds nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) column: ColumnName,
    pub(crate) at_least: Option<Value>,
    pub(crate) below: Option<Value>,
}

impl Range {
    /// True exactly where the column's value is in the range.
    pub(crate) fn predicate(self) -> Predicate {
        let Self { column, at_least, below } = self;
        let compared = |comparison, value: Option<Value>| {
            Some(Predicate::Compare { column: column.clone(), comparison, value: value? })
        };
        let low = compared(Comparison::GreaterOrEqual, at_least);
        let high = compared(Comparison::Less, below);
        match (low, high) {
            (Some(low), Some(high)) => Predicate::And(vec![low, high]),
            (Some(bound), None) | (None, Some(bound)) => bound,
            // The check refuses such a rule; were it there, it would say nothing of any row.
            (None, None) => Predicate::Constant(false),
        }
    }
}

/// The days on which a rule counts: from the first to the last, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effective {
    /// The first day; without it the rule has always counted.
    pub from: Option<BatchDate>,
    /// The last day; without it the rule counts until it is removed.
    pub until: Option<BatchDate>,
}

impl Effective {
    /// Whether it counts on that day.
    #[must_use]
    pub fn includes(&self, day: BatchDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// `, from 2026-01-01, until 2026-12-31`; nothing where there is no bound.
impl fmt::Display for Effective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.from.iter().try_for_each(|day| write!(formatter, ", from {day}"))?;
        self.until.iter().try_for_each(|day| write!(formatter, ", until {day}"))
    }
}
