//! The algebra of predicates: leaves are answered by whoever asks, AND, OR and NOT here.
//!
//! A leaf arrives checked: its column exists, its constants fit the column's type and are as
//! the indexes hold them. A leaf that cannot be checked is unknown, never an error.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use martlet_core::{
    ColumnName, ColumnType, Comparison, DatePart, LikePattern, Predicate, Selection, TableSchema,
    Truth, Value,
};

use crate::values::sql_value;

/// A condition on one column.
pub(crate) enum Leaf<'a> {
    Compare(Comparison, Value),
    In(Cow<'a, BTreeSet<Value>>),
    IsNull,
    Like(&'a LikePattern),
    Part(DatePart, Comparison, i64),
}

/// The truth of a predicate over `rows` rows, given the truth of its leaves by position of the
/// column in the schema.
pub(crate) fn truth_of(
    predicate: &Predicate,
    schema: &TableSchema,
    rows: u32,
    leaf_truth: &mut dyn FnMut(usize, &Leaf<'_>) -> Truth,
) -> Truth {
    match predicate {
        Predicate::Constant(value) => Truth::constant(rows, *value),
        Predicate::Not(part) => truth_of(part, schema, rows, leaf_truth).negated(),
        Predicate::And(parts) => {
            conjunction(rows, parts.iter().map(|part| truth_of(part, schema, rows, leaf_truth)))
        }
        Predicate::Or(parts) => conjunction(
            rows,
            parts.iter().map(|part| truth_of(part, schema, rows, leaf_truth).negated()),
        )
        .negated(),
        // Even of a null it is false that it is one of no values.
        Predicate::In { values, .. } if values.is_empty() => Truth::constant(rows, false),
        Predicate::Compare { .. }
        | Predicate::In { .. }
        | Predicate::IsNull { .. }
        | Predicate::Like { .. }
        | Predicate::Part { .. } => match checked_leaf(predicate, schema) {
            Some((position, leaf)) => leaf_truth(position, &leaf),
            None => Truth::unknown(rows),
        },
    }
}

/// The rows where a predicate holds, and whether that is exact: what [`truth_of`] says of one
/// side only, which costs half or less.
pub(crate) fn rows_where(
    predicate: &Predicate,
    side: Side,
    schema: &TableSchema,
    rows: u32,
    leaf_truth: &mut dyn FnMut(usize, &Leaf<'_>) -> Truth,
) -> Candidates {
    match (predicate, side) {
        (Predicate::Constant(value), _) => {
            let every = *value == (side == Side::Holds);
            let rows = if every { Selection::all(rows) } else { Selection::none(rows) };
            Candidates { rows, exact: true }
        }
        (Predicate::Not(part), _) => rows_where(part, side.other(), schema, rows, leaf_truth),
        (Predicate::And(parts), Side::Holds) | (Predicate::Or(parts), Side::Fails) => {
            let mut all = Candidates { rows: Selection::all(rows), exact: true };
            for part in parts {
                let part = rows_where(part, side, schema, rows, leaf_truth);
                all.rows = all.rows.and(&part.rows);
                all.exact &= part.exact;
                if all.rows.is_none() {
                    // However wide the bounds were: nothing is within them.
                    return Candidates { rows: all.rows, exact: true };
                }
            }
            all
        }
        (Predicate::Or(parts), Side::Holds) | (Predicate::And(parts), Side::Fails) => {
            let mut any = Candidates { rows: Selection::none(rows), exact: true };
            for part in parts {
                let part = rows_where(part, side, schema, rows, leaf_truth);
                any.rows = any.rows.or(&part.rows);
                any.exact &= part.exact;
            }
            any
        }
        _ => {
            let truth = truth_of(predicate, schema, rows, leaf_truth);
            let exact = truth.exact;
            let rows = match side {
                Side::Holds => truth.holds,
                Side::Fails => truth.fails().into_owned(),
            };
            Candidates { exact: exact || rows.is_none(), rows }
        }
    }
}

/// Rows that satisfy a condition: exactly those, or all that may.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The rows.
    pub rows: Selection,
    /// Whether every one of them satisfies the condition.
    pub exact: bool,
}

/// Which of the two sets of a truth is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Holds,
    Fails,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
        }
    }
}

