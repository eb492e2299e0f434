//! What a plan may reckon with: how many rows a scan gives, and between which bounds.
//!
//! Made of zone maps alone, which describe every row of a table. So nothing of this may be told
//! where a grant hides a row or a value: [`scan_statistics`] asks the grant before anything else.
//! Every number is called an estimate, even where it is exact: plans are chosen by it, and no
//! answer is taken from it.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnName, ColumnType, Comparison, Predicate, TableSchema, Value};
use martlet_index::{Descriptor, ZoneMap};
use martlet_policy::Grant;

/// The part of rows that a condition keeps of which nothing is known.
const UNKNOWN_SHARE: f64 = 0.2;
/// The part of rows that one pattern keeps.
const PATTERN_SHARE: f64 = 0.05;
const MICROSECONDS_PER_DAY: i128 = 86_400_000_000;
/// Bytes of a text of which only the number is known.
const TEXT_BYTES: usize = 24;

/// One segment, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentFacts<'a> {
    /// Rows that are not deleted.
    pub(crate) live: u32,
    /// Its zone maps, if they are known.
    pub(crate) descriptor: Option<&'a Descriptor>,
}

/// A whole table's zone maps, brought together. Depends on no grant: make it once per table
/// version, and tell nothing of it but through [`scan_statistics`].
#[derive(Debug)]
pub(crate) struct TableSummary {
    rows: u64,
    /// `None` where the zone map of a segment is missing.
    columns: Vec<Option<ColumnSummary>>,
}

#[derive(Debug)]
struct ColumnSummary {
    nulls: u64,
    min: Option<Value>,
    max: Option<Value>,
    /// An estimate.
    distinct: u64,
}

impl TableSummary {
    pub(crate) fn of<'a>(
        table: &TableSchema,
        segments: impl Iterator<Item = SegmentFacts<'a>>,
    ) -> Self {
        let segments: Vec<SegmentFacts<'a>> = segments.collect();
        let rows = segments.iter().map(|segment| u64::from(segment.live)).sum();
        let column = |position| ColumnSummary::of(position, &segments);
        Self { rows, columns: (0..table.columns().len()).map(column).collect() }
    }

    fn column(&self, table: &TableSchema, name: &ColumnName) -> Option<&ColumnSummary> {
        self.columns.get(table.position(name.as_str())?)?.as_ref()
    }
}

