//! The whole range of a type's values, where no random row goes.

use datafusion::arrow::datatypes::TimeUnit;

use super::*;

fn column(column_type: ColumnType) -> Monotone {
    Monotone::new(Base::Column(ColumnName::new("c").unwrap(), column_type))
}

fn compared(predicate: &Predicate) -> Vec<(Comparison, Value)> {
    match predicate {
        Predicate::Compare { comparison, value, .. } => vec![(*comparison, value.clone())],
        Predicate::And(parts) => parts.iter().flat_map(compared).collect(),
        other => panic!("{other:?} is no comparison"),
    }
}

#[test]
fn a_constant_beyond_every_value_is_compared_with_the_last() {
    let wide = column(ColumnType::Int32).cast(&DataType::Int64).unwrap();
    let beyond = ScalarValue::Int64(Some(3_000_000_000));
    let never = wide.compare(Comparison::Equal, &beyond).unwrap();
    let last = Value::Int(i64::from(i32::MAX));
    assert_eq!(
        compared(&never),
        [(Comparison::Greater, last.clone()), (Comparison::LessOrEqual, last.clone())]
    );
    let always = wide.compare(Comparison::Less, &beyond).unwrap();
    assert_eq!(compared(&always), [(Comparison::LessOrEqual, last)]);
}

#[test]
fn the_widest_decimals_are_searched_without_overflow() {
    let widest = column(ColumnType::Decimal { precision: 38, scale: 0 });
    let float = widest.cast(&DataType::Float64).unwrap();
    let half = 5e37;
    let found = float.compare(Comparison::GreaterOrEqual, &ScalarValue::Float64(Some(half)));
    let found = compared(&found.unwrap());
    let [(Comparison::GreaterOrEqual, Value::Decimal(first))] = found.as_slice() else {
        panic!("one comparison with a decimal")
    };
    assert!(*first as f64 >= half && ((*first - 1) as f64) < half);
}

#[test]
fn a_period_is_a_range_and_a_moment_within_it_is_no_beginning() {
    let month = column(ColumnType::Timestamp).truncated(Period::Month).unwrap();
    let november = CivilDate { year: 2026, month: 11, day: 1 }.days() * 86_400_000_000;
    let december = CivilDate { year: 2026, month: 12, day: 1 }.days() * 86_400_000_000;
    let at = |micros| ScalarValue::TimestampMicrosecond(Some(micros), None);
    assert_eq!(
        compared(&month.compare(Comparison::Equal, &at(november)).unwrap()),
        [
            (Comparison::GreaterOrEqual, Value::Timestamp(november)),
            (Comparison::Less, Value::Timestamp(december))
        ]
    );
    assert_eq!(
        compared(&month.compare(Comparison::Equal, &at(november + 1)).unwrap()),
        [
            (Comparison::GreaterOrEqual, Value::Timestamp(december)),
            (Comparison::Less, Value::Timestamp(december))
        ],
        "no month begins there"
    );
}

#[test]
fn casts_that_lose_digits_or_depend_on_a_zone_are_refused() {
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("Asia/Shanghai".into()));
    for (from, to) in [
        (ColumnType::Int64, DataType::Int32),
        (ColumnType::Int64, DataType::Decimal128(38, 20)),
        (decimal(30, 2), DataType::Decimal128(38, 11)),
        (decimal(18, 2), DataType::Decimal128(30, 1)),
        (decimal(18, 2), DataType::Int64),
        (ColumnType::Text, DataType::Int64),
        (ColumnType::Date, zoned),
        (ColumnType::Timestamp, DataType::Timestamp(TimeUnit::Second, None)),
    ] {
        assert!(column(from).cast(&to).is_none(), "{from:?} to {to}");
    }
}
