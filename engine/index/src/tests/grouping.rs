//! Groups and totals from codes and vectors against the same from the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use martlet_core::{Selection, Value};
use proptest::prelude::*;

use super::counting::selection;
use super::support::{TYPES, Table, built, opened, table};
use crate::choose::IndexChoice;
use crate::error::IndexError;
use crate::grouping::ranks::{NO_GROUP, for_each_key};
use crate::grouping::{
    Best, CodeGroups, Grouped, KeyColumn, Marked, MeasureColumn, TopKeys, Wanted, group, mark,
    mark_within, shared_codes, value_numbers,
};
use crate::kind::codes::CodesIndex;
use crate::kind::dictionary::Dictionary;
use crate::kind::{Index, IndexKind};
use crate::values::{key_of_value, value_at};

const EVERYTHING: Wanted = Wanted { sum: true, float_sum: false, extremes: true };

/// Count, rows with a value, sum, lowest and highest key.
type Plain = (u64, u64, i128, i64, i64);

fn naive(
    rows: &RecordBatch,
    keys: &[usize],
    measure: usize,
    selection: &Selection,
) -> BTreeMap<Vec<Option<Value>>, Plain> {
    let mut groups = BTreeMap::new();
    for row in selection.iter() {
        let row = row as usize;
        let key: Vec<_> = keys.iter().map(|key| value_at(rows.column(*key), row)).collect();
        let entry = groups.entry(key).or_insert((0, 0, 0, i64::MAX, i64::MIN));
        entry.0 += 1;
        let value = value_at(rows.column(measure), row);
        if let Some(key) = value.as_ref().and_then(key_of_value) {
            entry.1 += 1;
            entry.2 += i128::from(key);
            entry.3 = entry.3.min(key);
            entry.4 = entry.4.max(key);
        }
    }
    groups
}

/// The groups with their values, as [`naive`] has them.
fn with_values(grouped: &Grouped, indexes: &[Arc<Index>]) -> BTreeMap<Vec<Option<Value>>, Plain> {
    let value = |column: usize, position: usize| -> Option<Value> {
        let number = grouped.keys[column][position];
        match indexes[column].as_ref() {
            Index::Codes(codes) => codes.value(number),
            Index::Vector(vector) => {
                grouped.vector_keys[column][number as usize].map(|key| vector.value_of(key))
            }
            _ => panic!("neither codes nor a vector"),
        }
    };
    let totals = &grouped.totals[0];
    let group = |position: usize| {
        let key = (0..indexes.len()).map(|column| value(column, position)).collect();
        let present = totals.present[position];
        let (low, high) = (totals.lowest[position], totals.highest[position]);
        (key, (grouped.counts[position], present, totals.sums[position], low, high))
    };
    (0..grouped.len()).map(group).collect()
}

fn key_column(index: &Index) -> KeyColumn<'_> {
    match index {
        Index::Codes(codes) => KeyColumn::Codes(codes),
        Index::Vector(vector) => KeyColumn::Vector(vector),
        _ => panic!("neither codes nor a vector"),
    }
}

/// A segment whose values of one column are marked by groups of others.
struct MarkedSegment {
    keys: Vec<Arc<Index>>,
    codes: Arc<Index>,
}

impl MarkedSegment {
    fn of(table: &Table, keys: &[(usize, bool)], column: usize) -> Self {
        let built = built(table, &IndexChoice::Kinds(vec![IndexKind::Codes, IndexKind::Vector]));
        let index = |(column, by_vector): &(usize, bool)| {
            let vector = by_vector.then(|| opened(&built, *column, IndexKind::Vector)).flatten();
            vector.or_else(|| opened(&built, *column, IndexKind::Codes)).unwrap()
        };
        Self { keys: keys.iter().map(index).collect(), codes: index(&(column, false)) }
    }

    fn codes(&self) -> &CodesIndex {
        self.codes.as_codes().unwrap()
    }

    /// With at most so many bits, or as many as are thought cheap.
    fn marked(&self, rows: &Selection, bits: Option<u64>) -> Marked {
        let keys: Vec<_> = self.keys.iter().map(|index| key_column(index)).collect();
        match bits {
            None => mark(&keys, self.codes(), rows).unwrap(),
            Some(bits) => mark_within(&keys, self.codes(), rows, bits).unwrap(),
        }
    }

    fn key(&self, marked: &Marked, group: usize) -> Vec<Option<Value>> {
        let value = |(at, index): (usize, &Arc<Index>)| {
            let number = marked.keys[at][group];
            match index.as_vector() {
                None => index.as_codes().unwrap().value(number),
                Some(vector) => {
                    let key = marked.vector_keys[at][number as usize];
                    key.map(|key| vector.value_of(key))
                }
            }
        };
        self.keys.iter().enumerate().map(value).collect()
    }
}