impl ColumnSummary {
    fn of(position: usize, segments: &[SegmentFacts<'_>]) -> Option<Self> {
        let zones: Vec<&ZoneMap> = segments
            .iter()
            .map(|segment| segment.descriptor?.zone_map(position))
            .collect::<Option<_>>()?;
        let filled: Vec<&ZoneMap> =
            zones.iter().copied().filter(|zone| zone.values() > 0).collect();
        let is_bounded = filled.iter().all(|zone| zone.min.is_some() && zone.max.is_some());
        let min = filled.iter().filter_map(|zone| zone.min.as_ref()).min();
        let max = filled.iter().filter_map(|zone| zone.max.as_ref()).max();
        Some(Self {
            nulls: zones.iter().map(|zone| u64::from(zone.nulls)).sum(),
            min: min.filter(|_| is_bounded).cloned(),
            max: max.filter(|_| is_bounded).cloned(),
            distinct: distinct(&filled),
        })
    }

    /// How far along the way from the lowest to the highest value one stands, if they are
    /// numbers, dates or times.
    fn place_of(&self, value: &Value) -> Option<f64> {
        let (low, high) = (number(self.min.as_ref()?)?, number(self.max.as_ref()?)?);
        let at = number(value)?;
        Some(if high > low {
            ((at - low) / (high - low)).clamp(0.0, 1.0)
        } else if at < low {
            0.0
        } else if at > high {
            1.0
        } else {
            0.5
        })
    }

    fn covers(&self, value: &Value) -> bool {
        self.min.as_ref().is_none_or(|min| min <= value)
            && self.max.as_ref().is_none_or(|max| max >= value)
    }
}

/// Distinct values of all segments, from those of each. Segments that follow each other hold
/// other values, segments that lie over each other the same.
fn distinct(zones: &[&ZoneMap]) -> u64 {
    let of_zone = |zone: &ZoneMap| zone.distinct.unwrap_or_else(|| zone.values());
    let counts = || zones.iter().map(|zone| u64::from(of_zone(zone)));
    let (largest, all): (u64, u64) = (counts().max().unwrap_or(0), counts().sum());
    let mut ordered: Vec<&&ZoneMap> = zones.iter().collect();
    ordered.sort_by(|left, right| left.min.cmp(&right.min));
    let apart = ordered.windows(2).filter(|pair| pair[0].max < pair[1].min).count();
    if zones.len() < 2 {
        return largest;
    }
    let share = apart as f64 / (zones.len() - 1) as f64;
    let estimate = largest as f64 + (all - largest) as f64 * share;
    // A key is distinct in every segment; then it is so in all of them together.
    let is_key = zones.iter().all(|zone| of_zone(zone) == zone.values());
    if is_key { all } else { estimate as u64 }
}

/// The statistics of a scan: unknown unless the grant covers everything that they were
/// computed from. `further` is how many conditions there are beside `wanted` of which nothing
/// is known; `stored` is the stored column behind each output column.
pub(crate) fn scan_statistics(
    summary: &TableSummary,
    table: &TableSchema,
    grant: &Grant,
    (wanted, further): (&Predicate, usize),
    stored: &[usize],
    output: &SchemaRef,
) -> Statistics {
    if !grant.covers_everything() || stored.len() != output.fields().len() {
        return Statistics::new_unknown(output);
    }
    let unknown = (0..further).fold(1.0, |share, _| share * UNKNOWN_SHARE);
    let share = share_of(wanted, table, summary) * unknown;
    let rows = (summary.rows as f64 * share).ceil() as u64;
    let column = |position: &usize| {
        let kind = table.columns().get(*position).map(|column| column.column_type);
        match (summary.columns.get(*position).and_then(Option::as_ref), kind) {
            (Some(column), Some(kind)) => column_statistics(column, kind, rows),
            _ => ColumnStatistics::new_unknown(),
        }
    };
    let num_rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let width: usize = stored
        .iter()
        .map(|position| {
            table.columns().get(*position).map_or(8, |column| width(column.column_type))
        })
        .sum();
    Statistics {
        num_rows: Precision::Inexact(num_rows),
        total_byte_size: Precision::Inexact(num_rows.saturating_mul(width)),
        column_statistics: stored.iter().map(column).collect(),
    }
}

fn column_statistics(column: &ColumnSummary, kind: ColumnType, rows: u64) -> ColumnStatistics {
    let bound = |value: &Option<Value>, end: End| {
        let value = value.as_ref().and_then(|value| scalar(&whole(value, kind, end)?, kind));
        value.map_or(Precision::Absent, Precision::Inexact)
    };
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    ColumnStatistics {
        null_count: Precision::Inexact(number(column.nulls.min(rows))),
        min_value: bound(&column.min, End::Low),
        max_value: bound(&column.max, End::High),
        distinct_count: Precision::Inexact(number(column.distinct.min(rows))),
        ..ColumnStatistics::new_unknown()
    }
}

/// Which end of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Low,
    High,
}

/// A bound, moved outward to a whole number or the beginning of a day. DataFusion narrows ranges
/// through casts and back, and refuses a statement where a range has become wider on that way;
/// of whole numbers and days none does.
fn whole(value: &Value, kind: ColumnType, end: End) -> Option<Value> {
    match (value, kind) {
        (Value::Float(value), _) => value.is_finite().then(|| {
            Value::Float(match end {
                End::Low => value.floor(),
                End::High => value.ceil(),
            })
        }),
        (Value::Decimal(value), ColumnType::Decimal { precision, scale }) => {
            let unit = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
            let moved = to_multiple(*value, unit, end)?;
            let has_room = moved.unsigned_abs() < 10_u128.checked_pow(precision.into())?;
            has_room.then_some(Value::Decimal(moved))
        }
        (Value::Timestamp(micros), _) => {
            let moved = to_multiple(i128::from(*micros), MICROSECONDS_PER_DAY, end)?;
            Some(Value::Timestamp(i64::try_from(moved).ok()?))
        }
        (value, _) => Some(value.clone()),
    }
}

fn to_multiple(value: i128, unit: i128, end: End) -> Option<i128> {
    let below = value.div_euclid(unit).checked_mul(unit)?;
    match end {
        End::High if below < value => below.checked_add(unit),
        End::Low | End::High => Some(below),
    }
}

