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
    /// From a lower end up to an upper one.
    Between(End, End),
}

/// One end of a range: the comparison that a value within satisfies, and with what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) comparison: Comparison,
    pub(crate) value: Value,
}

impl End {
    const fn is_lower(&self) -> bool {
        matches!(self.comparison, Comparison::Greater | Comparison::GreaterOrEqual)
    }

    const fn is_upper(&self) -> bool {
        matches!(self.comparison, Comparison::Less | Comparison::LessOrEqual)
    }

    /// The end as a condition of its own.
    pub(crate) fn leaf(&self) -> Leaf<'static> {
        Leaf::Compare(self.comparison, self.value.clone())
    }

    fn holds_for(&self, value: &Value) -> bool {
        self.comparison.holds(value.cmp(&self.value))
    }
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
            let (ranges, parts) = match side {
                Side::Holds => ranges(parts, schema),
                Side::Fails => (Vec::new(), parts.iter().collect()),
            };
            let mut of_ranges = ranges.into_iter();
            let mut of_parts = parts.into_iter();
            loop {
                let part = if let Some((column, range)) = of_ranges.next() {
                    let truth = leaf_truth(column, &range);
                    Candidates { exact: truth.exact || truth.holds.is_none(), rows: truth.holds }
                } else if let Some(part) = of_parts.next() {
                    rows_where(part, side, schema, rows, leaf_truth)
                } else {
                    break;
                };
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

/// Of the parts of an AND those that are both ends of one column's range, brought together, and
/// the others: one walk over a column's values instead of two.
fn ranges<'a>(
    parts: &'a [Predicate],
    schema: &TableSchema,
) -> (Vec<(usize, Leaf<'static>)>, Vec<&'a Predicate>) {
    let ends: Vec<Option<(usize, End)>> =
        parts.iter().map(|part| end_of_range(part, schema)).collect();
    let mut is_taken = vec![false; parts.len()];
    let mut ranges = Vec::new();
    for (at, lower) in ends.iter().enumerate() {
        let Some((column, lower)) = lower.as_ref().filter(|(_, end)| end.is_lower()) else {
            continue;
        };
        let other = ends.iter().enumerate().find_map(|(other, end)| {
            let (of, end) = end.as_ref()?;
            (of == column && end.is_upper() && !is_taken[other]).then_some((other, end))
        });
        if let Some((other, upper)) = other {
            (is_taken[at], is_taken[other]) = (true, true);
            ranges.push((*column, Leaf::Between(lower.clone(), upper.clone())));
        }
    }
    let others = parts.iter().zip(is_taken).filter(|(_, taken)| !taken).map(|(part, _)| part);
    (ranges, others.collect())
}

fn end_of_range(part: &Predicate, schema: &TableSchema) -> Option<(usize, End)> {
    match checked_leaf(part, schema)? {
        (column, Leaf::Compare(comparison, value)) => Some((column, End { comparison, value })),
        _ => None,
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
        Leaf::Between(low, high) => low.value.fits(column_type) && high.value.fits(column_type),
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
            Self::Between(low, high) => low.holds_for(value) && high.holds_for(value),
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
            Self::Between(low, high) => {
                let from = dictionary.partition_point(|entry| !low.holds_for(entry));
                let to = dictionary.partition_point(|entry| high.holds_for(entry));
                std::iter::once(from..to.max(from)).collect()
            }
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
