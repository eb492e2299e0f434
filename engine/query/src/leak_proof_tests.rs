//! What may run below the guard says of every row what DataFusion says: true, false or unknown.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::common::DFSchema;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::prelude::SessionContext;
use martlet_core::{ColumnSchema, TableName};
use martlet_index::evaluate;
use proptest::prelude::*;

use super::*;

static CONTEXT: LazyLock<SessionContext> = LazyLock::new(SessionContext::new);

const COLUMNS: [(&str, ColumnType); 8] = [
    ("flag", ColumnType::Boolean),
    ("small", ColumnType::Int32),
    ("large", ColumnType::Int64),
    ("rate", ColumnType::Float64),
    ("amount", ColumnType::Decimal { precision: 18, scale: 2 }),
    ("booked_on", ColumnType::Date),
    ("booked_at", ColumnType::Timestamp),
    ("name", ColumnType::Text),
];

fn table() -> TableSchema {
    let columns = COLUMNS.map(|(name, column_type)| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: true,
        class: None,
    });
    TableSchema::new(TableName::new("fact").unwrap(), columns.into(), &[], &[]).unwrap()
}

/// One row; a day and a second of it make the timestamp.
type Row = (
    Option<bool>,
    Option<i32>,
    Option<i64>,
    Option<i16>,
    Option<i64>,
    Option<i32>,
    Option<i64>,
    Option<String>,
);

fn batch(rows: &[Row]) -> RecordBatch {
    let amounts = rows.iter().map(|row| row.4.map(i128::from)).collect::<Decimal128Array>();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(
            rows.iter().map(|row| row.3.map(|n| f64::from(n) / 4.0)).collect::<Float64Array>(),
        ),
        Arc::new(amounts.with_precision_and_scale(18, 2).unwrap()),
        Arc::new(rows.iter().map(|row| row.5).collect::<Date32Array>()),
        Arc::new(rows.iter().map(|row| row.6).collect::<TimestampMicrosecondArray>()),
        Arc::new(rows.iter().map(|row| row.7.clone()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(table().arrow(), columns).unwrap()
}

/// 2024-01-01, a Monday and the first day of a leap year.
const DAY: i32 = 19_723;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

fn day() -> impl Strategy<Value = i32> {
    prop_oneof![DAY - 40..DAY + 80, DAY - 800..DAY + 800, -90_000..90_000_i32]
}

fn moment() -> impl Strategy<Value = i64> {
    let within = prop_oneof![
        Just(0),
        Just(MICROSECONDS_PER_DAY - 1),
        0..MICROSECONDS_PER_DAY,
        (0..24_i64).prop_map(|hour| hour * 3_600_000_000)
    ];
    (day(), within).prop_map(|(day, within)| i64::from(day) * MICROSECONDS_PER_DAY + within)
}

fn text() -> impl Strategy<Value = String> {
    "[ab%_\\\\张\n]{0,5}"
}

fn row() -> BoxedStrategy<Row> {
    let large = prop_oneof![-9..9_i64, any::<i64>(), Just((1 << 53) + 1), Just(i64::MAX)];
    let amount = prop_oneof![-1_000..1_000_i64, Just(999_999_999_999_999_999)];
    let small = prop_oneof![-9..9_i32, Just(i32::MAX), Just(i32::MIN)];
    (
        prop::option::of(any::<bool>()),
        prop::option::of(small),
        prop::option::of(large),
        prop::option::of(-40..40_i16),
        prop::option::of(amount),
        prop::option::of(day()),
        prop::option::of(moment()),
        prop::option::of(text()),
    )
        .boxed()
}

fn comparison() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        "IS DISTINCT FROM",
        "IS NOT DISTINCT FROM",
    ])
}

fn date() -> impl Strategy<Value = String> {
    day().prop_map(|day| {
        let date = martlet_core::CivilDate::of_days(i64::from(day));
        format!("DATE '{:04}-{:02}-{:02}'", date.year, date.month, date.day)
    })
}

