//! A column as a sorted dictionary and one code per row: what both index kinds are built from.
//!
//! Hashes each row to an id in order of first sight, sorts the few distinct values, then
//! renames the ids; integers of a narrow span skip the hash,
//! and short texts are hashed as numbers. Never decides which kinds to
//! build, and gives up as soon as the dictionary grows beyond what anyone wants.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use martlet_core::Value;

use crate::short_texts::{TextHeads, with_text_of};
use crate::values::{ColumnKeys, Keys, text_value};

/// A column in codes: row `r` holds `values[codes[r]]`, or null where the code is
/// `values.len()`.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The distinct values, ascending.
    pub(crate) values: Vec<Value>,
    /// One code per row.
    pub(crate) codes: Vec<u32>,
}

impl Encoded {
    /// The code of null, one above the last value's.
    pub(crate) fn null_code(&self) -> u32 {
        code(self.values.len())
    }
}

/// Spans up to this many integers are counted in an array instead of hashed: 4 Mi entries of
/// four bytes still build faster than a hash of a million rows.
const SPAN_MAX: u64 = 1 << 22;

/// Encodes a column, or gives up with `None` once it has more than `distinct_max` values.
pub(crate) fn encode(column: &ColumnKeys<'_>, distinct_max: usize) -> Option<Encoded> {
    match &column.keys {
        Keys::Narrow { keys, value } => match narrow_span(column, keys) {
            Some((lowest, span)) => encode_span(column, keys, lowest, span, *value, distinct_max),
            None => encode_hashed(column, |row| keys[row], *value, distinct_max),
        },
        Keys::Wide(keys) => encode_hashed(column, |row| keys[row], Value::Decimal, distinct_max),
        Keys::Text(array) => {
            let heads = TextHeads::of(array);
            if heads.have_keys() {
                let text = |key| with_text_of(key, text_value);
                return encode_hashed(column, |row| heads.key(row), text, distinct_max);
            }
            encode_hashed(column, |row| array.value(row), text_value, distinct_max)
        }
    }
}

/// Rows are at most 2^20, and codes at most one more.
fn code(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The lowest key and how many integers lie from it to the highest, if they are few.
fn narrow_span(column: &ColumnKeys<'_>, keys: &[i64]) -> Option<(i64, usize)> {
    let present = || (0..keys.len()).filter(|row| !column.is_null(*row)).map(|row| keys[row]);
    let (lowest, highest) =
        present().fold((i64::MAX, i64::MIN), |(low, high), key| (low.min(key), high.max(key)));
    if lowest > highest {
        return Some((0, 0));
    }
    let span = highest.abs_diff(lowest).checked_add(1)?;
    let worth = SPAN_MAX.min(4 * keys.len() as u64 + 1_024);
    if span > worth {
        return None;
    }
    Some((lowest, usize::try_from(span).ok()?))
}

const ABSENT: u32 = u32::MAX;

fn encode_span(
    column: &ColumnKeys<'_>,
    keys: &[i64],
    lowest: i64,
    span: usize,
    value: fn(i64) -> Value,
    distinct_max: usize,
) -> Option<Encoded> {
    // Within the span, so the difference fits.
    let slot = |row: usize| usize::try_from(keys[row].abs_diff(lowest)).unwrap_or(usize::MAX);
    let mut table = vec![ABSENT; span];
    for row in (0..keys.len()).filter(|row| !column.is_null(*row)) {
        table[slot(row)] = 0;
    }
    let mut values = Vec::new();
    for (above, entry) in (0_i64..).zip(&mut table) {
        if *entry != ABSENT {
            *entry = code(values.len());
            // At most the highest key.
            values.push(value(lowest + above));
        }
    }
    if values.len() > distinct_max {
        return None;
    }
    let null = code(values.len());
    let codes = (0..keys.len())
        .map(|row| if column.is_null(row) { null } else { table[slot(row)] })
        .collect();
    Some(Encoded { values, codes })
}

fn encode_hashed<K: Copy + Ord + Hash>(
    column: &ColumnKeys<'_>,
    key_at: impl Fn(usize) -> K,
    value: impl Fn(K) -> Value,
    distinct_max: usize,
) -> Option<Encoded> {
    let mut seen: HashMap<K, u32, RandomState> = HashMap::default();
    let mut distinct: Vec<K> = Vec::new();
    let mut ids = Vec::with_capacity(column.rows());
    // Clustered columns repeat: the row before is the best guess.
    let mut last: Option<(K, u32)> = None;
    for row in 0..column.rows() {
        if column.is_null(row) {
            ids.push(ABSENT);
            continue;
        }
        let key = key_at(row);
        let id = match last {
            Some((before, id)) if before == key => id,
            _ => *seen.entry(key).or_insert_with(|| {
                distinct.push(key);
                code(distinct.len() - 1)
            }),
        };
        if distinct.len() > distinct_max {
            return None;
        }
        last = Some((key, id));
        ids.push(id);
    }
    Some(renamed(&distinct, ids, value))
}

/// Sorts the distinct keys and turns ids of first sight into codes.
fn renamed<K: Copy + Ord>(
    distinct: &[K],
    mut ids: Vec<u32>,
    value: impl Fn(K) -> Value,
) -> Encoded {
    let mut order: Vec<usize> = (0..distinct.len()).collect();
    order.sort_unstable_by_key(|position| distinct[*position]);
    let mut code_of = vec![0_u32; distinct.len()];
    for (rank, position) in order.iter().enumerate() {
        code_of[*position] = code(rank);
    }
    let null = code(distinct.len());
    for id in &mut ids {
        *id = if *id == ABSENT { null } else { code_of[*id as usize] };
    }
    let values = order.into_iter().map(|position| value(distinct[position])).collect();
    Encoded { values, codes: ids }
}
