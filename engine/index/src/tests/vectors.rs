//! Vectors against the rows they were built from: every way to read a key, and conditions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, Predicate, Selection, TableName, TableSchema,
    Value,
};
use proptest::prelude::*;

use super::counting::{selection, taken};
use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::evaluate::evaluate;
use crate::kind::{Index, IndexKind};
use crate::probe::probe;
use crate::values::value_at;
use crate::{Built, KeySet, VECTOR_BLOCK_ROWS, VectorForm, VectorIndex, build};

fn check(
    vector: &VectorIndex,
    array: &ArrayRef,
    column_type: ColumnType,
    selection: &Selection,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(vector.rows() as usize, array.len());
    prop_assert_eq!(vector.null_count() as usize, array.null_count());
    check_blocks(vector, array)?;
    let mut gathered = vec![99];
    vector.gather(selection, &mut gathered);
    prop_assert_eq!(gathered.len() as u64, selection.count());
    for (row, key) in selection.iter().zip(gathered) {
        prop_assert_eq!(vector.key_at(row), key);
        if let Some(value) = value_at(array, row as usize) {
            prop_assert_eq!(vector.value_of(key), value.clone());
            prop_assert_eq!(vector.key_of(&value), Some(key));
        }
    }
    let array = taken(array, selection);
    prop_assert_eq!(&vector.array(selection, column_type).unwrap(), &array);
    Ok(())
}

fn check_blocks(vector: &VectorIndex, array: &ArrayRef) -> Result<(), TestCaseError> {
    let mut keys = [0; VECTOR_BLOCK_ROWS];
    let mut offsets = [0; VECTOR_BLOCK_ROWS];
    for block in 0..vector.blocks() {
        let rows = vector.block_rows(block);
        let decoded = vector.decode_block(block, &mut keys);
        prop_assert_eq!(decoded.len(), rows.len());
        if let Some((base, offsets)) = vector.decode_offsets(block, &mut offsets) {
            let above = offsets.iter().map(|offset| base + i64::from(*offset));
            prop_assert!(above.eq(decoded.iter().copied()));
        }
        let present = || rows.clone().zip(decoded).filter(|(row, _)| array.is_valid(*row));
        for (row, key) in present() {
            prop_assert_eq!(Some(vector.value_of(*key)), value_at(array, row));
        }
        let (lowest, highest) = vector.block_bounds(block);
        prop_assert_eq!(present().map(|(_, key)| *key).min().unwrap_or(i64::MAX), lowest);
        prop_assert_eq!(present().map(|(_, key)| *key).max().unwrap_or(i64::MIN), highest);
    }
    Ok(())
}

fn expect_rows_in(
    vector: &VectorIndex,
    array: &ArrayRef,
    wanted: Vec<i64>,
) -> Result<(), TestCaseError> {
    let plain = Selection::from_flags((0..array.len()).map(|row| {
        let key = value_at(array, row).and_then(|value| vector.key_of(&value));
        key.is_some_and(|key| wanted.contains(&key))
    }));
    prop_assert_eq!(vector.rows_in(&KeySet::new(wanted)), plain);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_vector_holds_the_rows(table in table(), shape in 0_u8..6) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Vector]));
        let selection = selection(built.descriptor.rows(), shape);
        for (column, column_type) in TYPES.into_iter().enumerate() {
            let Some(index) = opened(&built, column, IndexKind::Vector) else { continue };
            let array = table.rows.column(column);
            check(index.as_vector().unwrap(), array, column_type, &selection)?;
        }
    }

    #[test]
    fn any_keys_are_held_and_found(
        keys in prop_oneof![
            proptest::collection::vec(any::<Option<i64>>(), 0..300),
            proptest::collection::vec(proptest::option::of(-40_i64..40), 1..3_000),
            proptest::collection::vec(proptest::option::of(0..1_i64 << 40), 1..3_000),
        ],
        wanted in proptest::collection::vec(0..3_000_usize, 0..40),
        extra in proptest::collection::vec(any::<i64>(), 0..3),
        shape in 0_u8..6,
    ) {
        let array: ArrayRef = Arc::new(arrow::array::Int64Array::from(keys.clone()));
        let index = column(ColumnType::Int64, &array).1.unwrap();
        let vector = index.as_vector().unwrap();
        check(vector, &array, ColumnType::Int64, &selection(vector.rows(), shape))?;
        let wanted = wanted.into_iter().filter_map(|row| *keys.get(row)?);
        expect_rows_in(vector, &array, wanted.chain(extra).collect())?;
    }

    #[test]
    fn digit_texts_are_held_and_compared(
        prefix in "[A-Z0-9č-]{0,8}",
        digits in 1_usize..21,
        numbers in proptest::collection::vec(proptest::option::of(0..1_000_i64), 1..2_000),
        constant in "[A-Z0-9č-]{0,12}",
        shape in 0_u8..6,
    ) {
        let text = |number: i64| format!("{prefix}{:0digits$}", number % 10_i64.pow(digits.min(3) as u32));
        let texts: StringArray = numbers.iter().map(|number| number.map(text)).collect();
        let array: ArrayRef = Arc::new(texts);
        let (built, index) = column(ColumnType::Text, &array);
        let Some(index) = index else {
            prop_assert_eq!(array.null_count(), array.len(), "any other column is built");
            return Ok(());
        };
        let vector = index.as_vector().unwrap();
        check(vector, &array, ColumnType::Text, &selection(vector.rows(), shape))?;
        let mut shorter = text(5);
        shorter.pop();
        for constant in [constant, prefix.clone(), text(5), shorter, format!("{}0", text(7))] {
            compare_all(&built, &index, &array, &Value::text(&constant))?;
        }
    }
}