fn timestamp() -> impl Strategy<Value = String> {
    moment().prop_map(|moment| {
        let day = moment.div_euclid(MICROSECONDS_PER_DAY);
        let date = martlet_core::CivilDate::of_days(day);
        let micros = moment.rem_euclid(MICROSECONDS_PER_DAY);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!(
            "TIMESTAMP '{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}.{micros:06}'",
            date.year, date.month, date.day
        )
    })
}

/// A number's expression and constants to compare it with.
fn number() -> BoxedStrategy<(String, String, String)> {
    let whole = || (-9..9_i64).prop_map(|n| n.to_string()).boxed();
    let beyond =
        || prop_oneof![whole(), Just("9007199254740993".into()), Just("3000000000".into())].boxed();
    let point = || (-90..90_i64).prop_map(|n| format!("{}.{}", n / 8, n.abs() % 8)).boxed();
    let float = || (-90..90_i64).prop_map(|n| format!("CAST({n} AS DOUBLE) / 8")).boxed();
    let pair = |name: &'static str, of: BoxedStrategy<String>| {
        (Just(name.to_owned()), of.clone(), of).boxed()
    };
    prop_oneof![
        pair("small", whole()),
        pair("small", beyond()),
        pair("small", float()),
        pair("small", point()),
        pair("large", beyond()),
        pair("large", float()),
        pair("large", point()),
        pair("rate", float()),
        pair("rate", point()),
        pair("amount", whole()),
        pair("amount", beyond()),
        pair("amount", point()),
        pair("amount", float()),
        pair("CAST(amount AS DECIMAL(30, 5))", point()),
    ]
    .boxed()
}

fn calendar() -> BoxedStrategy<(String, String, String)> {
    let column = || prop::sample::select(vec!["booked_on", "booked_at"]);
    let moments = || prop_oneof![date(), timestamp()];
    let period = prop::sample::select(vec![
        "year", "quarter", "month", "week", "day", "hour", "minute", "second",
    ]);
    let part =
        prop::sample::select(vec!["year", "quarter", "month", "day", "dow", "doy", "hour", "qtr"]);
    let of_part =
        || prop_oneof![0..13_i64, 2022..2027_i64, -1..400_i64].prop_map(|n| n.to_string());
    prop_oneof![
        (column(), moments(), moments()).prop_map(|(c, a, b)| (c.to_owned(), a, b)),
        (date(), date()).prop_map(|(a, b)| ("CAST(booked_at AS DATE)".to_owned(), a, b)),
        (period, column(), moments(), moments()).prop_map(|(period, c, a, b)| (
            format!("date_trunc('{period}', {c})"),
            a,
            b
        )),
        (part.clone(), column(), of_part(), of_part()).prop_map(|(part, c, a, b)| (
            format!("date_part('{part}', {c})"),
            a,
            b
        )),
        (part, column(), of_part()).prop_map(|(part, c, a)| (
            format!("date_part('{part}', {c})"),
            a,
            "2.5".into()
        )),
    ]
    .boxed()
}

