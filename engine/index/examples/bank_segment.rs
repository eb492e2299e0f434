//! Measures every kind of index over segments of the synthetic bank: bytes a row and time.
//!
//! `cargo run --release -p martlet-index --example bank_segment -- FEED [outlets]`, where FEED
//! is the folder of the core banking system's files and one of so many outlets is taken (all
//! by default). Prints figures and asserts nothing about them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use arrow::array::Date32Array;
use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_core::{ColumnName, ColumnSchema, ColumnType, LikePattern, TableName, TableSchema};
use martlet_index::{Built, Index, IndexChoice, build, value_at};

const MONEY: ColumnType = ColumnType::Decimal { precision: 18, scale: 2 };

type Fields = &'static [(&'static str, ColumnType)];

const CUSTOMER: Fields = &[
    ("customer_id", ColumnType::Text),
    ("outlet", ColumnType::Text),
    ("name", ColumnType::Text),
    ("id_number", ColumnType::Text),
    ("mobile", ColumnType::Text),
    ("email", ColumnType::Text),
    ("address", ColumnType::Text),
    ("birth_date", ColumnType::Date),
    ("gender", ColumnType::Text),
    ("education", ColumnType::Text),
    ("occupation", ColumnType::Text),
    ("marital_status", ColumnType::Text),
    ("segment", ColumnType::Text),
    ("risk_level", ColumnType::Text),
    ("vip", ColumnType::Boolean),
    ("opened_on", ColumnType::Date),
    ("accounts", ColumnType::Int32),
    ("deposit_balance", MONEY),
    ("assets_total", MONEY),
    ("memo", ColumnType::Text),
];

const TRANSACTION: Fields = &[
    ("transaction_id", ColumnType::Int64),
    ("account_id", ColumnType::Text),
    ("customer_id", ColumnType::Text),
    ("outlet", ColumnType::Text),
    ("channel", ColumnType::Text),
    ("type", ColumnType::Text),
    ("direction", ColumnType::Text),
    ("amount", MONEY),
    ("balance_after", MONEY),
    ("currency", ColumnType::Text),
    ("booked_on", ColumnType::Date),
    ("booked_at", ColumnType::Timestamp),
    ("counterparty_account", ColumnType::Text),
    ("memo", ColumnType::Text),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let feed = PathBuf::from(arguments.next().ok_or("name the folder of the feed")?);
    let outlets = arguments.next().map_or(Ok(1), |text| text.parse())?;
    measure(&feed, ("transaction", "transaction_id"), TRANSACTION, &[3, 2, 10], outlets)?;
    measure(&feed, ("customer", "customer_id"), CUSTOMER, &[1, 0], 1)
}

fn measure(
    feed: &Path,
    (table, primary_key): (&str, &str),
    fields: Fields,
    sorted_by: &[usize],
    outlets: u64,
) -> Result<(), Box<dyn Error>> {
    let (records, text_bytes) = read(feed, table, sorted_by, outlets)?;
    let schema = schema(table, fields, primary_key)?;
    let columns = fields.iter().enumerate();
    let columns = columns.map(|(at, (_, kind))| column(&records, at, *kind));
    let rows = RecordBatch::try_new(schema.arrow(), columns.collect::<Result<Vec<_>, _>>()?)?;
    let count = rows.num_rows() as f64;
    println!("{table}: {count} rows, {:.1} bytes of text a row", text_bytes as f64 / count);
    let none = vec![IndexChoice::None; fields.len()];
    timed("zone maps alone", || build(&schema, &rows, &none))?;
    let auto = vec![IndexChoice::Auto; fields.len()];
    let built = timed("auto", || build(&schema, &rows, &auto))?;
    println!("{:>10.2} bytes a row in all, by auto", built.bytes.len() as f64 / count);
    for section in built.descriptor.sections() {
        let (column, kind) = (section.column, section.kind);
        let mut choices = none.clone();
        choices[column] = IndexChoice::Kinds(vec![kind]);
        let label = format!(
            "{:.2} bytes a row: {} of {}",
            section.length as f64 / count,
            kind.name(),
            fields[column].0
        );
        timed(&label, || build(&schema, &rows, &choices))?;
    }
    probe(&built, &rows)
}

