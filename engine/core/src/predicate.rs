//! The small filter language that indexes, policies and the scan all understand.
//!
//! Every predicate here is *leak-proof*: evaluating it on any row can neither fail nor have an
//! effect, so it may run below the guard. Truth is SQL's, with three values; a row is kept
//! only where the predicate is true.

use std::collections::BTreeSet;

use crate::date_part::DatePart;
use crate::ids::ColumnName;
use crate::like::LikePattern;
use crate::value::Value;

/// How a column compares with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether `value <comparison> constant` holds, given how the two are ordered.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The comparison with its sides exchanged: `5 < x` is `x > 5`.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A condition on the columns of one table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// True or false for every row.
    Constant(bool),
    /// A column against a constant; unknown where the column is null.
    Compare {
        /// The column.
        column: ColumnName,
        /// The comparison.
        comparison: Comparison,
        /// The constant.
        value: Value,
    },
    /// A column is one of the values; unknown where it is null. An empty set is false.
    In {
        /// The column.
        column: ColumnName,
        /// The values, sorted and distinct.
        values: BTreeSet<Value>,
    },
    /// A column is null: never unknown.
    IsNull {
        /// The column.
        column: ColumnName,
    },
    /// A text column matches a pattern; unknown where it is null.
    Like {
        /// The column.
        column: ColumnName,
        /// The pattern.
        pattern: LikePattern,
    },
    /// A part of a date or timestamp column against a constant; unknown where it is null.
    Part {
        /// The column.
        column: ColumnName,
        /// The part.
        part: DatePart,
        /// The comparison.
        comparison: Comparison,
        /// The constant.
        value: i64,
    },
    /// All of them hold. Empty: true.
    And(Vec<Self>),
    /// At least one holds. Empty: false.
    Or(Vec<Self>),
    /// The opposite; unknown stays unknown.
    Not(Box<Self>),
}

impl Predicate {
    /// The columns that the predicate reads.
    #[must_use]
    pub fn columns(&self) -> BTreeSet<ColumnName> {
        let mut columns = BTreeSet::new();
        self.collect_columns(&mut columns);
        columns
    }

    fn collect_columns(&self, into: &mut BTreeSet<ColumnName>) {
        match self {
            Self::Constant(_) => {}
            Self::Compare { column, .. }
            | Self::In { column, .. }
            | Self::IsNull { column }
            | Self::Like { column, .. }
            | Self::Part { column, .. } => {
                into.insert(column.clone());
            }
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_columns(into));
            }
            Self::Not(part) => part.collect_columns(into),
        }
    }

    /// The conditions that all have to hold for the predicate to hold; itself, if it is no AND.
    #[must_use]
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// The parts of an AND, with comparisons of one column together: both ends of a range are
    /// answered in one walk.
    #[must_use]
    pub fn conjuncts_by_column(&self) -> Vec<Vec<&Self>> {
        let mut parts: Vec<(Option<&ColumnName>, Vec<&Self>)> = Vec::new();
        for part in self.conjuncts() {
            let compared = match part {
                Self::Compare { column, .. } => Some(column),
                _ => None,
            };
            let same = |(column, _): &&mut (Option<&ColumnName>, Vec<&Self>)| *column == compared;
            match parts.iter_mut().find(same).filter(|_| compared.is_some()) {
                Some((_, known)) => known.push(part),
                None => parts.push((compared, vec![part])),
            }
        }
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// `self AND other`, flat and without constants that say nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(true), kept) | (kept, Self::Constant(true)) => kept,
            (Self::Constant(false), _) | (_, Self::Constant(false)) => Self::Constant(false),
            (Self::And(mut parts), Self::And(more)) => {
                parts.extend(more);
                Self::And(parts)
            }
            (Self::And(mut parts), part) | (part, Self::And(mut parts)) => {
                parts.push(part);
                Self::And(parts)
            }
            (left, right) => Self::And(vec![left, right]),
        }
    }
}

#[cfg(test)]
#[path = "predicate_tests.rs"]
mod tests;