/// A text's conditions: patterns, functions and comparisons.
fn of_name() -> BoxedStrategy<String> {
    let quoted = || text().prop_map(|text| format!("'{text}'"));
    prop_oneof![
        (comparison(), quoted()).prop_map(|(op, a)| format!("name {op} {a}")),
        quoted().prop_map(|a| format!("name LIKE {a}")),
        quoted().prop_map(|a| format!("name NOT LIKE {a}")),
        quoted().prop_map(|a| format!("starts_with(name, {a})")),
        quoted().prop_map(|a| format!("ends_with(name, {a})")),
        quoted().prop_map(|a| format!("NOT contains(name, {a})")),
        (comparison(), quoted(), 0..2).prop_map(|(op, a, n)| format!("strpos(name, {a}) {op} {n}")),
        (comparison(), quoted(), 0..3).prop_map(|(op, a, n)| format!("left(name, {n}) {op} {a}")),
        (quoted(), quoted(), 0..3)
            .prop_map(|(a, b, n)| format!("substr(name, 1, {n}) IN ({a}, {b})")),
        (quoted(), quoted(), quoted(), quoted())
            .prop_map(|(a, b, c, d)| format!("name NOT IN ({a}, {b}, {c}, {d})")),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<String> {
    let measured = || prop_oneof![number(), calendar()];
    prop_oneof![
        (measured(), comparison()).prop_map(|((f, a, _), op)| format!("{f} {op} {a}")),
        (measured(), comparison()).prop_map(|((f, a, _), op)| format!("{a} {op} {f}")),
        measured().prop_map(|(f, a, b)| format!("{f} BETWEEN {a} AND {b}")),
        measured().prop_map(|(f, a, b)| format!("{f} NOT BETWEEN {a} AND {b}")),
        measured().prop_map(|(f, a, b)| format!("{f} IN ({a}, {b}, {b}, {a}, {b})")),
        measured().prop_map(|(f, a, b)| format!("{f} NOT IN ({a}, {b}, {b}, {a}, {b})")),
        of_name(),
        prop::sample::select(vec![
            "flag",
            "NOT flag",
            "flag IS TRUE",
            "flag IS NOT TRUE",
            "flag IS FALSE",
            "flag IS NOT FALSE",
            "flag IS UNKNOWN",
            "flag IS NOT UNKNOWN",
            "flag = false",
            "name IS NULL",
            "amount IS NOT NULL",
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|a| format!("NOT ({a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) AND ({b})")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) OR ({b})")),
            ]
        })
        .boxed()
}

/// The condition as it reaches a table provider.
fn planned(sql: &str) -> Expr {
    let schema = Arc::new(DFSchema::try_from(table().arrow()).unwrap());
    let mut state = CONTEXT.state();
    state.mark_start_execution();
    let written = state.create_logical_expr(sql, &schema).unwrap();
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(&schema))
        .with_query_execution_start_time(state.execution_props().query_execution_start_time)
        .build();
    let simplifier = ExprSimplifier::new(context);
    let typed = simplifier.coerce(written, &schema).unwrap();
    simplifier.simplify(typed).unwrap()
}

fn translated(sql: &str) -> Option<Predicate> {
    let table = table();
    let column = |name: &str| table.column(name).map(|c| (c.name.clone(), c.column_type));
    Translation { columns: &column, nulls: &|name| column(name).map(|(name, _)| name) }
        .predicate(&planned(sql))
}

/// DataFusion's own answer for every row, or `None` if it fails on one.
fn asked(sql: &str, rows: &RecordBatch) -> Option<BooleanArray> {
    let schema = DFSchema::try_from(rows.schema()).unwrap();
    let physical = CONTEXT.create_physical_expr(planned(sql), &schema).unwrap();
    let answer = physical.evaluate(rows).ok()?.into_array(rows.num_rows()).unwrap();
    Some(answer.as_boolean().clone())
}

