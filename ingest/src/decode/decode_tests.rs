//! Whole files, good and bad: every row is loaded or told with its reason.

use std::path::Path;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    Array, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Date32Type, Decimal128Type};
use proptest::prelude::*;

use super::*;
use crate::arrive::arrive;
use crate::config::plan::LoadPlan;

fn plan(folder: &Path, columns: &[(&str, &str)], source: &str) -> LoadPlan {
    let columns: String = columns
        .iter()
        .map(|(name, rest)| format!("[[table.column]]\nname = \"{name}\"\n{rest}\n"))
        .collect();
    let text = format!(
        "name = \"night\"\n[[table]]\nname = \"t\"\nmode = \"append\"\n{columns}\
         [[table.source]]\nfiles = [\"t.*\"]\n{source}\n"
    );
    LoadPlan::parse(Path::new("night.toml"), &text, folder).unwrap()
}

struct Decoded {
    rows_read: u64,
    batches: Vec<RecordBatch>,
    rejects: Vec<Reject>,
}

impl Decoded {
    fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    fn texts(&self, column: usize) -> Vec<Option<String>> {
        self.batches
            .iter()
            .flat_map(|batch| batch.column(column).as_string::<i32>().iter())
            .map(|text| text.map(str::to_string))
            .collect()
    }

    /// Line, byte offset, column and reason of each refused row.
    fn reasons(&self) -> Vec<(u64, Option<u64>, Option<&str>, String)> {
        self.rejects
            .iter()
            .map(|reject| {
                let column = reject.column.as_deref();
                (reject.line, reject.byte_offset, column, reject.reason.to_string())
            })
            .collect()
    }
}

fn decode(
    file: &str,
    bytes: &[u8],
    columns: &[(&str, &str)],
    source: &str,
) -> Result<Decoded, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), bytes).unwrap();
    let plan = plan(folder.path(), columns, source);
    let date = "2026-11-22".parse().unwrap();
    let arrival = arrive(&plan, date)?;
    let mut decoded = Decoded { rows_read: 0, batches: Vec::new(), rejects: Vec::new() };
    decode_table(&plan.tables[0], &arrival.tables[0], date, Ok, |chunk, _| {
        decoded.rows_read += chunk.rows_read;
        decoded.batches.push(chunk.rows.batch);
        decoded.rejects.extend(chunk.rejects);
        Ok(())
    })?;
    Ok(decoded)
}

const TEXT: &str = "type = \"text\"";

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_string())).collect()
}

#[test]
fn mark_line_ends_and_a_last_line_without_one() {
    let text = "\u{feff}b;a\r\n1;x\r\n\r\n\"2\";\"y\"";
    let decoded =
        decode("t.csv", text.as_bytes(), &[("a", TEXT), ("b", TEXT)], "delimiter = \";\"");
    let decoded = decoded.unwrap();
    assert_eq!(decoded.texts(0), some(&["x", "y"]));
    assert_eq!(decoded.texts(1), some(&["1", "2"]));
    assert_eq!(decoded.rows_read, 2, "an empty line is no row");
}

#[test]
fn each_bad_row_is_told_with_line_offset_column_and_reason() {
    let text = b"n,t\n1,a\nx,b\n2\n3,\"c\n4,\"d\"e\n5,\xff\n6,f\n7,\"g";
    let decoded =
        decode("t.csv", text, &[("n", "type = \"int32\"\nnullable = false"), ("t", TEXT)], "")
            .unwrap();
    assert_eq!((decoded.rows_read, decoded.rows()), (8, 2));
    let expected = [
        (3, 8, Some("n"), "not a whole number"),
        (4, 12, None, "the row has 1 fields and 2 are expected"),
        (5, 14, Some("t"), "a quote is opened and not closed in this row"),
        (6, 19, Some("t"), "text follows the closing quote; a quote inside a value is doubled"),
        (7, 26, None, "the row is not valid UTF-8 text"),
        (
            9,
            34,
            Some("t"),
            "a quote is opened and not closed: the file is cut off in the middle of this row",
        ),
    ];
    let found = decoded.reasons();
    assert_eq!(found.len(), expected.len());
    for (found, (line, offset, column, reason)) in found.iter().zip(expected) {
        assert_eq!(
            (found.0, found.1, found.2, found.3.as_str()),
            (line, Some(offset), column, reason)
        );
    }
    assert_eq!(decoded.rejects[2].raw, "3,\"c");
    assert_eq!(decoded.rejects[4].raw, "5,\\xff");
}

