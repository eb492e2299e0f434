//! Measures the kernels of each index kind over one full segment: building, opening, decoding,
//! gathering by selections of several densities, conditions and aggregates.
//!
//! `cargo run --release -p martlet-index --example kernel_speed [column or percentiles]`. Prints times and asserts
//! nothing about them; the rows are made from a fixed formula, so runs can be compared.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, DatePart, Predicate, Selection, TableName,
    TableSchema, Value,
};
use martlet_index::grouping::ranks::{
    KeyScale, NO_GROUP, Picked, Point, RankCounts, Share, Wanted, for_each_key,
};
use martlet_index::grouping::{KeyColumn, MeasureColumn, group};
use martlet_index::{
    BinnedIndex, BitSlicedIndex, Built, CodesIndex, DatePartIndex, Index, IndexChoice, IndexKind,
    KeySet, VECTOR_BLOCK_ROWS, VectorIndex, WINDOW_WORDS, build, probe,
};

const ROWS: u32 = SEGMENT_ROWS_MAX;
const TIMES: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let selections: Vec<(&str, Selection)> = [("0.1", 1_000), ("3", 33), ("30", 3), ("90", 0)]
        .into_iter()
        .map(|(percent, one_in)| {
            let is_selected = |row: u32| match one_in {
                0 => !mixed(row, 77).is_multiple_of(10),
                one_in => mixed(row, 77).is_multiple_of(one_in),
            };
            (percent, Selection::from_flags((0..ROWS).map(is_selected)))
        })
        .chain(std::iter::once(("100", Selection::all(ROWS))))
        .collect();
    let only = std::env::args().nth(1);
    let is_wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    for (name, column_type, array) in columns()? {
        if !is_wanted(name) {
            continue;
        }
        let column = Column::new(name, column_type, array)?;
        println!("\n{name} ({})", column_type.name());
        for kind in IndexKind::ALL {
            column.measure(kind, &selections)?;
        }
    }
    if is_wanted("percentiles") { percentiles(&selections) } else { Ok(()) }
}

/// Both passes of a median and a ninth decile of amounts, by fifteen types.
fn percentiles(selections: &[(&str, Selection)]) -> Result<(), Box<dyn Error>> {
    let types: Int32Array = each(|row| below(row, 3, 15).cast_signed());
    let cents = |row| i128::from(below(row, 7, 1 << (10 + below(row, 17, 18))));
    let amounts: Decimal128Array = each(cents);
    let money = ColumnType::Decimal { precision: 18, scale: 2 };
    let amounts = Arc::new(amounts.with_precision_and_scale(18, 2)?);
    let types = Column::new("type", ColumnType::Int32, Arc::new(types))?;
    let amounts = Column::new("amount", money, amounts)?;
    let (types, amounts) = (types.opened(IndexKind::Codes)?, amounts.opened(IndexKind::Vector)?);
    let (Index::Codes(codes), Index::Vector(vector)) = (&*types, &*amounts) else {
        return Err("other kinds were built".into());
    };
    let (keys, column) = ([KeyColumn::Codes(codes)], MeasureColumn::Vector(vector));
    let (low, high) = vector.bounds().ok_or("no amounts")?;
    let scale = KeyScale::of_numbers(low, high);
    println!("\npercentiles by type ({} buckets)", scale.buckets());
    for (percent, rows) in selections {
        let grouped = group(&keys, &[], rows)?;
        let groups = u32::try_from(grouped.len())?;
        let mut group_of = vec![NO_GROUP; codes.dictionary().len() + 1];
        grouped.numbers.iter().zip(0..groups).for_each(|(at, to)| group_of[*at as usize] = to);
        let all: Vec<u32> = (0..groups).collect();
        let first = || {
            let mut counts = RankCounts::new(scale);
            // As a later segment finds them: so many that they are counted.
            for _ in 0..2 {
                for_each_key(&keys, &column, rows, &group_of, |groups, keys| {
                    counts.add(groups, keys)
                })
                .map(|()| black_box(&counts))
                .ok();
            }
            counts
        };
        let counts = first();
        let shares = [Share { counts: &counts, group_of: &all }];
        let points = [Point::Fraction(0.5), Point::Fraction(0.9)];
        let wanted = Wanted::new(&points, scale, &shares, grouped.len());
        let second = || {
            let rows_of = wanted.rows_of(shares[0]).unwrap_or_default();
            let row_of = |group: &u32| rows_of.get(*group as usize).copied().unwrap_or(NO_GROUP);
            let by_number: Vec<u32> = group_of.iter().map(row_of).collect();
            let mut picked = Picked::new(&wanted);
            let picks = |rows: &[u32], keys: &[i64]| picked.add(&wanted, rows, keys);
            for_each_key(&keys, &column, rows, &by_number, picks).map(|()| picked.memory_bytes())
        };
        let each = 1e9 / rows.count() as f64;
        println!(
            "    {percent:>4} %: groups {:.2} ns a row, first pass {:.2}, second {:.2}",
            best(|| group(&keys, &[], rows)) * each,
            best(first) / 2.0 * each,
            best(second) * each,
        );
    }
    Ok(())
}

