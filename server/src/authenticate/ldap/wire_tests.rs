//! What is written is read back, and what nobody would write is no message.

use proptest::prelude::*;

use super::super::super::der::Elements;
use super::*;

async fn read(bytes: &[u8]) -> Result<Vec<u8>, NoMessage> {
    read_message(&mut &bytes[..]).await
}

#[tokio::test]
async fn a_message_is_read_to_its_end_and_no_further() {
    let mut bytes = element(SEQUENCE, b"answer");
    bytes.extend(b"what follows");
    let mut stream = &bytes[..];
    assert_eq!(read_message(&mut stream).await.unwrap(), b"answer");
    assert_eq!(stream, b"what follows");
}

#[tokio::test]
async fn long_lengths_are_read_as_directories_write_them() {
    for bytes in [&[0x30, 0x84, 0, 0, 0, 2, 7, 8][..], &[0x30, 0x81, 2, 7, 8], &[0x30, 2, 7, 8]] {
        assert_eq!(read(bytes).await.unwrap(), [7, 8]);
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_before_room_is_made_for_it() {
    for (bytes, why) in [
        (&[0x31, 2, 7, 8][..], "another tag"),
        (&[0x30, 0x80, 7, 8, 0, 0], "no definite length"),
        (&[0x30, 0x85, 0, 0, 0, 0, 1, 7], "a length of five bytes"),
        (&[0x30, 0xff, 1], "a length of no form"),
        (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "four gigabytes"),
        (&[0x30, 0x83, 0x10, 0, 1], "a byte too many"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "another protocol"),
    ] {
        assert_eq!(read(bytes).await, Err(NoMessage::Form), "{why}");
    }
    for cut in [&[][..], &[0x30], &[0x30, 0x82, 1], &[0x30, 3, 7, 8]] {
        assert_eq!(read(cut).await, Err(NoMessage::Closed));
    }
}

#[test]
fn numbers_are_written_as_the_protocol_has_them() {
    assert_eq!(number(INTEGER, 0), [2, 1, 0]);
    assert_eq!(number(INTEGER, 127), [2, 1, 127]);
    assert_eq!(number(INTEGER, 128), [2, 2, 0, 128]);
    for none in [&[][..], &[0x80], &[0xff, 1], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 1]] {
        assert_eq!(as_number(none), None, "{none:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        tag in 0_u8..31, content in proptest::collection::vec(any::<u8>(), 0..70_000), value: u32,
    ) {
        let bytes = element(tag, &content);
        let read = Elements::new(&bytes).all().unwrap();
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!((read[0].tag, read[0].content), (tag, &content[..]));
        let bytes = number(INTEGER, value);
        prop_assert_eq!(as_number(Elements::new(&bytes).expect(INTEGER).unwrap()), Some(value));
    }
}
