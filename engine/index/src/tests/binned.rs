//! Bins against the rows: conditions whose constants lie on bounds of bins, and elsewhere.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    TimestampMicrosecondArray,
};
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, Comparison, DatePart, Predicate, Selection, TableName,
    TableSchema, Truth, Value,
};
use proptest::prelude::*;

use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::descriptor::Descriptor;
use crate::evaluate::evaluate;
use crate::filter::narrow;
use crate::kind::IndexKind;
use crate::probe::probe;
use crate::{BinnedIndex, Built, build};

const MONEY: ColumnType = ColumnType::Decimal { precision: 18, scale: 2 };
const COLUMN_TYPES: [ColumnType; 5] =
    [ColumnType::Int64, ColumnType::Float64, MONEY, ColumnType::Date, ColumnType::Timestamp];

fn array(column_type: ColumnType, keys: &[Option<i64>]) -> ArrayRef {
    let keys = keys.iter().copied();
    match column_type {
        ColumnType::Float64 => {
            Arc::new(keys.map(|key| key.map(|key| key as f64 / 8.0)).collect::<Float64Array>())
        }
        ColumnType::Decimal { .. } => {
            let array: Decimal128Array = keys.map(|key| key.map(i128::from)).collect();
            Arc::new(array.with_data_type(column_type.arrow()))
        }
        ColumnType::Date => {
            Arc::new(keys.map(|key| key.map(|key| key as i32 % 1_000_000)).collect::<Date32Array>())
        }
        ColumnType::Timestamp => Arc::new(keys.collect::<TimestampMicrosecondArray>()),
        _ => Arc::new(keys.collect::<Int64Array>()),
    }
}

/// A column with bins and without zone maps, so that the bins have to answer.
struct Column {
    schema: TableSchema,
    rows: RecordBatch,
    built: Built,
    bare: Descriptor,
}

impl Column {
    fn new(column_type: ColumnType, keys: &[Option<i64>]) -> Self {
        let name = ColumnName::new("v").unwrap();
        let column = ColumnSchema { name, column_type, nullable: true, class: None };
        let schema =
            TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap();
        let rows = RecordBatch::try_new(schema.arrow(), vec![array(column_type, keys)]).unwrap();
        let built = build(&schema, &rows, &[IndexChoice::Kinds(vec![IndexKind::Binned])]).unwrap();
        let sections = built.descriptor.sections().to_vec();
        let bare = Descriptor::new(built.descriptor.rows(), Vec::new(), sections);
        Self { schema, rows, built, bare }
    }

    fn index(&self) -> BinnedIndex {
        opened(&self.built, 0, IndexKind::Binned).unwrap().as_binned().unwrap().clone()
    }

    fn probed(&self, predicate: &Predicate) -> Truth {
        probe(predicate, &self.schema, &self.bare, &|column, kind| {
            opened(&self.built, column, kind)
        })
    }

    /// Whether the answer is never too narrow; the answer.
    fn check(&self, predicate: &Predicate) -> Result<Truth, TestCaseError> {
        let plain = evaluate(predicate, &self.schema, &self.rows);
        let answer = self.probed(predicate);
        prop_assert!(plain.holds.is_within(&answer.holds), "{:?}", predicate);
        prop_assert!(plain.fails().is_within(&answer.fails()), "{:?}", predicate);
        if answer.exact {
            prop_assert_eq!(&answer, &plain);
        }
        let every = Selection::all(self.rows.num_rows() as u32);
        let indexes = |column, kind| opened(&self.built, column, kind);
        let found = narrow(predicate, &self.schema, &self.bare, &indexes, &every);
        prop_assert!(plain.holds.is_within(&found.rows), "{:?}", predicate);
        prop_assert!(!found.is_exact() || plain.holds == found.rows, "{:?}", predicate);
        Ok(answer)
    }
}

fn name() -> ColumnName {
    ColumnName::new("v").unwrap()
}

fn compare(comparison: Comparison, value: Value) -> Predicate {
    Predicate::Compare { column: name(), comparison, value }
}

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

