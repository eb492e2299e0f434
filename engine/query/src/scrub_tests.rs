//! The scrub's promise, byte by byte: no buffer holds what no row shows.

use datafusion::arrow::array::{
    BinaryArray, Int64Array, StringArray, StringViewArray, UInt32Array,
};
use datafusion::arrow::compute::{filter, nullif};
use datafusion::arrow::datatypes::{Field, Int64Type};
use proptest::prelude::*;

use super::*;
use crate::wire::plain_array;

/// Every byte that an array would send, its children's included.
fn bytes_of(array: &ArrayRef) -> Vec<u8> {
    fn collect(data: &datafusion::arrow::array::ArrayData, into: &mut Vec<u8>) {
        for buffer in data.buffers() {
            into.extend_from_slice(buffer.as_slice());
        }
        if let Some(nulls) = data.nulls() {
            into.extend_from_slice(nulls.buffer().as_slice());
        }
        data.child_data().iter().for_each(|child| collect(child, into));
    }
    let mut bytes = Vec::new();
    collect(&array.to_data(), &mut bytes);
    bytes
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

const CANARY: &str = "canary-0123456789abcdef-hidden";

#[test]
fn a_filtered_view_loses_the_payload_of_the_rows_that_went() {
    let views: ArrayRef =
        Arc::new(StringViewArray::from(vec![CANARY, "a visible text of some length"]));
    let kept = filter(&views, &BooleanArray::from(vec![false, true])).unwrap();
    assert!(
        contains(&bytes_of(&kept), CANARY.as_bytes()),
        "arrow no longer keeps it: simplify the scrub"
    );
    let clean = scrub(&plain_array(&kept, &DataType::Utf8).unwrap()).unwrap();
    assert!(!contains(&bytes_of(&clean), CANARY.as_bytes()));
    assert_eq!(clean.as_string::<i32>().value(0), "a visible text of some length");
}

#[test]
fn a_slice_loses_its_neighbours() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![CANARY, "b", CANARY]));
    let clean = scrub(&texts.slice(1, 1)).unwrap();
    assert!(!contains(&bytes_of(&clean), CANARY.as_bytes()));
}

#[test]
fn a_value_under_a_null_becomes_zero() {
    let secret = 0x5EC2_E7CA_4A21_7788_i64;
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![secret, 5]));
    let hidden = nullif(&numbers, &BooleanArray::from(vec![true, false])).unwrap();
    assert!(
        contains(&bytes_of(&hidden), &secret.to_le_bytes()),
        "arrow no longer keeps it: simplify the scrub"
    );
    let clean = scrub(&hidden).unwrap();
    assert!(!contains(&bytes_of(&clean), &secret.to_le_bytes()));
    assert_eq!(clean.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), vec![None, Some(5)]);
}

#[test]
fn a_text_under_a_null_is_gone() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["shown", CANARY, "too"]));
    let bytes: ArrayRef =
        Arc::new(BinaryArray::from_vec(vec![b"shown", CANARY.as_bytes(), b"too"]));
    for array in [texts, bytes] {
        let hidden = nullif(&array, &BooleanArray::from(vec![false, true, false])).unwrap();
        assert!(
            contains(&bytes_of(&hidden), CANARY.as_bytes()),
            "arrow no longer keeps it: simplify the scrub"
        );
        let clean = scrub(&hidden).unwrap();
        assert!(!contains(&bytes_of(&clean), CANARY.as_bytes()));
        assert_eq!(&clean, &hidden);
    }
}

#[test]
fn a_flag_under_a_null_is_gone_and_nothing_is_left_of_no_rows() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, true, false]));
    let hidden = nullif(&flags, &BooleanArray::from(vec![true, false, false])).unwrap();
    let clean = scrub(&hidden.slice(0, 2)).unwrap();
    assert_eq!(bytes_of(&clean), [0b10, 0b10], "values, and which of them are there");
    let texts: ArrayRef = Arc::new(StringArray::from(vec![CANARY, CANARY]));
    let none = scrub(&texts.slice(1, 0)).unwrap();
    assert_eq!(none.len(), 0);
    assert!(!contains(&bytes_of(&none), CANARY.as_bytes()));
}

#[test]
fn a_null_struct_and_a_null_list_lose_their_children() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![CANARY, "shown"]));
    let field = Arc::new(Field::new("text", DataType::Utf8, true));
    let nulls = NullBuffer::from(vec![false, true]);
    let rows =
        StructArray::try_new(vec![field].into(), vec![Arc::clone(&texts)], Some(nulls.clone()))
            .unwrap();
    let clean = scrub(&(Arc::new(rows) as ArrayRef)).unwrap();
    assert!(!contains(&bytes_of(&clean), CANARY.as_bytes()));

    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let list =
        ListArray::try_new(item, OffsetBuffer::from_lengths([1, 1]), texts, Some(nulls)).unwrap();
    let clean = scrub(&(Arc::new(list) as ArrayRef)).unwrap();
    assert!(!contains(&bytes_of(&clean), CANARY.as_bytes()));
    assert_eq!(clean.as_list::<i32>().value(1).as_string::<i32>().value(0), "shown");
}

proptest! {
    #[test]
    fn a_scrubbed_array_is_equal_and_shares_no_buffer(
        texts in proptest::collection::vec(proptest::option::of("[a-zé李]{0,20}"), 0..60),
        start in 0_usize..30,
    ) {
        let whole: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let start = start.min(texts.len());
        let part = whole.slice(start, texts.len() - start);
        let clean = scrub(&part).unwrap();
        prop_assert_eq!(&clean, &part);
        let visible: usize = texts[start..].iter().flatten().map(String::len).sum();
        prop_assert_eq!(clean.to_data().buffers()[1].len(), visible);
        let rows = UInt32Array::from_iter_values(0..u32::try_from(clean.len()).unwrap());
        prop_assert_eq!(&take(&clean, &rows, None).unwrap(), &part);
    }
}
