//! What the choice of index kinds is based on: one column of one segment in a few numbers.
//!
//! Measured on the way of building, mostly from a sample of the rows, so that a column is not
//! read once more for it. Never decides anything; [`crate::choose`] does.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use martlet_core::{ColumnType, Value};

use crate::descriptor::ColumnZones;
use crate::values::{ColumnKeys, Keys};
use crate::zone::overlaps;

/// Runs of neighbouring rows that a sample is taken from, and the rows of one.
const SAMPLED_RUNS: usize = 128;
const SAMPLED_RUN_ROWS: usize = 64;

/// Texts that are looked at as texts.
const SAMPLED_TEXTS: usize = 256;

/// The part that a column has in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It tells rows apart: the primary key, alone.
    Identity,
    /// Anything else.
    Property,
}

/// How the rows of one value lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Zone maps lead to two pages at most, on average.
    Together,
    /// Anywhere.
    Scattered,
}

/// What a text column's texts are like, by a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStatistics {
    /// Bytes of one, on average.
    pub mean_bytes: usize,
    /// Of a hundred bytes so many are decimal digits.
    pub digits_percent: usize,
    /// Of a hundred texts so many are single words of ASCII, as keys are and names are not.
    pub words_percent: usize,
}

/// One column of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// Its type.
    pub column_type: ColumnType,
    /// Its part in the table.
    pub role: Role,
    /// Rows.
    pub rows: usize,
    /// Of which are null.
    pub nulls: usize,
    /// Distinct values without null; `None` if there are too many to have been counted.
    pub distinct: Option<usize>,
    /// How the rows of one value lie.
    pub spread: Spread,
    /// Binary digits of the span of its numbers, or of the numbers that its texts are but for
    /// what they all begin with; `None` of other values.
    pub number_bits: Option<u32>,
    /// What the texts are like; `None` of other columns.
    pub texts: Option<TextStatistics>,
}

impl ColumnStatistics {
    pub(crate) fn measure(
        column_type: ColumnType,
        role: Role,
        column: &ColumnKeys<'_>,
        zones: &ColumnZones,
        distinct: Option<usize>,
    ) -> Self {
        let pages = zones.pages.len();
        let is_together = pages > 1 && overlaps(&zones.pages) <= 2 * pages;
        let texts = sampled_texts(column);
        Self {
            column_type,
            role,
            rows: column.rows(),
            nulls: zones.column.nulls as usize,
            distinct,
            spread: if is_together { Spread::Together } else { Spread::Scattered },
            number_bits: match column_type {
                ColumnType::Text => span_of_numbers(&texts),
                _ => span(zones),
            },
            texts: (!texts.is_empty()).then(|| TextStatistics::of(&texts)),
        }
    }
}

impl TextStatistics {
    fn of(texts: &[&str]) -> Self {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let digits = texts.iter().flat_map(|text| text.bytes()).filter(is_digit).count();
        let is_word = |text: &&&str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let words = texts.iter().filter(is_word).count();
        Self {
            mean_bytes: bytes / texts.len().max(1),
            digits_percent: (digits * 100).checked_div(bytes).unwrap_or(0),
            words_percent: words * 100 / texts.len().max(1),
        }
    }
}

/// Texts from all over the column.
fn sampled_texts<'a>(column: &ColumnKeys<'a>) -> Vec<&'a str> {
    let Keys::Text(texts) = &column.keys else { return Vec::new() };
    let step = column.rows() / SAMPLED_TEXTS + 1;
    let rows = (0..column.rows()).step_by(step).filter(|row| !column.is_null(*row));
    rows.map(|row| texts.value(row)).collect()
}

/// The binary digits of the span of numbers behind what all texts begin with; `None` if a text
/// is not such.
fn span_of_numbers(texts: &[&str]) -> Option<u32> {
    let first = texts.first()?;
    let digits = first.bytes().rev().take_while(u8::is_ascii_digit).count();
    let prefix = &first[..first.len() - digits];
    let number = |text: &&str| {
        text.strip_prefix(prefix).filter(|rest| rest.len() == digits)?.parse::<u64>().ok()
    };
    let (low, high) = texts.iter().map(number).try_fold((u64::MAX, 0), |(low, high), number| {
        let number = number?;
        Some((number.min(low), number.max(high)))
    })?;
    Some(u64::BITS - high.checked_sub(low)?.leading_zeros())
}

/// The binary digits of the span of integers.
fn span(zones: &ColumnZones) -> Option<u32> {
    match (&zones.column.min, &zones.column.max) {
        (Some(Value::Int(low)), Some(Value::Int(high))) => {
            Some(u64::BITS - low.abs_diff(*high).leading_zeros())
        }
        _ => None,
    }
}

/// Whether a column surely has more than `distinct_max` values, as far as a sample can tell:
/// in it hardly any value comes twice, neither among neighbours nor far apart.
pub(crate) fn has_surely_more(column: &ColumnKeys<'_>, distinct_max: usize) -> bool {
    if column.rows() < distinct_max.saturating_mul(4).max(4 * SAMPLED_RUNS * SAMPLED_RUN_ROWS) {
        return false;
    }
    let step = column.rows() / SAMPLED_RUNS;
    let rows = (0..SAMPLED_RUNS).flat_map(|run| run * step..run * step + SAMPLED_RUN_ROWS);
    let rows = rows.filter(|row| !column.is_null(*row));
    let (distinct, values) = match &column.keys {
        Keys::Narrow { keys, .. } => distinct_of(rows.map(|row| keys[row])),
        Keys::Wide(keys) => distinct_of(rows.map(|row| keys[row])),
        Keys::Text(texts) => distinct_of(rows.map(|row| texts.value(row))),
    };
    // So many would come twice if they were drawn from as many as there may be. A sample in
    // which that would be few proves nothing.
    let twice = values * values / (2 * distinct_max.max(1));
    twice >= 16 && (values - distinct) * 4 < twice
}

/// How many different values there are, and how many in all.
fn distinct_of<K: Hash>(values: impl Iterator<Item = K>) -> (usize, usize) {
    let state = RandomState::default();
    let mut seen: HashSet<u64, RandomState> = HashSet::default();
    let mut count = 0;
    for value in values {
        seen.insert(state.hash_one(value));
        count += 1;
    }
    (seen.len(), count)
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