/// AND over any number of parts. Exact parts may settle the whole although others are only
/// bounds: where nothing can hold, and whatever may fail fails for sure, nothing is open.
fn conjunction(rows: u32, parts: impl Iterator<Item = Truth>) -> Truth {
    let mut proven = Truth::constant(rows, true);
    let mut open: Option<Truth> = None;
    for part in parts {
        if part.exact {
            proven = proven.and(&part);
        } else {
            open = Some(open.map_or_else(|| part.clone(), |before| before.and(&part)));
        }
        if proven.fails().is_all() && rows > 0 {
            return proven;
        }
    }
    let Some(open) = open else { return proven };
    let mut whole = proven.and(&open);
    whole.exact = whole.holds.is_none() && open.fails().is_within(&proven.fails());
    whole
}

/// The leaf with the position of its column; `None` if the schema has no such column or a
/// constant is not of its type.
pub(crate) fn checked_leaf<'a>(
    predicate: &'a Predicate,
    schema: &TableSchema,
) -> Option<(usize, Leaf<'a>)> {
    let (column, leaf): (&ColumnName, Leaf<'a>) = match predicate {
        Predicate::Compare { column, comparison, value } => {
            (column, Leaf::Compare(*comparison, sql_value(value)))
        }
        Predicate::In { column, values } => (column, Leaf::In(sql_values(values))),
        Predicate::IsNull { column } => (column, Leaf::IsNull),
        Predicate::Like { column, pattern } => (column, Leaf::Like(pattern)),
        Predicate::Part { column, part, comparison, value } => {
            (column, Leaf::Part(*part, *comparison, *value))
        }
        _ => return None,
    };
    let position = schema.position(column.as_str())?;
    let column_type = schema.columns()[position].column_type;
    let fits = match &leaf {
        Leaf::Compare(_, value) => value.fits(column_type),
        Leaf::In(values) => values.iter().all(|value| value.fits(column_type)),
        Leaf::IsNull => true,
        Leaf::Like(_) => column_type == ColumnType::Text,
        Leaf::Part(..) => matches!(column_type, ColumnType::Date | ColumnType::Timestamp),
    };
    fits.then_some((position, leaf))
}

fn sql_values(values: &BTreeSet<Value>) -> Cow<'_, BTreeSet<Value>> {
    if values.iter().any(|value| matches!(value, Value::Float(_))) {
        Cow::Owned(values.iter().map(sql_value).collect())
    } else {
        Cow::Borrowed(values)
    }
}

impl Leaf<'_> {
    /// Whether the condition holds for a value of the column; false for a null test.
    pub(crate) fn holds_for(&self, value: &Value) -> bool {
        match self {
            Self::IsNull => false,
            Self::In(values) => values.contains(value),
            Self::Compare(comparison, constant) => comparison.holds(value.cmp(constant)),
            Self::Like(pattern) => match value {
                Value::Text(text) => pattern.matches(text),
                _ => false,
            },
            Self::Part(part, comparison, constant) => {
                part.of(value).is_some_and(|part| comparison.holds(part.cmp(constant)))
            }
        }
    }

    /// The positions in a sorted dictionary whose values satisfy the condition: ascending,
    /// disjoint ranges. None for a null test, which no value satisfies.
    pub(crate) fn matching(&self, dictionary: &[Value]) -> Vec<Range<usize>> {
        let end = dictionary.len();
        let ranges = match self {
            Self::IsNull => Vec::new(),
            Self::In(values) => values
                .iter()
                .filter_map(|value| dictionary.binary_search(value).ok())
                .map(|position| position..position + 1)
                .collect(),
            Self::Like(_) | Self::Part(..) => self.matching_one_by_one(dictionary),
            Self::Compare(comparison, value) => {
                let from = dictionary.partition_point(|entry| entry < value);
                let to = from + usize::from(dictionary.get(from) == Some(value));
                match comparison {
                    Comparison::Equal => std::iter::once(from..to).collect(),
                    Comparison::NotEqual => vec![0..from, to..end],
                    Comparison::Less => std::iter::once(0..from).collect(),
                    Comparison::LessOrEqual => std::iter::once(0..to).collect(),
                    Comparison::Greater => std::iter::once(to..end).collect(),
                    Comparison::GreaterOrEqual => std::iter::once(from..end).collect(),
                }
            }
        };
        ranges.into_iter().filter(|range| !range.is_empty()).collect()
    }

    /// Runs of values that satisfy the condition, found by asking each.
    fn matching_one_by_one(&self, dictionary: &[Value]) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (position, _) in
            dictionary.iter().enumerate().filter(|(_, value)| self.holds_for(value))
        {
            match runs.last_mut() {
                Some(run) if run.end == position => run.end += 1,
                _ => runs.push(position..position + 1),
            }
        }
        runs
    }
}
