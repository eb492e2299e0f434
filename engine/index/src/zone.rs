//! Zone maps: the lowest and highest value of a column and of each page of it.
//!
//! Owns how bounds are measured and how long texts are cut. A bound may be wider than the
//! values, never narrower: a cut maximum is raised above everything that begins like it.
//! Never decides a predicate; the probe does.

use std::ops::Range;

use martlet_core::Value;

use crate::descriptor::ColumnZones;
use crate::encode::Encoded;
use crate::short_texts::TextHeads;
use crate::values::{ColumnKeys, Keys, text_value};

/// Rows that one page zone covers.
pub const PAGE_ROWS: u32 = 8_192;

/// Bytes of a text that a column's zone keeps.
const COLUMN_TEXT_BYTES_MAX: usize = 64;

/// Bytes of a text that a page's zone keeps: there are many pages, and all of their zones
/// stand in the snapshot.
const PAGE_TEXT_BYTES_MAX: usize = 24;

/// What the bounds of a zone are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// Values that occur: the true minimum and maximum.
    Exact,
    /// No value is beyond them, but they need not occur.
    Loose,
}

/// The bounds of a column over a run of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneMap {
    /// Rows covered.
    pub rows: u32,
    /// How many of them are null.
    pub nulls: u32,
    /// No value is below it; `None` only where no value is known.
    pub min: Option<Value>,
    /// No value is above it; `None` where no value is known, or no upper bound.
    pub max: Option<Value>,
    /// Whether `min` and `max` occur.
    pub bounds: Bounds,
    /// Distinct values without null, where they were counted; never for a page.
    pub distinct: Option<u32>,
}

impl ZoneMap {
    /// How many rows hold a value.
    #[must_use]
    pub const fn values(&self) -> u32 {
        self.rows.saturating_sub(self.nulls)
    }
}

/// Measures a column: its zone, and its pages' where they prove more than the column's does.
/// Every row is looked at once: the column's bounds are those of its pages. Texts of a column
/// that was encoded are compared by their codes.
pub(crate) fn measure(column: &ColumnKeys<'_>, encoded: Option<&Encoded>) -> ColumnZones {
    let measured: Vec<Measured<'_>> = (0..column.rows())
        .step_by(PAGE_ROWS as usize)
        .map(|start| start..column.rows().min(start + PAGE_ROWS as usize))
        .map(|rows| Measured::of(column, encoded, rows))
        .collect();
    let whole = measured.iter().copied().reduce(Measured::and).unwrap_or(Measured::NOTHING);
    let whole = whole.zone(column, COLUMN_TEXT_BYTES_MAX);
    let pages: Vec<ZoneMap> =
        measured.into_iter().map(|page| page.zone(column, PAGE_TEXT_BYTES_MAX)).collect();
    let pages = if are_worth_keeping(&whole, &pages) { pages } else { Vec::new() };
    ColumnZones { column: whole, pages }
}

/// What was found of a run of rows.
#[derive(Clone, Copy)]
struct Measured<'a> {
    rows: usize,
    nulls: usize,
    extremes: Extremes<'a>,
}

/// The lowest and the highest key.
#[derive(Clone, Copy)]
enum Extremes<'a> {
    Nothing,
    Narrow(i64, i64),
    Wide(i128, i128),
    Text(&'a str, &'a str),
}

impl<'a> Measured<'a> {
    const NOTHING: Self = Self { rows: 0, nulls: 0, extremes: Extremes::Nothing };

    fn of(column: &ColumnKeys<'a>, encoded: Option<&'a Encoded>, rows: Range<usize>) -> Self {
        let nulls = column.nulls_within(rows.clone());
        let present = rows.clone().filter(|row| !column.is_null(*row));
        let extremes = match &column.keys {
            Keys::Narrow { keys, .. } if nulls == 0 => {
                extremes(keys[rows.clone()].iter().copied(), Extremes::Narrow)
            }
            Keys::Narrow { keys, .. } => extremes(present.map(|row| keys[row]), Extremes::Narrow),
            Keys::Wide(keys) => extremes(present.map(|row| keys[row]), Extremes::Wide),
            Keys::Text(array) => match encoded {
                Some(encoded) => extremes_of_codes(encoded, rows.clone()),
                None => extremes_of_texts(TextHeads::of(array), present),
            },
        };
        Self { rows: rows.len(), nulls, extremes }
    }

    /// What is found of both runs together.
    fn and(self, other: Self) -> Self {
        let extremes = match (self.extremes, other.extremes) {
            (Extremes::Narrow(low, high), Extremes::Narrow(lower, higher)) => {
                Extremes::Narrow(low.min(lower), high.max(higher))
            }
            (Extremes::Wide(low, high), Extremes::Wide(lower, higher)) => {
                Extremes::Wide(low.min(lower), high.max(higher))
            }
            (Extremes::Text(low, high), Extremes::Text(lower, higher)) => {
                Extremes::Text(low.min(lower), high.max(higher))
            }
            (Extremes::Nothing, extremes) | (extremes, _) => extremes,
        };
        Self { rows: self.rows + other.rows, nulls: self.nulls + other.nulls, extremes }
    }

