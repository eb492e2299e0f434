//! Totals as they are sorted.

use datafusion::arrow::datatypes::DataType;

use super::{Added, float, sum};

fn of_sum(sum: i128) -> Added {
    Added { present: 1, sum, float_sum: 0.0 }
}

#[test]
fn a_sum_of_64_bits_is_sorted_as_it_wraps_around() {
    let beyond = i128::from(i64::MAX) + 1;
    assert_eq!(sum(&of_sum(beyond), &DataType::Int64), Some(i64::MIN.into()));
    assert_eq!(sum(&of_sum(beyond), &DataType::Decimal128(38, 2)), Some(beyond));
    assert_eq!(sum(&of_sum(1), &DataType::Utf8), None);
}

#[test]
fn floats_are_numbered_in_their_order_while_they_are_finite() {
    let ascending = [f64::MIN, -1.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 2.0, f64::MAX];
    let numbers: Vec<i128> = ascending.iter().map(|value| float(*value).unwrap()).collect();
    assert!(numbers.is_sorted_by(|left, right| left < right));
    assert_eq!(float(-0.0), float(0.0));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(float(value), None);
    }
}