/// Integers, decimals of 64 bits and dates always have vectors.
const MEASURES: [usize; 4] = [1, 2, 4, 6];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_those_of_the_rows(
        table in table(),
        keys in proptest::collection::vec((0..TYPES.len(), any::<bool>()), 0..4),
        measure in 0..MEASURES.len(),
        measure_by_codes in any::<bool>(),
        shape in 0_u8..6,
    ) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes, IndexKind::Vector]));
        let measure = MEASURES[measure];
        let index = |column: usize, by_vector: bool| {
            let vector = by_vector.then(|| opened(&built, column, IndexKind::Vector)).flatten();
            vector.or_else(|| opened(&built, column, IndexKind::Codes)).unwrap()
        };
        let opened_keys: Vec<Arc<Index>> =
            keys.iter().map(|(column, by_vector)| index(*column, *by_vector)).collect();
        let opened_measure = index(measure, !measure_by_codes);
        let of_code: Vec<i64> =
            opened_measure.dictionary().and_then(Dictionary::narrow_keys).unwrap_or_default();
        let measure_column = match opened_measure.as_ref() {
            Index::Vector(vector) => MeasureColumn::Vector(vector),
            Index::Codes(codes) => MeasureColumn::Codes(codes, &of_code),
            _ => panic!("neither codes nor a vector"),
        };
        let rows = selection(table.rows.num_rows() as u32, shape);
        let key_columns: Vec<_> = opened_keys.iter().map(|index| key_column(index)).collect();
        let grouped = group(&key_columns, &[(measure_column, EVERYTHING)], &rows).unwrap();
        let columns: Vec<usize> = keys.iter().map(|(column, _)| *column).collect();
        prop_assert_eq!(
            with_values(&grouped, &opened_keys),
            naive(&table.rows, &columns, measure, &rows)
        );
    }

    #[test]
    fn marks_are_the_distinct_values_of_the_rows(
        tables in proptest::collection::vec(table(), 1..4),
        keys in proptest::collection::vec((0..TYPES.len(), any::<bool>()), 0..3),
        column in 0..TYPES.len(),
        bits in prop_oneof![Just(None), Just(Some(0)), Just(Some(u64::MAX))],
        shape in 0_u8..6,
    ) {
        let segments: Vec<MarkedSegment> =
            tables.iter().map(|table| MarkedSegment::of(table, &keys, column)).collect();
        let numbers: Vec<_> =
            segments.iter().map(|segment| value_numbers(segment.codes())).collect();
        let shared = shared_codes(&numbers);
        let mut counted: BTreeMap<Vec<Option<Value>>, (u64, BTreeSet<Value>)> = BTreeMap::new();
        let mut plain: BTreeMap<Vec<Option<Value>>, BTreeSet<Value>> = BTreeMap::new();
        let (mut together, mut unknown) = ((0, BTreeSet::new()), BTreeSet::new());
        for ((segment, table), shared) in segments.iter().zip(&tables).zip(&shared) {
            let rows = selection(table.rows.num_rows() as u32, shape);
            let found = segment.marked(&rows, bits);
            let codes = segment.codes();
            let value = |code: u32| codes.value(code).unwrap();
            for group in 0..found.len() {
                let (apart, values) = counted.entry(segment.key(&found, group)).or_default();
                *apart += found.split(&[group], Some(shared), |code| {
                    values.insert(value(code));
                });
            }
            let all: Vec<usize> = (0..found.len()).rev().collect();
            let mut handed_on = Vec::new();
            together.0 += found.split(&all, Some(shared), |code| handed_on.push(code));
            prop_assert!(handed_on.is_sorted_by(|a, b| a < b));
            together.1.extend(handed_on.into_iter().map(value));
            let known = found.split(&all, None, |code| {
                unknown.insert(value(code));
            });
            prop_assert_eq!(known, 0);
            for row in rows.iter() {
                let cell = |column: usize| value_at(table.rows.column(column), row as usize);
                if let Some(value) = cell(column) {
                    let key = keys.iter().map(|(column, _)| cell(*column)).collect();
                    plain.entry(key).or_default().insert(value);
                }
            }
        }
        let counted: BTreeMap<_, _> = counted
            .into_iter()
            .map(|(key, (apart, shared))| (key, apart + shared.len() as u64))
            .collect();
        let all: BTreeSet<Value> = plain.values().flatten().cloned().collect();
        let plain: BTreeMap<_, _> =
            plain.into_iter().map(|(key, values)| (key, values.len() as u64)).collect();
        prop_assert_eq!(counted, plain);
        prop_assert_eq!(together.0 + together.1.len() as u64, all.len() as u64);
        prop_assert_eq!(unknown, all);
    }

    #[test]
    fn keys_are_handed_on_with_their_groups(
        table in table(),
        keys in proptest::collection::vec((0..TYPES.len(), any::<bool>()), 0..4),
        measure in 0..MEASURES.len(),
        left_out in 0_usize..3,
        shape in 0_u8..6,
    ) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes, IndexKind::Vector]));
        let measure = MEASURES[measure];
        let index = |column: usize, by_vector: bool| {
            let vector = by_vector.then(|| opened(&built, column, IndexKind::Vector)).flatten();
            vector.or_else(|| opened(&built, column, IndexKind::Codes)).unwrap()
        };
        let opened_keys: Vec<Arc<Index>> =
            keys.iter().map(|(column, by_vector)| index(*column, *by_vector)).collect();
        let opened_measure = index(measure, true);
        let column = MeasureColumn::Vector(opened_measure.as_vector().unwrap());
        let rows = selection(table.rows.num_rows() as u32, shape);
        let key_columns: Vec<_> = opened_keys.iter().map(|index| key_column(index)).collect();
        let grouped = group(&key_columns, &[(column, EVERYTHING)], &rows).unwrap();
        // Of three groups one may be left out.
        let end = grouped.numbers.iter().max().map_or(0, |highest| *highest as usize + 1);
        let mut group_of = vec![NO_GROUP; end];
        for (at, number) in (0_u32..).zip(&grouped.numbers) {
            if at as usize % 3 != left_out {
                group_of[*number as usize] = at;
            }
        }
        let mut found = vec![(0_u64, 0_i128); grouped.len()];
        for_each_key(&key_columns, &column, &rows, &group_of, |groups, keys| {
            for (group, key) in groups.iter().zip(keys) {
                let (count, sum) = &mut found[*group as usize];
                *count += 1;
                *sum += i128::from(*key);
            }
        }).unwrap();
        for (at, found) in found.iter().enumerate() {
            let totals = &grouped.totals[0];
            let expected = match at % 3 == left_out {
                true => (0, 0),
                false => (totals.present[at], totals.sums[at]),
            };
            prop_assert_eq!(*found, expected);
        }
    }

    #[test]
    fn coarser_groups_add_up_the_finer_ones(table in table(), shape in 0_u8..6, parts in 1_u32..4) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes]));
        let index = opened(&built, 8, IndexKind::Codes).unwrap();
        let codes = index.as_codes().unwrap();
        let rows = selection(table.rows.num_rows() as u32, shape);
        let of_code = (0..=codes.null_code()).map(|code| code % parts).collect();
        let groups = CodeGroups { of_code, groups: parts };
        let coarse = group(&[KeyColumn::CodeGroups(codes, &groups)], &[], &rows).unwrap();
        let fine = group(&[KeyColumn::Codes(codes)], &[], &rows).unwrap();
        let mut expected: BTreeMap<u32, u64> = BTreeMap::new();
        for (code, count) in fine.keys[0].iter().zip(&fine.counts) {
            *expected.entry(code % parts).or_insert(0) += count;
        }
        let found: BTreeMap<u32, u64> =
            coarse.keys[0].iter().copied().zip(coarse.counts.iter().copied()).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_top_rows_hold_the_best_keys_and_their_ties(
        tables in proptest::collection::vec(table(), 1..3),
        wanted in 0_usize..9,
        highest in any::<bool>(),
        shape in 0_u8..6,
    ) {
        let best = if highest { Best::Highest } else { Best::Lowest };
        let mut top = TopKeys::new(best, wanted);
        let mut kept: Vec<i64> = Vec::new();
        let mut all: Vec<i64> = Vec::new();
        for table in &tables {
            let built = built(table, &IndexChoice::Kinds(vec![IndexKind::Vector]));
            let index = opened(&built, 2, IndexKind::Vector).unwrap();
            let column = MeasureColumn::Vector(index.as_vector().unwrap());
            let rows = selection(table.rows.num_rows() as u32, shape);
            let key = |row: u32| {
                value_at(table.rows.column(2), row as usize).as_ref().and_then(key_of_value)
            };
            let found = top.rows(&column, &rows);
            prop_assert!(found.is_within(&rows));
            kept.extend(found.iter().filter_map(key));
            all.extend(rows.iter().filter_map(key));
        }
        let sort = |keys: &mut Vec<i64>| {
            keys.sort_unstable();
            if highest {
                keys.reverse();
            }
        };
        sort(&mut kept);
        sort(&mut all);
        let last = all.get(wanted.wrapping_sub(1)).or(all.last()).copied();
        let count = all.iter().filter(|key| match last {
            Some(last) if wanted > 0 => if highest { **key >= last } else { **key <= last },
            _ => false,
        });
        // Whatever earlier segments gave in excess: all of the best are there, with their ties.
        let count = count.count();
        prop_assert_eq!(&kept[..count], &all[..count]);
    }

    #[test]
    fn a_selection_over_other_rows_is_refused(table in table()) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes]));
        let index = opened(&built, 0, IndexKind::Codes).unwrap();
        let other = Selection::all(index.rows() + 1);
        let refused = group(&[key_column(&index)], &[], &other);
        let by_length = matches!(refused, Err(IndexError::Lengths { .. }));
        prop_assert!(by_length);
    }
}
