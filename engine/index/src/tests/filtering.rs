//! The filter against the rows: never too narrow, never beyond the rows asked about, and what it
//! leaves open settles the rest.

use martlet_core::{Predicate, Selection};
use proptest::prelude::*;

use super::support::{Table, built, opened, predicate, schema, table};
use crate::choose::IndexChoice;
use crate::evaluate::evaluate;
use crate::filter::narrow;
use crate::kind::IndexKind;

/// Rows among which is asked: all, none, runs or every so many.
fn among() -> impl Strategy<Value = fn(u32) -> Selection> {
    prop_oneof![
        Just(Selection::all as fn(u32) -> Selection),
        Just(Selection::none as fn(u32) -> Selection),
        Just((|rows| Selection::from_rows(rows, (0..rows).step_by(3))) as fn(u32) -> Selection),
        Just((|rows| Selection::from_rows(rows, (0..rows).step_by(97))) as fn(u32) -> Selection),
        Just((|rows| Selection::from_rows(rows, rows / 3..rows / 2)) as fn(u32) -> Selection),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_open_settles_the_rest(
        table in table(),
        predicates in proptest::collection::vec((predicate(), among()), 4),
        choice in prop_oneof![
            Just(IndexChoice::Auto), Just(IndexChoice::Kinds(IndexKind::ALL.to_vec())),
        ],
        present in any::<u128>(),
    ) {
        let built = built(&table, &choice);
        let indexes = |column: usize, kind: IndexKind| {
            let bit = column * IndexKind::ALL.len() + kind as usize;
            (present >> bit & 1 == 1).then(|| opened(&built, column, kind))?
        };
        for (predicate, among) in &predicates {
            let among = among(table.rows.num_rows() as u32);
            let found = narrow(predicate, &table.schema, &built.descriptor, &indexes, &among);
            let plain = evaluate(predicate, &table.schema, &table.rows).holds.and(&among);
            prop_assert!(found.rows.is_within(&among));
            prop_assert!(plain.is_within(&found.rows));
            let rest = evaluate(&found.open, &table.schema, &table.rows).holds;
            prop_assert_eq!(found.rows.and(&rest), plain);
        }
    }
}

#[test]
fn nothing_is_open_of_no_rows() {
    let rows = arrow::array::RecordBatch::new_empty(schema().arrow());
    let table = Table { schema: schema(), rows };
    let built = built(&table, &IndexChoice::Auto);
    let unknown = Predicate::IsNull { column: martlet_core::ColumnName::new("absent").unwrap() };
    let none = Selection::none(0);
    let found = narrow(&unknown, &table.schema, &built.descriptor, &|_, _| None, &none);
    assert!(found.rows.is_none() && found.is_exact());
}
