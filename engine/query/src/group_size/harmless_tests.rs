use datafusion::arrow::datatypes::{Field, Schema, TimeUnit};
use datafusion::logical_expr::{cast, col, lit};

use super::*;

fn schema() -> DFSchema {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let schema = Schema::new(vec![
        field("text", DataType::Utf8),
        field("number", DataType::Int32),
        field("money", DataType::Decimal128(18, 2)),
        field("day", DataType::Date32),
    ]);
    DFSchema::try_from(schema).unwrap()
}

#[test]
fn comparisons_never_fail() {
    let schema = schema();
    for expression in [
        col("number").gt(lit(5)),
        col("text").like(lit("a%")).and(col("number").is_null()),
        col("number").in_list(vec![lit(1), lit(2)], true),
        col("money").between(lit(1), lit(2)),
        cast(col("number"), DataType::Int64).eq(lit(5_i64)),
        cast(col("number"), DataType::Decimal128(20, 2)).lt(col("money")),
        cast(col("money"), DataType::Float64).gt(lit(0.5)),
    ] {
        assert!(is_harmless(&expression, &schema), "{expression}");
    }
}

#[test]
fn whatever_may_fail_on_a_row_is_none_of_them() {
    let schema = schema();
    let moment = DataType::Timestamp(TimeUnit::Nanosecond, None);
    for expression in [
        (lit(1) / col("number")).gt(lit(0)),
        (col("number") % lit(0)).eq(lit(1)),
        (col("money") * col("money")).gt(lit(0)),
        cast(col("text"), DataType::Int64).gt(lit(5)),
        cast(lit("no date"), DataType::Date32).eq(col("day")),
        cast(col("day"), moment).is_not_null(),
        cast(col("number"), DataType::Int16).eq(lit(5)),
        cast(col("number"), DataType::Decimal128(10, 2)).eq(lit(5)),
        cast(col("money"), DataType::Decimal128(17, 2)).eq(lit(5)),
        cast(col("money"), DataType::Decimal128(30, 1)).eq(lit(5)),
        col("text").like(col("text")),
        col("text").like(lit("x".repeat(PATTERN_BYTES_MAX + 1))),
        -col("number"),
    ] {
        assert!(!is_harmless(&expression, &schema), "{expression}");
    }
}

#[test]
fn a_case_is_as_harmless_as_its_branches() {
    let schema = schema();
    let banded = |low: Expr| {
        datafusion::logical_expr::when(col("number").lt(lit(10)), low).otherwise(lit(2)).unwrap()
    };
    assert!(is_harmless(&banded(lit(1)), &schema));
    assert!(!is_harmless(&banded(lit(1) / col("number")), &schema));
}

#[test]
fn parts_of_dates_are_those_that_every_date_has() {
    let part = |name: &str| {
        let arguments = vec![lit(name), col("day")];
        datafusion::functions::datetime::date_part().call(arguments)
    };
    let schema = schema();
    assert!(is_harmless(&part("year"), &schema) && is_harmless(&part("MONTH"), &schema));
    for name in ["century", "decade", "nonsense", "", "epoch"] {
        assert!(!is_harmless(&part(name), &schema), "{name}");
    }
    let cut = datafusion::functions::datetime::date_trunc().call(vec![lit("month"), col("day")]);
    assert!(!is_harmless(&cut, &schema));
}