fn answered(predicate: &Predicate, rows: &RecordBatch) -> BooleanArray {
    let truth = evaluate(predicate, &table(), rows);
    assert!(truth.exact);
    let row_count = u32::try_from(rows.num_rows()).unwrap();
    (0..row_count)
        .map(|row| match (truth.holds.contains(row), truth.fails().contains(row)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_below_the_guard_says_what_it_says_above(
        sql in condition(),
        rows in prop::collection::vec(row(), 1..40),
    ) {
        let rows = batch(&rows);
        if let (Some(predicate), Some(expected)) = (translated(&sql), asked(&sql, &rows)) {
            prop_assert_eq!(answered(&predicate, &rows), expected, "{}", sql);
        }
    }
}

/// Conditions as people and tools write them.
const BELOW: [&str; 45] = [
    "small = 5",
    "5 < small",
    "small > 2.5",
    "small IN (1, 2, 3, 4, 5)",
    "large >= 9007199254740993",
    "large < 1e3",
    "rate >= 0.5",
    "amount > 1000",
    "amount > 1000.50",
    "amount > 1000.505",
    "amount BETWEEN 0.05 AND 0.075",
    "amount = CAST('12.34' AS DECIMAL(18, 2))",
    "amount NOT IN (1, 2.5, 3, 4)",
    "flag",
    "NOT flag",
    "flag IS NOT TRUE",
    "booked_on = DATE '2026-11-01'",
    "booked_on >= '2026-11-01'",
    "booked_on < TIMESTAMP '2026-11-01 12:00:00'",
    "booked_on BETWEEN '2026-11-01' AND '2026-11-30'",
    "booked_on > CURRENT_DATE - INTERVAL '30 days'",
    "booked_on > now() - INTERVAL '30 days'",
    "booked_at >= now() - INTERVAL '1 hour'",
    "booked_at >= '2026-11-01'",
    "booked_at::date = '2026-11-01'",
    "CAST(booked_at AS DATE) IN ('2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04')",
    "extract(year FROM booked_on) = 2026",
    "extract(YEAR FROM booked_at) IN (2022, 2023, 2024, 2025, 2026)",
    "extract(month FROM booked_on) IN (6, 7, 8)",
    "date_part('dow', booked_on) NOT IN (0, 6)",
    "date_part('quarter', booked_at) BETWEEN 2 AND 3",
    "extract(hour FROM booked_at) >= 22",
    "date_trunc('month', booked_on) = DATE '2026-11-01'",
    "date_trunc('month', booked_at) >= '2026-01-01'",
    "date_trunc('week', booked_on) = TIMESTAMP '2026-11-16 00:00:00'",
    "name LIKE '%张%'",
    "name NOT LIKE 'a_b%'",
    "starts_with(name, '100%')",
    "strpos(name, 'x') > 0",
    "position('x' IN name) = 0",
    "substr(name, 1, 2) IN ('13', '31')",
    "substring(name FROM 1 FOR 2) = '13'",
    "left(name, 1) <> 'a'",
    "name IS DISTINCT FROM 'a'",
    "name IN ('a', 'b', 'c', 'd') AND NOT (amount < 5 OR small IS NULL)",
];

#[test]
fn what_people_write_runs_below_the_guard() {
    for sql in BELOW {
        assert!(translated(sql).is_some(), "{sql}: {}", planned(sql));
    }
}

#[test]
fn what_could_fail_or_is_not_known_stays_above() {
    for sql in [
        "name ILIKE 'a%'",
        "name SIMILAR TO 'a'",
        "upper(name) = 'A'",
        "CAST(name AS INT) = 5",
        "1 / small = 1",
        "small + 1 = 5",
        "small = large",
        "CAST(large AS INT) < amount",
        "CAST(amount AS DECIMAL(18, 1)) = 5.25",
        "date_part('week', booked_on) = 5",
        "date_part('epoch', booked_on) > 5",
        "left(name, 2) = 'a'",
        "random() < 0.5",
    ] {
        assert!(translated(sql).is_none(), "{sql}");
    }
}

#[test]
fn a_column_that_is_not_clear_stays_above() {
    let none = Translation { columns: &|_| None, nulls: &|_| None };
    for sql in BELOW {
        assert!(none.predicate(&planned(sql)).is_none(), "{sql}");
    }
}

#[test]
fn the_last_day_of_the_calendar_is_compared_where_sql_would_fail() {
    let end = martlet_core::CivilDate { year: 9999, month: 12, day: 31 }.days();
    let end = i32::try_from(end).unwrap();
    let row = (None, None, None, None, None, Some(end), None, None);
    let rows = batch(&[row, (None, None, None, None, None, Some(DAY), None, None)]);
    let sql = "date_trunc('month', booked_on) > DATE '2026-11-01'";
    assert!(asked(sql, &rows).is_none());
    let answer = answered(&translated(sql).unwrap(), &rows);
    assert_eq!(answer, BooleanArray::from(vec![true, false]));
}