#[test]
fn quoted_values_may_hold_lines_where_the_source_says_so() {
    let text = b"a,b\n1,\"x\r\ny\"\n\"2\n\n\",z\n3,\"open\n";
    let decoded =
        decode("t.csv", text, &[("a", TEXT), ("b", TEXT)], "newlines_in_values = true").unwrap();
    assert_eq!(decoded.texts(1), some(&["x\r\ny", "z"]));
    assert_eq!(decoded.texts(0), some(&["1", "2\n\n"]));
    assert_eq!(decoded.reasons()[0].0, 7);
}

#[test]
fn a_second_byte_that_looks_like_a_delimiter_is_none() {
    // 81 7C is one character of GBK, and 7C alone is the delimiter.
    let character = encoding_rs::GBK.decode(b"\x81\x7c").0;
    assert_eq!(character.chars().count(), 1);
    let text = b"x|y|z\na|\x81\x7c|b\nc|\xd6\xd0\x81\x7c|d\ne|\x81|f\n";
    let source = "delimiter = \"|\"\nencoding = \"gbk\"\nquote = \"\"";
    let decoded = decode("t.csv", text, &[("x", TEXT), ("y", TEXT), ("z", TEXT)], source).unwrap();
    assert_eq!(decoded.texts(1), some(&[&character, &format!("中{character}")]));
    // A lone lead byte takes the delimiter with it: one bad row, and only one.
    assert_eq!(decoded.reasons()[0].3, "the row has 2 fields and 3 are expected");
    assert_eq!(decoded.rejects.len(), 1);
}

#[test]
fn derived_columns_and_positions() {
    let columns = [
        ("who", "type = \"text\"\nvalue = \"source_system\""),
        ("day", "type = \"date\"\nvalue = \"batch_date\""),
        ("file", "type = \"text\"\nvalue = \"file_name\""),
        ("last", "type = \"text\"\nfield = 3"),
    ];
    let source = "system = \"core\"\nheader = false\nfield_count = 3";
    let decoded = decode("t.csv", b"\xef\xbb\xbf1,2,3\n4,5\n6,7,8,9\n", &columns, source).unwrap();
    assert_eq!(decoded.texts(0), some(&["core"]));
    assert_eq!(decoded.texts(2), some(&["t.csv"]));
    assert_eq!(decoded.texts(3), some(&["3"]));
    let day = decoded.batches[0].column(1).as_primitive::<Date32Type>().value(0);
    assert_eq!(day, "2026-11-22".parse::<BatchDate>().unwrap().days());
    assert_eq!(decoded.rejects.len(), 2);
}

#[test]
fn a_header_that_does_not_fit_is_the_files_error() {
    for (text, words) in [
        ("", "the file is empty"),
        ("b,c\n1,2\n", "no field `a`; it has `b`, `c`"),
        ("a,a\n1,2\n", "more than once"),
        ("a,\"b\n1,2\n", "field 2"),
    ] {
        let error = decode("t.csv", text.as_bytes(), &[("a", TEXT)], "").err().unwrap().to_string();
        assert!(error.contains(words) && error.contains("t.csv"), "{error}");
    }
    let error = decode("t.csv", b"a\n1\n", &[("a", "type = \"text\"\nfield = 2")], "");
    assert!(error.err().unwrap().to_string().contains("the file has 1 fields"));
}

