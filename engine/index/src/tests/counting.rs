//! Counts from indexes against counts from the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Float64Type;
use martlet_core::{Selection, Value};
use proptest::prelude::*;

use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::error::IndexError;
use crate::kind::{Index, IndexKind};
use crate::values::{sql_float, value_at};
use crate::{CodesIndex, count_values, distinct_values, group_counts, value_counts};

fn naive(
    rows: &RecordBatch,
    columns: &[usize],
    selection: &Selection,
) -> BTreeMap<Vec<Option<Value>>, u64> {
    let mut counts = BTreeMap::new();
    for row in selection.iter() {
        let key: Vec<_> =
            columns.iter().map(|column| value_at(rows.column(*column), row as usize)).collect();
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

/// The selected rows of a column, by Arrow; `-0.0` as the indexes read it.
pub(super) fn taken(array: &ArrayRef, rows: &Selection) -> ArrayRef {
    let rows: UInt32Array = rows.iter().collect::<Vec<_>>().into();
    let taken = take(array, &rows, None).unwrap();
    match taken.as_primitive_opt::<Float64Type>() {
        Some(floats) => Arc::new(floats.unary::<_, Float64Type>(sql_float)),
        None => taken,
    }
}

pub(super) fn selection(rows: u32, shape: u8) -> Selection {
    match shape {
        0 => Selection::all(rows),
        1 => Selection::none(rows),
        2 => Selection::from_flags((0..rows).map(|row| row % 2 == 0)),
        3 => Selection::from_flags((0..rows).map(|row| row % 997 == 5)),
        4 => Selection::from_flags((0..rows).map(|row| row + 1 == rows)),
        _ => Selection::from_flags((0..rows).map(|row| row / 200 % 2 == 1)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn groups_are_counted_as_from_the_rows(
        table in table(),
        columns in proptest::collection::vec(0..TYPES.len(), 0..9),
        shape in 0_u8..6,
    ) {
        let built = built(&table, &IndexChoice::Auto);
        let selection = selection(built.descriptor.rows(), shape);
        let indexes: Vec<_> =
            columns.iter().map(|column| opened(&built, *column, IndexKind::Codes).unwrap()).collect();
        let codes: Vec<&CodesIndex> = indexes.iter().map(|index| index.as_codes().unwrap()).collect();
        let counted = group_counts(&codes, &selection).unwrap();
        let groups = counted.len();
        let counted: BTreeMap<_, _> = counted.into_iter().collect();
        prop_assert_eq!(groups, counted.len(), "a group is told once");
        prop_assert_eq!(counted, naive(&table.rows, &columns, &selection));
    }

    #[test]
    fn values_are_counted_as_from_the_rows(
        table in table(), column in 0..TYPES.len(), shape in 0_u8..6,
    ) {
        let built = built(&table, &IndexChoice::Kinds(IndexKind::ALL.to_vec()));
        let selection = selection(built.descriptor.rows(), shape);
        let plain: Vec<(Value, u64)> = naive(&table.rows, &[column], &selection)
            .into_iter()
            .filter_map(|(mut key, count)| Some((key.remove(0)?, count)))
            .collect();
        for kind in [IndexKind::Bitmap, IndexKind::Codes, IndexKind::Vector] {
            let Some(index) = opened(&built, column, kind) else {
                // Only some kinds serve a column of any content.
                prop_assert!(!matches!(kind, IndexKind::Bitmap | IndexKind::Codes));
                continue;
            };
            if value_counts(&index, &selection) == Err(IndexError::Unanswered { kind: kind.name() }) {
                prop_assert!(matches!(kind, IndexKind::BitSliced | IndexKind::DatePart));
                let count: u64 = plain.iter().map(|(_, count)| count).sum();
                prop_assert_eq!(count_values(&index, &selection).unwrap(), count);
                continue;
            }
            prop_assert_eq!(value_counts(&index, &selection).unwrap(), plain.clone());
            let distinct: Vec<Value> = plain.iter().map(|(value, _)| value.clone()).collect();
            prop_assert_eq!(distinct_values(&index, &selection).unwrap(), distinct);
            let count: u64 = plain.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(count_values(&index, &selection).unwrap(), count);
        }
    }

    #[test]
    fn codes_stand_for_the_values_of_their_rows(
        table in table(), column in 0..TYPES.len(), shape in 0_u8..6,
    ) {
        let built = built(&table, &IndexChoice::Auto);
        let index = opened(&built, column, IndexKind::Codes).unwrap();
        let codes = index.as_codes().unwrap();
        let selection = selection(built.descriptor.rows(), shape);
        let array = table.rows.column(column);
        let mut gathered = Vec::new();
        codes.gather(&selection, &mut gathered);
        prop_assert_eq!(gathered.len() as u64, selection.count());
        for (row, code) in selection.iter().zip(gathered) {
            prop_assert_eq!(codes.value(code), value_at(array, row as usize));
            prop_assert_eq!(codes.code(row), Some(code));
            prop_assert_eq!(codes.code_at(row), code);
            prop_assert_eq!(code == codes.null_code(), array.is_null(row as usize));
        }
        prop_assert_eq!(codes.code(codes.rows()), None);
        let taken = taken(array, &selection);
        prop_assert_eq!(&codes.array(&selection, TYPES[column]).unwrap(), &taken);
        let mut seen = Vec::new();
        codes.for_each_block(&selection, |block, _| seen.push(block));
        let blocks: std::collections::BTreeSet<usize> =
            selection.iter().map(|row| row as usize / crate::kind::codes::BLOCK_ROWS).collect();
        prop_assert!(seen.into_iter().eq(blocks));
    }
}

/// One column of `distinct` numbers in mixed order, as codes.
fn numbers(rows: u32, distinct: u32) -> Index {
    use arrow::array::Int32Array;
    use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};
    let column = ColumnSchema {
        name: ColumnName::new("n").unwrap(),
        column_type: ColumnType::Int32,
        nullable: false,
        class: None,
    };
    let schema = TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap();
    let numbers = (0..rows).map(|row| (row.wrapping_mul(7_919) % distinct).cast_signed());
    let array = std::sync::Arc::new(numbers.collect::<Int32Array>());
    let batch = RecordBatch::try_new(schema.arrow(), vec![array]).unwrap();
    let built =
        crate::build(&schema, &batch, &[IndexChoice::Kinds(vec![IndexKind::Codes])]).unwrap();
    let index = opened(&built, 0, IndexKind::Codes).unwrap();
    Index::clone(&index)
}

#[test]
fn arrays_and_both_hashes_agree() {
    let index = numbers(30_000, 1_000);
    let codes = index.as_codes().unwrap();
    let every = Selection::all(30_000);
    // The same column again makes no new groups: 1,001, 1,001^2 and 1,001^7 combinations are
    // counted in the array, by 64-bit numbers and by lists.
    let one = group_counts(&[codes], &every).unwrap();
    assert_eq!(one.len(), 1_000);
    for columns in [2, 7] {
        let many = group_counts(&vec![codes; columns], &every).unwrap();
        let first: Vec<_> =
            many.iter().map(|(values, count)| (vec![values[0].clone()], *count)).collect();
        assert_eq!(first, one, "{columns} columns");
        assert!(many.iter().all(|(values, _)| values.iter().all(|value| *value == values[0])));
    }
}

#[test]
fn a_selection_over_other_rows_is_refused() {
    let index = numbers(300, 3);
    let codes = index.as_codes().unwrap();
    let refused = Err(IndexError::Lengths { index: 300, selection: 299 });
    assert_eq!(group_counts(&[codes], &Selection::all(299)), refused);
    let other = numbers(299, 3);
    let mixed = group_counts(&[codes, other.as_codes().unwrap()], &Selection::all(300));
    assert_eq!(mixed, Err(IndexError::Lengths { index: 299, selection: 300 }));
}