struct Column {
    schema: TableSchema,
    rows: RecordBatch,
}

impl Column {
    fn new(name: &str, column_type: ColumnType, array: ArrayRef) -> Result<Self, Box<dyn Error>> {
        let column =
            ColumnSchema { name: ColumnName::new(name)?, column_type, nullable: true, class: None };
        let schema = TableSchema::new(TableName::new("fact")?, vec![column], &[], &[])?;
        let rows = RecordBatch::try_new(schema.arrow(), vec![array])?;
        Ok(Self { schema, rows })
    }

    fn measure(
        &self,
        kind: IndexKind,
        selections: &[(&str, Selection)],
    ) -> Result<(), Box<dyn Error>> {
        if matches!(kind, IndexKind::Bitmap | IndexKind::Codes) && !self.repeats() {
            return Ok(());
        }
        let started = Instant::now();
        let choices = [IndexChoice::Kinds(vec![kind])];
        let built = build(&self.schema, &self.rows, &choices)?;
        let seconds = started.elapsed().as_secs_f64();
        let Some(section) = built.descriptor.section(0, kind) else { return Ok(()) };
        println!(
            "  {:<10} build {:>6.1} ms (with its zones {:.1}), {:.2} bytes a row, open {:.3} ms, \
             of which the digest {:.3}",
            kind.name(),
            section.build_micros as f64 / 1_000.0,
            seconds * 1_000.0,
            section.length as f64 / f64::from(ROWS),
            best(|| open(&built, kind)) * 1_000.0,
            best(|| blake3::hash(&built.bytes)) * 1_000.0,
        );
        let index = open(&built, kind)?;
        match &*index {
            Index::Codes(codes) => gather_codes(codes, selections),
            Index::Vector(vector) => vectors(vector, selections),
            Index::BitSliced(slices) => aggregate(slices, selections),
            Index::Binned(bins) => ranges(bins),
            Index::DatePart(parts) => count_parts(parts, selections),
            _ => {}
        }
        self.ask(&built, &index)
    }

    fn opened(&self, kind: IndexKind) -> Result<Arc<Index>, Box<dyn Error>> {
        let built = build(&self.schema, &self.rows, &[IndexChoice::Kinds(vec![kind])])?;
        open(&built, kind)
    }

    /// Whether the column has few enough values for the kinds with a dictionary.
    fn repeats(&self) -> bool {
        matches!(self.schema.columns()[0].name.as_str(), "product" | "booked")
    }

    fn ask(&self, built: &Built, index: &Arc<Index>) -> Result<(), Box<dyn Error>> {
        for (what, predicate) in self.conditions()? {
            let seconds = best(|| {
                probe(&predicate, &self.schema, &built.descriptor, &|_, kind| {
                    (kind == index.kind()).then(|| Arc::clone(index))
                })
            });
            println!("    {what:<28} {:>8.3} ms", seconds * 1_000.0);
        }
        Ok(())
    }