fn compare_all(
    built: &Built,
    index: &Arc<Index>,
    array: &ArrayRef,
    value: &Value,
) -> Result<(), TestCaseError> {
    let schema = schema(ColumnType::Text);
    let rows = RecordBatch::try_new(schema.arrow(), vec![Arc::clone(array)]).unwrap();
    let name = || ColumnName::new("c").unwrap();
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];
    for comparison in comparisons {
        let predicate = Predicate::Compare { column: name(), comparison, value: value.clone() };
        let answer = probe(&predicate, &schema, &built.descriptor, &|_, _| Some(Arc::clone(index)));
        prop_assert_eq!(answer, evaluate(&predicate, &schema, &rows));
    }
    Ok(())
}

fn schema(column_type: ColumnType) -> TableSchema {
    let name = ColumnName::new("c").unwrap();
    let column = ColumnSchema { name, column_type, nullable: true, class: None };
    TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap()
}

fn column(column_type: ColumnType, array: &ArrayRef) -> (Built, Option<Arc<Index>>) {
    let schema = schema(column_type);
    let rows = RecordBatch::try_new(schema.arrow(), vec![Arc::clone(array)]).unwrap();
    let choices = [IndexChoice::Kinds(vec![IndexKind::Vector])];
    let built = build(&schema, &rows, &choices).unwrap();
    let index = opened(&built, 0, IndexKind::Vector);
    (built, index)
}

#[test]
fn texts_that_are_not_numbers_of_one_width_are_not_built() {
    let refused: [&[&str]; 6] = [
        &["C001", "C01"],
        &["C001", "D001"],
        &["C001", "C00x"],
        &["abc"],
        &[""],
        &["1234567890123456789", "2234567890123456789"],
    ];
    for texts in refused {
        let array: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        assert!(column(ColumnType::Text, &array).1.is_none(), "{texts:?}");
    }
    let array: ArrayRef = Arc::new(StringArray::from(vec!["6217000000000000017"]));
    let index = column(ColumnType::Text, &array).1.unwrap();
    let form = VectorForm::DigitText { prefix: Arc::from("6"), digits: 18 };
    assert_eq!(index.as_vector().unwrap().form(), &form);
}

#[test]
fn a_block_of_one_key_takes_no_byte() {
    let constant: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![7; 4_096]));
    let mixed: ArrayRef =
        Arc::new((0..4_096_i64).map(|row| row % 4).collect::<arrow::array::Int64Array>());
    let bytes = |array| column(ColumnType::Int64, array).0.bytes.len();
    assert_eq!(bytes(&mixed) - bytes(&constant), 4_096 * 2 / 8);
}