fn parquet_file(columns: Vec<(&str, arrow::array::ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_values_are_taken_exactly_or_refused() {
    let bytes = parquet_file(vec![
        ("unused", Arc::new(Int64Array::from(vec![0; 5]))),
        (
            "amount",
            Arc::new(
                Decimal128Array::from(vec![Some(1_230), Some(1_234), None, Some(0), Some(500)])
                    .with_precision_and_scale(10, 3)
                    .unwrap(),
            ),
        ),
        ("small", Arc::new(Int64Array::from(vec![1, 2, 1 << 40, 4, 5]))),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1_000, 2_000, 3_000, 4_001, 5_000]))),
        (
            "day",
            Arc::new(StringArray::from(vec!["20240101", "20240102", "20240103", "20240104", "x"])),
        ),
    ]);
    let columns = [
        ("small", "type = \"int32\""),
        ("amount", "type = \"decimal(8,2)\""),
        ("at", "type = \"timestamp\""),
        ("day", "type = \"date\"\nformat = \"%Y%m%d\""),
    ];
    let decoded = decode("t.parquet", &bytes, &columns, "format = \"parquet\"").unwrap();
    assert_eq!((decoded.rows_read, decoded.rows()), (5, 1));
    let columns: Vec<_> =
        decoded.rejects.iter().map(|reject| (reject.line, reject.column.as_deref())).collect();
    assert_eq!(
        columns,
        [(2, Some("amount")), (3, Some("small")), (4, Some("at")), (5, Some("day"))]
    );
    assert!(decoded.rejects[0].raw.contains("amount=1.234;small=2"), "{}", decoded.rejects[0].raw);
    let amounts = decoded.batches[0].column(1).as_primitive::<Decimal128Type>();
    assert_eq!((amounts.value(0), amounts.null_count()), (123, 0));
}

#[test]
fn parquet_columns_of_another_kind_are_the_files_error() {
    let bytes = parquet_file(vec![("a", Arc::new(Int64Array::from(vec![1])))]);
    let error = |column| {
        decode("t.parquet", &bytes, &[("a", column)], "format = \"parquet\"")
            .err()
            .unwrap()
            .to_string()
    };
    assert!(error("type = \"date\"").contains("which is not read as date (column `a`)"));
    assert!(error("type = \"float64\"").contains("not read as float64"));
    let torn =
        decode("t.parquet", &bytes[..40], &[("a", "type = \"int64\"")], "format = \"parquet\"");
    assert!(torn.err().unwrap().to_string().contains("cannot be read as Parquet"));
}

const SOURCES: [&str; 5] = [
    "",
    "header = false\nfield_count = 3",
    "header = false\nfield_count = 3\nnewlines_in_values = true",
    "header = false\nfield_count = 3\nencoding = \"gb18030\"\ndelimiter = \"|\"",
    "header = false\nfield_count = 3\nquote = \"\"\ntrim = true\ndelimiter = \";\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the bytes are, nothing panics, and every row is loaded or rejected.
    #[test]
    fn any_bytes_are_accounted_for(
        lines in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..30),
                "[0-9]{1,3},[0-9.-]{0,6},[a-z\"]{0,4}".prop_map(String::into_bytes),
                "[0-9]{1,3}[|;][0-9.-]{0,6}[|;]\"?[a-z]{0,4}\"?".prop_map(String::into_bytes),
            ],
            0..30,
        ),
        source in prop::sample::select(SOURCES.to_vec()),
        end in prop::sample::select(vec!["", "\n", "\r\n"]),
    ) {
        let mut text = if source.is_empty() { b"a,b,c\n".to_vec() } else { Vec::new() };
        text.extend_from_slice(&lines.join(&b'\n'));
        text.extend_from_slice(end.as_bytes());
        let columns = [
            ("a", "type = \"int32\"\nnullable = false"),
            ("b", "type = \"decimal(5,2)\""),
            ("c", "type = \"text\""),
        ];
        let decoded = decode("t.csv", &text, &columns, source).unwrap();
        prop_assert_eq!(decoded.rows_read, decoded.rows() + decoded.rejects.len() as u64);
        let ascending = decoded.rejects.windows(2).all(|pair| pair[0].line < pair[1].line);
        prop_assert!(ascending);
    }

    /// What is written as a delimited file is loaded as it was, whatever stands in the values.
    #[test]
    fn delimited_text_round_trips(
        rows in prop::collection::vec((any::<i64>(), prop::option::of("[ -~é中\n]{1,12}")), 0..40),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["n", "t"]).unwrap();
        for (number, text) in &rows {
            writer.write_record([number.to_string(), text.clone().unwrap_or_default()]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let columns = [("n", "type = \"int64\""), ("t", TEXT)];
        let decoded = decode("t.csv", &text, &columns, "newlines_in_values = true").unwrap();
        let found: Vec<(i64, Option<String>)> = decoded.batches.iter().flat_map(|batch| {
            let numbers = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>();
            numbers.values().to_vec()
        }).zip(decoded.texts(1)).collect();
        prop_assert_eq!(found, rows);
    }
}