    fn conditions(&self) -> Result<Vec<(&'static str, Predicate)>, Box<dyn Error>> {
        let name = self.schema.columns()[0].name.clone();
        let middle = martlet_index::value_at(self.rows.column(0), ROWS as usize / 3)
            .ok_or("the row is null")?;
        let compare = |comparison| Predicate::Compare {
            column: name.clone(),
            comparison,
            value: middle.clone(),
        };
        let mut conditions = vec![
            ("= a value", compare(Comparison::Equal)),
            ("< a value", compare(Comparison::Less)),
        ];
        let values =
            (0..100).filter_map(|row| martlet_index::value_at(self.rows.column(0), row * 997));
        conditions.push((
            "IN a hundred",
            Predicate::In { column: name.clone(), values: values.collect() },
        ));
        if matches!(middle, Value::Date(_) | Value::Timestamp(_)) {
            for (what, part) in [("month = 6", DatePart::Month), ("dow = 6", DatePart::DayOfWeek)] {
                let comparison = Comparison::Equal;
                conditions.push((
                    what,
                    Predicate::Part { column: name.clone(), part, comparison, value: 6 },
                ));
            }
        }
        Ok(conditions)
    }
}

fn gather_codes(codes: &CodesIndex, selections: &[(&str, Selection)]) {
    let mut into = Vec::new();
    for (percent, rows) in selections {
        let seconds = best(|| codes.gather(rows, &mut into));
        tell_gather(percent, seconds, rows);
    }
}

fn vectors(vector: &VectorIndex, selections: &[(&str, Selection)]) {
    let mut keys = [0_i64; VECTOR_BLOCK_ROWS];
    let mut offsets = [0_u32; VECTOR_BLOCK_ROWS];
    let decode = best(|| {
        (0..vector.blocks()).for_each(|block| {
            black_box(vector.decode_block(block, &mut keys));
        });
    });
    let decode_offsets = best(|| {
        (0..vector.blocks()).for_each(|block| {
            black_box(vector.decode_offsets(block, &mut offsets));
        });
    });
    let each = 1e9 / f64::from(ROWS);
    println!("    decode {:.3} ns a value, offsets {:.3}", decode * each, decode_offsets * each);
    let mut into = Vec::new();
    for (percent, rows) in selections {
        let seconds = best(|| vector.gather(rows, &mut into));
        tell_gather(percent, seconds, rows);
    }
    let mut all = Vec::new();
    vector.gather(&Selection::all(ROWS), &mut all);
    for one_in in [1, 10, 1_000, 100_000] {
        let keys: KeySet = all.iter().step_by(one_in).copied().collect();
        let seconds = best(|| vector.rows_in(&keys));
        println!("    semi-join with {:>8} keys {:>8.3} ms", keys.len(), seconds * 1_000.0);
    }
}

fn tell_gather(percent: &str, seconds: f64, rows: &Selection) {
    let each = seconds * 1e9 / rows.count() as f64;
    println!(
        "    gather {percent:>4} % of the rows   {:>8.3} ms, {each:.2} ns a row",
        seconds * 1_000.0
    );
}

fn aggregate(slices: &BitSlicedIndex, selections: &[(&str, Selection)]) {
    for (percent, rows) in selections {
        let sum = best(|| slices.sum(rows)) * 1_000.0;
        let median = best(|| slices.kth(rows, rows.count() / 2)) * 1_000.0;
        println!("    {percent:>4} %: sum {sum:.3} ms, median {median:.3} ms");
    }
}

