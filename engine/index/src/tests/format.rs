//! What is written is read again; what was damaged is not.

use arrow::array::RecordBatch;
use martlet_core::{ErrorKind, Kinded};
use proptest::prelude::*;

use super::support::{TYPES, Table, built, opened, schema, table};
use crate::build::build;
use crate::choose::IndexChoice;
use crate::descriptor::Descriptor;
use crate::error::IndexError;
use crate::file::{MAGIC, digest};
use crate::kind::IndexKind;
use crate::values::value_at;
use crate::zone::Bounds;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_descriptor_is_read_as_it_was_written(table in table()) {
        let built = built(&table, &IndexChoice::Auto);
        prop_assert_eq!(Descriptor::decode(&built.descriptor.encode()), Ok(built.descriptor));
    }

    #[test]
    fn a_zone_map_tells_of_the_rows(table in table(), column in 0..TYPES.len()) {
        let built = built(&table, &IndexChoice::Auto);
        let array = table.rows.column(column);
        let mut values: Vec<_> =
            (0..array.len()).filter_map(|row| value_at(array, row)).collect();
        values.sort();
        let zone = built.descriptor.zone_map(column).unwrap();
        prop_assert_eq!(zone.values() as usize, values.len());
        if zone.bounds == Bounds::Exact {
            prop_assert_eq!(zone.min.as_ref(), values.first());
            prop_assert_eq!(zone.max.as_ref(), values.last());
        }
        values.dedup();
        prop_assert_eq!(zone.distinct.map(|distinct| distinct as usize), Some(values.len()));
    }

    #[test]
    fn bytes_that_nobody_wrote_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Descriptor::decode(&bytes).is_err());
        // Forged to pass the digest, they are refused or harmless.
        let mut forged = bytes;
        forged.extend_from_slice(&digest(&forged).to_le_bytes());
        let _ = Descriptor::decode(&forged);
    }
}

fn small_table() -> Table {
    let schema = schema();
    let arrays = TYPES
        .iter()
        .map(|column_type| arrow::array::new_null_array(&column_type.arrow(), 3))
        .collect();
    Table { rows: RecordBatch::try_new(schema.arrow(), arrays).unwrap(), schema }
}

#[test]
fn every_flipped_bit_of_a_descriptor_is_detected() {
    let bytes = built(&small_table(), &IndexChoice::Auto).descriptor.encode();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = Descriptor::decode(&damaged).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Damaged, "bit {bit}");
    }
}

#[test]
fn a_golden_object_keeps_its_bytes() {
    let table = small_table();
    let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes]));
    assert_eq!(built.bytes[..8], MAGIC);
    // Three nulls of a boolean: magic, rows, an empty table, three nulls, one block of width 0.
    let section = built.descriptor.section(0, IndexKind::Codes).unwrap();
    assert_eq!((section.offset, section.length), (8, 22));
    assert_eq!(built.bytes[8..30], *b"COD1\x03\0\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0");
}

#[test]
fn choices_build_what_they_say() {
    let table = small_table();
    let auto = built(&table, &IndexChoice::Auto);
    assert!(opened(&auto, 0, IndexKind::Bitmap).is_some());
    let none = built(&table, &IndexChoice::None);
    assert_eq!(none.descriptor.sections(), []);
    assert_eq!(none.bytes[..], MAGIC);
    assert!(none.descriptor.zone_map(0).is_some());
    let twice = built(&table, &IndexChoice::Kinds(vec![IndexKind::Codes, IndexKind::Codes]));
    assert_eq!(twice.descriptor.sections().len(), TYPES.len());
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let table = small_table();
    let choices = vec![IndexChoice::Auto; TYPES.len()];
    let fewer = table.rows.project(&[1, 2]).unwrap();
    let refused = build(&table.schema, &fewer, &choices).unwrap_err();
    assert!(matches!(refused, IndexError::Column { column } if column.as_str() == "c0"));
    let refused = build(&table.schema, &table.rows, &choices[1..]).unwrap_err();
    assert_eq!(refused, IndexError::Choices { choices: 9, columns: 10 });
}
