//! The probe against the rows: exact with every index, never too narrow with any of them gone.

use std::sync::Arc;

use martlet_core::{ColumnName, ColumnType, Comparison, Predicate, Selection, Truth, Value};
use proptest::prelude::*;

use super::support::{TYPES, Table, built, opened, predicate, reference, schema, table};
use crate::choose::IndexChoice;
use crate::descriptor::Descriptor;
use crate::evaluate::evaluate;
use crate::filter::{Narrowed, narrow};
use crate::kind::{Index, IndexKind};
use crate::probe::{probe, sections_settling, sections_wanted, settled};

fn check_bounds(bounds: &Truth, plain: &Truth) -> Result<(), TestCaseError> {
    prop_assert!(plain.holds.is_within(&bounds.holds));
    prop_assert!(plain.fails().is_within(&bounds.fails()));
    if bounds.exact {
        prop_assert_eq!(&bounds.holds, &plain.holds);
        prop_assert_eq!(bounds.fails(), plain.fails());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_plain_way_is_sql(table in table(), predicate in predicate()) {
        let plain = evaluate(&predicate, &table.schema, &table.rows);
        prop_assert_eq!(plain, reference(&predicate, &table.rows));
    }

    #[test]
    fn with_every_index_the_probe_is_exact(
        table in table(),
        predicates in proptest::collection::vec(predicate(), 4),
        kinds in prop_oneof![
            Just(vec![IndexKind::Bitmap]), Just(vec![IndexKind::Codes]), Just(IndexKind::ALL.to_vec()),
        ],
    ) {
        let built = built(&table, &IndexChoice::Kinds(kinds));
        for predicate in &predicates {
            let answer = probe(predicate, &table.schema, &built.descriptor, &|column, kind| {
                opened(&built, column, kind)
            });
            let plain = evaluate(predicate, &table.schema, &table.rows);
            prop_assert_eq!(&answer, &plain);
            let indexes = |column, kind| opened(&built, column, kind);
            let rows = table.rows.num_rows() as u32;
            let every = Selection::all(rows);
            let narrowed =
                narrow(predicate, &table.schema, &built.descriptor, &indexes, &every);
            let open = Predicate::Constant(true);
            prop_assert_eq!(narrowed, Narrowed { rows: plain.holds, open });
        }
    }

    #[test]
    fn whatever_is_missing_the_probe_is_never_too_narrow(
        table in table(),
        predicates in proptest::collection::vec(predicate(), 4),
        present in any::<u128>(),
    ) {
        let built = built(&table, &IndexChoice::Auto);
        let descriptor = Descriptor::decode(&built.descriptor.encode()).unwrap();
        for predicate in &predicates {
            let answer = probe(predicate, &table.schema, &descriptor, &|column, kind| {
                let bit = column * IndexKind::ALL.len() + kind as usize;
                (present >> bit & 1 == 1).then(|| opened(&built, column, kind))?
            });
            check_bounds(&answer, &evaluate(predicate, &table.schema, &table.rows))?;
        }
    }

    #[test]
    fn each_kind_alone_is_never_too_narrow(
        table in table(), predicates in proptest::collection::vec(predicate(), 4),
    ) {
        for kind in IndexKind::ALL {
            let built = built(&table, &IndexChoice::Kinds(vec![kind]));
            for predicate in &predicates {
                let answer = probe(predicate, &table.schema, &built.descriptor, &|column, kind| {
                    opened(&built, column, kind)
                });
                check_bounds(&answer, &evaluate(predicate, &table.schema, &table.rows))?;
            }
        }
    }

    #[test]
    fn the_sections_wanted_suffice(table in table(), predicate in predicate()) {
        let built = built(&table, &IndexChoice::Auto);
        let wanted = sections_wanted(&predicate, &table.schema, &built.descriptor);
        let answer = probe(&predicate, &table.schema, &built.descriptor, &|column, kind| {
            let is_wanted = wanted.iter().any(|section| section.column == column && section.kind == kind);
            is_wanted.then(|| opened(&built, column, kind))?
        });
        let plain = evaluate(&predicate, &table.schema, &table.rows);
        check_bounds(&answer, &plain)?;
        prop_assert_eq!(&answer.holds, &plain.holds);
    }

    #[test]
    fn texts_settle_conditions_among_some_rows(
        table in table(),
        predicates in proptest::collection::vec(predicate(), 4),
        kinds in prop_oneof![
            Just(vec![IndexKind::Texts]),
            Just(vec![IndexKind::Texts, IndexKind::Ngram, IndexKind::BitSliced]),
            Just(IndexKind::ALL.to_vec()),
        ],
        among in proptest::collection::vec(any::<bool>(), 1..70),
    ) {
        let built = built(&table, &IndexChoice::Kinds(kinds));
        let rows = table.rows.num_rows();
        let among = Selection::from_flags((0..rows).map(|row| among[row % among.len()]));
        for predicate in &predicates {
            let wanted = sections_settling(predicate, &table.schema, &built.descriptor);
            let found = settled(predicate, &table.schema, &built.descriptor, &|column, kind| {
                let is_wanted =
                    wanted.iter().any(|section| section.column == column && section.kind == kind);
                is_wanted.then(|| opened(&built, column, kind))?
            }, &among);
            let plain = evaluate(predicate, &table.schema, &table.rows);
            let is_text = |name: &ColumnName| {
                let position = table.schema.position(name.as_str());
                position.is_some_and(|position| TYPES[position] == ColumnType::Text)
            };
            match found {
                Some(found) => prop_assert_eq!(found, plain.holds.and(&among)),
                // On texts alone a condition is always settled.
                None => prop_assert!(!predicate.columns().iter().all(is_text)),
            }
        }
    }
}

fn compare(column: &str, comparison: Comparison, value: Value) -> Predicate {
    Predicate::Compare { column: ColumnName::new(column).unwrap(), comparison, value }
}

/// 20,000 rows whose 64-bit integer (`c2`) counts up.
fn sorted_table() -> Table {
    use arrow::array::{ArrayRef, Int64Array, new_null_array};
    let schema = schema();
    let rows = 20_000_usize;
    let arrays = schema
        .columns()
        .iter()
        .map(|column| match column.name.as_str() {
            "c2" => Arc::new((0..rows as i64).collect::<Int64Array>()) as ArrayRef,
            _ => new_null_array(&column.column_type.arrow(), rows),
        })
        .collect();
    let rows = arrow::array::RecordBatch::try_new(schema.arrow(), arrays).unwrap();
    Table { schema, rows }
}

fn no_index(_: usize, _: IndexKind) -> Option<Arc<Index>> {
    None
}

#[test]
fn zone_maps_alone_prove_pages_in_and_out() {
    let table = sorted_table();
    let built = built(&table, &IndexChoice::None);
    let ask = |predicate: &Predicate| probe(predicate, &table.schema, &built.descriptor, &no_index);
    let first_page = ask(&compare("c2", Comparison::Equal, Value::Int(5)));
    assert_eq!(first_page.holds.runs(), std::iter::once(0..8_192).collect::<Vec<_>>());
    assert!(!first_page.exact);
    let at_the_seam = ask(&compare("c2", Comparison::Less, Value::Int(8_192)));
    assert_eq!(
        at_the_seam,
        evaluate(&compare("c2", Comparison::Less, Value::Int(8_192)), &table.schema, &table.rows)
    );
    let beyond = ask(&compare("c2", Comparison::Greater, Value::Int(20_000)));
    assert!(beyond.exact && beyond.holds.is_none() && beyond.fails().is_all());
}

#[test]
fn nothing_is_read_where_zone_maps_settle_the_answer() {
    let table = sorted_table();
    let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes]));
    let open = compare("c2", Comparison::Equal, Value::Int(5));
    let wanted =
        |predicate: &Predicate| sections_wanted(predicate, &table.schema, &built.descriptor);
    assert_eq!(wanted(&open).len(), 1);
    assert_eq!(wanted(&open.clone().and(open.clone())).len(), 1);
    let never = compare("c2", Comparison::Less, Value::Int(0));
    assert!(wanted(&never).is_empty());
    assert!(wanted(&Predicate::And(vec![open, never])).is_empty());
}

