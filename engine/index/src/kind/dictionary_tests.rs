//! That a dictionary read where it lies tells what the values it was written from do, and that
//! nothing else than ascending values is taken.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use proptest::prelude::*;

use super::*;
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::table;
use crate::values::key_of_value;

const DECIMAL: ColumnType = ColumnType::Decimal { precision: 38, scale: 2 };

fn read(bytes: Vec<u8>) -> Result<Dictionary, IndexError> {
    let section = Bytes::from(bytes);
    table::read(&mut Cursor::new(&section), &section)
}

fn stored(column_type: ColumnType, values: &[Value]) -> Result<Dictionary, IndexError> {
    let mut bytes = Vec::new();
    table::write(column_type, values, &mut bytes);
    read(bytes)
}

/// Values of one type, and the type.
fn values() -> impl Strategy<Value = (ColumnType, Vec<Value>)> {
    let any = prop_oneof![
        (Just(ColumnType::Boolean), any::<Vec<bool>>().prop_map(of(Value::Boolean))),
        (Just(ColumnType::Int64), any::<Vec<i64>>().prop_map(of(Value::Int))),
        (Just(ColumnType::Float64), any::<Vec<f64>>().prop_map(of(Value::Float))),
        (Just(DECIMAL), any::<Vec<i128>>().prop_map(of(Value::Decimal))),
        (Just(DECIMAL), any::<Vec<i64>>().prop_map(of(|n: i64| Value::Decimal(n.into())))),
        (Just(ColumnType::Date), any::<Vec<i32>>().prop_map(of(Value::Date))),
        (Just(ColumnType::Timestamp), any::<Vec<i64>>().prop_map(of(Value::Timestamp))),
        (Just(ColumnType::Text), any::<Vec<String>>().prop_map(of(|t: String| Value::text(&t)))),
        (
            Just(ColumnType::Text),
            proptest::collection::vec("(A|B|é)?[0-9]{0,3}", 0..30)
                .prop_map(of(|t: String| Value::text(&t)))
        ),
    ];
    any.prop_map(|(column_type, values)| (column_type, values.into_iter().collect()))
}

fn of<T>(value: impl Fn(T) -> Value) -> impl Fn(Vec<T>) -> BTreeSet<Value> {
    move |numbers| numbers.into_iter().map(&value).collect()
}

proptest! {
    #[test]
    fn it_tells_what_it_was_written_from((column_type, values) in values()) {
        let dictionary = stored(column_type, &values).unwrap();
        prop_assert_eq!(dictionary.len(), values.len());
        prop_assert_eq!(dictionary.iter().collect::<Vec<_>>(), values.clone());
        prop_assert_eq!(dictionary.value(values.len()), None);
        prop_assert!(dictionary.fits(column_type));
        let keys: Option<Vec<i64>> = values.iter().map(key_of_value).collect();
        prop_assert_eq!(dictionary.has_narrow_keys(), keys.is_some());
        prop_assert_eq!(dictionary.narrow_keys(), keys);
        for (position, value) in values.iter().enumerate() {
            let text = match value {
                Value::Text(text) => Some(&**text),
                _ => None,
            };
            prop_assert_eq!(dictionary.text(position), text);
        }
    }

    #[test]
    fn values_are_found_where_a_search_of_all_finds_them(
        (column_type, mut values) in values(),
        missing in any::<prop::sample::Index>(),
    ) {
        // One of them is looked for although it is not there.
        let absent = (!values.is_empty()).then(|| values.remove(missing.index(values.len())));
        let dictionary = stored(column_type, &values).unwrap();
        for value in values.iter().chain(&absent) {
            prop_assert_eq!(dictionary.position(value), values.binary_search(value));
            for (position, own) in values.iter().enumerate() {
                prop_assert_eq!(dictionary.compare(position, value), own.cmp(value));
            }
        }
    }

    #[test]
    fn equal_values_of_two_dictionaries_hash_alike((column_type, values) in values()) {
        let hasher = FixedState::with_seed(7);
        let whole = stored(column_type, &values).unwrap().hashes(&hasher);
        let half = stored(column_type, &values[values.len() / 2..]).unwrap().hashes(&hasher);
        prop_assert_eq!(&whole[values.len() / 2..], half);
        prop_assert_eq!(whole.len(), whole.iter().collect::<BTreeSet<_>>().len());
        // The hasher is not one that ignores what it is given.
        prop_assert_ne!(hasher.hash_one(1), hasher.hash_one(2));
    }

    #[test]
    fn values_out_of_order_are_refused((column_type, values) in values()) {
        prop_assume!(values.len() > 1);
        let backwards: Vec<Value> = values.iter().rev().cloned().collect();
        prop_assert!(stored(column_type, &backwards).is_err());
        let repeated: Vec<Value> = values.iter().chain(values.last()).cloned().collect();
        prop_assert!(stored(column_type, &repeated).is_err());
    }

    #[test]
    fn whatever_the_bytes_are_there_is_no_panic(
        (column_type, values) in values(),
        at in any::<prop::sample::Index>(),
        flipped in 1_u8..,
    ) {
        let mut bytes = Vec::new();
        table::write(column_type, &values, &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= flipped;
        if let Ok(dictionary) = read(bytes) {
            let all: Vec<Value> = dictionary.iter().collect();
            prop_assert!(all.is_sorted_by(|left, right| left < right));
        }
    }
}

#[test]
fn nothing_is_copied() {
    let values: Vec<Value> = (0..100).map(|n| Value::text(&format!("C{n:09}"))).collect();
    let mut bytes = Vec::new();
    table::write(ColumnType::Text, &values, &mut bytes);
    let section = Bytes::from(bytes);
    let dictionary = table::read(&mut Cursor::new(&section), &section).unwrap();
    let text = dictionary.text(42).unwrap().as_ptr() as usize;
    let place = section.as_ptr() as usize;
    assert!((place..place + section.len()).contains(&text));
}

#[test]
fn a_text_that_ends_within_a_character_is_refused() {
    let mut bytes = Vec::new();
    table::write(ColumnType::Text, &[Value::text("a"), Value::text("é")], &mut bytes);
    // The type, the count, then where the first text begins, and where it ends.
    assert_eq!(bytes[9..13], 1_u32.to_le_bytes());
    assert!(read(bytes.clone()).is_ok());
    bytes[9] = 2;
    assert!(read(bytes).is_err());
}
