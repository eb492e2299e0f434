//! Answers as tables, CSV and JSON: nulls, quotes, exact decimals, wide characters.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, StringArray, TimestampMicrosecondArray,
};

use super::*;
use crate::command::terminal::Reader;

fn answer() -> RecordBatch {
    let amounts =
        Decimal128Array::from(vec![Some(12_345_678_901_234_567_890_i128), Some(-5), None])
            .with_precision_and_scale(38, 2)
            .unwrap();
    RecordBatch::try_from_iter([
        (
            "name",
            Arc::new(StringArray::from(vec![Some("王,小明"), Some("say \"hi\"\r\n"), Some("")]))
                as ArrayRef,
        ),
        ("amount", Arc::new(amounts) as ArrayRef),
        ("score", Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN), None])) as ArrayRef),
        ("open", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])) as ArrayRef),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), Some(1_500_000), None]))
                as ArrayRef,
        ),
    ])
    .unwrap()
}

fn written(print: impl Fn(&mut dyn Write)) -> String {
    let mut bytes = Vec::new();
    print(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn csv_quotes_what_rfc_4180_asks_for_and_tells_null_from_empty() {
    let batch = answer();
    let text = written(|out| {
        csv_header(&batch.schema(), out).unwrap();
        csv_rows(&batch, out).unwrap();
    });
    assert_eq!(
        text,
        "name,amount,score,open,at\r\n\
         \"王,小明\",123456789012345678.90,0.5,true,1970-01-01 00:00:00\r\n\
         \"say \"\"hi\"\"\r\n\",-0.05,NaN,,1970-01-01 00:00:01.500\r\n\
         \"\",,,false,\r\n"
    );
}

#[test]
fn csv_is_read_back_as_it_was() {
    let batch = answer();
    let text = written(|out| csv_rows(&batch, out).unwrap());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let names: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(names, ["王,小明", "say \"hi\"\r\n", ""]);
}

#[test]
fn json_keeps_every_digit_and_is_json() {
    let text = written(|out| json_rows(&answer(), out).unwrap());
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "{\"name\":\"王,小明\",\"amount\":123456789012345678.90,\"score\":0.5,\"open\":true,\
         \"at\":\"1970-01-01T00:00:00\"}"
    );
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value.is_object());
    }
    assert!(text.lines().nth(1).unwrap().contains("\"score\":null"), "{text}");
}

#[test]
fn a_null_without_a_type_is_a_null() {
    let nulls = Arc::new(arrow::array::NullArray::new(1)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("nothing", nulls)]).unwrap();
    assert_eq!(texts(&batch).unwrap(), [[None]]);
    assert_eq!(written(|out| json_rows(&batch, out).unwrap()), "{\"nothing\":null}\n");
}

#[test]
fn a_table_sets_numbers_right_and_stops_at_the_cap() {
    let batch = answer();
    let mut grid = grid_for(&batch.schema());
    add_rows(&mut grid, &batch, 2).unwrap();
    assert_eq!(grid.len(), 2);
    let text = grid.render(Reader::Pipe);
    assert!(text.contains("┆ 123456789012345678.90 ┆"), "{text}");
    assert!(text.contains("┆                 -0.05 ┆"), "{text}");
    assert!(text.contains("say \"hi\"\\r\\n"), "{text}");
}