#[test]
fn what_cannot_be_checked_is_unknown_and_never_an_error() {
    let table = sorted_table();
    let built = built(&table, &IndexChoice::Auto);
    let unknown = Truth::unknown(20_000);
    for predicate in [
        compare("c2", Comparison::Equal, Value::text("5")),
        compare("no_such_column", Comparison::Equal, Value::Int(5)),
        Predicate::In {
            column: ColumnName::new("c2").unwrap(),
            values: [Value::Int(5), Value::text("5")].into_iter().collect(),
        },
    ] {
        let indexes = |column, kind| opened(&built, column, kind);
        assert_eq!(probe(&predicate, &table.schema, &built.descriptor, &indexes), unknown);
        assert_eq!(evaluate(&predicate, &table.schema, &table.rows), unknown);
        let negated = Predicate::Not(Box::new(predicate));
        assert_eq!(probe(&negated, &table.schema, &built.descriptor, &indexes), unknown);
    }
}

#[test]
fn an_index_over_other_rows_or_values_is_passed_over() {
    let table = sorted_table();
    let built = built(&table, &IndexChoice::Auto);
    let predicate = compare("c2", Comparison::Equal, Value::Int(5));
    let codes = opened(&built, 2, IndexKind::Codes);
    let shorter = Descriptor::without_indexes(19_999);
    let answer = probe(&predicate, &table.schema, &shorter, &|_, _| codes.clone());
    assert_eq!(answer, Truth::unknown(19_999));
    let text = compare("c8", Comparison::Equal, Value::text("5"));
    let bare = Descriptor::without_indexes(20_000);
    let answer = probe(&text, &table.schema, &bare, &|_, _| codes.clone());
    assert_eq!(answer, Truth::unknown(20_000));
}

#[test]
fn a_part_that_is_false_everywhere_settles_an_and() {
    let table = sorted_table();
    let built = built(&table, &IndexChoice::None);
    let open = compare("c2", Comparison::Equal, Value::Int(5));
    let never = compare("c2", Comparison::Less, Value::Int(0));
    let ask = |predicate: &Predicate| probe(predicate, &table.schema, &built.descriptor, &no_index);
    assert_eq!(ask(&Predicate::And(vec![open.clone(), never])), Truth::constant(20_000, false));
    let always = compare("c2", Comparison::GreaterOrEqual, Value::Int(0));
    assert_eq!(ask(&Predicate::Or(vec![open, always])), Truth::constant(20_000, true));
}
