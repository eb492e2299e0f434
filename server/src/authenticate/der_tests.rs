//! Lengths, tags and times as X.690 and RFC 5280 have them, and no bytes that do harm.

use proptest::prelude::*;

use super::*;

fn next(bytes: &[u8]) -> Option<Element<'_>> {
    Elements::new(bytes).next()
}

#[test]
fn lengths_are_short_or_say_how_long_they_are() {
    let long = [&[SEQUENCE, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
    assert_eq!(next(&long).unwrap().content, [7; 256]);
    assert_eq!(next(&[SEQUENCE, 0]).unwrap().content, [0; 0]);
    for broken in [
        &[SEQUENCE][..],
        &[SEQUENCE, 2, 0],
        &[SEQUENCE, 0x80, 0, 0],
        &[SEQUENCE, 0x82, 1],
        &[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[SEQUENCE, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        &[0x1f, 1, 0],
    ] {
        assert_eq!(next(broken), None, "{broken:?}");
    }
}

#[test]
fn elements_follow_each_other_to_the_end_or_are_none() {
    let bytes = [BOOLEAN, 1, 0xff, OCTET_STRING, 1, 7];
    let mut elements = Elements::new(&bytes);
    elements.skip(OCTET_STRING);
    elements.skip(BOOLEAN);
    assert_eq!(elements.expect(OCTET_STRING), Some(&[7][..]));
    assert_eq!(Elements::new(&bytes).all().unwrap().len(), 2);
    assert_eq!(Elements::new(&bytes[..5]).all(), None);
}

#[test]
fn times_are_read_with_two_digits_of_the_year_and_with_four() {
    let at = |tag, text: &'static str| seconds(Element { tag, content: text.as_bytes() });
    assert_eq!(at(UTC_TIME, "260101000000Z"), Some(1_767_225_600));
    assert_eq!(at(GENERALIZED_TIME, "20260101000000Z"), Some(1_767_225_600));
    assert_eq!(at(UTC_TIME, "700101000000Z"), Some(0));
    assert_eq!(at(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(at(UTC_TIME, "500101000000Z"), Some(-631_152_000));
    for none in
        ["260101000000", "261301000000Z", "2601010000Z", "26010100000 Z", "-60101000000Z", "Z", ""]
    {
        assert_eq!(at(UTC_TIME, none), None, "{none}");
    }
}

#[test]
fn texts_are_of_the_kinds_that_names_are_written_in() {
    let of = |tag, content| text(Element { tag, content });
    assert_eq!(of(UTF8_STRING, "李".as_bytes()), Some("李"));
    assert_eq!(of(PRINTABLE_STRING, b"kim"), Some("kim"));
    assert_eq!(of(IA5_STRING, "李".as_bytes()), None);
    assert_eq!(of(0x1e, b"\0k\0i\0m"), None, "two bytes a letter");
    assert_eq!(of(UTF8_STRING, b"\xff"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut elements = Elements::new(&bytes);
        while let Some(element) = elements.next() {
            let _ = (text(element), seconds(element), Elements::new(element.content).all());
        }
    }
}