/// Ranges of bins, window by window, without anything made of the rows.
fn ranges(bins: &BinnedIndex) {
    let end = bins.bounds().count() as u32 + 1;
    println!("    {} bins", end - 1);
    let mut words = [0; WINDOW_WORDS];
    let one = |start, end| std::iter::once(start..end).collect::<Vec<_>>();
    let cases = [
        ("half of the bins and more", one(end / 2, end)),
        ("one end, of most digits", one(end / 2 - 1, end)),
        ("two ends", one((end / 3) | 1, (end / 3 * 2) | 1)),
        ("three single bins", vec![1..2, end / 3..end / 3 + 1, end / 2..end / 2 + 1]),
    ];
    for (what, codes) in cases {
        let seconds = best(|| {
            (0..bins.windows()).for_each(|window| {
                bins.rows_in_bins(window, &codes, &mut words);
                black_box(&words);
            });
        });
        let per_100_million = seconds * 1e11 / f64::from(ROWS);
        println!("    {what:<28} {per_100_million:>8.3} ms per 100 M rows");
    }
}

fn count_parts(parts: &DatePartIndex, selections: &[(&str, Selection)]) {
    for (percent, rows) in selections {
        let seconds = best(|| parts.month_counts(rows));
        println!("    {percent:>4} %: count by month {:.3} ms", seconds * 1_000.0);
    }
}

/// The least of several runs, in seconds.
fn best<T>(mut work: impl FnMut() -> T) -> f64 {
    let run = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..TIMES).map(run).fold(f64::INFINITY, f64::min)
}

fn open(built: &Built, kind: IndexKind) -> Result<Arc<Index>, Box<dyn Error>> {
    let section = built.descriptor.section(0, kind).ok_or("no such section")?;
    let start = usize::try_from(section.offset)?;
    let bytes = built.bytes.slice(start..start + usize::try_from(section.length)?);
    Ok(Arc::new(Index::open(section, &bytes, ROWS)?))
}

/// A number that looks drawn at random, the same in every run.
fn mixed(row: u32, salt: u32) -> u32 {
    let mut bits = u64::from(row) << 32 | u64::from(salt);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (bits >> 33) as u32
}

fn below(row: u32, salt: u32, end: u32) -> u32 {
    mixed(row, salt) % end
}

fn each<T, A: FromIterator<Option<T>>>(value: impl Fn(u32) -> T) -> A {
    (0..ROWS).map(|row| Some(value(row))).collect()
}

type Named = (&'static str, ColumnType, ArrayRef);

/// Columns as a bank's facts have them.
fn columns() -> Result<Vec<Named>, Box<dyn Error>> {
    let product: Int32Array = each(|row| below(row, 2, 4_000).cast_signed());
    // Amounts: many small ones, in cents, each tenth null.
    let cents = |row| i128::from(below(row, 7, 1 << (10 + below(row, 17, 18))));
    let amount: Decimal128Array =
        (0..ROWS).map(|row| (row % 10 != 0).then(|| cents(row))).collect();
    let booked: Date32Array = each(|row| (18_000 + below(row, 5, 1_100)).cast_signed());
    let changed: TimestampMicrosecondArray =
        each(|row| 1_700_000_000_000_000 + i64::from(mixed(row, 6)) * 1_000);
    let customer: StringArray = each(|row| format!("C{:08}", row / 8 * 3));
    let card: StringArray =
        each(|row| format!("6217{:08}{:04}", below(row, 9, 20_000_000), row % 7_919));
    let score: Float64Array = each(|row| f64::from(below(row, 8, 1_000)) / 1_000.0);
    let wide: Int64Array = each(|row| i64::from(mixed(row, 9)) << 12);
    let money = ColumnType::Decimal { precision: 18, scale: 2 };
    Ok(vec![
        ("product", ColumnType::Int32, Arc::new(product)),
        ("amount", money, Arc::new(amount.with_precision_and_scale(18, 2)?)),
        ("booked", ColumnType::Date, Arc::new(booked)),
        ("changed", ColumnType::Timestamp, Arc::new(changed)),
        ("customer", ColumnType::Text, Arc::new(customer)),
        ("card", ColumnType::Text, Arc::new(card)),
        ("score", ColumnType::Float64, Arc::new(score)),
        ("account", ColumnType::Int64, Arc::new(wide)),
    ])
}