fn keys() -> impl Strategy<Value = Vec<Option<i64>>> {
    let key = prop_oneof![
        (0_u32..40).prop_flat_map(|bits| 0..=(1_i64 << bits)),
        -2_000_i64..2_000,
        Just(100),
    ];
    let cells = prop_oneof![
        3 => proptest::collection::vec(proptest::option::weighted(0.9, key.clone()), 0..700),
        2 => proptest::collection::vec(key.prop_map(Some), 1..700),
    ];
    // Long enough for two windows, at times.
    (cells, prop_oneof![9 => Just(1_usize), 1 => Just(120)])
        .prop_map(|(keys, times)| keys.repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn conditions_are_never_answered_too_narrowly(
        column_type in 0..COLUMN_TYPES.len(),
        keys in keys(),
        constants in proptest::collection::vec(-2_000_i64..200_000, 2),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 2),
        part_value in 0_i64..13,
    ) {
        let column_type = COLUMN_TYPES[column_type];
        let column = Column::new(column_type, &keys);
        let values = array(column_type, &constants.iter().copied().map(Some).collect::<Vec<_>>());
        let stored = column.rows.column(0);
        let of_rows = picks.iter().filter(|_| !keys.is_empty());
        let of_rows = of_rows.filter_map(|pick| crate::value_at(stored, pick.index(keys.len())));
        let constants: Vec<Value> =
            (0..2).filter_map(|row| crate::value_at(&values, row)).chain(of_rows).collect();
        for value in &constants {
            for comparison in COMPARISONS {
                column.check(&compare(comparison, value.clone()))?;
            }
        }
        for pair in constants.windows(2) {
            let from = compare(Comparison::GreaterOrEqual, pair[0].clone());
            column.check(&from.and(compare(Comparison::Less, pair[1].clone())))?;
        }
        column.check(&Predicate::In { column: name(), values: constants.into_iter().collect() })?;
        let nulls = column.check(&Predicate::IsNull { column: name() })?;
        prop_assert!(nulls.exact);
        if matches!(column_type, ColumnType::Date | ColumnType::Timestamp) {
            for part in DatePart::ALL {
                let value = if part == DatePart::Year { 1_968 + part_value } else { part_value };
                for comparison in COMPARISONS {
                    column.check(&Predicate::Part { column: name(), part, comparison, value })?;
                }
            }
        }
    }

    #[test]
    fn ranges_that_end_where_bins_do_are_answered_exactly(
        column_type in 0..COLUMN_TYPES.len(), keys in keys(),
    ) {
        let column_type = COLUMN_TYPES[column_type];
        let column = Column::new(column_type, &keys);
        let index = column.index();
        for (lowest, highest) in index.bounds() {
            let (lowest, highest) = (index.form().value_of(lowest), index.form().value_of(highest));
            for (comparison, value) in [
                (Comparison::Less, &lowest),
                (Comparison::GreaterOrEqual, &lowest),
                (Comparison::Greater, &highest),
                (Comparison::LessOrEqual, &highest),
            ] {
                prop_assert!(column.check(&compare(comparison, value.clone()))?.exact);
            }
            let from = compare(Comparison::GreaterOrEqual, lowest);
            let range = from.and(compare(Comparison::LessOrEqual, highest));
            prop_assert!(column.check(&range)?.exact);
        }
    }

    #[test]
    fn bins_count_their_rows(table in table()) {
        let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Binned]));
        for column in 0..TYPES.len() {
            let Some(index) = opened(&built, column, IndexKind::Binned) else { continue };
            let index = index.as_binned().unwrap();
            let array = table.rows.column(column);
            prop_assert_eq!(index.null_count() as usize, array.null_count());
            prop_assert_eq!(index.nulls().count() as usize, array.null_count());
            let mut words = [0; crate::kind::binned::WINDOW_WORDS];
            for ((lowest, highest), code) in index.bounds().zip(1_u32..) {
                let bin = code..code + 1;
                let bin = std::slice::from_ref(&bin);
                let within = (0..array.len()).filter_map(|row| crate::value_at(array, row));
                let within = within.filter(|value| {
                    *value >= index.form().value_of(lowest) && *value <= index.form().value_of(highest)
                });
                let rows: u32 = (0..index.windows())
                    .map(|window| {
                        index.rows_in_bins(window, bin, &mut words);
                        words.iter().map(|word| word.count_ones()).sum::<u32>()
                    })
                    .sum();
                let within = within.count() as u64;
                prop_assert_eq!(u64::from(rows), within);
                prop_assert_eq!(index.rows_of(bin), within);
            }
            prop_assert_eq!(index.rows_of(&[0..1, 1..u32::MAX]), array.len() as u64);
        }
    }
}

#[test]
fn amounts_and_dates_take_few_bits_and_are_told_exactly_where_users_ask() {
    let row_count = 200_000_i64;
    let mixed = |row: i64| (row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 20) as i64;
    let days: Vec<Option<i64>> =
        (0..row_count).map(|row| Some(20_454 + mixed(row) % 365)).collect();
    let dates = Column::new(ColumnType::Date, &days);
    let section = dates.built.descriptor.section(0, IndexKind::Binned).unwrap();
    assert!(section.length < row_count as u64 * 4 / 8 + 1_000);
    // 2026-07-01 up to 2026-09-30.
    let from = compare(Comparison::GreaterOrEqual, Value::Date(20_635));
    let quarter = from.and(compare(Comparison::LessOrEqual, Value::Date(20_726)));
    assert!(dates.check(&quarter).unwrap().exact);
    for (part, value) in [(DatePart::Month, 9), (DatePart::Quarter, 3), (DatePart::Year, 2026)] {
        let comparison = Comparison::Equal;
        let part = Predicate::Part { column: name(), part, comparison, value };
        assert!(dates.check(&part).unwrap().exact);
    }
    let cents: Vec<Option<i64>> = (0..row_count)
        .map(|row| (row % 10 != 0).then(|| mixed(row) % (1 << (10 + mixed(row * 7 + 3) % 18))))
        .collect();
    let amounts = Column::new(MONEY, &cents);
    let section = amounts.built.descriptor.section(0, IndexKind::Binned).unwrap();
    assert!(section.length < row_count as u64 * 5 / 8 + 1_000);
    for cents in [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let large = compare(Comparison::GreaterOrEqual, Value::Decimal(cents));
        assert!(amounts.check(&large).unwrap().exact, "{cents}");
    }
}
