//! Answers at points against DataFusion's own accumulators, bit by bit.

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::functions_aggregate::median::median_udaf;
use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{col, lit};
use martlet_index::key_of_value;
use proptest::prelude::*;

use super::*;

/// What DataFusion answers over the column, which holds what the plan's cast gave.
fn plain(column: &ArrayRef, point: Point) -> ScalarValue {
    let fields = vec![Field::new("v", column.data_type().clone(), true)];
    let schema = Arc::new(Schema::new(fields));
    let argument = col("v", &schema).unwrap();
    let (function, arguments) = match point {
        Point::Fraction(fraction) => (percentile_cont_udaf(), vec![argument, lit(fraction)]),
        Point::Middle => (median_udaf(), vec![argument]),
    };
    let built = AggregateExprBuilder::new(function, arguments).schema(schema).alias("a").build();
    let mut accumulator = built.unwrap().create_accumulator().unwrap();
    accumulator.update_batch(std::slice::from_ref(column)).unwrap();
    accumulator.evaluate().unwrap()
}

/// What is answered out of the keys at the ranks.
fn found(
    values: &[Option<Value>],
    column_type: ColumnType,
    point: Point,
    as_type: &DataType,
) -> ScalarValue {
    let mut keys: Vec<i64> = values.iter().flatten().filter_map(key_of_value).collect();
    keys.sort_unstable();
    let (lower, upper) = point.ranks(keys.len() as u64);
    let at = |rank: u64| keys.get(rank as usize).copied().unwrap_or(0);
    let at_ranks =
        AtRanks { present: vec![keys.len() as u64], keys: vec![vec![(at(lower), at(upper))]] };
    let ranked = Ranked {
        slice: 0,
        column: 0,
        column_type,
        scale: KeyScale::of_numbers(0, 0),
        points: vec![point],
    };
    let answer = column(&ranked, 0, &at_ranks, as_type).unwrap();
    ScalarValue::try_from_array(&answer, 0).unwrap()
}

fn point() -> impl Strategy<Value = Point> {
    prop_oneof![
        2 => Just(Point::Middle),
        3 => prop_oneof![Just(0.0), Just(0.25), Just(0.5), Just(0.9), Just(0.99), Just(1.0)]
            .prop_map(Point::Fraction),
        2 => (0.0_f64..=1.0).prop_map(Point::Fraction),
    ]
}

fn values<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
    of: fn(T) -> Value,
) -> impl Strategy<Value = Vec<Option<Value>>> {
    let cell = proptest::option::weighted(0.9, value);
    proptest::collection::vec(cell, 0..40)
        .prop_map(move |cells| cells.into_iter().map(|cell| cell.map(of)).collect())
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![-100_000_i64..100_000, any::<i64>(), Just(i64::MAX), Just(i64::MIN)]
}

/// Both answers, which are to be the same.
fn both(
    values: &[Option<Value>],
    column_type: ColumnType,
    point: Point,
    as_type: &DataType,
) -> (ScalarValue, ScalarValue) {
    let stored = array_of(values, column_type).unwrap();
    let argument = cast(&stored, as_type).unwrap();
    (found(values, column_type, point, as_type), plain(&argument, point))
}

const MONEY: ColumnType = ColumnType::Decimal { precision: 18, scale: 2 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn integers_are_answered_as_floats(values in values(number(), Value::Int), point in point()) {
        let (found, plain) = both(&values, ColumnType::Int64, point, &DataType::Float64);
        prop_assert_eq!(found, plain);
    }

    #[test]
    fn decimals_are_answered_as_floats(
        values in values(number(), |number| Value::Decimal((number / 10).into())),
        point in point(),
    ) {
        let (found, plain) = both(&values, MONEY, point, &DataType::Float64);
        prop_assert_eq!(found, plain);
    }

    #[test]
    fn the_median_of_decimals_is_a_decimal(
        values in values(number(), |number| Value::Decimal((number / 10).into())),
    ) {
        let (found, plain) = both(&values, MONEY, Point::Middle, &MONEY.arrow());
        prop_assert_eq!(found, plain);
    }

    #[test]
    fn floats_are_answered_bit_by_bit(
        // An index holds no negative zero.
        values in values(any::<f64>(), |float| Value::Float(float + 0.0)),
        point in point(),
    ) {
        let (found, plain) = both(&values, ColumnType::Float64, point, &DataType::Float64);
        let bits = |scalar: &ScalarValue| match scalar {
            ScalarValue::Float64(float) => float.map(f64::to_bits),
            _ => None,
        };
        prop_assert_eq!(bits(&found), bits(&plain), "{:?} for {:?}", found, plain);
    }
}

#[test]
fn of_no_value_the_answer_is_null() {
    let none = [None, None];
    let (found, plain) = both(&none, ColumnType::Int32, Point::Middle, &DataType::Float64);
    assert_eq!((found, plain), (ScalarValue::Float64(None), ScalarValue::Float64(None)));
}
