//! A look-up never leaves out a row of a key, and refutes nearly every key that is not there.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, Predicate, TableName, TableSchema, Value,
};
use proptest::prelude::*;

use super::support::{TYPES, Table, built, opened, table, value};
use crate::choose::IndexChoice;
use crate::kind::{Index, IndexKind};
use crate::probe::probe;
use crate::values::value_at;

fn lookups(table: &Table, column: usize) -> Arc<Index> {
    let built = built(table, &IndexChoice::Kinds(vec![IndexKind::Lookup]));
    opened(&built, column, IndexKind::Lookup).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_of_a_key_are_among_its_candidates(
        table in table(), column in 0..TYPES.len(), pick in 0_u8..5,
    ) {
        let index = lookups(&table, column);
        let lookup = index.as_lookup().unwrap();
        // A float is held as SQL compares it: zero without its sign.
        let wanted = value(column, pick);
        let is_wanted = |found: &Value| match (found, &wanted) {
            (Value::Float(found), Value::Float(wanted)) => {
                (*found == 0.0 && *wanted == 0.0) || found.to_bits() == wanted.to_bits()
            }
            _ => *found == wanted,
        };
        let array = table.rows.column(column);
        let rows: Vec<u32> = (0_u32..).take(array.len())
            .filter(|row| value_at(array, *row as usize).is_some_and(|found| is_wanted(&found)))
            .collect();
        let candidates: Vec<u32> = lookup.candidates(&wanted).collect();
        prop_assert!(candidates.is_sorted_by(|left, right| left < right));
        prop_assert!(rows.iter().all(|row| candidates.contains(row)));
        prop_assert_eq!(lookup.may_hold(&wanted), !candidates.is_empty());
    }
}

/// One column of distinct values with every tenth row null.
fn distinct_rows(column_type: ColumnType, rows: usize) -> Table {
    let number = |row: usize| (row % 10 != 9).then_some(row as i64 * 7_919);
    let array: ArrayRef = match column_type {
        ColumnType::Text => Arc::new(
            (0..rows)
                .map(|row| number(row).map(|number| format!("62{number:014}")))
                .collect::<StringArray>(),
        ),
        _ => Arc::new((0..rows).map(number).collect::<Int64Array>()),
    };
    let name = ColumnName::new("key").unwrap();
    let column = ColumnSchema { name, column_type, nullable: true, class: None };
    let schema = TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap();
    Table { rows: RecordBatch::try_new(schema.arrow(), vec![array]).unwrap(), schema }
}

#[test]
fn a_key_leads_to_few_rows_and_a_stranger_to_none() {
    const ROWS: u32 = 100_000;
    for column_type in [ColumnType::Int64, ColumnType::Text] {
        let table = distinct_rows(column_type, ROWS as usize);
        let column = table.rows.column(0);
        let built = crate::build(
            &table.schema,
            &table.rows,
            &[IndexChoice::Kinds(vec![IndexKind::Lookup])],
        )
        .unwrap();
        let section = built.descriptor.section(0, IndexKind::Lookup).unwrap();
        assert!(section.length < 4 * u64::from(ROWS), "{} bytes", section.length);
        let index = opened(&built, 0, IndexKind::Lookup).unwrap();
        let lookup = index.as_lookup().unwrap();
        let mut candidates = 0;
        for row in (0..ROWS).step_by(97) {
            let Some(value) = value_at(column, row as usize) else { continue };
            let rows: Vec<u32> = lookup.candidates(&value).collect();
            assert!(rows.contains(&row));
            candidates += rows.len();
        }
        assert!(candidates < 1_030 * 20, "{candidates} candidates of 928 keys");
        let strangers = (0..10_000_i64).map(|number| match column_type {
            ColumnType::Text => Value::text(&format!("99{number}")),
            _ => Value::Int(-number - 1),
        });
        let held = strangers.filter(|value| lookup.may_hold(value)).count();
        assert!(held < 80, "{held} of 10,000 strangers were not refuted");
    }
}

#[test]
fn a_key_that_is_refuted_is_answered_exactly() {
    let table = distinct_rows(ColumnType::Int64, 1_000);
    let choices = [IndexChoice::Kinds(vec![IndexKind::Lookup])];
    let built = crate::build(&table.schema, &table.rows, &choices).unwrap();
    let index = opened(&built, 0, IndexKind::Lookup).unwrap();
    let stranger =
        (1..).map(Value::Int).find(|value| !index.as_lookup().unwrap().may_hold(value)).unwrap();
    let equal = |value| Predicate::Compare {
        column: ColumnName::new("key").unwrap(),
        comparison: Comparison::Equal,
        value,
    };
    let bare = crate::Descriptor::new(1_000, Vec::new(), built.descriptor.sections().to_vec());
    let ask = |predicate| {
        probe(&predicate, &table.schema, &bare, &|column, kind| opened(&built, column, kind))
    };
    let never = ask(equal(stranger));
    assert!(never.exact && never.holds.is_none());
    assert_eq!(never.fails().count(), 900);
    let known = ask(equal(Value::Int(7_919)));
    assert!(!known.exact && known.holds.contains(1));
    assert!(known.holds.count() <= 32);
}
