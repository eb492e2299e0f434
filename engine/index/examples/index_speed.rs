//! Measures building, opening, probing and counting over one full segment of eleven columns.
//!
//! `cargo run --release -p martlet-index --example index_speed`. Prints times and asserts
//! nothing about them; the rows are made from a fixed formula, so runs can be compared.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, Predicate, Selection, TableName, TableSchema,
    Value,
};
use martlet_index::{
    Built, CodesIndex, Index, IndexChoice, IndexKind, build, evaluate, group_counts, probe,
    sections_wanted,
};

const ROWS: u32 = SEGMENT_ROWS_MAX;

fn main() -> Result<(), Box<dyn Error>> {
    let (schema, rows) = segment()?;
    let choices = vec![IndexChoice::Auto; schema.columns().len()];
    let built = timed("build", || build(&schema, &rows, &choices))?;
    println!(
        "  object {} bytes, descriptor {} bytes",
        built.bytes.len(),
        built.descriptor.encode().len()
    );
    for section in built.descriptor.sections() {
        let what = format!(
            "open {} of {} ({} values, {} bytes)",
            section.kind.name(),
            schema.columns()[section.column].name,
            section.distinct,
            section.length
        );
        timed(&what, || open(&built, section.column, section.kind))?;
    }
    probes(&schema, &rows, &built)?;
    counts(&schema, &built)
}

fn probes(schema: &TableSchema, rows: &RecordBatch, built: &Built) -> Result<(), Box<dyn Error>> {
    let asked = [
        ("segment = s3", compare("segment", Comparison::Equal, Value::text("s3"))?),
        ("branch < 500", compare("branch", Comparison::Less, Value::Int(500))?),
        ("product < 2000", compare("product", Comparison::Less, Value::Int(2_000))?),
        ("opened < 2,000 days", compare("opened", Comparison::Less, Value::Date(2_000))?),
        ("balance > 0", compare("balance", Comparison::Greater, Value::Decimal(0))?),
    ];
    for (what, predicate) in asked {
        let mut indexes = Vec::new();
        for section in sections_wanted(&predicate, schema, &built.descriptor) {
            indexes
                .push(((section.column, section.kind), open(built, section.column, section.kind)?));
        }
        let find = |column, kind| {
            let found = indexes.iter().find(|(key, _)| *key == (column, kind));
            found.map(|(_, index)| Arc::clone(index))
        };
        let answer =
            timed(&format!("probe {what}"), || probe(&predicate, schema, &built.descriptor, &find));
        println!("  {} rows, exact: {}", answer.holds.count(), answer.exact);
        timed(&format!("plain {what}"), || evaluate(&predicate, schema, rows));
    }
    Ok(())
}

fn counts(schema: &TableSchema, built: &Built) -> Result<(), Box<dyn Error>> {
    let every = Selection::all(ROWS);
    let sparse = Selection::from_flags((0..ROWS).map(|row| row.is_multiple_of(160)));
    for names in [vec!["segment"], vec!["segment", "active"], vec!["product", "branch"]] {
        let mut indexes = Vec::new();
        for name in &names {
            let column = schema.position(name).ok_or("no such column")?;
            indexes.push(open(built, column, IndexKind::Codes)?);
        }
        let codes: Vec<&CodesIndex> = indexes.iter().filter_map(|index| index.as_codes()).collect();
        for (which, rows) in [("all rows", &every), ("1 of 160", &sparse)] {
            timed(&format!("count by {} over {which}", names.join(", ")), || {
                group_counts(&codes, rows)
            })?;
        }
    }
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = black_box(work());
    println!("{:>9.3} ms  {what}", start.elapsed().as_secs_f64() * 1_000.0);
    result
}

