//! The algebra of predicates: leaves are answered by whoever asks, AND, OR and NOT here.
//!
//! A leaf arrives checked: its column exists, its constants fit the column's type and are as
//! the indexes hold them. A leaf that cannot be checked is unknown, never an error.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use martlet_core::{
    ColumnName, ColumnType, Comparison, DatePart, LikePattern, Predicate, TableSchema, Truth, Value,
};

use crate::kind::codes::runs;
use crate::kind::dictionary::Dictionary;
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

    fn holds_at(&self, dictionary: &Dictionary, position: usize) -> bool {
        self.comparison.holds(dictionary.compare(position, &self.value))
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

/// Of the parts of an AND those that are both ends of one column's range, brought together, and
/// the others: one walk over a column's values instead of two.
pub(crate) fn ranges<'a>(
    parts: &[&'a Predicate],
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
    let others = parts.iter().zip(is_taken).filter(|(_, taken)| !taken).map(|(part, _)| *part);
    (ranges, others.collect())
}

fn end_of_range(part: &Predicate, schema: &TableSchema) -> Option<(usize, End)> {
    if !matches!(part, Predicate::Compare { .. }) {
        return None;
    }
    match checked_leaf(part, schema)? {
        (column, Leaf::Compare(comparison, value)) => Some((column, End { comparison, value })),
        _ => None,
    }
}

/// The values between the first and the last of the dictionary: of a long list the segments of a
/// sorted table have few.
fn within<'a>(
    values: &'a BTreeSet<Value>,
    dictionary: &Dictionary,
) -> impl Iterator<Item = &'a Value> {
    let ends = dictionary.value(0).zip(dictionary.value(dictionary.len().saturating_sub(1)));
    ends.into_iter().flat_map(|(first, last)| values.range(first..=last))
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
    pub(crate) fn matching(&self, dictionary: &Dictionary) -> Vec<Range<usize>> {
        let end = dictionary.len();
        let ranges = match self {
            Self::IsNull => Vec::new(),
            Self::In(values) => within(values, dictionary)
                .filter_map(|value| dictionary.position(value).ok())
                .map(|position| position..position + 1)
                .collect(),
            Self::Like(pattern) => {
                let matcher = pattern.matcher();
                // That a text is one was proven when the dictionary was opened.
                let texts = (0..end).map(|at| dictionary.text_bytes(at));
                runs(positions_where(texts, |text| matcher.matches(text)))
            }
            Self::Part(..) => {
                runs(positions_where(dictionary.iter(), |value| self.holds_for(value)))
            }
            Self::Between(low, high) => {
                let from = dictionary.partition_point(|at| !low.holds_at(dictionary, at));
                let to = dictionary.partition_point(|at| high.holds_at(dictionary, at));
                std::iter::once(from..to.max(from)).collect()
            }
            Self::Compare(comparison, value) => {
                let (from, to) = match dictionary.position(value) {
                    Ok(position) => (position, position + 1),
                    Err(place) => (place, place),
                };
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
}

fn positions_where<T>(
    values: impl Iterator<Item = T>,
    holds: impl Fn(&T) -> bool,
) -> impl Iterator<Item = usize> {
    values.enumerate().filter(move |(_, value)| holds(value)).map(|(position, _)| position)
}
