//! However a file is cut into chunks, its records are the same.

use encoding_rs::UTF_8;
use proptest::prelude::*;

use super::super::fields::Splitter;
use super::super::records::{Ending, Records};
use super::*;

fn quoted() -> Cutter {
    Cutter::Quoted { splitter: Splitter::new(',', Some('"')), encoding: UTF_8 }
}

type Found = (Vec<u8>, u64, u64, Ending);

fn records(cutter: &Cutter, bytes: &[u8], offset: u64, line: u64) -> Vec<Found> {
    Records::new(cutter, bytes, offset, line)
        .map(|record| (record.bytes.to_vec(), record.offset, record.line, record.ending))
        .collect()
}

fn records_by_chunk(cutter: &Cutter, bytes: &[u8], chunk_bytes: usize) -> Vec<Found> {
    let mut reader = ChunkReader::new(bytes, cutter.clone(), chunk_bytes);
    let mut found = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        assert_eq!(chunk.content, Content::Records);
        found.extend(records(cutter, &chunk.bytes, chunk.offset, chunk.line));
    }
    assert_eq!(reader.bytes_read(), bytes.len() as u64);
    found
}

#[test]
fn lines_have_offsets_and_numbers() {
    let text = b"a,b\r\n\n\"c\nd\"\nlast";
    let by_line: Vec<_> = records(&Cutter::Lines, text, 0, 1)
        .into_iter()
        .map(|(bytes, offset, line, _)| (String::from_utf8(bytes).unwrap(), offset, line))
        .collect();
    let text_of = |text: &str| text.to_string();
    assert_eq!(
        by_line,
        [
            (text_of("a,b"), 0, 1),
            (text_of("\"c"), 6, 3),
            (text_of("d\""), 9, 4),
            (text_of("last"), 12, 5)
        ]
    );
    let by_quote = records(&quoted(), text, 0, 1);
    assert_eq!(by_quote[1], (b"\"c\nd\"".to_vec(), 6, 3, Ending::LineEnd));
    assert_eq!(by_quote[2], (b"last".to_vec(), 12, 5, Ending::EndOfFile));
}

#[test]
fn a_record_without_end_is_skipped() {
    let mut text = b"first\n".to_vec();
    text.resize(text.len() + 3 * LINE_BYTES_MAX, b'x');
    text.extend_from_slice(b"\nlast\n");
    let mut reader = ChunkReader::new(text.as_slice(), Cutter::Lines, 1024);
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        chunks.push((chunk.content, chunk.line, chunk.offset, chunk.bytes.len()));
    }
    assert_eq!(chunks[0], (Content::Records, 1, 0, 6));
    assert_eq!(chunks[1], (Content::TooLong, 2, 6, TOO_LONG_KEPT_BYTES));
    assert_eq!(chunks[2], (Content::Records, 3, 3 * LINE_BYTES_MAX as u64 + 7, 5));
    assert_eq!(chunks.len(), 3);
    assert_eq!(reader.bytes_read(), text.len() as u64);
}

#[test]
fn a_quote_that_is_never_closed_is_given_up() {
    let line = b"abcdefg,1\n";
    let mut text = b"\"open\n".to_vec();
    while text.len() <= LINE_BYTES_MAX + 1_000 {
        text.extend_from_slice(line);
    }
    let mut reader = ChunkReader::new(text.as_slice(), quoted(), 1 << 20);
    let first = reader.next_chunk().unwrap().unwrap();
    assert_eq!((first.content, first.line, first.offset), (Content::TooLong, 1, 0));
    let second = reader.next_chunk().unwrap().unwrap();
    assert_eq!(second.content, Content::Records);
    assert!(second.bytes.starts_with(line), "reading goes on at a line's beginning");
    let lines_skipped =
        memchr::memchr_iter(b'\n', &text[..usize::try_from(second.offset).unwrap()]);
    assert_eq!(second.line, lines_skipped.count() as u64 + 1);
}

proptest! {
    /// However a file is cut into chunks, its records, offsets and lines are the same.
    #[test]
    fn chunks_do_not_change_records(
        text in prop::collection::vec(prop::sample::select(b"ab\",\r\n".to_vec()), 0..60),
        chunk_bytes in 1_usize..20,
        cutter in prop::sample::select(vec![Cutter::Lines, quoted()]),
    ) {
        prop_assert_eq!(
            records_by_chunk(&cutter, &text, chunk_bytes),
            records(&cutter, &text, 0, 1)
        );
    }
}