fn open(built: &Built, column: usize, kind: IndexKind) -> Result<Arc<Index>, Box<dyn Error>> {
    let section = built.descriptor.section(column, kind).ok_or("no such section")?;
    let start = usize::try_from(section.offset)?;
    let bytes = built.bytes.slice(start..start + usize::try_from(section.length)?);
    Ok(Arc::new(Index::open(section, &bytes, built.descriptor.rows())?))
}

fn compare(
    column: &str,
    comparison: Comparison,
    value: Value,
) -> Result<Predicate, Box<dyn Error>> {
    Ok(Predicate::Compare { column: ColumnName::new(column)?, comparison, value })
}

/// A number that looks drawn at random, the same in every run.
fn mixed(row: u32, salt: u32) -> u32 {
    let mut bits = u64::from(row) << 32 | u64::from(salt);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (bits >> 33) as u32
}

type Column = (&'static str, ColumnType, ArrayRef);

fn segment() -> Result<(TableSchema, RecordBatch), Box<dyn Error>> {
    let columns: Vec<Column> = [clustered(), coded(), measured()?].concat();
    let schema = columns
        .iter()
        .map(|(name, column_type, _)| {
            let name = ColumnName::new(name)?;
            Ok(ColumnSchema { name, column_type: *column_type, nullable: true, class: None })
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let schema = TableSchema::new(TableName::new("fact")?, schema, &[], &[])?;
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(schema.arrow(), arrays)?;
    Ok((schema, batch))
}

fn below(row: u32, salt: u32, end: u32) -> u32 {
    mixed(row, salt) % end
}

fn each<T, A: FromIterator<Option<T>>>(value: impl Fn(u32) -> T) -> A {
    (0..ROWS).map(|row| Some(value(row))).collect()
}

/// Sorted as a table of customer facts is: by branch, then by customer.
fn clustered() -> Vec<Column> {
    let branch: Int32Array = each(|row| (row / 1_024).cast_signed());
    let customer: StringArray = each(|row| format!("C{:08}", row / 8));
    vec![
        ("branch", ColumnType::Int32, Arc::new(branch)),
        ("customer", ColumnType::Text, Arc::new(customer)),
    ]
}

/// Few values each, in no order.
fn coded() -> Vec<Column> {
    let segment: StringArray = each(|row| format!("s{}", below(row, 1, 8)));
    let product: Int32Array = each(|row| below(row, 2, 4_000).cast_signed());
    let city: StringArray = each(|row| format!("city {}", below(row, 3, 40_000)));
    let active: BooleanArray = each(|row| below(row, 4, 10) > 0);
    let day = |row| below(row, 5, 20_000).cast_signed();
    let opened: Date32Array = (0..ROWS).map(|row| (row % 20 != 0).then(|| day(row))).collect();
    vec![
        ("segment", ColumnType::Text, Arc::new(segment)),
        ("product", ColumnType::Int32, Arc::new(product)),
        ("city", ColumnType::Text, Arc::new(city)),
        ("active", ColumnType::Boolean, Arc::new(active)),
        ("opened", ColumnType::Date, Arc::new(opened)),
    ]
}

/// Many values each, but for the score.
fn measured() -> Result<Vec<Column>, Box<dyn Error>> {
    let changed: TimestampMicrosecondArray = each(|row| i64::from(mixed(row, 6)) * 1_000);
    let balance: Decimal128Array = each(|row| i128::from(mixed(row, 7)) - (1 << 29));
    let score: Float64Array = each(|row| f64::from(below(row, 8, 1_000)) / 1_000.0);
    let account: Int64Array = each(|row| i64::from(mixed(row, 9)) << 20);
    let money = ColumnType::Decimal { precision: 18, scale: 2 };
    Ok(vec![
        ("changed", ColumnType::Timestamp, Arc::new(changed)),
        ("balance", money, Arc::new(balance.with_precision_and_scale(18, 2)?)),
        ("score", ColumnType::Float64, Arc::new(score)),
        ("account", ColumnType::Int64, Arc::new(account)),
    ])
}