    fn zone(self, column: &ColumnKeys<'_>, text_bytes_max: usize) -> ZoneMap {
        let (min, max, bounds) = match (self.extremes, &column.keys) {
            (Extremes::Narrow(low, high), Keys::Narrow { value, .. }) => {
                (Some(value(low)), Some(value(high)), Bounds::Exact)
            }
            (Extremes::Wide(low, high), _) => {
                (Some(Value::Decimal(low)), Some(Value::Decimal(high)), Bounds::Exact)
            }
            (Extremes::Text(low, high), _) => cut(low, high, text_bytes_max),
            (Extremes::Nothing | Extremes::Narrow(..), _) => (None, None, Bounds::Exact),
        };
        let rows = u32::try_from(self.rows).unwrap_or(u32::MAX);
        let nulls = u32::try_from(self.nulls).unwrap_or(rows);
        ZoneMap { rows, nulls, min, max, bounds, distinct: None }
    }
}

fn extremes<'a, K: Copy + Ord>(
    mut keys: impl Iterator<Item = K>,
    found: impl Fn(K, K) -> Extremes<'a>,
) -> Extremes<'a> {
    let Some(first) = keys.next() else { return Extremes::Nothing };
    let (low, high) = keys.fold((first, first), |(low, high), key| (low.min(key), high.max(key)));
    found(low, high)
}

fn extremes_of_codes(encoded: &Encoded, rows: Range<usize>) -> Extremes<'_> {
    let (codes, null) = (&encoded.codes[rows], encoded.null_code());
    let low = codes.iter().copied().min().unwrap_or(null);
    // Null's code is the highest; no value's is below 0.
    let high = codes.iter().map(|code| if *code == null { 0 } else { *code }).max().unwrap_or(0);
    match (encoded.values.get(low as usize), encoded.values.get(high as usize)) {
        (Some(Value::Text(low)), Some(Value::Text(high))) => Extremes::Text(low, high),
        _ => Extremes::Nothing,
    }
}

fn extremes_of_texts<'a>(
    heads: TextHeads<'a>,
    mut rows: impl Iterator<Item = usize>,
) -> Extremes<'a> {
    let Some(first) = rows.next().map(|row| heads.headed(row)) else { return Extremes::Nothing };
    let (low, high) = rows.fold((first, first), |(low, high), row| {
        let text = heads.headed(row);
        let low = if text.is_below(&low) { text } else { low };
        (low, if high.is_below(&text) { text } else { high })
    });
    Extremes::Text(low.text(), high.text())
}

type MeasuredBounds = (Option<Value>, Option<Value>, Bounds);

fn cut(low: &str, high: &str, bytes_max: usize) -> MeasuredBounds {
    let bounds = if low.len() <= bytes_max && high.len() <= bytes_max {
        Bounds::Exact
    } else {
        Bounds::Loose
    };
    let max = if high.len() <= bytes_max {
        Some(high.to_owned())
    } else {
        above_all_with_prefix(prefix(high, bytes_max))
    };
    (Some(text_value(prefix(low, bytes_max))), max.as_deref().map(text_value), bounds)
}

/// The longest prefix of at most so many bytes that ends between characters.
fn prefix(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// A text above every text that begins with the prefix; `None` if there is none. UTF-8 sorts
/// by bytes as its characters sort by number, so raising the last one that can be raised
/// suffices.
fn above_all_with_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(next) = next_character(last) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn next_character(character: char) -> Option<char> {
    // The numbers from D800 to DFFF are surrogates, not characters.
    match character {
        '\u{D7FF}' => Some('\u{E000}'),
        other => char::from_u32(u32::from(other) + 1),
    }
}

/// Pages are kept where the rows are clustered: where a page overlaps, on average, less than
/// nine tenths of the others, or nulls stand together.
fn are_worth_keeping(whole: &ZoneMap, pages: &[ZoneMap]) -> bool {
    if pages.len() < 2 {
        return false;
    }
    let nulls_apart = whole.nulls > 0
        && whole.values() > 0
        && pages.iter().any(|page| page.nulls == 0 || page.values() == 0);
    nulls_apart || overlaps(pages) * 10 < pages.len() * pages.len() * 9
}

/// How many ordered pairs of pages (a page with itself counts) share a value's range.
pub(crate) fn overlaps(pages: &[ZoneMap]) -> usize {
    let reaches = |left: &ZoneMap, right: &ZoneMap| match (&left.min, &right.max) {
        (Some(low), Some(high)) => low <= high,
        _ => true,
    };
    pages
        .iter()
        .map(|left| {
            pages.iter().filter(|right| reaches(left, right) && reaches(right, left)).count()
        })
        .sum()
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