/// Looks every 97th row's key up, and searches a few parts of texts.
fn probe(built: &Built, rows: &RecordBatch) -> Result<(), Box<dyn Error>> {
    for section in built.descriptor.sections() {
        let start = usize::try_from(section.offset)?;
        let bytes = built.bytes.slice(start..start + usize::try_from(section.length)?);
        let index = Index::open(section, &bytes, built.descriptor.rows())?;
        let array = rows.column(section.column);
        if let Some(lookup) = index.as_lookup() {
            let values: Vec<_> =
                (0..array.len()).step_by(97).filter_map(|row| value_at(array, row)).collect();
            let begun = Instant::now();
            let found: usize = values.iter().map(|value| lookup.candidates(value).count()).sum();
            let nanoseconds = begun.elapsed().as_secs_f64() * 1e9 / values.len().max(1) as f64;
            let each = found as f64 / values.len() as f64;
            println!("{nanoseconds:>10.0} ns, {each:.1} rows: look-up in {}", section.column);
        }
        if let Some(ngram) = index.as_ngram() {
            for pattern in ["%李%", "李%", "%公园路%", "%公园路7%室", "%ninglong37%", "%not there%"]
            {
                let pattern = LikePattern::new(pattern);
                let answer =
                    timed(&format!("LIKE in column {}", section.column), || ngram.like(&pattern))?;
                println!(
                    "{:>13} rows, exact: {}, {}",
                    answer.holds.count(),
                    answer.exact,
                    pattern.as_str()
                );
            }
        }
    }
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = processor_time();
    let result = black_box(work());
    println!("{:>10.3} ms  {what}", (processor_time() - start) * 1_000.0);
    result
}

/// Seconds that this thread has run, so that a busy machine does not blur the figures; by the
/// clock where the system does not tell.
fn processor_time() -> f64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| BEGUN.elapsed().as_secs_f64(), |ran| ran / 1e9)
}

/// The records of a table's files, sorted, and the bytes of their text.
fn read(
    feed: &Path,
    table: &str,
    sorted_by: &[usize],
    outlets: u64,
) -> Result<(Vec<csv::StringRecord>, u64), Box<dyn Error>> {
    let outlet = sorted_by[0];
    let mut sorted: BTreeMap<Vec<String>, Vec<csv::StringRecord>> = BTreeMap::new();
    let mut text_bytes = 0;
    for entry in fs::read_dir(feed)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(&format!("{table}_")) {
            continue;
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(b'|').quoting(false).from_path(&path)?;
        for record in reader.records() {
            let record = record?;
            if record[outlet].parse::<u64>().unwrap_or(0) % outlets == 0 {
                text_bytes += record.as_slice().len() as u64 + record.len() as u64;
                let key = sorted_by.iter().map(|at| record[*at].to_owned()).collect();
                sorted.entry(key).or_default().push(record);
            }
        }
    }
    let mut records: Vec<_> = sorted.into_values().flatten().collect();
    let all = records.len().max(1);
    records.truncate(SEGMENT_ROWS_MAX as usize);
    Ok((records.clone(), text_bytes * records.len() as u64 / all as u64))
}

fn schema(table: &str, fields: Fields, primary_key: &str) -> Result<TableSchema, Box<dyn Error>> {
    let columns = fields.iter().map(|(name, column_type)| {
        let nullable = *name != primary_key;
        Ok(ColumnSchema {
            name: ColumnName::new(name)?,
            column_type: *column_type,
            nullable,
            class: None,
        })
    });
    let columns = columns.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let key = [ColumnName::new(primary_key)?];
    Ok(TableSchema::new(TableName::new(table)?, columns, &key, &[])?)
}

fn column(
    records: &[csv::StringRecord],
    at: usize,
    column_type: ColumnType,
) -> Result<ArrayRef, Box<dyn Error>> {
    let texts = records.iter().map(|record| Some(&record[at]).filter(|text| !text.is_empty()));
    let array: ArrayRef = match column_type {
        ColumnType::Text => Arc::new(texts.collect::<StringArray>()),
        ColumnType::Boolean => {
            Arc::new(texts.map(|text| text.map(|text| text == "true")).collect::<BooleanArray>())
        }
        ColumnType::Int32 => Arc::new(
            texts.map(|text| text.and_then(|text| text.parse().ok())).collect::<Int32Array>(),
        ),
        ColumnType::Int64 => Arc::new(
            texts.map(|text| text.and_then(|text| text.parse().ok())).collect::<Int64Array>(),
        ),
        ColumnType::Date => {
            Arc::new(texts.map(|text| text.and_then(days)).collect::<Date32Array>())
        }
        ColumnType::Timestamp => Arc::new(
            texts.map(|text| text.and_then(microseconds)).collect::<TimestampMicrosecondArray>(),
        ),
        _ => {
            let cents = |text: &str| text.replace('.', "").parse::<i128>().ok();
            let decimals: Decimal128Array = texts.map(|text| text.and_then(cents)).collect();
            Arc::new(decimals.with_precision_and_scale(18, 2)?)
        }
    };
    Ok(array)
}

/// Days since 1970-01-01 of a date as `2026-10-31`.
fn days(text: &str) -> Option<i32> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i32>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Years that begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    Some(before + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

fn microseconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let seconds = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    Some((i64::from(days(text)?) * 86_400 + seconds) * 1_000_000)
}
