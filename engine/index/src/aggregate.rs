//! Counting from indexes alone: rows per value, per combination of values, distinct values.
//!
//! Receives: opened indexes and the rows that are left after every filter, from the query.
//! Hands on: values with counts. Never reads a row, and refuses a selection over another
//! number of rows than the index covers.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use martlet_core::{Selection, Value};

use crate::error::IndexError;
use crate::kind::Index;
use crate::kind::codes::{BLOCK_ROWS, CodesIndex};
use crate::kind::vector::VectorIndex;

/// Combinations up to this many are counted in an array, which then stays in the second-level
/// cache; more are hashed.
const ARRAY_GROUPS_MAX: u64 = 65_536;

/// One value per grouping column (`None` is null), and how many rows have them.
pub type GroupCount = (Vec<Option<Value>>, u64);

fn check_length(index: u32, rows: &Selection) -> Result<(), IndexError> {
    if index == rows.rows() {
        Ok(())
    } else {
        Err(IndexError::Lengths { index, selection: rows.rows() })
    }
}

/// How many of the rows hold a value: COUNT of the column.
///
/// # Errors
/// [`IndexError::Lengths`] if the selection is over another number of rows.
pub fn count_values(column: &Index, rows: &Selection) -> Result<u64, IndexError> {
    check_length(column.rows(), rows)?;
    if column.null_count() == 0 || rows.is_none() {
        return Ok(rows.count());
    }
    if rows.is_all() {
        return Ok(rows.count() - u64::from(column.null_count()));
    }
    Ok(rows.count() - column.nulls().and(rows).count())
}

/// The values that occur in the rows, ascending, with how many rows have each; without null.
///
/// # Errors
/// [`IndexError::Lengths`] if the selection is over another number of rows,
/// [`IndexError::Damaged`] if a bitmap is not what was written, [`IndexError::Unanswered`] if
/// the kind does not tell values apart.
pub fn value_counts(column: &Index, rows: &Selection) -> Result<Vec<(Value, u64)>, IndexError> {
    check_length(column.rows(), rows)?;
    let counts = match column {
        Index::Vector(vector) => return Ok(key_counts(vector, rows)),
        Index::BitSliced(_)
        | Index::Binned(_)
        | Index::DatePart(_)
        | Index::Lookup(_)
        | Index::Ngram(_)
        | Index::Texts(_) => {
            return Err(IndexError::Unanswered { kind: column.kind().name() });
        }
        Index::Codes(codes) => histogram(&[codes], &[1], codes.dictionary().len() + 1, rows),
        Index::Bitmap(bitmaps) if rows.is_all() => {
            (0..bitmaps.values().len()).map(|position| bitmaps.count(position)).collect()
        }
        Index::Bitmap(bitmaps) => (0..bitmaps.values().len())
            .map(|position| bitmap_count(&bitmaps.rows_with(position)?, rows))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let Some(dictionary) = column.dictionary() else { return Ok(Vec::new()) };
    let counted = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
    let with_value = |(position, count)| Some((dictionary.value(position)?, u64::from(count)));
    // Null's count stands behind those of the values, and has none.
    Ok(counted.filter_map(with_value).collect())
}

fn key_counts(vector: &VectorIndex, rows: &Selection) -> Vec<(Value, u64)> {
    let mut keys = Vec::new();
    vector.gather(&rows.minus(&vector.nulls()), &mut keys);
    keys.sort_unstable();
    let runs = keys.chunk_by(|left, right| left == right);
    runs.map(|run| (vector.value_of(run[0]), run.len() as u64)).collect()
}

fn bitmap_count(with_value: &Selection, rows: &Selection) -> Result<u32, IndexError> {
    let count = match (with_value.bitmap(), rows.bitmap()) {
        (Some(left), Some(right)) => left.intersection_len(right),
        _ => with_value.and(rows).count(),
    };
    u32::try_from(count).map_err(|_| IndexError::damaged("its counts do not add up"))
}

/// The values that occur in the rows, ascending, without null: what COUNT DISTINCT joins over
/// the segments.
///
/// # Errors
/// As [`value_counts`].
pub fn distinct_values(column: &Index, rows: &Selection) -> Result<Vec<Value>, IndexError> {
    check_length(column.rows(), rows)?;
    if let Some(dictionary) = column.dictionary().filter(|_| rows.is_all()) {
        return Ok(dictionary.iter().collect());
    }
    Ok(value_counts(column, rows)?.into_iter().map(|(value, _)| value).collect())
}

/// How many of the rows have each combination of the columns' values: GROUP BY with COUNT(*).
/// Combinations without a row are left out; the order is by the values, null last.
///
/// Without columns the rows are one group, if there are any.
///
/// # Errors
/// [`IndexError::Lengths`] if the selection or a column is over another number of rows.
pub fn group_counts(
    columns: &[&CodesIndex],
    rows: &Selection,
) -> Result<Vec<GroupCount>, IndexError> {
    columns.iter().try_for_each(|column| check_length(column.rows(), rows))?;
    if rows.is_none() {
        return Ok(Vec::new());
    }
    if columns.is_empty() {
        return Ok(std::iter::once((Vec::new(), rows.count())).collect());
    }
    Ok(match strides(columns) {
        Some((strides, groups)) if groups <= ARRAY_GROUPS_MAX => {
            let counts = histogram(columns, &strides, groups as usize, rows);
            let counted = (0_u64..).zip(counts).filter(|(_, count)| *count > 0);
            counted.map(|(key, count)| (values_of(columns, key), u64::from(count))).collect()
        }
        Some((strides, _)) => hashed(columns, &strides, rows),
        None => hashed_wide(columns, rows),
    })
}

/// The weight of each column's code in the number of a combination (the last column's is 1),
/// and how many combinations there are; `None` if 64 bits cannot number them.
fn strides(columns: &[&CodesIndex]) -> Option<(Vec<u64>, u64)> {
    let mut strides = vec![0; columns.len()];
    let mut groups = 1_u64;
    for (stride, column) in strides.iter_mut().zip(columns).rev() {
        *stride = groups;
        groups = groups.checked_mul(column.dictionary().len() as u64 + 1)?;
    }
    Some((strides, groups))
}

fn values_of(columns: &[&CodesIndex], mut key: u64) -> Vec<Option<Value>> {
    let mut values = vec![None; columns.len()];
    for (value, column) in values.iter_mut().zip(columns).rev() {
        let size = column.dictionary().len() as u64 + 1;
        *value = usize::try_from(key % size).ok().and_then(|code| column.dictionary().value(code));
        key /= size;
    }
    values
}

fn histogram(
    columns: &[&CodesIndex],
    strides: &[u64],
    groups: usize,
    rows: &Selection,
) -> Vec<u32> {
    let mut counts = vec![0_u32; groups];
    // Below `groups`, which is a usize.
    for_each_key(columns, strides, rows, |key| counts[key as usize] += 1);
    counts
}

fn hashed(columns: &[&CodesIndex], strides: &[u64], rows: &Selection) -> Vec<GroupCount> {
    let mut counts: HashMap<u64, u64, RandomState> = HashMap::default();
    for_each_key(columns, strides, rows, |key| *counts.entry(key).or_insert(0) += 1);
    let mut counts: Vec<(u64, u64)> = counts.into_iter().collect();
    counts.sort_unstable();
    counts.into_iter().map(|(key, count)| (values_of(columns, key), count)).collect()
}

/// Calls with the number of each selected row's combination.
fn for_each_key(
    columns: &[&CodesIndex],
    strides: &[u64],
    rows: &Selection,
    mut with: impl FnMut(u64),
) {
    let mut codes = [0; BLOCK_ROWS];
    for_each_selected_block(columns, rows, |block, selected| {
        let mut keys = [0_u64; BLOCK_ROWS];
        let keys = &mut keys[..selected.len()];
        for (column, stride) in columns.iter().zip(strides) {
            let codes = column.decode_block(block, &mut codes);
            match selected {
                InBlock::All(_) => keys
                    .iter_mut()
                    .zip(codes)
                    .for_each(|(key, code)| *key += u64::from(*code) * stride),
                InBlock::Some(rows) => keys
                    .iter_mut()
                    .zip(*rows)
                    .for_each(|(key, row)| *key += u64::from(codes[*row]) * stride),
            }
        }
        keys.iter().for_each(|key| with(*key));
    });
}

/// Which rows of a block are selected, counted from its first.
enum InBlock<'a> {
    All(usize),
    Some(&'a [usize]),
}

impl InBlock<'_> {
    const fn len(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::Some(rows) => rows.len(),
        }
    }

    fn for_each(&self, with: impl FnMut(usize)) {
        match self {
            Self::All(rows) => (0..*rows).for_each(with),
            Self::Some(rows) => rows.iter().copied().for_each(with),
        }
    }
}