/// The part of the rows for which the condition holds, as if columns knew nothing of each
/// other and their values were spread evenly.
fn share_of(wanted: &Predicate, table: &TableSchema, summary: &TableSummary) -> f64 {
    let rows = summary.rows.max(1) as f64;
    let column = |name: &ColumnName| summary.column(table, name);
    match wanted {
        Predicate::Constant(holds) => f64::from(u8::from(*holds)),
        Predicate::Compare { column: name, comparison, value } => {
            column(name).map_or(UNKNOWN_SHARE, |column| compared(column, *comparison, value))
        }
        Predicate::In { column: name, values } => column(name).map_or(UNKNOWN_SHARE, |column| {
            let found = values.iter().filter(|value| column.covers(value)).count();
            (found as f64 / column.distinct.max(1) as f64).min(1.0)
        }),
        Predicate::IsNull { column: name } => {
            column(name).map_or(UNKNOWN_SHARE, |column| column.nulls as f64 / rows)
        }
        Predicate::Like { .. } => PATTERN_SHARE,
        Predicate::Part { comparison: Comparison::Equal, .. } => 0.1,
        Predicate::Part { .. } => 0.5,
        Predicate::And(parts) => {
            let mut all = Vec::new();
            parts.iter().for_each(|part| flatten(part, &mut all));
            share_of_all(&all, table, summary)
        }
        Predicate::Or(parts) => {
            1.0 - parts.iter().map(|part| 1.0 - share_of(part, table, summary)).product::<f64>()
        }
        Predicate::Not(part) => 1.0 - share_of(part, table, summary),
    }
    .clamp(0.0, 1.0)
}

fn flatten<'a>(part: &'a Predicate, into: &mut Vec<&'a Predicate>) {
    match part {
        Predicate::And(parts) => parts.iter().for_each(|part| flatten(part, into)),
        part => into.push(part),
    }
}

/// Both ends of a range are one condition, not two that know nothing of each other.
fn share_of_all(parts: &[&Predicate], table: &TableSchema, summary: &TableSummary) -> f64 {
    let mut ranges: BTreeMap<&ColumnName, (f64, f64)> = BTreeMap::new();
    let mut share = 1.0;
    for part in parts {
        match end_of_range(part, table, summary) {
            Some((column, from, until)) => {
                let range = ranges.entry(column).or_insert((0.0, 1.0));
                *range = (range.0.max(from), range.1.min(until));
            }
            None => share *= share_of(part, table, summary),
        }
    }
    ranges.values().fold(share, |share, (from, until)| share * (until - from).max(0.0))
}

/// A comparison as the part of the column's range that it leaves.
fn end_of_range<'a>(
    part: &'a Predicate,
    table: &TableSchema,
    summary: &TableSummary,
) -> Option<(&'a ColumnName, f64, f64)> {
    let Predicate::Compare { column, comparison, value } = part else { return None };
    let place = summary.column(table, column)?.place_of(value)?;
    match comparison {
        Comparison::Less | Comparison::LessOrEqual => Some((column, 0.0, place)),
        Comparison::Greater | Comparison::GreaterOrEqual => Some((column, place, 1.0)),
        Comparison::Equal | Comparison::NotEqual => None,
    }
}

fn compared(column: &ColumnSummary, comparison: Comparison, value: &Value) -> f64 {
    let equal = if column.covers(value) { 1.0 / column.distinct.max(1) as f64 } else { 0.0 };
    match comparison {
        Comparison::Equal => equal,
        Comparison::NotEqual => 1.0 - equal,
        Comparison::Less | Comparison::LessOrEqual => {
            column.place_of(value).unwrap_or(UNKNOWN_SHARE)
        }
        Comparison::Greater | Comparison::GreaterOrEqual => {
            column.place_of(value).map_or(UNKNOWN_SHARE, |place| 1.0 - place)
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Int(value) | Value::Timestamp(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Decimal(value) => *value as f64,
        Value::Date(days) => f64::from(*days),
        Value::Boolean(_) | Value::Text(_) => return None,
    })
}

fn scalar(value: &Value, kind: ColumnType) -> Option<ScalarValue> {
    Some(match (value, kind) {
        (Value::Boolean(value), _) => ScalarValue::Boolean(Some(*value)),
        (Value::Int(value), ColumnType::Int32) => {
            ScalarValue::Int32(Some(i32::try_from(*value).ok()?))
        }
        (Value::Int(value), _) => ScalarValue::Int64(Some(*value)),
        (Value::Float(value), _) => ScalarValue::Float64(Some(*value)),
        (Value::Decimal(value), ColumnType::Decimal { precision, scale }) => {
            ScalarValue::Decimal128(Some(*value), precision, scale)
        }
        (Value::Decimal(_), _) => return None,
        (Value::Date(days), _) => ScalarValue::Date32(Some(*days)),
        (Value::Timestamp(micros), _) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
        (Value::Text(text), _) => ScalarValue::Utf8(Some(text.to_string())),
    })
}

const fn width(kind: ColumnType) -> usize {
    match kind {
        ColumnType::Boolean => 1,
        ColumnType::Int32 | ColumnType::Date => 4,
        ColumnType::Int64 | ColumnType::Float64 | ColumnType::Timestamp => 8,
        ColumnType::Decimal { .. } => 16,
        ColumnType::Text => TEXT_BYTES,
    }
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
