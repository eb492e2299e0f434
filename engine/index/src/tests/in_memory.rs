//! Columns that are stored nowhere: their codes hold what they were made of, and answer every
//! condition as the rows do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use martlet_core::{ColumnType, Selection};
use proptest::prelude::*;

use super::support::{TYPES, built, opened, predicate, reference, table};
use crate::choose::IndexChoice;
use crate::filter::narrow;
use crate::in_memory::{DerivedColumn, described};
use crate::kind::{Index, IndexKind};
use crate::values::value_at;

/// What stands instead of a value: the same for several, and nothing for some.
fn become_of(column: &ArrayRef) -> ArrayRef {
    let text = |row: usize| {
        let written = format!("{:?}", value_at(column, row)?);
        let kept: String = written.chars().take(12).collect();
        (!kept.contains('7')).then_some(kept)
    };
    Arc::new((0..column.len()).map(text).collect::<StringArray>())
}

fn codes(derived: Option<DerivedColumn>) -> Arc<Index> {
    derived.unwrap().codes().unwrap().index
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn conditions_are_answered_as_by_the_rows(
        table in table(),
        condition in predicate(),
        step in 1_u32..9,
    ) {
        let rows = u32::try_from(table.rows.num_rows()).unwrap();
        let columns = table.rows.columns().iter().zip(TYPES);
        let made: Vec<Arc<Index>> =
            columns.map(|(column, of)| codes(DerivedColumn::of_rows(column, of))).collect();
        let told: Vec<(usize, &Index)> = made.iter().map(AsRef::as_ref).enumerate().collect();
        let descriptor = described(rows, &told);
        let at_hand = |column: usize, kind: IndexKind| {
            made.get(column).filter(|_| kind == IndexKind::Codes).map(Arc::clone)
        };
        let among = Selection::from_flags((0..rows).map(|row| row % step == 0));
        let narrowed = narrow(&condition, &table.schema, &descriptor, &at_hand, &among);
        prop_assert!(narrowed.is_exact(), "{condition:?}");
        prop_assert_eq!(narrowed.rows, reference(&condition, &table.rows).holds.and(&among));
    }

    #[test]
    fn rows_come_back_as_they_were_derived(table in table()) {
        let rows = u32::try_from(table.rows.num_rows()).unwrap();
        for column in table.rows.columns() {
            let derived = become_of(column);
            let made = codes(DerivedColumn::of_rows(&derived, ColumnType::Text));
            let found = made.as_codes().unwrap().array(&Selection::all(rows), ColumnType::Text);
            prop_assert_eq!(&found.unwrap(), &derived);
        }
    }

    #[test]
    fn codes_of_stored_values_become_what_their_rows_become(table in table()) {
        let kinds = IndexChoice::Kinds(vec![IndexKind::Codes]);
        let stored = built(&table, &kinds);
        for (position, (column, of)) in table.rows.columns().iter().zip(TYPES).enumerate() {
            let index = opened(&stored, position, IndexKind::Codes).unwrap();
            let index = index.as_codes().unwrap();
            let becomes = become_of(&index.values_array(of).unwrap());
            let by_codes = codes(DerivedColumn::of_codes(index, &becomes, ColumnType::Text));
            let by_codes = by_codes.as_codes().unwrap();
            let by_rows = codes(DerivedColumn::of_rows(&become_of(column), ColumnType::Text));
            let by_rows = by_rows.as_codes().unwrap();
            let all = Selection::all(index.rows());
            prop_assert_eq!(
                by_codes.array(&all, ColumnType::Text),
                by_rows.array(&all, ColumnType::Text)
            );
            prop_assert_eq!(by_codes.dictionary().len(), by_rows.dictionary().len());
        }
    }
}

#[test]
fn a_column_of_another_type_or_length_makes_nothing() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    assert!(DerivedColumn::of_rows(&texts, ColumnType::Int32).is_none());
    let made = codes(DerivedColumn::of_rows(&texts, ColumnType::Text));
    let made = made.as_codes().unwrap();
    let becomes = |texts: Vec<Option<&str>>| {
        let becomes: ArrayRef = Arc::new(StringArray::from(texts));
        DerivedColumn::of_codes(made, &becomes, ColumnType::Text)
    };
    assert!(becomes(vec![Some("x"), Some("y")]).is_none(), "what null becomes is missing");
    let found = codes(becomes(vec![Some("x"), None, Some("z")]));
    let found = found.as_codes().unwrap().array(&Selection::all(3), ColumnType::Text).unwrap();
    let wanted: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("z"), None]));
    assert_eq!(&found, &wanted);
}