fn for_each_selected_block(
    columns: &[&CodesIndex],
    rows: &Selection,
    mut with: impl FnMut(usize, &InBlock<'_>),
) {
    let Some(first) = columns.first() else { return };
    let Some(bitmap) = rows.bitmap() else {
        let blocks = if rows.is_none() { 0 } else { first.blocks() };
        (0..blocks).for_each(|block| with(block, &InBlock::All(first.block_rows(block).len())));
        return;
    };
    let mut block = 0;
    let mut selected = Vec::with_capacity(BLOCK_ROWS);
    for row in bitmap {
        let row = row as usize;
        if row / BLOCK_ROWS != block && !selected.is_empty() {
            with(block, &InBlock::Some(&selected));
            selected.clear();
        }
        block = row / BLOCK_ROWS;
        selected.push(row % BLOCK_ROWS);
    }
    if !selected.is_empty() {
        with(block, &InBlock::Some(&selected));
    }
}

/// For so many columns that 64 bits cannot number the combinations.
fn hashed_wide(columns: &[&CodesIndex], rows: &Selection) -> Vec<GroupCount> {
    let mut counts: HashMap<Vec<u32>, u64, RandomState> = HashMap::default();
    let mut blocks = vec![[0; BLOCK_ROWS]; columns.len()];
    for_each_selected_block(columns, rows, |block, selected| {
        for (column, codes) in columns.iter().zip(&mut blocks) {
            column.decode_block(block, codes);
        }
        selected.for_each(|row| {
            let key = blocks.iter().map(|codes| codes[row]).collect();
            *counts.entry(key).or_insert(0) += 1;
        });
    });
    let mut counts: Vec<(Vec<u32>, u64)> = counts.into_iter().collect();
    counts.sort_unstable();
    let value = |(column, code): (&&CodesIndex, u32)| column.value(code);
    counts
        .into_iter()
        .map(|(key, count)| (columns.iter().zip(key).map(value).collect(), count))
        .collect()
}
